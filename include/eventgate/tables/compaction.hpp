#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/files/hour_partitions.hpp"
#include "eventgate/tables/stream_table.hpp"

// NDJSON to Parquet, by an engine. Each hour of a topic becomes one folder of Parquet files:
//
//     events/eqiad.a/year=2026/month=11/day=22/hour=02/part-*.ndjson                    what the gate wrote
//     events-parquet/.new-RUN/eqiad.a/year=2026/month=11/day=22/hour=02/*.parquet       what the engine writes
//     events-parquet/.new-RUN/partitions.csv                                            its last file: the hours it did
//     events-parquet/eqiad.a/year=2026/month=11/day=22/hour=02/*.parquet                after `publish`
//
// The engine may be killed at any point: without `partitions.csv` nothing is published, and the next run does the hours
// again.

namespace eventgate {

/// Returns the folder of Parquet files that belongs to the folder of events: `events/` has `events-parquet`.
std::filesystem::path parquet_folder(const std::filesystem::path& output_path);

/// Returns true if `name` can be that of a run: 1 to 64 of letters, digits, `-` and `_`.
bool is_run_name(std::string_view name);

/// Returns the folder of a run.
std::filesystem::path run_folder(const std::filesystem::path& parquet, std::string_view run);

/// Returns the hours of a topic that ended at `limit` or before and have no Parquet files, or older ones than a file of
/// events.
std::vector<Hour> hours_to_compact(const std::filesystem::path& events, const std::filesystem::path& parquet,
                                   const std::string& topic, std::chrono::system_clock::time_point limit);

/// The hours of one topic of a table.
struct TopicHours {
  const StreamTable* table;
  std::string topic;
  std::vector<Hour> hours;  ///< Ascending.
};

/// Returns the statements that write `topics` into the folder of the run, for DuckDB. `options.folder` has the events.
std::string compaction_statements(const std::vector<TopicHours>& topics, const TableOptions& options,
                                  const std::filesystem::path& folder, std::string_view run);

/// What `publish_run` did.
struct Published {
  std::size_t partitions = 0;         ///< Put into place.
  std::size_t empty = 0;              ///< Hours without an event. The next run looks at them again.
  std::size_t leftovers = 0;          ///< Folders of earlier runs that were removed.
  std::vector<std::string> problems;  ///< Partitions that could not be put into place. The others are.
};

/// Puts each partition of a run into its place, where it replaces an older one, and removes the run's folder and those
/// of earlier runs. A query reads the older files or the newer ones. If it is killed, the partitions in place stay and
/// the others are done by the next run. Throws std::runtime_error if the run is not complete: nothing has changed then.
Published publish_run(const std::filesystem::path& parquet, std::string_view run);

}  // namespace eventgate

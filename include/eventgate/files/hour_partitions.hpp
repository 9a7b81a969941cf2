#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace eventgate {

// Where event files lie below a directory: one partition for each topic and hour, in UTC. DuckDB, Spark and Hive read
// this layout as a partitioned table.
//
//     events/eqiad.mediawiki.page-create/year=2026/month=11/day=22/hour=02/part-20261122T021530Z-5f3a90c1.ndjson

/// The start of an hour.
using Hour = std::chrono::sys_time<std::chrono::hours>;

/// Returns the part of the path that names an hour: `year=2026/month=11/day=22/hour=02`.
std::string hour_path(Hour hour);

/// Returns the path of a part file of `topic` below `directory`. `writer` is a `unique_writer_name`.
std::filesystem::path part_file_path(const std::filesystem::path& directory, std::string_view topic, Hour hour,
                                     std::string_view writer);

/// Returns a name such as `20261122T021530Z-5f3a90c1`: the start time of a writer and a random number, so that no two
/// writers share a file.
std::string unique_writer_name(std::chrono::system_clock::time_point started_at);

/// Returns the hour of a path as `hour_path` makes it, or nullopt if it is another text.
std::optional<Hour> parse_hour_path(std::string_view path);

/// The partition of one hour of a topic.
struct HourPartition {
  Hour hour;
  std::filesystem::path path;
};

/// Returns the partitions below the directory of a topic, in no order. Links are not followed. A directory that cannot
/// be read is skipped.
std::vector<HourPartition> hour_partitions(const std::filesystem::path& topic_directory);

/// Removes a partition, and the directories of its day, month and year that are empty then. Returns the error, if any.
std::error_code remove_partition(std::filesystem::path partition);

}  // namespace eventgate

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "eventgate/files/hour_partitions.hpp"
#include "eventgate/json/field_path.hpp"
#include "eventgate/source/record_source.hpp"

namespace eventgate {

/// The part files of all topics below a directory, read as records (file_source.hpp says what an offset is). Keeps no
/// state, so it sees files that are added, grow and go.
///
/// Thread-safe: immutable.
class TopicFiles {
 public:
  TopicFiles(std::filesystem::path directory, FieldPath dt_field);

  PartitionBounds bounds(const std::string& topic) const;

  /// As RecordSource::fetch, for partition 0.
  FetchedRecords fetch(const std::string& topic, std::int64_t offset, std::size_t max_bytes) const;

  /// As RecordSource::offsets_at.
  std::optional<std::int64_t> offset_at(const std::string& topic, std::int64_t timestamp) const;

  /// Returns the directories whose changes may add records: from the top down to the newest partition of the topic, as
  /// far as they exist.
  std::vector<std::filesystem::path> watched_directories(const std::string& topic) const;

 private:
  std::optional<Hour> edge_hour(const std::string& topic, bool last) const;
  std::optional<Hour> hour_after(const std::string& topic, Hour hour) const;
  std::int64_t read_hour(const std::string& topic, Hour hour, std::int64_t byte, std::size_t max_bytes,
                         std::vector<SourceRecord>& into) const;
  SourceRecord make_record(Hour hour, std::int64_t line_end, std::string line) const;

  const std::filesystem::path directory_;
  const FieldPath dt_field_;
};

}  // namespace eventgate

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "eventgate/json/field_path.hpp"
#include "eventgate/source/record_source.hpp"

namespace eventgate {

struct FileSourceOptions {
  std::string output_path;  ///< The directory of the file sink (hour_partitions.hpp).
  FieldPath dt_field;       ///< Where an event has its time. Empty: the start of its hour counts.
};

/// Makes a source that reads the part files of a file sink, while the sink writes them or later. One gate writes to the
/// directory.
///
/// - Each topic has partition 0, from the beginning, even if it has no file yet.
/// - The offset of a line is the number of hours since 1970 times 2^33, plus the bytes of its hour before its line end.
///   So offsets stay what they are when old partitions are deleted, and are below 2^53. An hour of a topic has 8 GB at
///   most; what is beyond is not read.
/// - A line without its end is not read yet.
/// - The time of a record is the date-time at `dt_field`, else the start of its hour. `offsets_at` does not look into
///   hours that ended more than an hour before the time asked for.
/// - Records have no keys. Changes are found by inotify, on a thread that all tails share.
///
/// Thread-safe. Throws std::system_error if the kernel has no inotify left.
std::unique_ptr<RecordSource> make_file_source(FileSourceOptions options);

}  // namespace eventgate

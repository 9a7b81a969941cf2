#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "eventgate/delivery/sink.hpp"
#include "eventgate/files/retention.hpp"

namespace eventgate {

class Telemetry;

struct FileSinkOptions {
  /// A file, `stdout`, or a directory: a path that ends in a slash or is one. Below a directory each topic and hour has
  /// a file of its own (hour_partitions.hpp).
  std::string output_path = "./events/";
  bool output_fsync = false;               ///< Syncs each write to disk before it is answered.
  std::chrono::hours output_retention{0};  ///< Age at which partitions are deleted. 0: never.
  RetentionOfTopic retention = {};  ///< Counts before output_retention if it is set. Called on the writing thread.
  /// How long a line waits for a pipe at most. It fails a little earlier, so that its client gets the error.
  std::chrono::milliseconds produce_timeout{10000};

  /// Returns the time of writing, which decides the partition. Called on the writing thread. Tests replace it.
  std::function<std::chrono::system_clock::time_point()> now = [] { return std::chrono::system_clock::now(); };
};

/// Makes a sink that writes each record as a line, on a thread of its own. Waiting lines are written and synced
/// together.
///
/// - A line is in the file as a whole or not at all: a partly written line is cut off again.
/// - Several processes may write below one directory, because each has its own files.
/// - A removed file is created again, and lines that were lost with it are written again before they are answered.
/// - After a file was moved, and after `reload`, the next lines go to a new file. A pipe, a socket or a device stays
/// open.
/// - A line that a pipe does not take within `produce_timeout` fails.
///
/// `telemetry` must outlive the sink. Throws std::runtime_error naming `output_path` if it cannot be opened or created.
std::unique_ptr<Sink> make_file_sink(FileSinkOptions options, Telemetry& telemetry);

}  // namespace eventgate

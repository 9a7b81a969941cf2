#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "eventgate/delivery/sink.hpp"

namespace eventgate {

class Telemetry;

struct FileSinkOptions {
  /// A file, `stdout`, or a directory (ends in a slash, or is one): see spec delivery, "Outputs".
  std::string output_path = "./events/";
  bool output_fsync = false;
  std::chrono::hours output_retention{0};  ///< 0: keep for ever.
  /// How long a line waits for a pipe at most. It fails a little before, so that its client hears it.
  std::chrono::milliseconds produce_timeout{10000};

  /// The time of writing, which names the partition. Called on the writer's thread.
  std::function<std::chrono::system_clock::time_point()> now = [] { return std::chrono::system_clock::now(); };
};

/// Writes records as lines, on a thread of its own; what waits is written and synced together. A line is a whole record
/// or is not there: what an error tears is cut off again. Several processes may write below one directory, each in
/// files of its own. A file that was removed is made again, and the lines that went with it are written again before
/// they are answered. After a file was moved the next lines go to a new one, and after `renew`. A pipe, a socket or a
/// device is left alone. What a pipe does not take within `produce_timeout` fails.
/// Throws std::runtime_error naming `output_path` if it cannot be opened or made.
std::unique_ptr<Sink> make_file_sink(FileSinkOptions options, Telemetry& events);

}  // namespace eventgate

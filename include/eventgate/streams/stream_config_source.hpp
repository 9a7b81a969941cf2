#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/streams/stream_configs.hpp"

namespace eventgate {

class Telemetry;

struct StreamConfigOptions {
  std::string stream_config_uri;                   ///< Empty: streams are not configured and everything may enter.
  std::string stream_config_object_path;           ///< Dotted path of the sub-object, such as `streams`.
  std::chrono::milliseconds stream_config_ttl{0};  ///< Between refreshes; 0: never.
  int stream_config_retries = 1;                   ///< More tries at start.
  /// Folder where the last good one is kept, for a start while nothing is to be had at the URI. Empty: none.
  std::string cache_dir;
};

/// The stream configs now in use, read again every `stream_config_ttl` on a thread of its own. A refresh that fails
/// keeps the last good one, warns once and counts.
///
/// Thread-safe.
class StreamConfigSource {
 public:
  /// Reads the first one. If that fails `stream_config_retries` + 1 times, takes the one kept in `cache_dir` and tries
  /// again every minute or `stream_config_ttl`; throws std::runtime_error naming the URI if there is none.
  /// `changed` is called after each successful read but the first, on the thread that read, one at a time.
  /// Once `stop` is asked for, the first read is given up at once: throws std::runtime_error.
  StreamConfigSource(StreamConfigOptions options, std::shared_ptr<ObjectReader> reader, Telemetry& events,
                     std::function<void(const StreamConfigs&)> changed = {}, std::stop_token stop = {});
  /// Stops the reader, and so does not wait for a read under way.
  ~StreamConfigSource();

  /// Never null. Cheap.
  std::shared_ptr<const StreamConfigs> current() const;

  /// Reads them now. What it returns, which may be called once, puts them to use. Blocks.
  /// Throws a standard exception that says what is wrong, and those in use stay.
  std::function<void()> read_again();

  /// When the one in use was read.
  std::chrono::system_clock::time_point read_at() const;

  /// What is old about the one in use, with its age, or nothing: no read succeeded for three `stream_config_ttl`, or it
  /// is that of `cache_dir`.
  std::optional<std::string> stale() const;

  /// The entries of those in use that cannot be used, with their reasons, or nothing.
  std::optional<std::string> unusable() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate

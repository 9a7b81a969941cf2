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

/// Options named as in the config.
struct StreamConfigOptions {
  std::string stream_config_uri;                   ///< Empty: streams are not configured, and every stream is allowed.
  std::string stream_config_object_path;           ///< Dotted path of the declarations, such as `streams`.
  std::chrono::milliseconds stream_config_ttl{0};  ///< Time between refreshes. 0: never.
  int stream_config_retries = 1;                   ///< Further attempts at start.
  /// Folder that keeps the last good stream configs for a start while the URI cannot be read. Empty: none.
  std::string cache_dir;
};

/// Reads the stream configs at start and every `stream_config_ttl`, on a thread of its own. After a failed refresh the
/// last good ones stay in use. Failures in a row are logged once and counted each.
///
/// Thread-safe.
class StreamConfigSource {
 public:
  /// Reads the stream configs. After `stream_config_retries` + 1 failures it uses those kept in `cache_dir`, and tries
  /// again every `stream_config_ttl`, or every minute if that is 0. Calls `changed` after each later successful read,
  /// on the thread that reads, one call at a time. `telemetry` must outlive this. Throws std::runtime_error naming the
  /// URI if nothing can be read and nothing is kept, or once `stop` is requested.
  StreamConfigSource(StreamConfigOptions options, std::shared_ptr<ObjectReader> reader, Telemetry& telemetry,
                     std::function<void(const StreamConfigs&)> changed = {}, std::stop_token stop = {});
  /// Stops the reader, which ends a read in progress.
  ~StreamConfigSource();

  /// Returns the stream configs in use, never null. Cheap.
  std::shared_ptr<const StreamConfigs> current() const;

  /// Reads the stream configs now. Returns a function that puts them to use; call it at most once. Blocks.
  /// Throws a std::exception with the reason if they cannot be read. Those in use stay then.
  std::function<void()> reload();

  /// Returns when those in use were read.
  std::chrono::system_clock::time_point read_at() const;

  /// Returns why those in use are old, with their age: no read succeeded for three `stream_config_ttl`, or they come
  /// from `cache_dir`. Returns nullopt if they are not old.
  std::optional<std::string> stale_reason() const;

  /// Returns the unusable entries of those in use, with their reasons, or nullopt.
  std::optional<std::string> unusable_reason() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate

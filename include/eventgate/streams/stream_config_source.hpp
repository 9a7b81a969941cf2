#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/streams/stream_catalog.hpp"
#include "eventgate/streams/stream_configs.hpp"
#include "eventgate/streams/wiki_declarations.hpp"

namespace eventgate {

class Telemetry;

/// Options named as in the config.
struct StreamConfigOptions {
  /// Later ones are merged over earlier ones. Empty: streams are not configured, and every stream is allowed.
  std::vector<std::string> stream_config_uri;
  std::string stream_config_object_path;           ///< Dotted path of the declarations, such as `streams`.
  std::chrono::milliseconds stream_config_ttl{0};  ///< Time between refreshes. 0: never.
  int stream_config_retries = 1;                   ///< Further attempts at start.
  /// Folder that keeps the last good stream configs for a start while the URI cannot be read. Empty: none.
  std::string cache_dir;
  /// Laid under every stream: the JSON text of an object, or of one per wiki. Empty: nothing.
  std::string stream_config_default_settings = {};
  WikiGroups stream_config_groups = {};
  std::string stream_config_wiki = "metawiki";  ///< The wiki whose stream configs the gate holds events to.
};

/// Reads the stream configs at start and every `stream_config_ttl`, on a thread of its own. If one of several URIs
/// cannot be read, its last good document stays in use beside those that can. Failures of a URI in a row are logged
/// once and counted each.
///
/// Thread-safe.
class StreamConfigSource {
 public:
  /// Reads the stream configs. After `stream_config_retries` + 1 failures of a URI it uses the document kept in
  /// `cache_dir`, and tries again every `stream_config_ttl`, or every minute if that is 0. Calls `changed` after each
  /// later successful read, on the thread that reads, one call at a time. `telemetry` must outlive this. Throws
  /// std::runtime_error naming the URI if nothing can be read and nothing is kept, or once `stop` is requested.
  StreamConfigSource(StreamConfigOptions options, std::shared_ptr<ObjectReader> reader, Telemetry& telemetry,
                     std::function<void(const StreamConfigs&)> changed = {}, const std::stop_token& stop = {});
  /// Stops the reader, which ends a read in progress.
  ~StreamConfigSource();

  /// Returns the stream configs in use, never null. Cheap.
  std::shared_ptr<const StreamConfigs> current() const;

  /// Returns what the service of stream configs answers from, never null. Cheap.
  std::shared_ptr<const StreamCatalog> catalog() const;

  /// Reads the stream configs now, of every URI. Returns a function that puts them to use; call it at most once.
  /// Blocks. Throws a std::exception with the reason if they cannot be read. Those in use stay then.
  std::function<void()> reload();

  /// Returns when those in use were read. Of several URIs, the one that was read the longest ago counts.
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

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/readers/redaction.hpp"

namespace eventgate {

/// A stream that clients can read.
struct ExposedStream {
  std::string name;
  std::optional<std::string> alias_of;      ///< Its settings are those of this stream.
  std::vector<std::string> aliases;         ///< Its other names. Empty for an alias.
  std::vector<std::string> topics;          ///< Legal names, each once.
  std::vector<std::string> topics_allowed;  ///< Further topics that a Last-Event-ID may name.
  bool is_private = false;                  ///< Only clients with `stream_token` see it.
  std::string description;
  std::string schema_title;
  std::string schema_uri;  ///< `$schema`, or `/<schema_title>/<schema_latest_version>`. Empty: not known.
};

/// Options named as in the config.
struct ExposedStreamOptions {
  std::string stream_config_defaults = "{}";   ///< JSON text: stream name to settings under those that were fetched.
  std::string stream_config_overrides = "{}";  ///< The same, over those that were fetched.
  std::optional<std::vector<std::string>> allowed_streams = {};  ///< Nullopt: all that have topics.
  std::string schema_latest_version = "latest";
  RedactedPages mediawiki_redacted_pages = {};
  bool intake = true;             ///< A stream without `topics` has the topic that the gate produces it to.
  std::string topic_prefix = {};  ///< The gate's.
};

/// The streams that clients can read, made of the stream configs and the options of the read side.
///
/// Immutable: a reload makes a new one.
class ExposedStreams {
 public:
  ExposedStreams();
  ExposedStreams(std::vector<ExposedStream> streams,
                 std::vector<std::pair<std::string, std::shared_ptr<const RedactionRules>>> rules);
  /// Reads `configs`, the object of stream name to settings as it was fetched (`StreamConfigs::json`). An entry that
  /// cannot be used is not exposed, and `problems` says why.
  ExposedStreams(const nlohmann::ordered_json& configs, const ExposedStreamOptions& options);
  ExposedStreams(ExposedStreams&&) noexcept;
  ExposedStreams& operator=(ExposedStreams&&) noexcept;
  ~ExposedStreams();

  /// Returns null if no stream or alias has this name. The pointer is valid as long as this object.
  const ExposedStream* find(std::string_view name) const;

  /// In the order declared; aliases follow their stream.
  const std::vector<ExposedStream>& all() const { return streams_; }

  /// The rules of all streams that have `topic`, together. Null: nothing is redacted. After a reload, the frames of a
  /// topic are still good if `RedactionRules::key` is the same.
  std::shared_ptr<const RedactionRules> redaction(std::string_view topic) const;

  /// Entries that are not exposed, or whose events are withheld, although they name topics. Each is a sentence.
  const std::vector<std::string>& problems() const { return problems_; }

  /// Returns the body of `GET /v2/stream`: a JSON array with name, aliases, description, schema_title and topics of
  /// each stream. Private streams are left out unless `sees_private`.
  std::string list_json(bool sees_private) const;

 private:
  void finish();

  std::vector<ExposedStream> streams_;
  std::vector<std::size_t> by_name_;
  std::vector<std::pair<std::string, std::shared_ptr<const RedactionRules>>> rules_;  // sorted by topic
  std::vector<std::string> problems_;
};

/// What the OpenAPI document says of the streams that are not private. Both are JSON texts.
struct StreamPaths {
  std::string paths;  ///< An object of `/v2/stream/NAME`, for each stream and alias, to its path item.
  std::string names;  ///< An array of all names, for the enum of the path parameter.
};

/// Describes `streams` for OpenAPI 3. `find_schema` returns the JSON text of the schema at a URI, or nullopt; it is
/// called once for each URI. The first of the schema's `examples` becomes the example.
StreamPaths describe_streams(const ExposedStreams& streams,
                             const std::function<std::optional<std::string>(const std::string& uri)>& find_schema);

/// Returns the stream configs in effect: `overrides` over `configs` over `defaults`. Objects merge deeply; an array or
/// any other value replaces the whole value.
nlohmann::ordered_json merged_stream_configs(const nlohmann::ordered_json& defaults,
                                             const nlohmann::ordered_json& configs,
                                             const nlohmann::ordered_json& overrides);

}  // namespace eventgate

#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/events/field_path.hpp"

namespace eventgate {

/// What is declared about one stream. Field names are those of the stream config object.
struct StreamConfig {
  /// The `title` that an event's schema must have for the event to enter the stream. Absent: nothing may enter.
  std::optional<std::string> schema_title;

  /// The declaration was an empty object (or no object): the stream "is configured but does not have any settings".
  bool empty = false;

  /// Key field to event field, as declared: the order is the key's, so it decides the partition.
  /// Empty: produced without a key.
  std::vector<std::pair<FieldPath, FieldPath>> message_key_fields;

  /// `topic_prefixes: null`: the topic is the bare stream.
  bool without_topic_prefix = false;

  /// `producers.eventgate.enrich_fields_from_http_headers`: field to header name, nothing for `false`. Absent: the
  /// config's `http_request_headers_to_fields` counts.
  std::optional<std::vector<std::pair<FieldPath, std::optional<std::string>>>> enrich_fields_from_http_headers;
};

/// The declared streams, looked up by name.
///
/// Immutable once built, so every thread may read it. A refresh builds a new one.
class StreamConfigs {
 public:
  /// Reads the object found at `stream_config_uri`: stream name, or /regex/, to its settings.
  /// Throws std::invalid_argument naming the stream that has a bad regex or a setting of a wrong type, with what was
  /// expected.
  explicit StreamConfigs(const nlohmann::ordered_json& object);
  ~StreamConfigs();

  /// The config of `stream`: its own entry, else the first /regex/ entry that is found in it.
  /// Null if the stream is not declared. The pointer lives as long as this object.
  const StreamConfig* find(std::string_view stream) const;

  /// The declared object as JSON text: all of it, or the entries declared under exactly these names.
  std::string json() const;
  std::string json(const std::vector<std::string>& names) const;

  /// Declared names that are no regex, in order.
  std::vector<std::string> names() const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace eventgate

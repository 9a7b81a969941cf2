#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/json/field_path.hpp"

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

  /// Why the entry cannot be used: the stream, the setting and what was expected. Empty: it can be used. Events of the
  /// stream fail with this reason, and the other members do not count.
  std::string unusable_reason;
};

/// An entry that cannot be used.
struct UnusableEntry {
  std::string name;    ///< As declared: a stream, or /regex/.
  std::string reason;  ///< At most some 400 bytes.
  bool bad_regex;      ///< RE2 cannot take its /regex/, so that the entry matches no stream.
};

/// The declared streams, looked up by name.
///
/// Immutable once built, so every thread may read it. A refresh builds a new one.
class StreamConfigs {
 public:
  /// Reads the object found at `stream_config_uri`: stream name, or /regex/, to its settings.
  /// An entry that has a setting of a wrong type is kept with its reason, which `find` gives. An entry whose regex RE2
  /// cannot take matches nothing. `unusable` lists both. Throws std::invalid_argument only if `object` is none.
  explicit StreamConfigs(const nlohmann::ordered_json& object);
  ~StreamConfigs();

  /// The config of `stream`: its own entry, else the first /regex/ entry that is found in it.
  /// Null if the stream is not declared. The pointer lives as long as this object.
  const StreamConfig* find(std::string_view stream) const;

  /// The declared object as JSON text: all of it, or the entries declared under exactly these names.
  std::string json() const;
  std::string json(const std::vector<std::string>& names) const;

  /// Entries that cannot be used, in the order declared.
  const std::vector<UnusableEntry>& unusable() const;

  /// The reasons of `unusable` as one text of at most some 4 KB, or empty.
  std::string unusable_text() const;

  /// A sentence of at most some 500 bytes that names the entries whose regex RE2 cannot take. Empty if there are none.
  /// Events of streams that are not declared get it, because such an entry might declare their stream.
  const std::string& bad_regexes() const;

  /// Declared names that are no regex, in order.
  std::vector<std::string> names() const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace eventgate

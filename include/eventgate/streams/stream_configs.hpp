#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/json/field_path.hpp"

namespace eventgate {

/// The declaration of one stream. Members are named as in the stream config object.
struct StreamConfig {
  /// The `title` that an event's schema must have for the event to enter the stream. Absent: nothing may enter.
  std::optional<std::string> schema_title;

  /// The declaration is null or an empty object, so that no event may enter.
  bool empty = false;

  /// Key field to event field, in the order declared. The order is that of the key, so it decides the partition.
  /// Empty: records have no key.
  std::vector<std::pair<FieldPath, FieldPath>> message_key_fields;

  /// True for `topic_prefixes: null`: the topic is the stream without a prefix.
  bool without_topic_prefix = false;

  /// Event field to header name, or to nullopt for `false`: `producers.eventgate.enrich_fields_from_http_headers`.
  /// Absent: the option `http_request_headers_to_fields` applies.
  std::optional<std::vector<std::pair<FieldPath, std::optional<std::string>>>> enrich_fields_from_http_headers;

  /// `canary_events_enabled` is true: the gate makes canaries for the stream, if it makes any.
  bool canary_events_enabled = false;

  /// `destination_event_service`: the name of the gate that takes the stream's events. Absent: any gate.
  std::optional<std::string> destination_event_service;

  /// `retention`: how long the stream's files are kept, `30d` or `48h`. hours::max() for `none`, which keeps them for
  /// ever. Absent: the option `output_retention` applies.
  std::optional<std::chrono::hours> retention;

  /// Names the stream, the wrong setting and what was expected. Empty: the entry is usable. Otherwise events of the
  /// stream fail with this reason, and the other members have no meaning.
  std::string unusable_reason;
};

/// An entry with a wrong setting or a wrong regex.
struct UnusableEntry {
  std::string name;    ///< As declared: a stream, or /regex/.
  std::string reason;  ///< About 400 bytes at most.
  bool bad_regex;      ///< RE2 rejects its /regex/, so that the entry matches no stream.
};

/// Streams that earlier stream configs declared by name, with the time when they were gone.
using TakenOutStreams = std::map<std::string, std::chrono::system_clock::time_point, std::less<>>;

/// The declared streams, looked up by name. A name is a stream, or `/regex/` or `/regex/i`:
///
///     {"test.event": {"schema_title": "test"}, "/^mediawiki\\.job\\..+/": {"schema_title": "mediawiki/job"}}
///
/// Immutable, so every thread may read it. A refresh makes a new one.
class StreamConfigs {
 public:
  /// How long a stream that is taken out is still known by its name.
  static constexpr std::chrono::hours kTakenOutFor{1};
  /// Streams taken out that are known at most, those of the last refresh before older ones.
  static constexpr std::size_t kMaxTakenOut = 1000;

  /// Reads an object of stream name, or /regex/, to settings. An entry with a setting of a wrong type is kept with its
  /// reason, which `find` returns. An entry whose regex RE2 rejects matches nothing. `unusable_entries` lists both.
  /// Throws std::invalid_argument if `object` is no object.
  explicit StreamConfigs(const nlohmann::ordered_json& object);
  /// Does the same. `problems` are further unusable entries, and `taken_out` what `taken_out_before` returned.
  StreamConfigs(const nlohmann::ordered_json& object, const std::vector<UnusableEntry>& problems,
                TakenOutStreams taken_out);
  ~StreamConfigs();

  /// Returns the config of `stream`: the entry of that name, else the first /regex/ entry that occurs in the name.
  /// Returns null if the stream is not declared. The pointer is valid as long as this object.
  const StreamConfig* find(std::string_view stream) const;

  /// Returns the declared object as JSON text: all of it, or the entries declared under exactly these names.
  std::string json() const;
  std::string json(const std::vector<std::string>& names) const;

  /// Returns the entries with a wrong setting or regex, in the order declared.
  const std::vector<UnusableEntry>& unusable_entries() const;

  /// Returns the reasons of `unusable_entries` as one text of about 4 KB at most, or an empty text.
  std::string unusable_reasons() const;

  /// Returns a sentence of about 500 bytes at most that names the entries whose regex RE2 rejects, or an empty text.
  /// Errors about undeclared streams contain it, because such an entry may be meant for their stream.
  const std::string& bad_regex_reason() const;

  /// Returns the streams that `object`, declared at `now`, no longer declares: those of this, and those that this knows
  /// for less than `kTakenOutFor`.
  TakenOutStreams taken_out_before(const nlohmann::ordered_json& object,
                                   std::chrono::system_clock::time_point now) const;

  /// Returns true if `stream`, which `find` does not find, was declared until less than `kTakenOutFor` before `now`.
  bool is_taken_out(std::string_view stream, std::chrono::system_clock::time_point now) const;

  /// Returns the number of entries.
  std::size_t size() const;

  /// Returns the declared names that are no regex, in the order declared.
  std::vector<std::string> stream_names() const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace eventgate

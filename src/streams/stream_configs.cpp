#include "eventgate/streams/stream_configs.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/utf8.hpp"
#include "stream_regex.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

// Bounds of messages about unusable entries, which replies and log lines quote.
constexpr std::size_t kMaxQuotedName = 100;  // bytes
constexpr std::size_t kMaxReason = 400;      // bytes
constexpr std::size_t kMaxNamedEntries = 8;

/// Returns true for an object. PHP, which makes the stream configs, writes an object without members as `[]`.
bool is_object(const Json& value) { return value.is_object() || (value.is_array() && value.empty()); }

/// Returns `text`, or its first `size` bytes and `...`.
std::string shortened(const std::string& text, std::size_t size) {
  if (text.size() <= size) return text;
  return std::string(utf8_prefix(text, size)) + "...";
}

std::string quoted_name(const std::string& stream) { return '\'' + shortened(stream, kMaxQuotedName) + '\''; }

[[noreturn]] void throw_wrong_setting(const std::string& stream, const std::string& setting, const Json& value,
                                      const std::string& expected) {
  throw std::invalid_argument("Stream " + quoted_name(stream) + ": " + shortened(setting, kMaxQuotedName) + " is " +
                              (value.is_null() ? "null" : "of type " + std::string(value.type_name())) + ", expected " +
                              expected);
}

std::string json_text(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// Returns the member, or null if it is absent or a JSON null.
const Json* member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

/// Returns the member, or null if it is absent. Throws std::invalid_argument if it is no object.
const Json* object_member(const std::string& stream, const std::string& path, const Json& object, const char* name) {
  const Json* value = member(object, name);
  if (value && !is_object(*value)) throw_wrong_setting(stream, path + name, *value, "an object");
  return value;
}

/// Sets the key fields from `message_key_fields`.
void read_message_key_fields(const std::string& stream, const Json& settings, StreamConfig& config) {
  const Json* const fields = object_member(stream, "", settings, "message_key_fields");
  if (!fields) return;
  for (const auto& [key, field] : fields->items()) {
    const std::string setting = "message_key_fields." + key;
    if (!field.is_string())
      throw_wrong_setting(stream, setting, field, "the path of an event's field, such as `meta.id`");
    FieldPath key_path(key);
    FieldPath field_path(field.get_ref<const std::string&>());
    if (key_path.empty() || field_path.empty()) {
      throw std::invalid_argument("Stream " + quoted_name(stream) + ": " + shortened(setting, kMaxQuotedName) +
                                  " is empty, expected the path of an event's field, such as `meta.id`");
    }
    config.message_key_fields.emplace_back(std::move(key_path), std::move(field_path));
  }
}

/// Sets the header fields from `producers.eventgate`.
void read_enrichment(const std::string& stream, const Json& settings, StreamConfig& config) {
  const Json* const producers = object_member(stream, "", settings, "producers");
  const Json* const producer = producers ? object_member(stream, "producers.", *producers, "eventgate") : nullptr;
  const Json* const headers =
      producer ? object_member(stream, "producers.eventgate.", *producer, "enrich_fields_from_http_headers") : nullptr;
  if (!headers) return;
  auto& enrich = config.enrich_fields_from_http_headers.emplace();
  for (const auto& [field, header] : headers->items()) {
    if (header.is_string()) {
      enrich.emplace_back(FieldPath(field), to_ascii_lower(header.get_ref<const std::string&>()));
    } else if (header.is_boolean() && !header.get<bool>()) {
      enrich.emplace_back(FieldPath(field), std::nullopt);
    } else {
      throw_wrong_setting(stream, "producers.eventgate.enrich_fields_from_http_headers." + field, header,
                          "the name of a header, or false");
    }
  }
}

/// Returns the hours of a text such as `48h` or `30d`, hours::max() for `none`, or nullopt.
std::optional<std::chrono::hours> retention_of(std::string_view text) {
  constexpr int kMaxDays = 36500;
  if (text == "none") return std::chrono::hours::max();
  int count = 0;
  const auto [unit, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || unit + 1 != text.data() + text.size() || count <= 0) return std::nullopt;
  if (*unit == 'h' && count <= 24 * kMaxDays) return std::chrono::hours(count);
  if (*unit == 'd' && count <= kMaxDays) return std::chrono::hours(24 * count);
  return std::nullopt;
}

void read_retention(const std::string& stream, const Json& settings, StreamConfig& config) {
  const Json* const value = member(settings, "retention");
  if (!value) return;
  if (value->is_string()) config.retention = retention_of(value->get_ref<const std::string&>());
  if (config.retention) return;
  throw std::invalid_argument("Stream " + quoted_name(stream) + ": retention is " +
                              shortened(json_text(*value), kMaxQuotedName) +
                              ", expected whole hours or days, such as 48h or 30d, or none");
}

/// Throws std::invalid_argument if a setting has a wrong type.
StreamConfig read_config(const std::string& stream, const Json& settings) {
  StreamConfig config;
  if (!settings.is_null() && !is_object(settings)) {
    throw std::invalid_argument("Stream " + quoted_name(stream) + " is of type " + std::string(settings.type_name()) +
                                ", expected an object of settings");
  }
  if (settings.empty()) {  // true for null, too
    config.empty = true;
    return config;
  }
  if (const Json* title = member(settings, "schema_title")) {
    if (!title->is_string())
      throw_wrong_setting(stream, "schema_title", *title, "a string: the `title` of the stream's schema");
    config.schema_title = title->get<std::string>();
  }
  read_message_key_fields(stream, settings, config);
  const auto prefixes = settings.find("topic_prefixes");
  config.without_topic_prefix = prefixes != settings.end() && prefixes->is_null();
  // Other types count as absent, because files that gates accept today may have them.
  const Json* const canary = member(settings, "canary_events_enabled");
  config.canary_events_enabled = canary && canary->is_boolean() && canary->get<bool>();
  if (const Json* const service = member(settings, "destination_event_service"); service && service->is_string())
    config.destination_event_service = service->get<std::string>();
  read_enrichment(stream, settings, config);
  read_retention(stream, settings, config);
  return config;
}

/// Returns the config, or one with the reason why the settings are wrong.
StreamConfig config_or_reason(const std::string& stream, const Json& settings) {
  try {
    return read_config(stream, settings);
  } catch (const std::invalid_argument& e) {
    StreamConfig unusable;
    unusable.unusable_reason = e.what();
    return unusable;
  }
}

/// Returns the sentence of StreamConfigs::bad_regex_reason.
std::string make_bad_regex_reason(const std::vector<UnusableEntry>& unusable) {
  constexpr std::size_t kMaxNames = 4;
  std::string names;
  std::size_t count = 0;
  for (const UnusableEntry& entry : unusable) {
    if (entry.bad_regex && ++count <= kMaxNames) names += (names.empty() ? "" : ", ") + quoted_name(entry.name);
  }
  if (count == 0) return {};
  if (count > kMaxNames) names += " and " + std::to_string(count - kMaxNames) + " more";
  return "Stream config entries whose regex cannot be used match nothing: " + names + '.';
}

struct NameHash : std::hash<std::string_view> {
  using is_transparent = void;
};

}  // namespace

struct StreamConfigs::Impl {
  struct Regex {
    std::unique_ptr<RE2> regex;
    StreamConfig config;
  };
  struct Entry {
    std::string name;
    std::string text;  ///< `"name":{...}`
  };

  std::unordered_map<std::string, StreamConfig, NameHash, std::equal_to<>> by_name;
  // In the order declared.
  std::vector<Regex> regexes;
  std::vector<Entry> entries;
  std::vector<UnusableEntry> unusable;
  std::string bad_regex_reason;
  TakenOutStreams taken_out;
};

StreamConfigs::StreamConfigs(const Json& object) : StreamConfigs(object, {}, {}) {}

StreamConfigs::StreamConfigs(const Json& object, const std::vector<UnusableEntry>& problems,
                             TakenOutStreams taken_out) {
  auto impl = std::make_unique<Impl>();
  if (!is_object(object)) {
    throw std::invalid_argument(std::string("Stream configs are of type ") + object.type_name() +
                                ", expected an object of stream name to settings");
  }
  for (const auto& [name, settings] : object.items()) {
    StreamConfig config = config_or_reason(name, settings);
    impl->entries.push_back({name, json_text(name) + ':' + json_text(settings)});
    if (!config.unusable_reason.empty()) impl->unusable.push_back({name, config.unusable_reason, false});
    if (is_stream_regex(name)) {
      std::string error;
      auto regex = compile_stream_regex(name, error);
      if (!regex) {
        std::string reason = "Stream " + quoted_name(name) + " is a bad regex: " + shortened(error, kMaxReason / 2) +
                             "; expected /regex/ in RE2's syntax (no look-around, no back-reference)";
        impl->unusable.push_back({name, std::move(reason), true});
        continue;
      }
      impl->regexes.push_back({std::move(regex), std::move(config)});
    } else {
      impl->by_name.emplace(name, std::move(config));
    }
  }
  for (const UnusableEntry& problem : problems) {
    const bool is_known = std::any_of(impl->unusable.begin(), impl->unusable.end(),
                                      [&](const UnusableEntry& entry) { return entry.name == problem.name; });
    if (!is_known) impl->unusable.push_back({problem.name, shortened(problem.reason, kMaxReason), problem.bad_regex});
  }
  impl->bad_regex_reason = make_bad_regex_reason(impl->unusable);
  impl->taken_out = std::move(taken_out);
  impl_ = std::move(impl);
}

StreamConfigs::~StreamConfigs() = default;

const StreamConfig* StreamConfigs::find(std::string_view stream) const {
  const auto found = impl_->by_name.find(stream);
  if (found != impl_->by_name.end()) return &found->second;
  for (const Impl::Regex& entry : impl_->regexes) {
    if (occurs_in(*entry.regex, stream)) return &entry.config;
  }
  return nullptr;
}

std::string StreamConfigs::json() const {
  std::string text = "{";
  for (const Impl::Entry& entry : impl_->entries) {
    if (text.size() > 1) text += ',';
    text += entry.text;
  }
  return text += '}';
}

std::string StreamConfigs::json(const std::vector<std::string>& names) const {
  const std::unordered_set<std::string_view> wanted(names.begin(), names.end());
  std::string text = "{";
  for (const Impl::Entry& entry : impl_->entries) {
    if (!wanted.contains(entry.name)) continue;
    if (text.size() > 1) text += ',';
    text += entry.text;
  }
  return text += '}';
}

const std::vector<UnusableEntry>& StreamConfigs::unusable_entries() const { return impl_->unusable; }

const std::string& StreamConfigs::bad_regex_reason() const { return impl_->bad_regex_reason; }

std::string StreamConfigs::unusable_reasons() const {
  std::string text;
  std::size_t count = 0;
  for (const UnusableEntry& entry : impl_->unusable) {
    if (++count <= kMaxNamedEntries) text += (text.empty() ? "" : "; ") + entry.reason;
  }
  if (count > kMaxNamedEntries) text += "; and " + std::to_string(count - kMaxNamedEntries) + " more entries";
  return text;
}

TakenOutStreams StreamConfigs::taken_out_before(const Json& object, std::chrono::system_clock::time_point now) const {
  std::unordered_set<std::string_view> declared;
  if (object.is_object())
    for (const auto& [name, settings] : object.get_ref<const Json::object_t&>()) declared.insert(name);
  TakenOutStreams taken_out;
  for (const Impl::Entry& entry : impl_->entries) {
    if (is_stream_regex(entry.name) || declared.contains(entry.name) || taken_out.size() >= kMaxTakenOut) continue;
    taken_out.emplace(entry.name, now);
  }
  for (const auto& [name, since] : impl_->taken_out)
    if (!declared.contains(name) && now - since < kTakenOutFor && taken_out.size() < kMaxTakenOut)
      taken_out.emplace(name, since);
  return taken_out;
}

bool StreamConfigs::is_taken_out(std::string_view stream, std::chrono::system_clock::time_point now) const {
  if (impl_->taken_out.empty()) return false;
  const auto found = impl_->taken_out.find(stream);
  return found != impl_->taken_out.end() && now - found->second < kTakenOutFor;
}

std::size_t StreamConfigs::size() const { return impl_->entries.size(); }

std::vector<std::string> StreamConfigs::stream_names() const {
  std::vector<std::string> result;
  for (const Impl::Entry& entry : impl_->entries) {
    if (!is_stream_regex(entry.name)) result.push_back(entry.name);
  }
  return result;
}

}  // namespace eventgate

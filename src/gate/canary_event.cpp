#include "eventgate/gate/canary_event.hpp"

#include <openssl/sha.h>

#include <array>
#include <cstdint>
#include <utility>

#include "eventgate/base/ascii.hpp"
#include "eventgate/json/event_patch.hpp"
#include "eventgate/json/json_nodes.hpp"
#include "eventgate/json/json_text.hpp"
#include "eventgate/schema/validation_error.hpp"
#include "json_scalars.hpp"

namespace eventgate {

namespace {

using std::chrono::system_clock;

const FieldPath kDomain("meta.domain");
const FieldPath kDt("dt");

/// The namespace of the ids: the version 5 UUID of `https://github.com/wikimedia/eventgate/canary` as a URL.
constexpr std::array<unsigned char, 16> kNamespace{0xc3, 0xd2, 0x8f, 0xb2, 0x06, 0x22, 0x50, 0xdb,
                                                   0x84, 0xc7, 0x79, 0x68, 0x9f, 0xac, 0x56, 0x70};

std::int64_t unix_seconds(system_clock::time_point time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

/// Returns the JSON text `json` in one line, without blanks between its tokens.
std::string on_one_line(std::string_view json) {
  std::string line;
  bool is_in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (!is_in_string && (c == ' ' || c == '\n' || c == '\r' || c == '\t')) continue;
    line += c;
    if (c == '"') is_in_string = !is_in_string;
    if (c == '\\' && ++i < json.size()) line += json[i];
  }
  return line;
}

/// Replaces or adds the field at `path`. Returns false if a parent is no object.
bool set_field(EventPatch& patch, JsonValue event, const FieldPath& path, std::string_view json) {
  if (const auto value = path.find(event)) {
    patch.replace(*value, json);
    return true;
  }
  return patch.add(event, path, json);
}

}  // namespace

bool has_canaries(const StreamConfig& config, std::string_view service_name) {
  return config.canary_events_enabled && config.unusable_reason.empty() &&
         (!config.destination_event_service || *config.destination_event_service == service_name);
}

std::string newest_schema_uri(std::string_view schema_title) { return "/" + std::string(schema_title) + "/latest"; }

std::chrono::seconds canary_offset(std::string_view stream, std::chrono::seconds interval) {
  std::uint64_t hash = 14695981039346656037u;  // FNV-1a, the same on every machine
  for (const char c : stream) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return std::chrono::seconds(static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(interval.count())));
}

system_clock::time_point interval_start(system_clock::time_point time, std::chrono::seconds interval) {
  const auto since = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch();
  return system_clock::time_point(since - since % interval);
}

std::string canary_id(std::string_view stream, std::string_view topic_prefix,
                      system_clock::time_point start_of_interval) {
  std::string name(kNamespace.begin(), kNamespace.end());
  name.append(topic_prefix).append("\n").append(stream).append("\n");
  name += std::to_string(unix_seconds(start_of_interval));
  std::array<unsigned char, SHA_DIGEST_LENGTH> bytes;
  SHA1(reinterpret_cast<const unsigned char*>(name.data()), name.size(), bytes.data());
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x50);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  std::string id;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) id += '-';
    id += kLowerHexDigits[bytes[i] >> 4];
    id += kLowerHexDigits[bytes[i] & 15];
  }
  return id;
}

CanaryText canary_event(const Canary& canary, const std::string& document, const CompiledSchema& schema,
                        const GateOptions& options) {
  std::string text = document;
  text.reserve(text.size() + kJsonPadding);
  JsonNodes nodes;
  if (const auto error = parse_json(text, nodes))
    return CanaryFailure{"the schema's document: expected " + error->expected + " at byte " +
                         std::to_string(error->offset)};
  const auto examples = FieldPath("examples").find(nodes.root());
  if (!examples || !examples->is_array() || examples->begin() == examples->end() || !(*examples->begin()).is_object())
    return CanaryFailure{"expected the schema " + schema.uri() +
                         " to have `examples`, a list whose first value is an event"};
  const JsonValue example = *examples->begin();

  EventPatch patch;
  const std::string now = timestamp_json(canary.made_at);
  const std::string id = json_string(canary_id(canary.stream, options.topic_prefix, canary.interval_start));
  const FieldPath stream_field = options.stream_field.empty() ? FieldPath("meta.stream") : options.stream_field.front();
  bool is_set = set_field(patch, example, stream_field, json_string(canary.stream));
  is_set = set_field(patch, example, kDomain, json_string(kCanaryDomain)) && is_set;
  const auto set_if_declared = [&](const FieldPath& path, std::string_view json) {
    if (!path.empty() && (path.find(example) || schema.declares(path))) set_field(patch, example, path, json);
  };
  set_if_declared(options.id_field, id);
  set_if_declared(options.dt_field, now);
  if (options.dt_field.dotted() != kDt.dotted()) set_if_declared(kDt, now);
  if (!is_set) return CanaryFailure{"expected `meta` of the example of " + schema.uri() + " to be an object"};
  std::string event;
  patch.apply(example, event);
  return CanaryText(boost::system::in_place_value, on_one_line(event));
}

std::string canary_problem(JsonValue event, const CompiledSchema& schema) {
  Validation validation;
  return schema.validate(event, validation) ? std::string() : errors_text(validation.errors);
}

}  // namespace eventgate

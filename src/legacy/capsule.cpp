#include "eventgate/legacy/capsule.hpp"

#include <algorithm>
#include <utility>

#include "beacon_text.hpp"
#include "cut_object.hpp"
#include "eventgate/base/ascii.hpp"
#include "eventgate/base/quote.hpp"
#include "eventgate/base/utf8.hpp"
#include "eventgate/json/decimal.hpp"
#include "eventgate/json/json_error_text.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
/// Bytes of a client's text that a message repeats.
constexpr std::size_t kMaxQuoted = 100;
constexpr std::size_t kMaxName = 63;

/// Returns `text` without a code point that its end cuts.
std::string_view without_cut_code_point(std::string_view text) {
  const std::size_t invalid = find_invalid_utf8(text);
  if (invalid == std::string_view::npos) return text;
  const auto lead = static_cast<unsigned char>(text[invalid]);
  const Utf8Step step = utf8_step(text.data() + invalid, text.data() + text.size());
  const bool is_cut = lead >= 0xC2 && lead <= 0xF4 && invalid + step.size == text.size();
  return is_cut ? text.substr(0, invalid) : text;
}

/// Returns the text that the way may have cut, without what is left of the last escape.
std::string_view without_cut_escape(std::string_view text, bool has_cut_escape) {
  return has_cut_escape ? text.substr(0, text.rfind('%')) : text;
}

std::string_view without_byte_order_mark(std::string_view text) {
  return text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text;
}

std::string bytes_text(std::size_t bytes) { return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes"); }

/// Says why the text of a beacon, which is no JSON, is refused.
BeaconRefusal refuse_text(std::string_view query, BeaconText beacon, const JsonError& error, std::size_t max_depth) {
  const std::string_view whole = without_cut_code_point(without_cut_escape(beacon.text, beacon.has_cut_escape));
  const bool is_utf8 = find_invalid_utf8(whole) == std::string_view::npos;
  if (!beacon.has_end_mark && is_utf8 && is_cut_object(without_byte_order_mark(whole), max_depth)) {
    std::string message = "The beacon is cut: " + bytes_text(query.size()) + " came and no ';' ended it; expected ";
    message += "more of its JSON at byte " + std::to_string(whole.size());
    return {FailureCause::legacy_truncated, std::move(message), std::string(whole)};
  }
  if (const std::size_t at = find_invalid_utf8(beacon.text); at != std::string_view::npos)
    return {FailureCause::legacy_malformed, "The beacon is no UTF-8: expected UTF-8 at byte " + std::to_string(at),
            std::string(query)};
  return {FailureCause::legacy_malformed, "The beacon is no JSON: " + json_error_text(beacon.text, error),
          std::move(beacon.text)};
}

BeaconRefusal refuse_schema(FailureCause cause, std::string message) { return {cause, std::move(message), {}}; }

/// Returns the entry of `options.schemas` for `name`, or null.
const LegacySchema* find_schema(std::string_view name, const LegacyOptions& options, bool& is_listed) {
  if (!is_legacy_schema_name(name)) return nullptr;
  auto found = options.schemas.find(name);
  is_listed = found != options.schemas.end();
  if (!is_listed) found = options.schemas.find(std::string_view(kAnyLegacySchema));
  return found == options.schemas.end() ? nullptr : &found->second;
}

std::string_view without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  return colon != std::string_view::npos && is_all_digits(host.substr(colon + 1)) ? host.substr(0, colon) : host;
}

}  // namespace

bool is_legacy_schema_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_ascii_alphanumeric(c) || c == '_' || c == '-'; });
}

std::optional<BeaconRefusal> read_capsule(std::string_view query, const JsonLimits& limits, Capsule& capsule) {
  BeaconText beacon = decode_beacon(query);
  if (beacon.text.empty())
    return BeaconRefusal{FailureCause::legacy_empty, "The beacon is empty: expected ?<percent-encoded JSON>;",
                         std::string(query)};
  std::optional<JsonError> error = parse_json(beacon.text, capsule.nodes, limits);
  // The parser lets invalid UTF-8 in strings pass, as a flaw.
  if (!error && !capsule.nodes.interop_issues.empty() && find_invalid_utf8(beacon.text) != std::string_view::npos)
    error = JsonError{0, "UTF-8"};
  if (error) return refuse_text(query, std::move(beacon), *error, limits.depth);
  if (const JsonValue root = capsule.nodes.root(); !root.is_object()) {
    std::string message = "The beacon is of the type ";
    message.append(json_type_name(root.type())).append(": expected an object");
    return BeaconRefusal{FailureCause::legacy_not_object, std::move(message), std::move(beacon.text)};
  }
  capsule.text = std::move(beacon.text);  // it is on the heap, because of the padding: the nodes stay valid
  return std::nullopt;
}

boost::system::result<LegacyTarget, BeaconRefusal> find_target(JsonValue capsule, const LegacyOptions& options) {
  const auto schema = capsule.find("schema");
  if (!schema || !schema->is_string())
    return refuse_schema(FailureCause::legacy_no_schema,
                         schema ? "The beacon names no schema: expected a string at 'schema', found the type " +
                                      std::string(json_type_name(schema->type()))
                                : std::string("The beacon names no schema: expected a string at 'schema'"));
  LegacyTarget target;
  std::string buffer;
  target.name = schema->string(buffer);
  const LegacySchema* const found = find_schema(target.name, options, target.is_listed);
  if (!found)
    return refuse_schema(FailureCause::legacy_unknown_schema, "The schema " +
                                                                  quote(to_valid_utf8(target.name), kMaxQuoted) +
                                                                  " is not known here: expected one of legacy.schemas");
  const auto revision = found->revisions.empty() ? std::nullopt : capsule.find("revision");
  const auto number = revision && revision->is_number() ? integer_literal(revision->source()) : std::nullopt;
  const auto listed = number ? found->revisions.find(*number) : found->revisions.end();
  if (listed == found->revisions.end() && !found->version) {
    const std::string given =
        revision ? "The revision " + quote(to_valid_utf8(revision->source()), kMaxQuoted) : std::string("No revision");
    return refuse_schema(FailureCause::legacy_unknown_revision,
                         given + " of the schema '" + target.name + "' is known here: expected one of legacy.schemas");
  }
  target.schema_uri =
      legacy_schema_uri(target.name, listed == found->revisions.end() ? *found->version : listed->second);
  return target;
}

std::optional<LegacyTarget> find_named_schema(std::string_view text, const LegacyOptions& options) {
  constexpr std::string_view kKey = "\"schema\"";
  const auto skip_space = [&text](std::size_t at) { return std::min(text.find_first_not_of(kSpace, at), text.size()); };
  for (std::size_t at = text.find(kKey); at != std::string_view::npos; at = text.find(kKey, at + 1)) {
    std::size_t next = skip_space(at + kKey.size());
    if (next == text.size() || text[next] != ':') continue;
    next = skip_space(next + 1);
    if (next == text.size() || text[next] != '"') continue;
    // A longer name is none of the wiki's, so the search for its end has a bound.
    const std::string_view rest = text.substr(next + 1, kMaxName + 1);
    const std::size_t size = rest.find('"');
    if (size == std::string_view::npos) continue;
    LegacyTarget target;
    target.name = rest.substr(0, size);
    const LegacySchema* const found = find_schema(target.name, options, target.is_listed);
    if (!found) continue;
    if (found->version) target.schema_uri = legacy_schema_uri(target.name, *found->version);
    return target;
  }
  return std::nullopt;
}

std::string legacy_schema_uri(std::string_view name, std::string_view version) {
  return "/analytics/legacy/" + to_ascii_lower(name) + "/" + std::string(version);
}

std::string legacy_stream(std::string_view name) { return "eventlogging_" + std::string(name); }

bool is_own_host(std::string_view host, const std::vector<std::string>& own_hosts) {
  host = without_port(host);
  return std::any_of(own_hosts.begin(), own_hosts.end(), [host](std::string_view own) {
    if (host.size() < own.size() || !equals_ignoring_case(host.substr(host.size() - own.size()), own)) return false;
    return host.size() == own.size() || host[host.size() - own.size() - 1] == '.';
  });
}

}  // namespace eventgate

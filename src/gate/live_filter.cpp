#include "eventgate/gate/live_filter.hpp"

#include <cstring>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/utf8.hpp"

namespace eventgate {

namespace {

/// Bytes kept of the path of a reason. Paths have the keys of clients.
constexpr std::size_t kMaxPath = 300;

/// Returns true if `part`, which is in lower case, occurs in `text` in any case of ASCII letters. Linear in both.
bool contains_ignoring_case(std::string_view text, std::string_view part) {
  thread_local std::string lower;
  lower.assign(text);
  for (char& c : lower) c = to_ascii_lower(c);
  // The library's memmem takes linear time; std::string::find may take the product of both sizes.
  return ::memmem(lower.data(), lower.size(), part.data(), part.size()) != nullptr;
}

/// Returns `path` with `[]` for each array index, cut at kMaxPath.
std::string without_indexes(std::string_view path) {
  std::string out;
  path = utf8_prefix(path, kMaxPath);
  for (std::size_t i = 0; i < path.size(); ++i) {
    out += path[i];
    if (path[i] != '[') continue;
    std::size_t end = i + 1;
    while (end < path.size() && path[end] >= '0' && path[end] <= '9') ++end;
    if (end > i + 1 && end < path.size() && path[end] == ']') i = end - 1;
  }
  return out;
}

bool has_text(const LiveEvent& event, std::string_view text) {
  for (const std::string_view part : {event.text, event.stream, event.schema_uri, event.cause, event.topic})
    if (contains_ignoring_case(part, text)) return true;
  if (!event.status) return false;
  if (contains_ignoring_case(event.status->message, text)) return true;
  for (const ValidationError& error : event.status->errors)
    if (contains_ignoring_case("'" + error.data_path + "' " + error.message, text) ||
        contains_ignoring_case(error.keyword, text))
      return true;
  return false;
}

}  // namespace

std::string_view live_outcome_name(LiveOutcome outcome) {
  switch (outcome) {
    case LiveOutcome::accepted:
      return "accepted";
    case LiveOutcome::invalid:
      return "invalid";
    case LiveOutcome::error:
      return "error";
    case LiveOutcome::rejected:
      return "rejected";
  }
  return {};
}

LiveReason live_reason(const LiveEvent& event) {
  if (!event.status || event.status->errors.empty()) return {event.cause, {}};
  const ValidationError& first = event.status->errors.front();
  return {utf8_prefix(first.keyword, kMaxPath), without_indexes(first.data_path)};
}

bool matches_name(std::string_view pattern, std::string_view name) {
  if (pattern.find('*') == std::string_view::npos) return pattern == name;
  // On a mismatch the last `*` takes one character more.
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && to_ascii_lower(pattern[p]) == to_ascii_lower(name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool LiveFilter::wants(LiveOutcome outcome) const {
  switch (outcome) {
    case LiveOutcome::accepted:
      return accepted;
    case LiveOutcome::invalid:
      return invalid;
    case LiveOutcome::error:
      return error;
    case LiveOutcome::rejected:
      return rejected;
  }
  return false;
}

bool LiveFilter::wants_names(std::string_view stream_name, std::string_view schema_uri) const {
  return (!stream || matches_name(*stream, stream_name)) && (!schema || matches_name(*schema, schema_uri));
}

bool LiveFilter::wants(const LiveEvent& event) const {
  if (!wants(event.outcome) || event.received_at < since || event.received_at >= until) return false;
  if (!wants_names(event.stream, event.schema_uri)) return false;
  if (reason || path) {
    if (event.outcome == LiveOutcome::accepted) return false;
    const LiveReason found = live_reason(event);
    if ((reason && *reason != found.reason) || (path && *path != found.path)) return false;
  }
  return text.empty() || has_text(event, text);
}

}  // namespace eventgate

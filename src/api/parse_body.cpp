#include "eventgate/api/parse_body.hpp"

#include <utility>

#include "eventgate/json/json_error_text.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// Returns true if `body` has only JSON's white space, after a byte order mark or without one.
bool is_blank(std::string_view body) {
  if (body.starts_with(kByteOrderMark)) body.remove_prefix(kByteOrderMark.size());
  return body.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// Returns true for an event `{}` that is the whole body.
bool is_empty_object(const JsonValue& event) { return event.index() == 0 && event.node().next == 1; }

}  // namespace

std::string MalformedBody::detail() const {
  return "The body is not JSON that we take: " + json_error_text(body, error) + ".";
}

std::string TooManyEvents::detail() const {
  return "The body has " + std::to_string(events) + " events: expected at most " + std::to_string(max_events) +
         " (max_events).";
}

ParsedBody parse_body(std::string body, const JsonLimits& limits, std::size_t max_events) {
  if (is_blank(body)) return EmptyBody{};
  auto batch = EventBatch::parse(std::move(body), limits);
  // EventBatch::parse leaves a body that it does not accept in `body`.
  if (!batch) return MalformedBody{std::move(body), batch.error()};  // NOLINT(bugprone-use-after-move)
  const std::size_t events = batch->size();
  if (events == 0 || is_empty_object((*batch)[0])) return EmptyBody{};
  if (events > max_events) return TooManyEvents{events, max_events};
  return *std::move(batch);
}

}  // namespace eventgate

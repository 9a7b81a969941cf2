#include "eventgate/http/parse_body.hpp"

#include <utility>

#include "eventgate/gate/event_gate.hpp"
#include "eventgate/http/server.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// White space as JSON has it, behind a byte order mark or not.
bool blank(std::string_view body) {
  if (body.substr(0, kByteOrderMark.size()) == kByteOrderMark) body.remove_prefix(kByteOrderMark.size());
  return body.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

std::string body_too_large_text(std::size_t max_body_size) {
  return "The body is too large: expected at most " + std::to_string(max_body_size) +
         " bytes, decoded (max_body_size).";
}

ParsedBody parse_body(std::string body, const HttpOptions& options, EventGate& gate, const RequestContext& context,
                      IoExecutor executor) {
  ParsedBody intake;
  if (blank(body)) return intake;
  auto batch = EventBatch::parse(std::move(body), options.json);
  if (!batch) {
    const JsonError& error = batch.error();
    // A body that is refused stays where it was (EventBatch::parse).
    gate.malformed(body, error, context, executor);
    intake.refusal = Rejection{400,
                               "The body is not JSON that we take: expected " + error.expected + " at byte " +
                                   std::to_string(error.offset) + ".",
                               {}};
    return intake;
  }
  const std::size_t events = batch->size();
  if (events == 0) return intake;
  const JsonValue first = (*batch)[0];
  const bool lone = first.index() == 0;
  if (lone && first.node().next == 1) return intake;  // {}
  if (events > options.max_events) {
    intake.refusal = Rejection{413,
                               "The body has " + std::to_string(events) + " events: expected at most " +
                                   std::to_string(options.max_events) + " (max_events).",
                               "too_many_events"};
    return intake;
  }
  intake.batch = std::move(*batch);
  return intake;
}

}  // namespace eventgate

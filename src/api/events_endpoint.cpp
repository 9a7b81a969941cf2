#include "events_endpoint.hpp"

#include <memory>
#include <utility>

#include "event_replies.hpp"
#include "eventgate/api/parse_body.hpp"
#include "eventgate/gate/event_gate.hpp"
#include "eventgate/json/json_text.hpp"
#include "media_type.hpp"

namespace eventgate {

namespace {

/// Bytes of a query that count for the request alone. A longer one counts for each event, because its parameters may be
/// added to each.
constexpr std::size_t kShortQuery = 300;

/// Returns the bytes in flight of a request whose body has `body` bytes and `events` events.
std::size_t request_weight(std::size_t body, std::size_t events, const Query& parameters) {
  std::size_t query = 0;
  for (const auto& [name, value] : parameters) query += name.size() + value.size();
  return inflight_weight(body + (query > kShortQuery ? query * events : 0), events);
}

RequestContext context_of(const Exchange& exchange) {
  RequestContext context;
  context.received_at = exchange.received_at();
  context.headers = &exchange.request();
  context.find_header = Request::find_field;
  context.query = exchange.query();
  context.remote_address = exchange.remote_address();
  return context;
}

/// What hasty events hold until their outcome is known.
struct HastyHold {
  ServerWork work;
  InflightReservation reservation;
};

/// Hasty events, and the header fields that came with them.
struct HastyEvents final : HastyRequest {
  HastyEvents(EventBatch events, RequestContext about, const Request& with)
      : HastyRequest(std::move(events), std::move(about)), request(with) {
    context.headers = &request;
  }
  const Request request;
};

/// Returns the 400 response to a body whose Content-Type is not read. The reason phrase is the original's.
Response unread_content_type_response(const Request& request) {
  constexpr std::size_t kMaxQuoted = 100;  // bytes of the client's text
  const std::string_view type = request.content_type();
  const std::string what = type.empty() ? std::string("There is no Content-Type, and the body does not begin as JSON")
                                        : "Content-Type is " + json_string(type.substr(0, kMaxQuoted));
  Response response = rejection(400, what + ": expected application/json, text/plain or application/reports+json.",
                                "content_type", request);
  response.reason = kEmptyBody;
  return response;
}

Response overload_response(const std::string& reason, const Request& request) {
  return retry_later(reason + ". Send it again later.", "no_room", request);
}

}  // namespace

bool is_hasty(const RequestContext& context) {
  const auto hasty = context.query_parameter("hasty");
  return hasty && !hasty->empty() && *hasty != "false" && *hasty != "0";
}

EventsEndpoint::EventsEndpoint(EventGate& gate, OverloadReason overload_reason, EventsOptions options,
                               std::string fixed_body)
    : gate_(gate),
      overload_reason_(std::move(overload_reason)),
      options_(options),
      fixed_body_(std::move(fixed_body)) {}

/// Returns the response to a request whose headers say that its body is not to be read.
std::optional<Response> EventsEndpoint::check_headers(const Exchange& exchange) const {
  if (!exchange.has_body()) return empty_body_response();
  const Request& request = exchange.request();
  const MediaType type = media_type(request.content_type());
  if (type == MediaType::other && !request.content_type().empty()) return unread_content_type_response(request);
  if (type == MediaType::not_utf8)
    return rejection(415, "The charset of Content-Type has to be utf-8 or us-ascii, or absent.",
                     "unsupported_media_type", request);
  return std::nullopt;
}

/// Returns the response to a body whose events are not processed. Reports a malformed body to the gate.
std::optional<Response> EventsEndpoint::check_body(const ParsedBody& parsed, const RequestContext& context,
                                                   const Exchange& exchange) const {
  if (const auto* malformed = std::get_if<MalformedBody>(&parsed)) {
    gate_.malformed(malformed->body, malformed->error, context, exchange.executor());
    return problem(400, malformed->detail(), exchange.request());
  }
  if (const auto* too_many = std::get_if<TooManyEvents>(&parsed))
    return rejection(413, too_many->detail(), "too_many_events", exchange.request());
  if (std::holds_alternative<EmptyBody>(parsed)) return empty_body_response();
  if (!overload_reason_) return std::nullopt;
  const std::optional<std::string> reason = overload_reason_();
  if (!reason) return std::nullopt;
  return overload_response(*reason, exchange.request());
}

/// Ends a request that is rejected as a whole. Every response to one passes here.
Reply EventsEndpoint::reject(const Exchange& /*exchange*/, Response response) const {
  return Reply(std::move(response));
}

/// Returns the response to events that are processed.
Response EventsEndpoint::response_to(const ProcessResult& result, const Request& request) const {
  if (result.no_room == result.event_count) return overload_response(result.error.front().message, request);
  Response response = processed_response(result);
  if (options_.note_failures) response.note = failure_note(result);
  if (options_.tell_durability && result.produced() > 0)
    response.extra_headers +=
        result.spooled > 0 ? "x-eventgate-durability: disk\r\n" : "x-eventgate-durability: kafka\r\n";
  return response;
}

Task<Reply> EventsEndpoint::handle(Exchange& exchange) {
  const Request& request = exchange.request();
  std::string body;
  if (!fixed_body_.empty()) {
    body = fixed_body_;
  } else {
    if (std::optional<Response> rejected = check_headers(exchange)) co_return reject(exchange, *std::move(rejected));
    BodyResult read = co_await exchange.read_body();
    if (read.has_error()) co_return reject(exchange, std::move(read).error());
    body = *std::move(read);
    if (request.content_type().empty() && !begins_as_json(body))
      co_return reject(exchange, unread_content_type_response(request));
  }

  ServerWork work = exchange.begin_work();
  const std::size_t size = body.size();
  RequestContext context = context_of(exchange);
  ParsedBody parsed = parse_body(std::move(body), options_.json, options_.max_events);
  if (std::optional<Response> rejected = check_body(parsed, context, exchange))
    co_return reject(exchange, *std::move(rejected));
  EventBatch& batch = std::get<EventBatch>(parsed);
  if (std::optional<Response> rejected = exchange.reserve(request_weight(size, batch.size(), context.query)))
    co_return reject(exchange, *std::move(rejected));

  if (is_hasty(context)) {
    Response response = hasty_response(batch.size());
    auto hasty = std::make_unique<HastyEvents>(std::move(batch), std::move(context), request);
    hasty->held = std::make_shared<HastyHold>(HastyHold{std::move(work), exchange.take_reservation()});
    Reply reply(std::move(response), gate_.process_hasty(std::move(hasty)));
    co_return reply;
  }
  const ProcessResult result = co_await gate_.process(std::move(batch), context);
  co_return response_to(result, request);
}

}  // namespace eventgate

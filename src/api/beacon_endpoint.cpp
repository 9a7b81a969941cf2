#include "beacon_endpoint.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "eventgate/legacy/beacons.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kNoStore = "cache-control: no-store\r\n";
constexpr std::size_t kMaxErrorHeaders = 10;
constexpr std::size_t kMaxErrorHeader = 200;  // characters

/// What a beacon holds until its outcome is known.
struct BeaconHold {
  ServerWork work;
  InflightReservation reservation;
};

/// A beacon, and the header fields that came with it.
struct HttpBeacon final : BeaconRequest {
  explicit HttpBeacon(const Exchange& exchange) : request(exchange.request()) {
    query = beacon_query(request.target());
    context.received_at = exchange.received_at();
    context.headers = &request;
    context.find_header = Request::find_field;
    context.remote_address = exchange.remote_address();
  }
  const Request request;
};

Response no_content_response() {
  Response response;
  response.status = 204;
  response.extra_headers = kNoStore;
  return response;
}

/// Appends one line of printable ASCII, shortened.
void append_error_header(std::string& out, std::size_t number, std::string_view text) {
  out += "validation-error-" + std::to_string(number) + ": ";
  for (const char c : text.substr(0, kMaxErrorHeader)) out += c >= 0x20 && c < 0x7F ? c : '?';
  out += "\r\n";
}

}  // namespace

std::string_view beacon_query(std::string_view target) {
  target = target.substr(0, target.find('#'));
  const std::size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

void append_outcome_headers(std::string& out, const BeaconOutcome& outcome) {
  std::vector<std::string> errors;
  if (outcome.refusal) errors.push_back(outcome.refusal->message);
  for (const EventStatus& status : outcome.result.error) errors.push_back(status.message);
  for (const EventStatus& status : outcome.result.invalid)
    for (const ValidationError& error : status.errors) errors.push_back(named_errors_text({error}));
  out.append("requested-event-valid: ").append(errors.empty() ? "1" : "0").append("\r\n");
  for (std::size_t i = 0; i < std::min(errors.size(), kMaxErrorHeaders); ++i)
    append_error_header(out, i + 1, errors[i]);
}

/// Returns the 503 response to a beacon for which there is no room, or nullopt.
std::optional<Response> BeaconEndpoint::turn_away(Exchange& exchange, std::size_t query) const {
  if (overload_reason_) {
    if (const std::optional<std::string> reason = overload_reason_()) {
      beacons_.count_turned_away("no_room", query);
      return retry_later(*reason + ". Send it again later.", "no_room", exchange.request());
    }
  }
  std::optional<Response> rejected = exchange.reserve(inflight_weight(query, 1));
  if (rejected) beacons_.count_turned_away("inflight_bytes", query);
  return rejected;
}

Task<Reply> BeaconEndpoint::handle(Exchange& exchange) {
  if (exchange.request().method == Method::head) co_return no_content_response();
  const std::string_view query = beacon_query(exchange.request().target());
  ServerWork work = exchange.begin_work();
  if (std::optional<Response> rejected = turn_away(exchange, query.size())) co_return *std::move(rejected);
  auto beacon = std::make_unique<HttpBeacon>(exchange);
  if (query.size() > beacons_.options().max_query) {
    const std::string detail = beacons_.refuse_too_long(query, beacon->context, exchange.executor());
    Response response = problem(414, detail, exchange.request());
    response.extra_headers = kNoStore;
    co_return response;
  }
  if (beacons_.options().answer == LegacyOptions::Answer::received) {
    beacon->held = std::make_shared<BeaconHold>(BeaconHold{std::move(work), exchange.take_reservation()});
    Reply reply(no_content_response(), beacons_.take(std::move(beacon)));
    co_return reply;
  }
  const BeaconOutcome outcome = co_await beacons_.process(*beacon);
  Response response = no_content_response();
  append_outcome_headers(response.extra_headers, outcome);
  co_return response;
}

}  // namespace eventgate

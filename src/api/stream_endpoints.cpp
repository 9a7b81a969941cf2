#include "stream_endpoints.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "eventgate/readers/client_access.hpp"
#include "json_response.hpp"
#include "page_policy.hpp"
#include "pages.hpp"

namespace eventgate {

namespace {

using std::chrono::steady_clock;

/// Bytes of the notices in the head of a response.
constexpr std::size_t kMaxNotices = 1000;

std::int64_t milliseconds_of(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

bool sees_private(const Exchange& exchange, const ReaderOptions& options) {
  return has_bearer_token(exchange.request().field("authorization"), options.stream_token);
}

/// Returns the head of a stream. Lines have no comments, so their notices are in the head.
Response stream_head(std::string_view content_type, StreamFormat format, const std::vector<std::string>& notices) {
  Response head;
  head.streaming = true;
  head.content_type = content_type;
  head.extra_headers = "cache-control: no-cache\r\nx-accel-buffering: no\r\n";
  std::string text;
  for (const std::string& notice : notices) {
    if (text.size() + notice.size() > kMaxNotices) break;
    text.append(text.empty() ? "" : "; ").append(notice);
  }
  if (format == StreamFormat::lines && !text.empty())
    head.extra_headers.append("x-eventgate-notice: ").append(text).append("\r\n");
  return head;
}

/// Returns the page of streams: an attribute of its body says how often a stream has a heartbeat, in milliseconds.
std::string stream_page(const ReaderOptions& options) {
  std::string page(kStreamsPage);
  constexpr std::string_view kBody = "<body ";
  return page.replace(page.find(kBody), kBody.size(),
                      "<body data-heartbeat=\"" + std::to_string(options.stream_heartbeat.count()) + "\" ");
}

}  // namespace

Response StreamListEndpoint::respond(const Exchange& exchange) const {
  return json_response(readers_.streams()->list_json(sees_private(exchange, readers_.options())));
}

StreamPageEndpoint::StreamPageEndpoint(const ReaderOptions& options)
    : page_(stream_page(options)), policy_(page_policy(page_)) {}

Response StreamPageEndpoint::respond(const Exchange& /*exchange*/) const {
  Response response;
  // As EventStreams sends them.
  response.content_type = "text/html; charset=UTF-8";
  response.extra_headers = "cache-control: public, max-age=0\r\n";
  response.policy = policy_;
  response.body = page_;
  return response;
}

Response StreamEndpoint::refuse(const StreamRefusal& refusal, const Request& request) {
  readers_.note_refused(refusal.cause);
  Response response;
  response.status = refusal.status;
  response.content_type = kJsonType;
  response.body = problem_json(refusal, request.method_name(), request.target());
  response.rejection_cause = refusal.cause;
  response.rejection_detail = refusal.detail;
  if (refusal.status == 429 || refusal.status == 503) response.extra_headers = "retry-after: 10\r\n";
  return response;
}

Task<Reply> StreamEndpoint::handle(Exchange& exchange) {
  const Request& request = exchange.request();
  const ReaderOptions& options = readers_.options();
  const std::int64_t received_at = milliseconds_of(exchange.received_at());
  const std::shared_ptr<const ExposedStreams> streams = readers_.streams();
  const std::optional<std::string> accept = request.combined_field("accept");
  const std::optional<std::string> last_event_id = request.combined_field("last-event-id");
  const StreamRequestParts parts{exchange.path_parameter(),       exchange.query(),           accept,     last_event_id,
                                 sees_private(exchange, options), options.canary_events_sent, received_at};
  auto parsed = parse_stream_request(parts, *streams);
  if (!parsed) co_return refuse(parsed.error(), request);
  if (parsed->ended) {
    Response ended;
    ended.status = 204;
    co_return ended;
  }
  const StreamFormat format = parsed->format;
  const std::string_view content_type = parsed->content_type;
  if (request.method == Method::head) co_return stream_head(content_type, format, parsed->notices);

  const std::string client = client_of(request.field("x-client-ip"), request.field("x-forwarded-for"),
                                       exchange.remote_address(), options.trusted_proxies);
  auto admitted = readers_.admit(client);
  if (!admitted) co_return refuse(admitted.error(), request);
  const StreamRequest wanted = *std::move(parsed);
  const Waker waker = exchange.waker();
  const std::shared_ptr<StreamOpening> opening = readers_.open(wanted, received_at, [waker] { waker.wake([] {}); });
  const steady_clock::time_point until = steady_clock::now() + options.stream_open_timeout;
  while (!is_opening_done(*opening) && steady_clock::now() < until) {
    const Exchange::Wake wake = co_await exchange.wait(until - steady_clock::now());
    if (wake == Exchange::Wake::client_left) break;
    if (wake == Exchange::Wake::stopping)
      co_return refuse({503, "stopping", "Service Unavailable", "The service is stopping."}, request);
  }
  if (!is_opening_done(*opening) && !readers_.knows_topics(wanted))
    co_return refuse({503, "source_away", "Service Unavailable",
                      "The source of the events does not answer, and the topics of these streams are not known yet "
                      "(stream_open_timeout)."},
                     request);
  if (const std::optional<StreamRefusal> refused = opening_refusal(*opening)) co_return refuse(*refused, request);
  const std::vector<std::string> notices = is_opening_done(*opening) ? opening_notices(*opening) : wanted.notices;
  co_return Reply::handed_over(stream_head(content_type, format, notices),
                               [&readers = readers_, opening, place = *std::move(admitted)](HandedSocket handed) {
                                 readers.start({handed.socket, std::move(handed.head), handed.chunked}, opening, place);
                               });
}

}  // namespace eventgate

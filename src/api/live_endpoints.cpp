#include "live_endpoints.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include "eventgate/http/event_stream.hpp"
#include "eventgate/json/json_text.hpp"
#include "json_response.hpp"
#include "live_query.hpp"
#include "live_stream.hpp"
#include "page_policy.hpp"
#include "pages.hpp"

namespace eventgate {

namespace {

using std::chrono::steady_clock;

/// How often a stream reads the feed.
constexpr std::chrono::milliseconds kFeedInterval{200};

constexpr std::string_view kStopping = "The service is stopping.";

/// Reads the URI of a schema from the query. Returns the detail of a 400 response if that fails.
std::optional<std::string> read_schema_uri(const Query& query, std::string& schema_uri) {
  bool has_uri = false;
  for (const auto& [name, value] : query) {
    if (name != "uri") return unknown_parameter(name, "`uri`");
    if (std::exchange(has_uri, true)) return repeated_parameter(name);
    schema_uri = value;
  }
  if (schema_uri.empty()) return "Expected `uri`, the URI of a schema as events have it: ?uri=/test/event/1.0.0";
  return std::nullopt;
}

/// Adds `Retry-After: seconds`.
Response with_retry_after(Response response, unsigned seconds) {
  response.extra_headers = "retry-after: " + std::to_string(seconds) + "\r\n";
  return response;
}

/// One of the kMaxViewers streams, while it lives.
class ViewerSlot {
 public:
  explicit ViewerSlot(std::shared_ptr<std::atomic<std::size_t>> viewers)
      : viewers_(std::move(viewers)), is_free_(viewers_->fetch_add(1) < LiveEventsEndpoint::kMaxViewers) {}
  ViewerSlot(const ViewerSlot&) = delete;
  ViewerSlot& operator=(const ViewerSlot&) = delete;
  ~ViewerSlot() { --*viewers_; }

  /// Returns true if fewer than kMaxViewers streams existed before.
  bool is_free() const { return is_free_; }

 private:
  const std::shared_ptr<std::atomic<std::size_t>> viewers_;
  const bool is_free_;
};

/// Returns the response with a document, or with the reason why there is none, in the words of `POST /v1/events`.
Response document_response(const std::string& schema_uri, SchemaText text, const Request& request) {
  Response response;
  if (text) {
    response = json_response(*std::move(text));
  } else {
    const std::string& reason = text.error().reason;
    response = problem(reason.empty() ? 404 : 500,
                       "Failed loading schema at " + schema_uri +
                           (reason.empty() ? ": it is in none of schema_base_uris any more." : ": " + reason),
                       request);
  }
  response.own_origin_only = true;
  return response;
}

}  // namespace

LivePageEndpoint::LivePageEndpoint(std::shared_ptr<const LiveAccess> access)
    : access_(std::move(access)), policy_(page_policy(kLivePage)), denied_policy_(page_policy(kLiveDeniedPage)) {}

Response LivePageEndpoint::respond(const Exchange& exchange) const {
  Response response;
  if (std::optional<Response> rejected = access_->check_page(exchange)) {
    response = *std::move(rejected);
    if (!accepts_html(exchange.request())) return response;
    response.body = kLiveDeniedPage;
    response.policy = denied_policy_;
  } else {
    response.own_origin_only = true;
    response.policy = policy_;
    response.body = kLivePage;
  }
  response.content_type = kHtmlType;
  return response;
}

Task<Reply> LiveEventsEndpoint::handle(Exchange& exchange) {
  const Request& request = exchange.request();
  if (std::optional<Response> rejected = access_->check_data(exchange)) co_return *std::move(rejected);
  LiveFilter filter;
  if (const auto wrong = read_live_filter(exchange.query(), LiveParameters::events, filter))
    co_return live_rejection(400, *wrong, "live_filter", request);
  const std::string_view last_id = request.field("last-event-id").value_or("");
  const std::optional<std::uint64_t> next = last_id.empty() ? feed_.oldest() : next_live_event_number(last_id, feed_);
  if (!next)
    co_return live_rejection(400, "Last-Event-ID is no id that was sent: expected two numbers with a - between them.",
                             "live_filter", request);
  if (exchange.stopping()) co_return live_rejection(503, kStopping, "live_stopping", request);
  const ViewerSlot slot(viewers_);
  if (!slot.is_free())
    co_return with_retry_after(
        live_rejection(503, "There are " + std::to_string(kMaxViewers) + " viewers already. Come again later.",
                       "live_viewers", request),
        10);
  Response head;
  head.own_origin_only = true;
  head.content_type = kEventStreamType;
  head.streaming = true;
  if (request.method == Method::head) co_return head;

  if (!co_await exchange.begin_stream(std::move(head))) co_return Reply::streamed();
  LiveStream stream(feed_, std::move(filter), *next, heartbeat_);
  std::string events;
  while (!exchange.stopping()) {
    events.clear();
    stream.append(events, steady_clock::now());
    if (!events.empty() && !co_await exchange.stream(events)) break;
    if (co_await exchange.wait(kFeedInterval) == Exchange::Wake::client_left) break;
  }
  co_return Reply::streamed();
}

/// Returns true if `schema_uri` is `/TITLE/latest`, and TITLE is the schema_title of a stream declared by name.
bool LiveSchemaEndpoint::is_newest_of_declared_stream(std::string_view schema_uri) const {
  constexpr std::string_view kLatest = "/latest";
  if (!streams_ || !schema_uri.starts_with('/') || !schema_uri.ends_with(kLatest)) return false;
  const std::string_view title = schema_uri.substr(1, schema_uri.size() - 1 - kLatest.size());
  const auto configs = streams_->current();
  for (const std::string& name : configs->stream_names()) {
    const StreamConfig* const config = configs->find(name);
    if (config && config->schema_title && *config->schema_title == title) return true;
  }
  return false;
}

Task<Reply> LiveSchemaEndpoint::handle(Exchange& exchange) {
  const Request& request = exchange.request();
  if (std::optional<Response> rejected = access_->check_data(exchange)) co_return *std::move(rejected);
  std::string schema_uri;
  if (const auto wrong = read_schema_uri(exchange.query(), schema_uri))
    co_return live_rejection(400, *wrong, "live_schema", request);

  std::optional<SchemaText> text;
  const Waker waker = exchange.waker();
  // Clients make up URIs; the schema_titles of streams are those of the operators.
  const auto which = is_newest_of_declared_stream(schema_uri) ? SchemaRepository::Dereferenceable::any
                                                              : SchemaRepository::Dereferenceable::cached;
  const auto reading = schemas_.begin_dereferencing(schema_uri, which, [waker, &text](SchemaText read) {
    // The waker calls this only while `text` exists.
    waker.wake([&text, read = std::move(read)]() mutable { text = std::move(read); });
  });
  switch (reading) {
    case SchemaRepository::DereferenceStart::not_cached:
      co_return live_rejection(404,
                               "No schema in use has the URI " + json_string(schema_uri) +
                                   ": expected that of one that the gate has loaded and keeps.",
                               "live_schema", request);
    case SchemaRepository::DereferenceStart::too_many:
      co_return with_retry_after(
          live_rejection(503, "Others are waiting for schemas. Come again later.", "live_schema", request), 1);
    case SchemaRepository::DereferenceStart::started:
      break;
  }
  const steady_clock::time_point until = steady_clock::now() + timeout_;
  while (!text && !exchange.stopping() && steady_clock::now() < until)
    if (co_await exchange.wait(until - steady_clock::now()) == Exchange::Wake::client_left) break;
  if (text) co_return document_response(schema_uri, *std::move(text), request);
  if (exchange.stopping()) co_return live_rejection(503, kStopping, "live_stopping", request);
  co_return with_retry_after(live_rejection(503, "The schema was not read in time (request_timeout). Come again later.",
                                            "live_schema", request),
                             10);
}

}  // namespace eventgate

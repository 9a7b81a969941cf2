#include "live_handler.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <utility>

#include "eventgate/json/json_text.hpp"
#include "pages.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kEventStreamType = "text/event-stream; charset=utf-8";
/// Bytes of events read from the feed at a time.
constexpr std::size_t kPiece = 64 * 1024;

/// 127.0.0.0/8 or ::1, in its usual form.
bool is_loopback(std::string_view address) { return address.starts_with("127.") || address == "::1"; }

/// Whether `Host: host` names this host itself. A name that others may point here is none: that is how a page of
/// another site would read what is served here (DNS rebinding).
bool is_loopback_host(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, 5) == "[::1]" && (host.size() == 5 || host[5] == ':');
  host = host.substr(0, host.find(':'));
  if (equals_ignoring_case(host, "localhost")) return true;
  constexpr std::string_view kBelow = ".localhost";  // RFC 6761, section 6.3
  if (host.size() > kBelow.size() && equals_ignoring_case(host.substr(host.size() - kBelow.size()), kBelow))
    return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// What proxies tell of their client.
constexpr std::array<std::string_view, 8> kProxyFields{
    "forwarded", "x-forwarded-for",   "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "x-client-ip",
    "via",       "x-forwarded-server"};

/// Whether a page of this very origin, or no page, asks (Fetch Metadata; RFC 6454, section 7).
bool is_own_origin(const Request& request) {
  const std::string_view site = request.field("sec-fetch-site").value_or("same-origin");
  if (site != "same-origin" && site != "none") return false;
  const auto origin = request.field("origin");
  if (!origin) return true;
  const std::string_view host = request.field("host").value_or("");
  for (const std::string_view scheme : {"http://", "https://"})
    if (origin->starts_with(scheme) && equals_ignoring_case(origin->substr(scheme.size()), host)) return true;
  return false;
}

/// In a time that depends on the size of `given` alone.
bool is_token(std::string_view given, std::string_view token) {
  unsigned difference = given.size() != token.size();
  for (std::size_t i = 0; i < given.size(); ++i)
    difference |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(token[i % token.size()]);
  return difference == 0;
}

Response refused(unsigned status, std::string_view detail, std::string_view cause, const Request& request) {
  Response response = problem(status, detail, request);
  response.cause = cause;
  response.own_origin_only = true;
  return response;
}

/// The policy source of what is between `<name>` and `</name>` of the page (CSP, section 6.7.2.3).
std::string hash_source(std::string_view page, const std::string& name) {
  const std::string open = "<" + name + ">";
  const std::size_t begin = page.find(open) + open.size();
  const std::string_view text = page.substr(begin, page.find("</" + name + ">") - begin);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  unsigned char base64[2 * EVP_MAX_MD_SIZE];
  const int length = EVP_EncodeBlock(base64, digest, static_cast<int>(size));
  return "'sha256-" + std::string(reinterpret_cast<const char*>(base64), static_cast<std::size_t>(length)) + "'";
}

std::string page_policy() {
  return "default-src 'none'; script-src " + hash_source(kLivePage, "script") + "; style-src " +
         hash_source(kLivePage, "style") +
         "; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
         "require-trusted-types-for 'script'; trusted-types 'none'";
}

std::string unknown_parameter(const std::string& name, std::string_view expected) {
  return "There is no parameter " + json_string(name) + ": expected " + std::string(expected) + ".";
}

std::string twice(const std::string& name) { return "`" + name + "` is there twice: expected it once."; }

/// Reads `filter` from the query; what is empty there filters nothing. Returns what is wrong with it.
std::optional<std::string> read_filter(const Query& query, LiveFilter& filter) {
  bool has_stream = false;
  bool has_outcome = false;
  for (const auto& [name, value] : query) {
    const bool outcome = name == "outcome";
    if (!outcome && name != "stream") return unknown_parameter(name, "`stream` and `outcome`, or nothing");
    if (std::exchange(outcome ? has_outcome : has_stream, true)) return twice(name);
    if (value.empty()) continue;
    if (!outcome) {
      filter.stream = value;
      continue;
    }
    const bool refused = value == "refused";
    filter.accepted = value == live_outcome_name(LiveOutcome::accepted);
    filter.invalid = refused || value == live_outcome_name(LiveOutcome::invalid);
    filter.error = refused || value == live_outcome_name(LiveOutcome::error);
    if (!filter.accepted && !filter.invalid && !filter.error)
      return "`outcome` is " + json_string(value) +
             ": expected accepted, invalid, error, or refused for both of the last.";
  }
  return std::nullopt;
}

/// Reads the URI of a schema from the query. Returns what is wrong with it.
std::optional<std::string> read_schema_uri(const Query& query, std::string& schema_uri) {
  bool has_uri = false;
  for (const auto& [name, value] : query) {
    if (name != "uri") return unknown_parameter(name, "`uri`");
    if (std::exchange(has_uri, true)) return twice(name);
    schema_uri = value;
  }
  if (schema_uri.empty()) return "Expected `uri`, the URI of a schema as events have it: ?uri=/test/event/1.0.0";
  return std::nullopt;
}

/// Where one who has seen `last_id` goes on. Nothing if that is no id.
std::optional<std::uint64_t> next_after(std::string_view last_id, const LiveFeed& feed) {
  std::int64_t epoch = 0;
  std::uint64_t number = 0;
  const char* const end = last_id.data() + last_id.size();
  const auto first = std::from_chars(last_id.data(), end, epoch);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, number);
  if (second.ec != std::errc() || second.ptr != end || number == ~std::uint64_t{0}) return std::nullopt;
  // The gate was started anew: all is new.
  return epoch == feed.epoch() ? number + 1 : feed.oldest();
}

void append_time(std::string& out, std::int64_t milliseconds) {
  const std::time_t seconds = milliseconds / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[40];
  const std::size_t size = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
  out.append(text, size);
  out += '.';
  for (const int digit : {100, 10, 1}) out += static_cast<char>('0' + milliseconds / digit % 10);
  out += 'Z';
}

void append_id(std::string& out, const LiveFeed& feed, std::uint64_t number) {
  out.append("id: ").append(std::to_string(feed.epoch())).append("-").append(std::to_string(number)).append("\n");
}

/// The ranges of `text` as [begin, end) in UTF-16 units, which is how JavaScript counts.
void append_ranges(std::string& out, std::string_view text, std::span<const TextRange> ranges) {
  std::size_t at = 0;
  std::size_t units = 0;
  const auto units_before = [&](std::size_t end) {
    for (; at < end && at < text.size(); ++at) {
      const auto byte = static_cast<unsigned char>(text[at]);
      if ((byte & 0xC0) != 0x80) units += byte >= 0xF0 ? 2 : 1;
    }
    return std::to_string(units);
  };
  out += '[';
  for (const TextRange& range : ranges) {
    if (&range != &ranges.front()) out += ',';
    out.append("[").append(units_before(range.begin)).append(",");
    out.append(units_before(range.end)).append("]");
  }
  out += ']';
}

void append_name(std::string& out, std::string_view key, std::string_view name) {
  out.append(",\"").append(key).append("\":");
  if (name.empty()) {
    out += "null";
  } else {
    append_json_string(out, name);
  }
}

void append_event(std::string& out, const LiveFeed& feed, const LiveEvent& event) {
  append_id(out, feed, event.number);
  out += "data: {\"outcome\":\"";
  out += live_outcome_name(event.outcome);
  out += event.hasty ? "\",\"hasty\":true,\"received_at\":\"" : "\",\"hasty\":false,\"received_at\":\"";
  append_time(out, event.received_at);
  out += '"';
  append_name(out, "stream", event.stream);
  append_name(out, "schema_uri", event.schema_uri);
  out += ",\"event\":";
  append_json_string(out, event.text);
  out += ",\"added\":";
  append_ranges(out, event.text, event.added);
  if (!event.query.empty()) out.append(",\"query\":").append(event.query);
  if (event.cut) out += ",\"cut\":true";
  if (const EventStatus* const status = event.status) {
    out += ",\"errors\":[";
    for (const ValidationError& error : status->errors) {
      if (&error != &status->errors.front()) out += ',';
      append_error(out, error);
    }
    out += "],\"message\":";
    append_json_string(out, status->message.empty() ? errors_text(status->errors) : status->message);
    if (status->has_delivery)
      out += status->delivery == Delivery::unknown ? ",\"delivery\":\"unknown\"" : ",\"delivery\":\"not_produced\"";
    if (status->has_delivery && !status->retry) out += ",\"retry\":false";
  }
  out += "}\n\n";
}

}  // namespace

LiveView::LiveView(LiveFeed& feed, LiveFilter filter, std::uint64_t next, std::chrono::milliseconds heartbeat,
                   std::shared_ptr<std::atomic<std::size_t>> viewers)
    : feed_(&feed), filter_(std::move(filter)), next_(next), heartbeat_(heartbeat), viewers_(std::move(viewers)) {}

void LiveView::append(std::string& out, std::chrono::steady_clock::time_point now) {
  const std::size_t before = out.size();
  if (!sent_at_) out += "retry: 2000\n\n";
  const LiveFeed::Page piece = feed_->read(next_, filter_, kPiece);
  next_ = piece.next;
  if (piece.missed > 0)
    out.append("event: dropped\ndata: {\"dropped\":").append(std::to_string(piece.missed)).append("}\n\n");
  LiveEventMemory memory;
  std::string_view events = piece.events;
  while (const std::optional<LiveEvent> event = next_live_event(events, memory)) append_event(out, *feed_, *event);
  if (out.size() == before && now - *sent_at_ >= heartbeat_) {
    out += ": heartbeat\n";
    append_id(out, *feed_, next_ - 1);
    out += '\n';
  }
  if (out.size() > before) sent_at_ = now;
}

LiveHandler::LiveHandler(const HttpOptions& options, LiveFeed* feed)
    : token_(options.live_token), heartbeat_(options.live_heartbeat), feed_(feed), policy_(feed ? page_policy() : "") {}

/// Why `request` may not see what it asks for, or nothing.
std::optional<Response> LiveHandler::refusal(const Request& request, Route route,
                                             std::string_view remote_address) const {
  if (token_.empty()) {
    const bool proxied =
        request.http_1_0 || std::any_of(kProxyFields.begin(), kProxyFields.end(),
                                        [&](std::string_view name) { return request.field(name).has_value(); });
    if (!is_loopback(remote_address) || proxied)
      return refused(403,
                     "Events are shown to clients on this host only, not through a proxy. Set live_token to show them "
                     "to others.",
                     "live_not_loopback", request);
    if (!is_loopback_host(request.field("host").value_or("")))
      return refused(403,
                     "Expected localhost, 127.0.0.1 or [::1] as the host. Set live_token to show events under another "
                     "name.",
                     "live_not_loopback", request);
  }
  if (route == Route::live_page) return std::nullopt;
  if (!is_own_origin(request))
    return refused(403, "Events are not shown to pages of other origins.", "live_other_origin", request);
  if (token_.empty()) return std::nullopt;
  constexpr std::string_view kBearer = "bearer ";
  const std::string_view given = request.field("authorization").value_or("");
  if (given.size() > kBearer.size() && equals_ignoring_case(given.substr(0, kBearer.size()), kBearer) &&
      is_token(given.substr(kBearer.size()), token_))
    return std::nullopt;
  Response response =
      refused(401,
              given.empty() ? "Expected `Authorization: Bearer TOKEN`, with the token of the option live_token."
                            : "The token of Authorization is not that of the option live_token.",
              "live_token", request);
  response.fields = "www-authenticate: Bearer\r\n";
  return response;
}

Response LiveHandler::answer(const Request& request, Route route, const Query& query, std::string_view remote_address,
                             bool stopping, std::optional<LiveView>& view) const {
  if (std::optional<Response> refused = refusal(request, route, remote_address)) return std::move(*refused);
  Response response;
  response.own_origin_only = true;
  if (route == Route::live_page) {
    response.content_type = kHtmlType;
    response.policy = policy_;
    response.body = kLivePage;
    return response;
  }

  LiveFilter filter;
  if (const auto wrong = read_filter(query, filter)) return refused(400, *wrong, "live_filter", request);
  const std::string_view last_id = request.field("last-event-id").value_or("");
  const std::optional<std::uint64_t> next = last_id.empty() ? feed_->oldest() : next_after(last_id, *feed_);
  if (!next)
    return refused(400, "Last-Event-ID is no id that was sent: expected two numbers with a - between them.",
                   "live_filter", request);
  if (stopping) return refused(503, "The service is stopping.", "live_stopping", request);
  if (viewers_->fetch_add(1) >= LiveView::kMaxViewers) {
    --*viewers_;
    response =
        refused(503, "There are " + std::to_string(LiveView::kMaxViewers) + " viewers already. Come again later.",
                "live_viewers", request);
    response.fields = "retry-after: 10\r\n";
    return response;
  }
  response.content_type = kEventStreamType;
  response.endless = true;
  if (request.method == Method::head) {
    --*viewers_;
    return response;
  }
  view.emplace(*feed_, std::move(filter), *next, heartbeat_, viewers_);
  return response;
}

std::optional<Response> LiveHandler::schema_refusal(const Request& request, const Query& query,
                                                    std::string_view remote_address, std::string& schema_uri) const {
  if (std::optional<Response> refused = refusal(request, Route::live_schema, remote_address)) return refused;
  if (const auto wrong = read_schema_uri(query, schema_uri)) return refused(400, *wrong, "live_schema", request);
  return std::nullopt;
}

Response LiveHandler::schema_answer(const Request& request, const std::string& schema_uri,
                                    SchemaRepository::Reading reading, std::optional<SchemaText> text, bool stopping) {
  Response response;
  switch (reading) {
    case SchemaRepository::Reading::not_kept:
      return refused(404,
                     "No schema in use has the URI " + json_string(schema_uri) +
                         ": expected that of one that the gate has loaded and keeps.",
                     "live_schema", request);
    case SchemaRepository::Reading::too_many:
      response = refused(503, "Others are waiting for schemas. Come again later.", "live_schema", request);
      response.fields = "retry-after: 1\r\n";
      return response;
    case SchemaRepository::Reading::begun:
      break;
  }
  if (!text && stopping) return refused(503, "The service is stopping.", "live_stopping", request);
  if (!text) {
    response =
        refused(503, "The schema was not read in time (request_timeout). Come again later.", "live_schema", request);
    response.fields = "retry-after: 10\r\n";
    return response;
  }
  if (*text) {
    response.content_type = kJsonType;
    response.body = **std::move(text);
  } else {
    // As `POST /v1/events` says it of an event.
    const std::string& reason = text->error().reason;
    response = problem(reason.empty() ? 404 : 500,
                       "Failed loading schema at " + schema_uri +
                           (reason.empty() ? ": it is in none of schema_base_uris any more." : ": " + reason),
                       request);
  }
  response.own_origin_only = true;
  return response;
}

}  // namespace eventgate

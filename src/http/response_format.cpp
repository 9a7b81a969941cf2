#include "response_format.hpp"

#include <charconv>
#include <ctime>
#include <optional>

#include "content_coding.hpp"

namespace eventgate {

namespace {

/// Bytes of the shortest body that is compressed, as in the original.
constexpr std::size_t kMinCompressedBody = 1024;

constexpr std::string_view kPolicy =
    "default-src 'self'; object-src 'none'; media-src 'none'; img-src 'none'; style-src 'none'; base-uri 'self'; "
    "frame-ancestors 'self'";

constexpr std::string_view kInlinePolicy =
    "default-src 'none'; script-src 'self' 'unsafe-inline'; connect-src *; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self';";

constexpr std::string_view kOwnOriginOnly =
    "cache-control: no-store\r\n"
    "cross-origin-resource-policy: same-origin\r\n"
    "referrer-policy: no-referrer\r\n";

constexpr std::string_view kAnyOrigin =
    "access-control-allow-origin: *\r\n"
    "cross-origin-resource-policy: cross-origin\r\n";

/// Returns the Date field for `now` (RFC 9110, section 5.6.7). Each thread formats it once a second.
std::string_view date_field(std::chrono::system_clock::time_point now) {
  thread_local std::time_t second = -1;
  thread_local char text[] = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
  const std::time_t time = std::chrono::system_clock::to_time_t(now);
  if (time != second) {
    static constexpr char kDays[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr char kMonths[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm utc{};
    gmtime_r(&time, &utc);
    const auto put = [](char* at, int value, int digits) {
      for (int i = digits - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
    };
    const auto copy = [](char* at, const char* name) { std::char_traits<char>::copy(at, name, 3); };
    copy(text + 6, kDays[utc.tm_wday]);
    put(text + 11, utc.tm_mday, 2);
    copy(text + 14, kMonths[utc.tm_mon]);
    put(text + 18, utc.tm_year + 1900, 4);
    put(text + 23, utc.tm_hour, 2);
    put(text + 26, utc.tm_min, 2);
    put(text + 29, utc.tm_sec, 2);
    second = time;
  }
  return {text, sizeof(text) - 1};
}

void append_number(std::string& out, std::size_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number);
  out.append(digits, end.ptr);
}

}  // namespace

ResponseFormat::ResponseFormat(const HttpOptions& options) : cors_(options) {
  security_ =
      "x-xss-protection: 1; mode=block\r\n"
      "x-content-type-options: nosniff\r\n"
      "x-frame-options: SAMEORIGIN\r\n";
  const std::string policy(options.csp ? std::string_view(*options.csp) : kPolicy);
  if (!policy.empty()) policy_ = "content-security-policy: " + policy + "\r\n";
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options.keepalive_timeout).count();
  keep_alive_ = "connection: keep-alive\r\n";
  if (seconds > 0) keep_alive_ += "keep-alive: timeout=" + std::to_string(seconds) + "\r\n";
}

void ResponseFormat::append(std::string& out, const Response& response, const Conditions& conditions) const {
  out += "HTTP/1.1 ";
  append_number(out, response.status);
  out += ' ';
  out += response.reason.empty() ? reason_phrase(response.status) : std::string_view(response.reason);
  out += "\r\n";

  std::string_view body = response.body;
  std::optional<std::string> coded;
  if (!response.minimal_headers) {
    if (response.own_origin_only) {
      out += kOwnOriginOnly;
    } else if (response.any_origin) {
      out += kAnyOrigin;
    } else {
      cors_.append(out, response, conditions.request, conditions.takes_events);
    }
    out += security_;
    if (response.inline_page) {
      for (const std::string_view name : {"content-security-policy", "x-content-security-policy", "x-webkit-csp"})
        out.append(name).append(": ").append(kInlinePolicy).append("\r\n");
    } else if (!response.policy.empty()) {
      out.append("content-security-policy: ").append(response.policy).append("\r\n");
    } else {
      out += policy_;
    }
    out += response.extra_headers;
    if (!response.content_type.empty()) {
      out += "content-type: ";
      out += response.content_type;
      out += "\r\n";
    }
    if (body.size() >= kMinCompressedBody) {
      out += "vary: Accept-Encoding\r\n";
      if (const std::string_view coding = accepted_coding(conditions.accept); !coding.empty() && !conditions.head) {
        coded = compress_body(body, coding, response.any_origin ? Compression::small : Compression::fast);
        if (coded) {
          body = *coded;
          out.append("content-encoding: ").append(coding).append("\r\n");
        }
      }
    }
  }
  out += date_field(conditions.now);
  out += conditions.close ? std::string_view("connection: close\r\n") : std::string_view(keep_alive_);
  if (response.streaming) {
    out += conditions.http_1_0 ? "\r\n" : "transfer-encoding: chunked\r\n\r\n";
    return;
  }
  // A 204 has no Content-Length (RFC 9110, section 8.6), and that of a 304 would be that of the response that the
  // client has.
  if (response.status != 204 && response.status != 304) {
    out += "content-length: ";
    append_number(out, body.size());
    out += "\r\n";
  }
  out += "\r\n";
  if (!conditions.head) out += body;
}

}  // namespace eventgate

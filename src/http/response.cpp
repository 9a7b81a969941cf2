#include "response.hpp"

#include <zlib.h>

#include <charconv>
#include <cstdlib>
#include <ctime>
#include <limits>

#include "eventgate/json/json_text.hpp"

namespace eventgate {

namespace {

// What the original's compression asks for.
constexpr std::size_t kCompressFrom = 1024;

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

/// `Date: ...` of the second `now` is in (RFC 9110, section 5.6.7), made once a second and thread.
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

/// `text` in the content coding `coding`; nothing if that fails.
std::optional<std::string> compressed(std::string_view text, std::string_view coding) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, coding == "gzip" ? 15 + 16 : 15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return std::nullopt;
  std::string out(deflateBound(&stream, text.size()), '\0');
  // zlib counts what it is given in 32 bits. A longer reply is sent as it is.
  if (out.size() > std::numeric_limits<uInt>::max() || text.size() > std::numeric_limits<uInt>::max()) {
    deflateEnd(&stream);
    return std::nullopt;
  }
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) return std::nullopt;
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Whether the parameters of an element of Accept-Encoding say `q=0` (RFC 9110, section 12.4.2).
bool refused(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::size_t end = parameters.find(';');
    const std::string_view parameter = trimmed(parameters.substr(0, end));
    parameters.remove_prefix(end == std::string_view::npos ? parameters.size() : end + 1);
    if (parameter.size() > 2 && (parameter[0] == 'q' || parameter[0] == 'Q') && parameter[1] == '=')
      return parameter.find_first_not_of("0.", 2) == std::string_view::npos;
  }
  return false;
}

}  // namespace

std::string_view reason_phrase(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 301:
      return "Moved Permanently";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Payload Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    default:
      return "Unknown";
  }
}

Response problem(unsigned status, std::string_view detail, const Request& request) {
  const std::string_view title = reason_phrase(status);
  Response response;
  response.status = status;
  response.content_type = kJsonType;
  std::string& body = response.body;
  body = "{\"status\":";
  append_number(body, status);
  body += ",\"type\":\"";
  for (const char c : title) body += c == ' ' ? '_' : static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  body += "\",\"title\":\"";
  body += title;
  body += "\",\"detail\":";
  append_json_string(body, detail);
  body += ",\"method\":";
  append_json_string(body, request.method_name());
  body += ",\"uri\":";
  append_json_string(body, request.target());
  body += '}';
  return response;
}

std::string_view accepted_coding(std::string_view accept) {
  bool gzip = false;
  bool deflate = false;
  bool any = false;
  bool no_gzip = false;
  while (!accept.empty()) {
    const std::size_t end = accept.find(',');
    const std::string_view element = accept.substr(0, end);
    accept.remove_prefix(end == std::string_view::npos ? accept.size() : end + 1);
    const std::size_t semicolon = element.find(';');
    const std::string_view coding = trimmed(element.substr(0, semicolon));
    const bool taken = semicolon == std::string_view::npos || !refused(element.substr(semicolon + 1));
    if (equals_ignoring_case(coding, "gzip") || equals_ignoring_case(coding, "x-gzip")) {
      gzip = taken;
      no_gzip = !taken;
    } else if (equals_ignoring_case(coding, "deflate")) {
      deflate = taken;
    } else if (coding == "*") {
      any = taken;
    }
  }
  if (gzip || (any && !no_gzip)) return "gzip";
  return deflate ? "deflate" : std::string_view();
}

ResponseFormat::ResponseFormat(const HttpOptions& options) {
  if (options.cors) {
    cors_ = "access-control-allow-origin: " + *options.cors +
            "\r\n"
            "access-control-allow-headers: accept, x-requested-with, content-type\r\n"
            "access-control-expose-headers: etag\r\n"
            "access-control-allow-methods: post\r\n";
  }
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
  if (!response.bare) {
    out += response.own_origin_only ? kOwnOriginOnly : std::string_view(cors_);
    out += security_;
    if (response.inline_page) {
      for (const std::string_view name : {"content-security-policy", "x-content-security-policy", "x-webkit-csp"})
        out.append(name).append(": ").append(kInlinePolicy).append("\r\n");
    } else if (!response.policy.empty()) {
      out.append("content-security-policy: ").append(response.policy).append("\r\n");
    } else {
      out += policy_;
    }
    out += response.fields;
    if (!response.content_type.empty()) {
      out += "content-type: ";
      out += response.content_type;
      out += "\r\n";
    }
    if (body.size() >= kCompressFrom) {
      out += "vary: Accept-Encoding\r\n";
      if (const std::string_view coding = accepted_coding(conditions.accept); !coding.empty() && !conditions.head) {
        coded = compressed(body, coding);
        if (coded) {
          body = *coded;
          out.append("content-encoding: ").append(coding).append("\r\n");
        }
      }
    }
  }
  out += date_field(conditions.now);
  out += conditions.close ? std::string_view("connection: close\r\n") : std::string_view(keep_alive_);
  if (response.endless) {
    out += conditions.http_1_0 ? "\r\n" : "transfer-encoding: chunked\r\n\r\n";
    return;
  }
  out += "content-length: ";
  append_number(out, body.size());
  out += "\r\n\r\n";
  if (!conditions.head) out += body;
}

}  // namespace eventgate

#include "http_fetch.hpp"

#include <netdb.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <charconv>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "eventgate/base/ascii.hpp"
#include "eventgate/io/task.hpp"
#include "inflate.hpp"

namespace eventgate {

/// The fetches in progress, so that they can be stopped. Threads of name lookups share it and may outlive the fetches.
struct FetchStop {
  std::mutex mutex;
  std::condition_variable changed;  ///< Notified when stopped, and when a name lookup has finished.
  bool stopped = false;
  std::set<boost::asio::io_context*> running;
};

/// The parts of an http(s) URI.
struct HttpUri {
  bool tls = false;
  std::string host;    ///< Lower case, without the brackets of an IPv6 address.
  std::string port;    ///< Always given.
  std::string target;  ///< Path and query.

  bool same_origin(const HttpUri& other) const { return tls == other.tls && host == other.host && port == other.port; }
  std::string host_header() const {
    const std::string name = host.find(':') == std::string::npos ? host : '[' + host + ']';
    return port == (tls ? "443" : "80") ? name : name + ':' + port;
  }
};

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using Tcp = asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using Stream = beast::basic_stream<Tcp, IoExecutor>;
using boost::system::error_code;

constexpr int kMaxRedirects = 5;
constexpr std::uint32_t kMaxHeaderSize = 16 * 1024;
/// Limit of responses with status 1xx before the final one.
constexpr int kMaxInterim = 16;
/// Limit of the name lookups in progress in this process, because each may hang and keeps a thread.
constexpr int kMaxLookups = 32;

ReadError unavailable(std::string message) { return {ReadError::Kind::unavailable, std::move(message)}; }
ReadError stopping() { return unavailable("the service is stopping"); }
ReadError invalid(std::string message) { return {ReadError::Kind::invalid, std::move(message)}; }

/// Returns true if `text` has visible ASCII only.
bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

std::optional<HttpUri> parse_uri(std::string_view uri) {
  HttpUri place;
  const std::string scheme = to_ascii_lower(uri.substr(0, uri.find("://")));
  if (scheme != "http" && scheme != "https") return std::nullopt;
  place.tls = scheme == "https";
  std::string_view rest = uri.substr(scheme.size() + 3);
  if (rest.size() != uri.size() - scheme.size() - 3 || !is_visible(rest)) return std::nullopt;
  rest = rest.substr(0, rest.find('#'));
  const std::size_t host_end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, host_end);
  place.target = rest.substr(host_end);
  if (place.target.empty() || place.target[0] != '/') place.target.insert(0, 1, '/');

  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    place.host = to_ascii_lower(authority.substr(1, end - 1));
    error_code error;
    asio::ip::make_address_v6(place.host, error);
    if (error) return std::nullopt;
    authority.remove_prefix(end + 1);
    if (!authority.empty() && authority[0] != ':') return std::nullopt;
    if (!authority.empty()) port = authority.substr(1);
  } else {
    const std::size_t colon = authority.find(':');
    place.host = to_ascii_lower(authority.substr(0, colon));
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
    if (place.host.empty() || place.host.size() > 253 ||
        place.host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._") != std::string::npos) {
      return std::nullopt;
    }
  }
  if (port.empty()) port = place.tls ? "443" : "80";
  unsigned number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number == 0 || number > 65535) return std::nullopt;
  place.port = std::to_string(number);
  return place;
}

/// Returns the URI of a `Location` field, resolved against `from` (RFC 3986, section 5.2). Dot segments stay, because
/// the server resolves them.
std::optional<HttpUri> redirect_target(const HttpUri& from, std::string_view location) {
  const std::string scheme = from.tls ? "https" : "http";
  if (location.find("://") != std::string_view::npos && location.find("://") < location.find_first_of("/?#")) {
    return parse_uri(location);
  }
  if (location.starts_with("//")) return parse_uri(scheme + ':' + std::string(location));
  if (location.empty() || !is_visible(location)) return std::nullopt;
  location = location.substr(0, location.find('#'));
  HttpUri place = from;
  if (location.starts_with('/')) {
    place.target = location;
  } else {
    const std::string path = from.target.substr(0, from.target.find('?'));
    if (location.starts_with('?')) {
      place.target = path + std::string(location);
    } else {
      place.target = path.substr(0, path.rfind('/') + 1) + std::string(location);
    }
  }
  return place;
}

/// Returns the addresses of a host. getaddrinfo cannot be cancelled, so it runs on a thread of its own, which is
/// abandoned if it takes too long.
boost::system::result<std::vector<Tcp::endpoint>, ReadError> look_up(const HttpUri& place, Clock::time_point deadline,
                                                                     const std::shared_ptr<FetchStop>& stop) {
  error_code error;
  const auto port = static_cast<unsigned short>(std::stoul(place.port));
  if (const auto address = asio::ip::make_address(place.host, error); !error) {
    return std::vector<Tcp::endpoint>{{address, port}};
  }
  struct Lookup {  // protected by the mutex of `stop`
    bool finished = false;
    int error = 0;
    std::vector<Tcp::endpoint> endpoints;
  };
  static std::atomic<int> lookups{0};
  if (lookups.fetch_add(1) >= kMaxLookups) {
    lookups.fetch_sub(1);
    return unavailable("too many name lookups are without an answer");
  }
  const auto lookup = std::make_shared<Lookup>();
  const auto run = [lookup, stop, host = place.host, port] {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* found = nullptr;
    const int failure = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    std::vector<Tcp::endpoint> endpoints;
    for (const addrinfo* info = found; failure == 0 && info != nullptr; info = info->ai_next) {
      Tcp::endpoint endpoint;
      if (info->ai_addrlen > endpoint.capacity()) continue;
      std::memcpy(endpoint.data(), info->ai_addr, info->ai_addrlen);
      endpoint.resize(info->ai_addrlen);
      endpoint.port(port);
      endpoints.push_back(endpoint);
    }
    if (failure == 0) ::freeaddrinfo(found);
    lookups.fetch_sub(1);
    const std::lock_guard lock(stop->mutex);
    lookup->error = failure;
    lookup->endpoints = std::move(endpoints);
    lookup->finished = true;
    stop->changed.notify_all();
  };
  try {
    std::thread(run).detach();
  } catch (const std::system_error&) {
    lookups.fetch_sub(1);
    return unavailable("no thread is left to look up a name");
  }
  std::unique_lock lock(stop->mutex);
  const bool in_time = stop->changed.wait_until(lock, deadline, [&] { return lookup->finished || stop->stopped; });
  if (stop->stopped) return stopping();
  if (!in_time) {
    return unavailable("expected the address of " + place.host + " within fetch_connect_timeout");
  }
  if (lookup->error != 0) {
    return unavailable("no address of " + place.host + ": " + ::gai_strerror(lookup->error));
  }
  if (lookup->endpoints.empty()) return unavailable("no address of " + place.host);
  return std::move(lookup->endpoints);
}

/// The I/O context of one fetch. The FetchStop knows it while it exists.
class FetchContext {
 public:
  explicit FetchContext(FetchStop& stop) : stop_(stop) {
    const std::lock_guard lock(stop_.mutex);
    stop_.running.insert(&context_);
  }
  ~FetchContext() {
    const std::lock_guard lock(stop_.mutex);
    stop_.running.erase(&context_);
  }
  FetchContext(const FetchContext&) = delete;
  FetchContext& operator=(const FetchContext&) = delete;

  IoExecutor executor() { return context_.get_executor(); }

  bool stopped() const {
    const std::lock_guard lock(stop_.mutex);
    return stop_.stopped;
  }

  /// Runs one asynchronous operation to its end, or until the fetch is stopped. Then no later operation starts.
  template <typename Start>
  error_code finish(Start start) {
    error_code result = asio::error::operation_aborted;
    context_.restart();
    // A later stop stops the context, so that `run` returns.
    if (stopped()) return result;
    start([&result](error_code error, auto&&...) { result = error; });
    context_.run();
    return result;
  }

 private:
  FetchStop& stop_;
  asio::io_context context_{1};
};

}  // namespace

struct HttpFetch::Answer {
  unsigned status = 0;
  std::string reason;
  std::string location;
  std::string content_encoding;
  std::string body;
};

namespace {

using Answer = HttpFetch::Answer;

/// Connects to the first endpoint that answers by `end`.
error_code connect(FetchContext& context, Stream& tcp, const std::vector<Tcp::endpoint>& endpoints,
                   Clock::time_point end) {
  error_code error = asio::error::host_unreachable;
  for (std::size_t i = 0; i < endpoints.size() && error; ++i) {
    // Each endpoint gets its share of the time, so that one that never answers leaves some for the next.
    const auto left = static_cast<long>(endpoints.size() - i);
    tcp.expires_after(std::max<Clock::duration>((end - Clock::now()) / left, std::chrono::milliseconds(1)));
    tcp.socket().close(error);
    error = context.finish([&](auto handler) { tcp.async_connect(endpoints[i], std::move(handler)); });
    if (context.stopped()) break;
  }
  return error;
}

/// Runs the TLS handshake and verifies the name of the host.
error_code shake_hands(FetchContext& context, beast::ssl_stream<Stream>& stream, const std::string& host) {
  error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  if (not_an_address) SSL_set_tlsext_host_name(stream.native_handle(), host.c_str());  // SNI allows no addresses.
  stream.set_verify_callback(ssl::host_name_verification(host));
  return context.finish([&](auto handler) { stream.async_handshake(ssl::stream_base::client, std::move(handler)); });
}

template <typename AnyStream>
boost::system::result<Answer, ReadError> exchange(FetchContext& context, AnyStream& stream,
                                                  const http::request<http::string_body>& request,
                                                  std::size_t max_size) {
  if (const auto error =
          context.finish([&](auto handler) { http::async_write(stream, request, std::move(handler)); })) {
    return unavailable("the request could not be sent: " + error.message());
  }
  beast::flat_buffer buffer;
  std::optional<http::response_parser<http::string_body>> made;
  error_code error;
  for (int interim = 0;; ++interim) {
    http::response_parser<http::string_body>& parser = made.emplace();
    parser.header_limit(kMaxHeaderSize);
    parser.body_limit(max_size);
    error = context.finish([&](auto handler) { http::async_read_header(stream, buffer, parser, std::move(handler)); });
    if (error) break;
    const unsigned status = parser.get().result_int();
    if (status >= 200 || status == 101) {
      if (!parser.is_done())
        error = context.finish([&](auto handler) { http::async_read(stream, buffer, parser, std::move(handler)); });
      break;
    }
    if (interim == kMaxInterim) {
      return unavailable("expected at most " + std::to_string(kMaxInterim) + " answers with a status of 1xx");
    }
  }
  if (error == http::error::body_limit) return invalid("expected at most " + std::to_string(max_size) + " bytes");
  if (error == beast::error::timeout) return unavailable("expected an answer within fetch_timeout");
  if (error) return unavailable("expected an HTTP answer: " + error.message());
  auto& message = made->get();
  Answer answer;
  answer.status = message.result_int();
  answer.reason = message.reason();
  answer.location = message[http::field::location];
  answer.content_encoding = message[http::field::content_encoding];
  answer.body = std::move(message.body());
  return answer;
}

std::string status_text(const Answer& answer) {
  std::string text = "expected an answer with status 200, got " + std::to_string(answer.status);
  const std::string_view reason = std::string_view(answer.reason).substr(0, 100);
  if (!reason.empty() && std::all_of(reason.begin(), reason.end(), [](char c) { return c >= ' ' && c < '\x7f'; })) {
    text.append(" ").append(reason);
  }
  return text;
}

}  // namespace

struct HttpFetch::Tls {
  /// Throws std::invalid_argument if `ca_file` cannot be used.
  explicit Tls(const std::string& ca_file) {
    if (ca_file.empty()) return;
    error_code error;
    context().load_verify_file(ca_file, error);
    if (error) {
      throw std::invalid_argument("ca_file: expected a file of PEM certificates at '" + ca_file +
                                  "': " + error.message());
    }
  }

  /// Returns the context, which is created at the first call: it takes three megabytes, and a gate that reads files
  /// only needs none.
  ssl::context& context() {
    std::call_once(made_once, [this] {
      made.emplace(ssl::context::tls_client);
      made->set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
      made->set_verify_mode(ssl::verify_peer);
    });
    return *made;
  }

  /// Trusts the certificates of the system from the first call on, and those of the file that NODE_EXTRA_CA_CERTS
  /// names: the original's Node does. If that file cannot be read, Node goes on without it; the config's reader warns
  /// of it.
  void trust_system(error_code& error) {
    std::call_once(system_certificates, [&] {
      context().set_default_verify_paths(error);
      error_code ignored;
      if (const char* const extra = std::getenv("NODE_EXTRA_CA_CERTS"); extra && *extra)
        context().load_verify_file(extra, ignored);
    });
  }

  std::once_flag made_once;
  std::optional<ssl::context> made;
  /// The certificates of the system are read at the first use, because there are many. A system without any can still
  /// fetch by http.
  std::once_flag system_certificates;
};

HttpFetch::HttpFetch(UriReaderOptions options)
    : options_(std::move(options)),
      tls_(std::make_shared<Tls>(options_.ca_file)),
      stop_(std::make_shared<FetchStop>()) {
  for (const auto& [name, value] : options_.headers) {
    const bool token =
        !name.empty() && is_visible(name) && name.find_first_of("()<>@,;:\\\"/[]?={}") == std::string::npos;
    const bool text = std::all_of(value.begin(), value.end(), [](char c) {
      return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
    });
    if (!token || !text) {
      throw std::invalid_argument(
          "headers of stream_config_uri_options: expected names and values of HTTP header fields, "
          "found '" +
          name + "'");
    }
  }
}

HttpFetch::~HttpFetch() = default;

void HttpFetch::stop() {
  const std::lock_guard lock(stop_->mutex);
  stop_->stopped = true;
  for (asio::io_context* context : stop_->running) context->stop();
  stop_->changed.notify_all();
}

std::function<void()> HttpFetch::reload_credentials() {
  return [this, fresh = std::make_shared<Tls>(options_.ca_file)] {
    const std::lock_guard lock(mutex_);
    tls_ = fresh;
  };
}

boost::system::result<std::string, ReadError> HttpFetch::get(const std::string& uri, Clock::time_point deadline) const {
  const std::shared_ptr<Tls> tls = current_tls();
  const Clock::time_point start = Clock::now();
  if (start >= deadline) return unavailable("there is no time left to ask its host");
  const Clock::time_point end = deadline - start < options_.fetch_timeout ? deadline : start + options_.fetch_timeout;
  const auto first = parse_uri(uri);
  if (!first) return invalid("expected a URI of the form http(s)://host[:port]/path");
  HttpUri place = *first;
  for (int redirects = 0;; ++redirects) {
    const bool is_first_host = place.same_origin(*first);
    auto answer = ask(place, is_first_host, *tls, end);
    if (!answer) return answer.error();
    switch (answer->status) {
      case 200:
        return inflated(answer->content_encoding, std::move(answer->body), options_.max_size);
      case 301:
      case 302:
      case 303:
      case 307:
      case 308: {
        if (redirects == kMaxRedirects) {
          return unavailable("expected at most " + std::to_string(kMaxRedirects) + " redirects");
        }
        const auto next = redirect_target(place, answer->location);
        if (!next) return unavailable("expected a Location with an http(s) URI in a redirect");
        if (place.tls && !next->tls) return unavailable("expected no redirect from https to http");
        place = *next;
        break;
      }
      case 404:
      case 410:
        return ReadError{ReadError::Kind::not_found, status_text(*answer)};
      default:
        return unavailable(status_text(*answer));
    }
  }
}

std::shared_ptr<HttpFetch::Tls> HttpFetch::current_tls() const {
  const std::lock_guard lock(mutex_);
  return tls_;
}

boost::system::result<HttpAnswer, ReadError> HttpFetch::post(const std::string& uri, const std::string& body) const {
  const auto place = parse_uri(uri);
  if (!place) return invalid("expected a URI of the form http(s)://host[:port]/path");
  auto answer = ask(*place, true, *current_tls(), Clock::now() + options_.fetch_timeout, &body);
  if (!answer) return answer.error();
  return HttpAnswer{answer->status, std::move(answer->body)};
}

boost::system::result<HttpAnswer, ReadError> post_json(const std::string& uri, const std::string& body,
                                                       const UriReaderOptions& options) {
  return HttpFetch(options).post(uri, body);
}

boost::system::result<HttpFetch::Answer, ReadError> HttpFetch::ask(const HttpUri& place, bool send_headers, Tls& tls,
                                                                   Clock::time_point end,
                                                                   const std::string* body) const {
  const auto connect_end = [&] { return std::min(end, Clock::now() + options_.fetch_connect_timeout); };
  const auto endpoints = look_up(place, connect_end(), stop_);
  if (!endpoints) return endpoints.error();

  FetchContext context(*stop_);
  beast::ssl_stream<Stream> stream(Stream(context.executor()), tls.context());
  Stream& tcp = beast::get_lowest_layer(stream);
  error_code error = connect(context, tcp, *endpoints, connect_end());
  if (context.stopped()) return stopping();
  const std::string where = place.host + ':' + place.port;
  if (error == beast::error::timeout) {
    return unavailable("expected a connection to " + where + " within fetch_connect_timeout");
  }
  if (error) return unavailable("no connection to " + where + ": " + error.message());
  tcp.expires_at(end);

  if (place.tls) {
    if (options_.ca_file.empty()) tls.trust_system(error);
    error = shake_hands(context, stream, place.host);
    if (context.stopped()) return stopping();
    if (error == beast::error::timeout) return unavailable("expected a TLS handshake within fetch_timeout");
    if (const long verified = SSL_get_verify_result(stream.native_handle()); error && verified != X509_V_OK) {
      return unavailable("expected a certificate for " + place.host + " that " +
                         (options_.ca_file.empty() ? "the system" : "ca_file") +
                         " vouches for: " + X509_verify_cert_error_string(verified));
    }
    if (error) return unavailable("no TLS connection to " + where + ": " + error.message());
  }

  http::request<http::string_body> request(body ? http::verb::post : http::verb::get, place.target, 11);
  request.set(http::field::host, place.host_header());
  request.set(http::field::user_agent, options_.user_agent);
  request.set(http::field::accept, "application/json, application/yaml;q=0.9, */*;q=0.5");
  request.set(http::field::accept_encoding, "identity");
  if (send_headers) {
    for (const auto& [name, value] : options_.headers) request.set(name, value);
  }
  request.set(http::field::connection, "close");
  if (body) {
    request.set(http::field::content_type, "application/json");
    request.body() = *body;
    request.prepare_payload();
  }

  auto answer = place.tls ? exchange(context, stream, request, options_.max_size)
                          : exchange(context, tcp, request, options_.max_size);
  if (!answer && context.stopped()) return stopping();
  return answer;
}

}  // namespace eventgate

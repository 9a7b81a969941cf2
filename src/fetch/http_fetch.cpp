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
#include <cstring>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "eventgate/io/task.hpp"
#include "inflate.hpp"

namespace eventgate {

/// What ends the fetches under way. Threads of name lookups may outlive the fetches, and hold it.
struct FetchStop {
  std::mutex mutex;
  std::condition_variable changed;  ///< Stopped, or a name lookup is finished.
  bool stopped = false;
  std::set<boost::asio::io_context*> running;
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
/// Answers of 1xx before the one that counts.
constexpr int kMaxInterim = 16;
/// Name lookups that may hang at once in this process.
constexpr int kMaxLookups = 32;

ReadError unavailable(std::string message) { return {ReadError::Kind::unavailable, std::move(message)}; }
ReadError stopping() { return unavailable("the service is stopping"); }
ReadError invalid(std::string message) { return {ReadError::Kind::invalid, std::move(message)}; }

/// A URI taken apart.
struct Place {
  bool tls = false;
  std::string host;    ///< Lower case, without the brackets of an IPv6 address.
  std::string port;    ///< Always given.
  std::string target;  ///< Path and query.

  bool same_origin(const Place& other) const { return tls == other.tls && host == other.host && port == other.port; }
  std::string host_header() const {
    const std::string name = host.find(':') == std::string::npos ? host : '[' + host + ']';
    return port == (tls ? "443" : "80") ? name : name + ':' + port;
  }
};

bool visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return result;
}

std::optional<Place> parse_place(std::string_view uri) {
  Place place;
  const std::string scheme = lower(uri.substr(0, uri.find("://")));
  if (scheme != "http" && scheme != "https") return std::nullopt;
  place.tls = scheme == "https";
  std::string_view rest = uri.substr(scheme.size() + 3);
  if (rest.size() != uri.size() - scheme.size() - 3 || !visible(rest)) return std::nullopt;
  rest = rest.substr(0, rest.find('#'));
  const std::size_t host_end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, host_end);
  place.target = rest.substr(host_end);
  if (place.target.empty() || place.target[0] != '/') place.target.insert(0, 1, '/');

  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    place.host = lower(authority.substr(1, end - 1));
    error_code error;
    asio::ip::make_address_v6(place.host, error);
    if (error) return std::nullopt;
    authority.remove_prefix(end + 1);
    if (!authority.empty() && authority[0] != ':') return std::nullopt;
    if (!authority.empty()) port = authority.substr(1);
  } else {
    const std::size_t colon = authority.find(':');
    place.host = lower(authority.substr(0, colon));
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

/// A `Location` as seen from where it came (RFC 3986, 5.2; dot segments are the server's business).
std::optional<Place> redirect_place(const Place& from, std::string_view location) {
  const std::string scheme = from.tls ? "https" : "http";
  if (location.find("://") != std::string_view::npos && location.find("://") < location.find_first_of("/?#")) {
    return parse_place(location);
  }
  if (location.starts_with("//")) return parse_place(scheme + ':' + std::string(location));
  if (location.empty() || !visible(location)) return std::nullopt;
  location = location.substr(0, location.find('#'));
  Place place = from;
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

/// The addresses of a host. getaddrinfo can be neither cancelled nor given a deadline, so it has a thread that is left
/// behind if it takes too long.
boost::system::result<std::vector<Tcp::endpoint>, ReadError> look_up(const Place& place, Clock::time_point deadline,
                                                                     const std::shared_ptr<FetchStop>& stop) {
  error_code error;
  const auto port = static_cast<unsigned short>(std::stoul(place.port));
  if (const auto address = asio::ip::make_address(place.host, error); !error) {
    return std::vector<Tcp::endpoint>{{address, port}};
  }
  struct Lookup {  // Under the mutex of `stop`.
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

/// The context of one fetch, which the `FetchStop` reaches while this lives.
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

  /// Runs one asynchronous operation to its end, or until stopped: then it never ends, and nothing is run after it.
  template <typename Start>
  error_code finish(Start start) {
    error_code result = asio::error::operation_aborted;
    context_.restart();
    // A stop from here on stops the context, so that `run` returns.
    if (stopped()) return result;
    start([&result](error_code error, auto&&...) { result = error; });
    context_.run();
    return result;
  }

 private:
  FetchStop& stop_;
  asio::io_context context_{1};
};

struct Answer {
  unsigned status = 0;
  std::string reason;
  std::string location;
  std::string content_encoding;
  std::string body;
};

template <typename AnyStream>
boost::system::result<Answer, ReadError> exchange(FetchContext& context, AnyStream& stream,
                                                  const http::request<http::empty_body>& request,
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

  /// It takes three megabytes, and a gate that reads files needs none: it is made when first needed.
  ssl::context& context() {
    std::call_once(made_once, [this] {
      made.emplace(ssl::context::tls_client);
      made->set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
      made->set_verify_mode(ssl::verify_peer);
    });
    return *made;
  }

  std::once_flag made_once;
  std::optional<ssl::context> made;
  /// The system's certificates are many: they are read when first needed. A system without any can fetch by http.
  std::once_flag system_certificates;
};

HttpFetch::HttpFetch(UriReaderOptions options)
    : options_(std::move(options)),
      tls_(std::make_shared<Tls>(options_.ca_file)),
      stop_(std::make_shared<FetchStop>()) {
  for (const auto& [name, value] : options_.headers) {
    const bool token = !name.empty() && visible(name) && name.find_first_of("()<>@,;:\\\"/[]?={}") == std::string::npos;
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
  const std::shared_ptr<Tls> in_use = [this] {
    const std::lock_guard lock(mutex_);
    return tls_;
  }();
  const Clock::time_point start = Clock::now();
  if (start >= deadline) return unavailable("there is no time left to ask its host");
  const Clock::time_point end = deadline - start < options_.fetch_timeout ? deadline : start + options_.fetch_timeout;
  const auto first = parse_place(uri);
  if (!first) return invalid("expected a URI of the form http(s)://host[:port]/path");
  Place place = *first;
  for (int redirects = 0;; ++redirects) {
    const auto connect_end = [&] { return std::min(end, Clock::now() + options_.fetch_connect_timeout); };
    const auto endpoints = look_up(place, connect_end(), stop_);
    if (!endpoints) return endpoints.error();

    FetchContext context(*stop_);
    ssl::context& tls = in_use->context();
    beast::ssl_stream<Stream> stream(Stream(context.executor()), tls);
    Stream& tcp = beast::get_lowest_layer(stream);
    // Each address has its share of the time, so that one that never answers leaves some for the next.
    const Clock::time_point connected_by = connect_end();
    error_code error = asio::error::host_unreachable;
    for (std::size_t i = 0; i < endpoints->size() && error; ++i) {
      const auto left = static_cast<long>(endpoints->size() - i);
      tcp.expires_after(std::max<Clock::duration>((connected_by - Clock::now()) / left, std::chrono::milliseconds(1)));
      tcp.socket().close(error);
      error = context.finish([&](auto handler) { tcp.async_connect((*endpoints)[i], std::move(handler)); });
      if (context.stopped()) return stopping();
    }
    const std::string where = place.host + ':' + place.port;
    if (error == beast::error::timeout) {
      return unavailable("expected a connection to " + where + " within fetch_connect_timeout");
    }
    if (error) return unavailable("no connection to " + where + ": " + error.message());
    tcp.expires_at(end);

    if (place.tls) {
      std::call_once(in_use->system_certificates, [&] {
        if (options_.ca_file.empty()) tls.set_default_verify_paths(error);
      });
      SSL* const handle = stream.native_handle();
      error_code ignored;
      asio::ip::make_address(place.host, ignored);
      if (ignored) SSL_set_tlsext_host_name(handle, place.host.c_str());  // SNI knows no addresses.
      stream.set_verify_callback(ssl::host_name_verification(place.host));
      error =
          context.finish([&](auto handler) { stream.async_handshake(ssl::stream_base::client, std::move(handler)); });
      if (context.stopped()) return stopping();
      if (error == beast::error::timeout) return unavailable("expected a TLS handshake within fetch_timeout");
      if (const long verified = SSL_get_verify_result(handle); error && verified != X509_V_OK) {
        return unavailable("expected a certificate for " + place.host + " that " +
                           (options_.ca_file.empty() ? "the system" : "ca_file") +
                           " vouches for: " + X509_verify_cert_error_string(verified));
      }
      if (error) return unavailable("no TLS connection to " + where + ": " + error.message());
    }

    http::request<http::empty_body> request(http::verb::get, place.target, 11);
    request.set(http::field::host, place.host_header());
    request.set(http::field::user_agent, options_.user_agent);
    request.set(http::field::accept, "application/json, application/yaml;q=0.9, */*;q=0.5");
    request.set(http::field::accept_encoding, "identity");
    if (place.same_origin(*first)) {
      for (const auto& [name, value] : options_.headers) request.set(name, value);
    }
    request.set(http::field::connection, "close");

    auto answer = place.tls ? exchange(context, stream, request, options_.max_size)
                            : exchange(context, tcp, request, options_.max_size);
    if (!answer && context.stopped()) return stopping();
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
        const auto next = redirect_place(place, answer->location);
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

}  // namespace eventgate

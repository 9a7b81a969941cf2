#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netdb.h>
#include <zlib.h>

#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "eventgate/fetch/object_reader.hpp"
#include "read_object.hpp"
#include "support/http_test_server.hpp"
#include "support/temporary_folder.hpp"

namespace {

/// Lookups of `hangs.test` wait here until the test lets them go.
std::mutex lookup_mutex;
std::condition_variable lookup_released;
bool lookup_hangs = false;
bool lookup_entered = false;

}  // namespace

/// Stands before libc's: a name server that does not answer cannot be had on the loopback.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  if (node != nullptr && std::strcmp(node, "hangs.test") == 0) {
    std::unique_lock lock(lookup_mutex);
    lookup_entered = true;
    lookup_released.wait(lock, [] { return !lookup_hangs; });
    return EAI_AGAIN;
  }
  if (node != nullptr && std::strcmp(node, "nowhere.test") == 0) return EAI_NONAME;
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(node, service, hints, result);
}

namespace eventgate {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

HttpTestServer::Handler always(std::string answer) {
  return [answer = std::move(answer)](const ServedRequest&) { return answer; };
}

HttpTestServer::Handler never() {
  return [](const ServedRequest&) { return std::nullopt; };
}

UriReaderOptions short_timeout() {
  UriReaderOptions options;
  options.fetch_timeout = milliseconds(50);
  return options;
}

/// Options that trust `certificate`, whose file is in `folder`.
UriReaderOptions trusting(const TestCertificate& certificate, const TemporaryFolder& folder) {
  UriReaderOptions options;
  options.ca_file = folder.write("ca.pem", certificate.pem());
  return options;
}

TEST(HttpFetch, GetsTheDocument) {
  HttpTestServer server(always(http_answer("title: a")));
  EXPECT_EQ(read(server.uri("/a/1.0.0?x=%20y#part")), R"({"title":"a"})");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].target(), "/a/1.0.0?x=%20y");
  EXPECT_EQ(requests[0].header("Host"), "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(requests[0].header("User-Agent"), "eventgate");
  EXPECT_EQ(requests[0].header("Accept-Encoding"), "identity");
}

TEST(HttpFetch, ChunkedAnswersAreRead) {
  HttpTestServer server(
      always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\n\r\n"));
  EXPECT_EQ(read(server.uri("/")), R"({"a":1})");
}

TEST(HttpFetch, AnswersThatEndWithTheConnectionAreRead) {
  HttpTestServer server(always("HTTP/1.0 200 OK\r\n\r\n{\"a\":1}"));
  EXPECT_EQ(read(server.uri("/")), R"({"a":1})");
}

TEST(HttpFetch, ConfiguredHeadersAreSent_HostReplacesTheDefault) {
  HttpTestServer server(always(http_answer("{}")));
  UriReaderOptions options;
  options.user_agent = "gate";
  options.headers = {{"Host", "meta.example.org"}, {"X-Test", "1"}};
  EXPECT_EQ(read(server.uri("/"), options), "{}");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].header("Host"), "meta.example.org");
  EXPECT_EQ(requests[0].header("X-Test"), "1");
  EXPECT_EQ(requests[0].header("User-Agent"), "gate");
}

TEST(HttpFetch, HeadersThatCouldSplitARequestAreRefusedAtStart) {
  UriReaderOptions options;
  options.headers = {{"X-Test", "1\r\nX-Other: 2"}};
  EXPECT_THAT([&] { make_uri_reader(options); }, testing::ThrowsMessage<std::invalid_argument>(HasSubstr("'X-Test'")));
}

TEST(HttpFetch, StatusesSayWhetherTheDocumentIsMissingOrTheHostIsDown) {
  const auto status = [](const char* line) {
    HttpTestServer server(always(http_answer("{}", line)));
    return read(server.uri("/"));
  };
  EXPECT_EQ(status("404 Not Found"), "not_found: expected an answer with status 200, got 404 Not Found");
  EXPECT_THAT(status("410 Gone"), StartsWith("not_found: "));
  for (const char* line : {"500 Internal Server Error", "503 Service Unavailable", "408 Request Timeout",
                           "429 Too Many Requests", "403 Forbidden", "400 Bad Request", "204 No Content"}) {
    EXPECT_EQ(status(line), std::string("unavailable: expected an answer with status 200, got ") + line);
  }
}

TEST(HttpFetch, RelativeRedirect_IsResolvedAgainstItsOwnUri) {
  std::string other;
  HttpTestServer server([&](const ServedRequest& request) -> std::optional<std::string> {
    if (request.target() == "/a/b?q") return http_redirect("c");
    if (request.target() == "/a/c") return http_redirect("/d?x", "301 Moved Permanently");
    if (request.target() == "/d?x") return http_redirect("?y", "307 Temporary Redirect");
    if (request.target() == "/d?y") return http_redirect(other, "308 Permanent Redirect");
    return http_answer("", "404 Not Found");
  });
  HttpTestServer second(always(http_answer(R"({"a":1})")));
  other = second.uri("/e");
  UriReaderOptions options;
  options.headers = {{"Authorization", "secret"}};
  EXPECT_EQ(read(server.uri("/a/b?q"), options), R"({"a":1})");
  EXPECT_EQ(server.requests().back().header("Authorization"), "secret");
  // Another host gets no headers that were meant for the first.
  EXPECT_EQ(second.requests().back().header("Authorization"), std::nullopt);
}

TEST(HttpFetch, RedirectsAreBounded) {
  HttpTestServer server(always(http_redirect("/")));
  EXPECT_EQ(read(server.uri("/")), "unavailable: expected at most 5 redirects");
  EXPECT_EQ(server.requests().size(), 6U);
}

TEST(HttpFetch, ARedirectMustHaveAnHttpLocation) {
  for (const char* location : {"", "ftp://127.0.0.1/x", "file:///etc/passwd", "http://"}) {
    HttpTestServer server(always(http_redirect(location)));
    EXPECT_EQ(read(server.uri("/")), "unavailable: expected a Location with an http(s) URI in a redirect") << location;
  }
}

TEST(HttpFetch, SizeIsBoundedWhetherDeclaredOrNot) {
  UriReaderOptions options;
  options.max_size = 10;
  HttpTestServer fits(always(http_answer("aaaa: bbbb")));
  EXPECT_EQ(read(fits.uri("/"), options), R"({"aaaa":"bbbb"})");
  for (const std::string& answer : {http_answer("aaaa: bbbbb"), std::string("HTTP/1.1 200 OK\r\n\r\naaaa: bbbbb"),
                                    std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\naaaa: "
                                                "bbbbb\r\n0\r\n\r\n")}) {
    HttpTestServer server(always(answer));
    EXPECT_EQ(read(server.uri("/"), options), "invalid: expected at most 10 bytes") << answer;
  }
}

TEST(HttpFetch, AnswerDoesNotEnd_FetchEndsAtTheSizeLimit) {
  HttpTestServer body(always("HTTP/1.1 200 OK\r\n\r\n" + std::string(4 << 20, 'a')));
  EXPECT_THAT(read(body.uri("/")), StartsWith("invalid: expected at most 1048576 bytes"));
  HttpTestServer header(always("HTTP/1.1 200 OK\r\nX: " + std::string(1 << 20, 'a')));
  EXPECT_THAT(read(header.uri("/")), StartsWith("unavailable: expected an HTTP answer: "));
}

TEST(HttpFetch, BrokenAnswersAreUnavailable) {
  for (const char* answer : {"", "hello", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "HTTP/1.1 200"}) {
    HttpTestServer server(always(answer));
    EXPECT_THAT(read(server.uri("/")), StartsWith("unavailable: expected an HTTP answer: ")) << answer;
  }
}

/// `text` as zlib's window bits have it: 31 gzip, 15 deflate, -15 deflate without its wrapping.
std::string deflated(std::string_view text, int window_bits) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// What reading an answer of this body and coding gives.
std::string read_coded(std::string_view body, const std::string& coding, UriReaderOptions options = {}) {
  HttpTestServer server(always(http_answer(body, "200 OK", "Content-Encoding: " + coding + "\r\n")));
  return read(server.uri("/"), std::move(options));
}

TEST(HttpFetch, CompressedAnswersAreInflated) {
  for (const std::string coding : {"gzip", "x-gzip", "GZip"})
    EXPECT_EQ(read_coded(deflated(R"({"a": 1})", 31), coding), R"({"a":1})") << coding;
  for (const int bits : {15, -15})
    EXPECT_EQ(read_coded(deflated(R"({"a": 1})", bits), "deflate"), R"({"a":1})") << bits;
  EXPECT_EQ(read_coded(R"({"a": 1})", "identity"), R"({"a":1})");
  EXPECT_EQ(read_coded(deflated(R"({"a":)", 31) + deflated("1}", 31) + std::string(3, '\0'), "gzip"), R"({"a":1})");
}

TEST(HttpFetch, InflatedSizeIsBounded) {
  UriReaderOptions options;
  options.max_size = 100'000;
  const auto document = [](std::size_t size) { return R"({"a":")" + std::string(size - 8, 'x') + "\"}"; };
  for (const auto& [coding, bits] : {std::pair("gzip", 31), {"deflate", 15}, {"deflate", -15}}) {
    EXPECT_EQ(read_coded(deflated(document(100'000), bits), coding, options).size(), 100'000U) << bits;
    EXPECT_EQ(read_coded(deflated(document(100'001), bits), coding, options),
              "invalid: expected at most 100000 bytes once inflated")
        << bits;
    EXPECT_EQ(read_coded(deflated(std::string(20'000'000, ' '), bits), coding, options),
              "invalid: expected at most 100000 bytes once inflated")
        << bits;
  }
}

TEST(HttpFetch, ContentCodingIsBrokenOrUnknown_IsInvalid) {
  const std::string whole = deflated(R"({"a": 1})", 31);
  for (const std::string& body : {whole.substr(0, whole.size() - 4), whole.substr(0, 12), whole + "x",
                                  std::string("{}"), std::string(), std::string(100, '\0')})
    EXPECT_THAT(read_coded(body, "gzip"), StartsWith("invalid: expected an answer that is whole"));
  EXPECT_THAT(read_coded("{}", "deflate"), StartsWith("invalid: expected an answer that is whole"));
  for (const std::string coding : {"br", "zstd", "gzip, gzip"})
    EXPECT_EQ(read_coded("{}", coding),
              "invalid: expected an answer with the Content-Encoding gzip or deflate, or without one");
}

TEST(HttpFetch, AnswersOf1xxAreSkipped) {
  const std::string hints = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n";
  const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  HttpTestServer server([&](const ServedRequest& request) -> std::optional<std::string> {
    const std::string answer =
        request.target() == "/missing" ? http_answer("{}", "404 Not Found") : http_answer(R"({"a": 1})");
    if (request.target() == "/many") {
      std::string all;
      for (int i = 0; i < 17; ++i) all += hints;
      return all + answer;
    }
    return hints + go_on + hints + answer;
  });
  EXPECT_EQ(read(server.uri("/")), R"({"a":1})");
  EXPECT_EQ(read(server.uri("/missing")), "not_found: expected an answer with status 200, got 404 Not Found");
  EXPECT_EQ(read(server.uri("/many")), "unavailable: expected at most 16 answers with a status of 1xx");
}

TEST(HttpFetch, DeadlineIsBeforeTheTimeout_FetchEndsAtTheDeadline) {
  HttpTestServer server(never());
  UriReaderOptions options;
  options.fetch_timeout = options.fetch_connect_timeout = std::chrono::hours(1);
  const auto reader = make_uri_reader(options);
  const auto now = std::chrono::steady_clock::now();
  EXPECT_EQ(reader->read_until(server.uri("/"), now + milliseconds(100)).error().kind, ReadError::Kind::unavailable);
  EXPECT_GE(std::chrono::steady_clock::now(), now + milliseconds(100));
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_EQ(reader->read_until(server.uri("/"), now).error().message, "there is no time left to ask its host");
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(HttpFetch, AHostThatNeverAnswersIsGivenUp) {
  HttpTestServer server(never());
  EXPECT_EQ(read(server.uri("/"), short_timeout()), "unavailable: expected an answer within fetch_timeout");
}

TEST(HttpFetch, Redirects_ShareOneTimeout) {
  // Without a common end this would go on for ever: every step is quick, and the last never answers.
  HttpTestServer server([](const ServedRequest& request) -> std::optional<std::string> {
    if (request.target() == "/") return http_redirect("/next");
    return std::nullopt;
  });
  UriReaderOptions options;
  options.fetch_timeout = milliseconds(2000);
  EXPECT_EQ(read(server.uri("/"), options), "unavailable: expected an answer within fetch_timeout");
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST(HttpFetch, ConnectionIsNotAccepted_EndsAtTheTimeout) {
  // A listener whose queue is full lets connections hang.
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 0), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  std::vector<int> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)::connect(waiting.back(), reinterpret_cast<sockaddr*>(&address), size);
  }
  UriReaderOptions options;
  options.fetch_connect_timeout = milliseconds(50);
  const std::string port = std::to_string(ntohs(address.sin_port));
  EXPECT_EQ(read("http://127.0.0.1:" + port + "/", options),
            "unavailable: expected a connection to 127.0.0.1:" + port + " within fetch_connect_timeout");
  for (const int socket : waiting) ::close(socket);
  ::close(listener);
}

TEST(HttpFetch, AClosedPortIsUnavailable) {
  std::string uri;
  {
    HttpTestServer server(never());
    uri = server.uri("/");
  }
  EXPECT_THAT(read(uri),
              testing::AllOf(StartsWith("unavailable: no connection to 127.0.0.1:"), HasSubstr("Connection refused")));
}

TEST(HttpFetch, NameServerDoesNotAnswer_EndsAtTheTimeout) {
  {
    const std::lock_guard lock(lookup_mutex);
    lookup_hangs = true;
  }
  UriReaderOptions options;
  options.fetch_connect_timeout = milliseconds(50);
  EXPECT_EQ(read("http://hangs.test/", options),
            "unavailable: expected the address of hangs.test within fetch_connect_timeout");
  const std::lock_guard lock(lookup_mutex);
  lookup_hangs = false;
  lookup_released.notify_all();
}

TEST(HttpFetch, NameLookupsThatHangEndAtTheDeadlineAndAreBounded) {
  {
    const std::lock_guard lock(lookup_mutex);
    lookup_hangs = true;
  }
  UriReaderOptions options;
  options.fetch_timeout = options.fetch_connect_timeout = std::chrono::hours(1);
  const auto reader = make_uri_reader(options);
  const auto message = [&] {
    return reader->read_until("http://hangs.test/", std::chrono::steady_clock::now() + milliseconds(20))
        .error()
        .message;
  };
  // Those of a test before may still be on their way out.
  int hanging = 0;
  std::string last = message();
  for (; last == "expected the address of hangs.test within fetch_connect_timeout"; last = message()) ++hanging;
  EXPECT_EQ(last, "too many name lookups are without an answer");
  EXPECT_THAT(hanging, testing::AllOf(testing::Le(32), testing::Ge(28)));
  EXPECT_THAT(read("http://localhost:1/"), HasSubstr("too many name lookups"));
  {
    const std::lock_guard lock(lookup_mutex);
    lookup_hangs = false;
    lookup_released.notify_all();
  }
  while (read("http://nowhere.test/").find("too many") != std::string::npos) std::this_thread::yield();
}

/// What reading `uri` gives when the reader is stopped once `reached` says that the read is under way. It would take an
/// hour by itself.
std::string read_until_stopped(const std::string& uri, const std::function<bool()>& reached) {
  UriReaderOptions options;
  options.fetch_timeout = options.fetch_connect_timeout = std::chrono::hours(1);
  const auto reader = make_uri_reader(std::move(options));
  auto outcome = std::async(std::launch::async, [&] { return reader->read(uri).error().message; });
  while (!reached()) std::this_thread::yield();
  reader->stop();
  const std::string message = outcome.get();
  EXPECT_EQ(reader->read(uri).error().message, message) << "a later read";
  return message;
}

TEST(HttpFetch, StopWhileTheHostDoesNotAnswer_FetchEnds) {
  HttpTestServer server(never());
  EXPECT_EQ(read_until_stopped(server.uri("/a"), [&] { return !server.requests().empty(); }),
            "the service is stopping");
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(HttpFetch, StopDuringAHandshakeOrBeforeAFetch_FetchEnds) {
  HttpTestServer plain(never());
  const std::string uri = "https://localhost:" + std::to_string(plain.port()) + "/";
  EXPECT_EQ(read_until_stopped(uri, [] { return true; }), "the service is stopping");
}

TEST(HttpFetch, StopDuringANameLookup_FetchEnds) {
  {
    const std::lock_guard lock(lookup_mutex);
    lookup_hangs = true;
    lookup_entered = false;
  }
  const std::string message = read_until_stopped("http://hangs.test/", [] {
    const std::lock_guard lock(lookup_mutex);
    return lookup_entered;
  });
  {
    const std::lock_guard lock(lookup_mutex);
    lookup_hangs = false;
  }
  lookup_released.notify_all();
  EXPECT_EQ(message, "the service is stopping");
}

TEST(HttpFetch, Stopped_FilesAreStillRead) {
  const TemporaryFolder folder;
  const auto reader = make_uri_reader({});
  reader->stop();
  EXPECT_EQ(reader->read(folder.write("a.json", "{}"))->dump(), "{}");
}

TEST(HttpFetch, AnUnknownHostIsUnavailable) {
  EXPECT_THAT(read("http://nowhere.test/"), StartsWith("unavailable: no address of nowhere.test: "));
}

TEST(HttpFetch, HostIsAName_IsLookedUp) {
  HttpTestServer server(always(http_answer("{}")));
  EXPECT_EQ(read(server.uri("/", "LocalHost")), "{}");
}

TEST(HttpFetch, UriIsMalformed_IsInvalid) {
  for (const char* uri : {"http://", "http:///x", "http://a b/", "http://a/\r\nX: 1", "http://u:p@host/", "http://h:0/",
                          "http://h:65536/", "http://h:x/", "http://[::1/", "http://[zz]/", "http://h\xC3\xA9/"}) {
    EXPECT_EQ(read(uri), "invalid: expected a URI of the form http(s)://host[:port]/path") << uri;
  }
}

TEST(HttpFetch, TlsIsSpokenWithATrustedHost) {
  const TemporaryFolder folder;
  const TestCertificate certificate("DNS:localhost");
  HttpTestServer server(always(http_answer(R"({"a":1})")), &certificate);
  EXPECT_EQ(read(server.uri("/", "localhost"), trusting(certificate, folder)), R"({"a":1})");
  EXPECT_EQ(server.server_name(), "localhost");
}

TEST(HttpFetch, TlsIsSpokenWithAnAddress) {
  const TemporaryFolder folder;
  const TestCertificate certificate("IP:127.0.0.1");
  HttpTestServer server(always(http_answer(R"({"a":1})")), &certificate);
  EXPECT_EQ(read(server.uri("/"), trusting(certificate, folder)), R"({"a":1})");
  EXPECT_EQ(server.server_name(), "");
}

TEST(HttpFetch, CertificateOfAnUnknownAuthority_IsRefused) {
  const TestCertificate certificate("DNS:localhost");
  HttpTestServer server(always(http_answer("{}")), &certificate);
  EXPECT_THAT(read(server.uri("/", "localhost")),
              StartsWith("unavailable: expected a certificate for localhost that the system vouches for: "));
  EXPECT_TRUE(server.requests().empty());
}

TEST(HttpFetch, ACertificateForAnotherNameIsRefused) {
  const TemporaryFolder folder;
  const TestCertificate certificate("DNS:other.example.org");
  HttpTestServer server(always(http_answer("{}")), &certificate);
  EXPECT_THAT(read(server.uri("/", "localhost"), trusting(certificate, folder)),
              StartsWith("unavailable: expected a certificate for localhost that ca_file vouches for: "));
  EXPECT_TRUE(server.requests().empty());
}

TEST(HttpFetch, NodesExtraCertificatesCountUnlessThereIsACaFile) {
  const TemporaryFolder folder;
  const TestCertificate certificate("DNS:localhost");
  const TestCertificate other("DNS:localhost");
  HttpTestServer server(always(http_answer(R"({"a":1})")), &certificate);
  ::setenv("NODE_EXTRA_CA_CERTS", folder.write("extra.pem", certificate.pem()).c_str(), 1);
  EXPECT_EQ(read(server.uri("/", "localhost")), R"({"a":1})");
  EXPECT_THAT(read(server.uri("/", "localhost"), trusting(other, folder)),
              StartsWith("unavailable: expected a certificate for localhost that ca_file vouches for: "));
  ::setenv("NODE_EXTRA_CA_CERTS", "/nowhere/extra.pem", 1);
  EXPECT_THAT(read(server.uri("/", "localhost")),
              StartsWith("unavailable: expected a certificate for localhost that the system vouches for: "));
  ::unsetenv("NODE_EXTRA_CA_CERTS");
}

TEST(HttpFetch, NoRedirectLeadsFromHttpsToHttp) {
  const TemporaryFolder folder;
  const TestCertificate certificate("DNS:localhost");
  HttpTestServer plain(always(http_answer("{}")));
  HttpTestServer server(always(http_redirect(plain.uri("/"))), &certificate);
  EXPECT_EQ(read(server.uri("/", "localhost"), trusting(certificate, folder)),
            "unavailable: expected no redirect from https to http");
  EXPECT_TRUE(plain.requests().empty());
}

TEST(HttpFetch, AnHttpRedirectMayLeadToHttps) {
  const TemporaryFolder folder;
  const TestCertificate certificate("DNS:localhost");
  HttpTestServer secure(always(http_answer(R"({"a":1})")), &certificate);
  HttpTestServer server(always(http_redirect(secure.uri("/", "localhost"))));
  EXPECT_EQ(read(server.uri("/"), trusting(certificate, folder)), R"({"a":1})");
}

TEST(HttpFetch, TlsHandshakeHangs_EndsAtTheTimeout) {
  HttpTestServer plain(never());
  EXPECT_EQ(read("https://127.0.0.1:" + std::to_string(plain.port()) + "/", short_timeout()),
            "unavailable: expected a TLS handshake within fetch_timeout");
}

TEST(HttpFetch, AMissingCaFileIsAnErrorAtStart) {
  UriReaderOptions options;
  options.ca_file = "/nowhere/ca.pem";
  EXPECT_THAT([&] { make_uri_reader(options); },
              testing::ThrowsMessage<std::invalid_argument>(HasSubstr("'/nowhere/ca.pem'")));
}

TEST(HttpFetch, ThreadsShareAReader_EachGetsItsDocument) {
  HttpTestServer server(always(http_answer(R"({"a":1})")));
  const auto reader = make_uri_reader({});
  std::vector<std::thread> threads;
  std::atomic<int> read_well{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto object = reader->read(server.uri("/"));
      if (object && object->dump() == R"({"a":1})") ++read_well;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(read_well, 8);
}

}  // namespace
}  // namespace eventgate

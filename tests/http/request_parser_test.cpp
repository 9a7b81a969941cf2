#include "http/request_parser.hpp"

#include <gtest/gtest.h>

#include <boost/beast/http/error.hpp>

namespace eventgate {
namespace {

using boost::beast::http::error;

struct Parsed {
  explicit Parsed(std::string_view bytes, std::size_t max_header_size = 16384, std::size_t max_header_count = 100)
      : parser(request, max_header_size, max_header_count) {
    used = parser.parse(bytes, failure);
  }
  Request request;
  RequestParser parser;
  boost::system::error_code failure;
  std::size_t used = 0;
};

TEST(RequestParser, FieldsOfOneNameCombine) {
  const Parsed parsed("GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-B: 2\r\nx-a: 3, 4\r\nX-C:\r\n\r\n");
  EXPECT_EQ(parsed.request.combined_field("X-A"), "1, 3, 4");
  EXPECT_EQ(parsed.request.combined_field("x-b"), "2");
  EXPECT_EQ(parsed.request.combined_field("x-c"), "");
  EXPECT_EQ(parsed.request.combined_field("x-d"), std::nullopt);
}

TEST(RequestParser, FindsWhatEveryRequestNeeds) {
  const Parsed parsed(
      "POST /v1/events?hasty=true HTTP/1.1\r\nHost: a\r\ncontent-TYPE: application/json\r\nContent-Length: 2\r\n"
      "Content-Encoding: gzip\r\nAccept-Encoding: deflate\r\nExpect: 100-continue\r\nX-A:  b c \r\n\r\n{}");
  EXPECT_FALSE(parsed.failure) << parsed.failure.message();
  const Request& request = parsed.request;
  EXPECT_EQ(request.method, Method::post);
  EXPECT_EQ(request.method_name(), "POST");
  EXPECT_EQ(request.target(), "/v1/events?hasty=true");
  EXPECT_EQ(request.content_type(), "application/json");
  EXPECT_EQ(request.content_encoding(), "gzip");
  EXPECT_EQ(request.accept_encoding(), "deflate");
  EXPECT_EQ(request.expect(), "100-continue");
  EXPECT_EQ(request.field("x-a"), "b c");
  EXPECT_EQ(request.field("x-b"), std::nullopt);
  EXPECT_EQ(request.hosts, 1u);
  EXPECT_EQ(request.field_count(), 7u);
  EXPECT_TRUE(request.keep_alive);
  EXPECT_EQ(parsed.parser.content_length().value_or(0), 2u);
}

TEST(RequestParser, StopsBehindTheHead) {
  const std::string_view head = "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
  const Parsed parsed(std::string(head) + "{}");
  EXPECT_EQ(parsed.used, head.size());
}

TEST(RequestParser, FirstOfSeveralFieldsCountsAndTheyAreCounted) {
  const Parsed parsed("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Type: x\r\nContent-Type: y\r\n\r\n");
  EXPECT_EQ(parsed.request.hosts, 2u);
  EXPECT_EQ(parsed.request.content_type(), "x");
  EXPECT_EQ(parsed.request.field("host"), "a");
}

TEST(RequestParser, FoldedFieldsAreRefusedAndEmptyOnesAreNot) {
  for (const char* field : {"X-A: b\r\n  c", "X-A:\r\n c", "X-A: b\r\n\tc", "X-A: b\r\n ", "X-A:\r\n \r\n\t",
                            "Host:\r\n b", "Transfer-Encoding:\r\n chunked", "Content-Length: 1\r\n 2"})
    EXPECT_TRUE(Parsed(std::string("GET / HTTP/1.1\r\n") + field + "\r\n\r\n").failure.failed()) << field;
  for (const char* field : {"X-A:", "X-A: ", "X-A: \t", "X-A: b \t c"})
    EXPECT_FALSE(Parsed(std::string("GET / HTTP/1.1\r\n") + field + "\r\n\r\n").failure.failed()) << field;
}

TEST(RequestParser, KeepAliveIsTheVersionsOrTheClients) {
  EXPECT_FALSE(Parsed("GET / HTTP/1.0\r\n\r\n").request.keep_alive);
  EXPECT_TRUE(Parsed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").request.keep_alive);
  EXPECT_FALSE(Parsed("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").request.keep_alive);
}

TEST(RequestParser, RefusesWhatIsNoHttp1) {
  EXPECT_EQ(Parsed("HELLO\r\n\r\n").failure, error::bad_method);
  EXPECT_TRUE(Parsed("FOO / HTTP/1.1\r\n\r\n").request.unknown_method);
  EXPECT_EQ(Parsed("GET /\r\n\r\n").failure, error::bad_target);
  EXPECT_EQ(Parsed("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").failure, error::bad_version);
  EXPECT_EQ(Parsed("GET / HTTP/1.1\nHost: x\n\n").failure, error::bad_version);
  EXPECT_EQ(Parsed("GET / HTTP/1.1\r\nBad Header\r\n\r\n").failure, error::bad_field);
  EXPECT_EQ(Parsed("GET / HTTP/1.1\r\nA : b\r\n\r\n").failure, error::bad_field);
  EXPECT_EQ(Parsed(std::string_view("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n", 28)).failure, error::bad_value);
  EXPECT_EQ(Parsed("GET / HTTP/1.1\r\nContent-Length: abc\r\n\r\n").failure, error::bad_content_length);
  EXPECT_EQ(Parsed("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n").failure,
            error::multiple_content_length);
}

TEST(RequestParser, TooManyFieldsAreTheHeaderLimit) {
  EXPECT_EQ(Parsed("GET / HTTP/1.1\r\nA: b\r\nA: b\r\nA: b\r\n\r\n", 16384, 2).failure, error::header_limit);
}

TEST(RequestParser, HostIsAHostAndAPortOrNothing) {
  const auto bad = [](const std::string& host) {
    const Parsed parsed("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return parsed.failure.failed() || parsed.request.bad_host;
  };
  for (const char* host : {"", "a", "a:80", "a:", "localhost:8192", "192.0.2.1", "[::1]", "[2001:db8::1]:80",
                           "[v1.a:b]", "a_b.example", "%41", "a!$&'()*+,;="})
    EXPECT_FALSE(bad(host)) << host;
  for (const char* host :
       {"a b", "a/b",  "a@b", "http://a", "a:b", "a:80:80", "[::1", "::1",   "[g::]",           "[]", "[::1]a", "%4",
        "%zz", "a\"b", "a<b", "a\\b",     "a?b", "a#b",     "é",    "[v.a]", "[fe80::1%25eth0]"})
    EXPECT_TRUE(bad(host)) << host;
}

TEST(RequestParser, ACodingBehindChunkedIsSeenInOneFieldAndInSeveral) {
  const auto seen = [](const std::string& fields) {
    const Parsed parsed("POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
    return parsed.failure.failed() || parsed.request.coding_after_chunked;
  };
  EXPECT_FALSE(seen("Transfer-Encoding: chunked\r\n"));
  EXPECT_FALSE(seen("Transfer-Encoding: gzip, chunked\r\n"));
  EXPECT_FALSE(seen("Transfer-Encoding: , chunked ,\r\n"));
  EXPECT_TRUE(seen("Transfer-Encoding: chunked, gzip\r\n"));
  EXPECT_TRUE(seen("Transfer-Encoding: CHUNKED ,\tchunked\r\n"));
  EXPECT_TRUE(seen("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"));
}

}  // namespace
}  // namespace eventgate

#include "../../src/http/request_parser.hpp"

#include <gtest/gtest.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

namespace eventgate {
namespace {

using boost::beast::http::error;

struct Parsed {
  explicit Parsed(std::string_view bytes, std::size_t max_header_size = 16384, std::size_t max_header_count = 100)
      : parser(request, max_header_size, max_header_count) {
    used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), failure);
  }
  Request request;
  RequestParser parser;
  boost::system::error_code failure;
  std::size_t used = 0;
};

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

TEST(RequestParser, FoldedFieldIsJoined) {
  const Parsed parsed("GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n  c\r\n\r\n");
  EXPECT_EQ(parsed.request.field("X-A"), "b c");
}

TEST(RequestParser, KeepAliveIsTheVersionsOrTheClients) {
  EXPECT_FALSE(Parsed("GET / HTTP/1.0\r\n\r\n").request.keep_alive);
  EXPECT_TRUE(Parsed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").request.keep_alive);
  EXPECT_FALSE(Parsed("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").request.keep_alive);
}

TEST(RequestParser, RefusesWhatIsNoHttp1) {
  EXPECT_EQ(Parsed("HELLO\r\n\r\n").failure, error::bad_method);
  EXPECT_EQ(Parsed("FOO / HTTP/1.1\r\n\r\n").failure, error::bad_method);
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

TEST(RequestParser, ChunksAreJoinedAndTrailersSayNothing) {
  Parsed parsed("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::string body;
  parsed.parser.start_body(&body, 5);
  const std::string_view chunks = "2;a=b\r\n{\"\r\n3\r\na\"}\r\n0\r\nX-Late: 1\r\n\r\nGET";
  const std::size_t used = parsed.parser.put_chunks(chunks, parsed.failure);
  EXPECT_TRUE(parsed.parser.is_done());
  EXPECT_EQ(body, "{\"a\"}");
  EXPECT_EQ(chunks.substr(used), "GET");
  EXPECT_EQ(parsed.request.field("X-Late"), std::nullopt);
}

TEST(RequestParser, ChunksMayComeByteByByte) {
  for (const std::string_view chunks : {"0\r\nX-Late: 1\r\n\r\n", "0\r\n\r\n", "0\r\n\r\nGET"}) {
    Parsed parsed("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    parsed.parser.start_body(nullptr, 5);
    std::size_t used = 0;
    for (std::size_t end = 1; end <= chunks.size() && !parsed.parser.is_done(); ++end)
      used += parsed.parser.put_chunks(chunks.substr(used, end - used), parsed.failure);
    EXPECT_TRUE(parsed.parser.is_done()) << chunks;
    EXPECT_EQ(chunks.substr(used), chunks.ends_with("GET") ? "GET" : "");
  }
}

TEST(RequestParser, MoreChunksThanTheLimitAreTheBodyLimit) {
  Parsed parsed("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  parsed.parser.start_body(nullptr, 4);
  const std::string_view chunks = "3\r\nabc\r\n2\r\nde\r\n";
  parsed.parser.put_chunks(chunks, parsed.failure);
  EXPECT_EQ(parsed.failure, error::body_limit);
}

}  // namespace
}  // namespace eventgate

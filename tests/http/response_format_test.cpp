#include "http/response_format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <string_view>
#include <utility>

namespace eventgate {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

/// Sun, 22 Nov 2026 02:39:06 GMT
const std::chrono::system_clock::time_point kNow{std::chrono::seconds(1795315146)};

std::string formatted(const Response& response, std::string_view accept = "", bool head = false, bool close = false,
                      const HttpOptions& options = {}) {
  std::string out;
  ResponseFormat(options).append(out, response, {close, head, accept, kNow});
  return out;
}

Response text(std::string body) {
  Response response;
  response.content_type = kTextType;
  response.body = std::move(body);
  return response;
}

std::string inflated(std::string_view bytes, int window_bits) {
  z_stream stream{};
  inflateInit2(&stream, window_bits);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return result == Z_STREAM_END ? out : "not decodable";
}

TEST(ResponseFormat, HasTheRecordedHeaders) {
  EXPECT_EQ(formatted(text("hello")),
            "HTTP/1.1 200 OK\r\n"
            "access-control-allow-origin: *\r\n"
            "access-control-allow-headers: accept, x-requested-with, content-type\r\n"
            "access-control-expose-headers: etag\r\n"
            "access-control-allow-methods: post\r\n"
            "x-xss-protection: 1; mode=block\r\n"
            "x-content-type-options: nosniff\r\n"
            "x-frame-options: SAMEORIGIN\r\n"
            "content-security-policy: default-src 'self'; object-src 'none'; media-src 'none'; img-src 'none'; "
            "style-src 'none'; base-uri 'self'; frame-ancestors 'self'\r\n"
            "content-type: text/plain; charset=utf-8\r\n"
            "date: Sun, 22 Nov 2026 02:39:06 GMT\r\n"
            "connection: keep-alive\r\n"
            "keep-alive: timeout=5\r\n"
            "content-length: 5\r\n"
            "\r\n"
            "hello");
}

TEST(ResponseFormat, WithoutCorsAndPolicyItHasNone) {
  HttpOptions options;
  options.cors.reset();
  options.csp = "";
  const std::string reply = formatted(text("x"), "", false, false, options);
  EXPECT_THAT(reply, Not(HasSubstr("access-control")));
  EXPECT_THAT(reply, Not(HasSubstr("content-security-policy")));
  options.cors = "https://en.wikipedia.org";
  options.csp = "default-src 'none'";
  const std::string configured = formatted(text("x"), "", false, false, options);
  EXPECT_THAT(configured, HasSubstr("access-control-allow-origin: https://en.wikipedia.org\r\n"));
  EXPECT_THAT(configured, HasSubstr("content-security-policy: default-src 'none'\r\n"));
}

TEST(ResponseFormat, MinimalHeadersAreThoseOfTheConnection) {
  Response response;
  response.status = 400;
  response.minimal_headers = true;
  EXPECT_EQ(formatted(response, "", false, true),
            "HTTP/1.1 400 Bad Request\r\ndate: Sun, 22 Nov 2026 02:39:06 GMT\r\nconnection: close\r\n"
            "content-length: 0\r\n\r\n");
}

TEST(ResponseFormat, HeadHasTheLengthAndNoBody) {
  const std::string reply = formatted(text("hello"), "", true);
  EXPECT_THAT(reply, EndsWith("content-length: 5\r\n\r\n"));
}

TEST(ResponseFormat, BodyOfAKilobyteIsCompressedIfAccepted) {
  const std::string body(2000, 'x');
  for (const auto& [accept, bits] : {std::pair("gzip", 31), std::pair("br, deflate", 15)}) {
    const std::string reply = formatted(text(body), accept);
    EXPECT_THAT(reply, HasSubstr("vary: Accept-Encoding\r\ncontent-encoding: "));
    EXPECT_EQ(inflated(reply.substr(reply.find("\r\n\r\n") + 4), bits), body);
  }
  EXPECT_THAT(formatted(text(body), "br"), EndsWith("\r\n\r\n" + body));
  EXPECT_THAT(formatted(text(body), "br"), HasSubstr("vary: Accept-Encoding\r\n"));
  EXPECT_THAT(formatted(text(std::string(1023, 'x')), "gzip"), Not(HasSubstr("content-encoding")));
}

TEST(ResponseFormat, InlinePageMayRunItsScript) {
  Response response = text("x");
  response.inline_page = true;
  EXPECT_THAT(formatted(response),
              HasSubstr("content-security-policy: default-src 'none'; script-src 'self' 'unsafe-inline'"));
}

TEST(ResponseFormat, StreamHasNoLength) {
  Response response;
  response.content_type = "text/event-stream; charset=utf-8";
  response.streaming = true;
  EXPECT_THAT(formatted(response, "", false, true),
              EndsWith("connection: close\r\ntransfer-encoding: chunked\r\n\r\n"));
  std::string http_1_0;
  ResponseFormat(HttpOptions()).append(http_1_0, response, {true, false, "", kNow, true});
  EXPECT_THAT(http_1_0, EndsWith("connection: close\r\n\r\n"));
}

TEST(ResponseFormat, OwnOriginOnlyHasNoCorsHeaders) {
  Response response = text("x");
  response.own_origin_only = true;
  EXPECT_THAT(formatted(response),
              testing::AllOf(Not(HasSubstr("access-control")), HasSubstr("cache-control: no-store\r\n")));
}

}  // namespace
}  // namespace eventgate

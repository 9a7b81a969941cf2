#include "http/body_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "http/head_reader.hpp"
#include "socket_pair.hpp"

namespace eventgate {
namespace {

HttpOptions small_bodies() {
  HttpOptions options;
  options.max_body_size = 100;
  options.max_inflight_bytes = 150;
  return options;
}

/// A request whose head is read.
class BodyReaderTest : public testing::Test {
 protected:
  BodyReader& begin(std::string_view fields, std::string_view received) {
    pair.send("POST / HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n" + std::string(received));
    pair.socket.receive();
    HeadReader head(pair.socket, pair.context);
    EXPECT_TRUE(head.parse());
    EXPECT_FALSE(head.rejected());
    body.begin(head.parser(), fields.find("100-continue") != std::string_view::npos);
    return body;
  }

  /// Reads the body as far as it comes.
  void read() {
    spawn(pair.io.get_executor(), [](BodyReaderTest& test) -> Task<void> {
      test.result.emplace(co_await test.body.read(test.reservation));
    }(*this));
    pair.io.poll();
  }

  /// Returns the text of a body that was read, or the status of its failure.
  std::string text() const {
    if (!result) return "not read";
    return result->has_value() ? **result : std::to_string(result->error().status);
  }

  SocketPair pair{small_bodies()};
  InflightReservation reservation{pair.context.inflight};
  BodyReader body{pair.socket, pair.context};
  std::optional<BodyResult> result;
};

TEST_F(BodyReaderTest, BodyThatCameWithItsHeadIsRead) {
  begin("Content-Length: 5\r\n", "helloGET");
  read();
  EXPECT_EQ(text(), "hello");
  EXPECT_FALSE(body.has_unread());
  EXPECT_EQ(pair.socket.buffers().unread(), "GET");
  EXPECT_EQ(reservation.size(), inflight_weight(5, 0));
}

TEST_F(BodyReaderTest, RestOfABodyIsAwaited) {
  begin("Content-Length: 5\r\n", "he");
  read();
  EXPECT_EQ(text(), "not read");
  pair.send("llo");
  pair.io.poll();
  EXPECT_EQ(text(), "hello");
}

TEST_F(BodyReaderTest, ChunksAreJoined) {
  begin("Transfer-Encoding: chunked\r\n", "2\r\nhe\r\n");
  read();
  pair.send("3\r\nllo\r\n0\r\n\r\n");
  pair.io.poll();
  EXPECT_EQ(text(), "hello");
}

TEST_F(BodyReaderTest, MalformedChunkLosesTheFraming) {
  begin("Transfer-Encoding: chunked\r\n", "x\r\n");
  read();
  EXPECT_EQ(text(), "400");
  EXPECT_TRUE(body.framing_lost());
  EXPECT_FALSE(body.is_worth_skipping());
}

TEST_F(BodyReaderTest, BodyAboveTheLimitIs413AndSkipped) {
  begin("Content-Length: 101\r\n", "");
  read();
  EXPECT_EQ(text(), "413");
  EXPECT_TRUE(body.is_worth_skipping());
}

TEST_F(BodyReaderTest, BodyAboveTheBytesInFlightIs503) {
  begin("Content-Length: 80\r\n", std::string(80, 'x'));
  read();
  EXPECT_EQ(text(), "503");
  EXPECT_EQ(result->error().rejection_cause, "inflight_bytes");
}

TEST_F(BodyReaderTest, UnknownCodingIs415) {
  begin("Content-Length: 1\r\nContent-Encoding: br\r\n", "x");
  read();
  EXPECT_EQ(text(), "415");
}

TEST_F(BodyReaderTest, ClientThatExpectsIsToldToContinue) {
  begin("Content-Length: 2\r\nExpect: 100-continue\r\n", "");
  EXPECT_FALSE(body.is_worth_skipping());
  read();
  EXPECT_EQ(pair.received(), "HTTP/1.1 100 Continue\r\n\r\n");
  pair.send("ok");
  pair.io.poll();
  EXPECT_EQ(text(), "ok");
}

TEST_F(BodyReaderTest, BodyThatIsCutOffIs400) {
  begin("Content-Length: 5\r\n", "he");
  read();
  pair.leave();
  pair.io.poll();
  EXPECT_EQ(text(), "400");
  EXPECT_TRUE(body.framing_lost());
}

TEST_F(BodyReaderTest, SkipEndsBehindTheBody) {
  begin("Content-Length: 5\r\n", "he");
  std::optional<bool> skipped;
  spawn(pair.io.get_executor(), [](BodyReader& reader, std::optional<bool>& done) -> Task<void> {
    done = co_await reader.skip();
  }(body, skipped));
  pair.io.poll();
  EXPECT_FALSE(skipped);
  pair.send("lloGET");
  pair.io.poll();
  EXPECT_EQ(skipped, true);
  EXPECT_EQ(pair.socket.buffers().unread(), "GET");
}

}  // namespace
}  // namespace eventgate

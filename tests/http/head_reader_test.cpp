#include "http/head_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "socket_pair.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;

/// Reads the head that `bytes` begin with. Returns the status of its rejection, or 0.
unsigned rejection_of(std::string_view bytes) {
  SocketPair pair;
  pair.send(bytes);
  pair.socket.receive();
  HeadReader head(pair.socket, pair.context);
  EXPECT_TRUE(head.parse()) << bytes;
  return head.rejected() ? head.rejected()->status : 0;
}

/// The same once the client has left.
void read_after_leaving(SocketPair& pair, HeadReader& head) {
  pair.leave();
  spawn(pair.io.get_executor(), [](HeadReader& reader) -> Task<void> { co_await reader.read_rest(); }(head));
  pair.io.poll();
}

TEST(HeadReader, WholeHeadIsRead) {
  SocketPair pair;
  pair.send("\r\nPOST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  pair.socket.receive();
  HeadReader head(pair.socket, pair.context);
  EXPECT_TRUE(head.parse());
  EXPECT_FALSE(head.rejected());
  EXPECT_EQ(pair.socket.buffers().request.target(), "/a");
  EXPECT_EQ(pair.socket.buffers().unread(), "abc");
}

TEST(HeadReader, HeadInPartsIsRead) {
  SocketPair pair;
  pair.send("GET / HTTP/1.1\r\nHo");
  pair.socket.receive();
  HeadReader head(pair.socket, pair.context);
  EXPECT_FALSE(head.parse());
  pair.send("st: x\r\n\r\n");
  spawn(pair.io.get_executor(), [](HeadReader& reader) -> Task<void> { co_await reader.read_rest(); }(head));
  pair.io.poll();
  EXPECT_FALSE(head.rejected());
  EXPECT_EQ(pair.socket.buffers().request.field("host"), "x");
}

TEST(HeadReader, AmbiguousHeadsAreRejected) {
  EXPECT_EQ(rejection_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 0u);
  EXPECT_EQ(rejection_of("GET / HTTP/1.1\r\n\r\n"), 400u);
  EXPECT_EQ(rejection_of("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"), 400u);
  EXPECT_EQ(rejection_of("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), 400u);
  EXPECT_EQ(rejection_of("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"), 501u);
  EXPECT_EQ(rejection_of("NONE / HTTP/1.1\r\nHost: x\r\n\r\n"), 501u);
  EXPECT_EQ(rejection_of("no HTTP\r\n"), 400u);
}

TEST(HeadReader, ClientThatLeavesBeforeARequestNeedsNoResponse) {
  SocketPair pair;
  HeadReader head(pair.socket, pair.context);
  EXPECT_FALSE(head.parse());
  read_after_leaving(pair, head);
  EXPECT_TRUE(head.client_left());
}

TEST(HeadReader, HeadThatIsCutOffIsMalformed) {
  SocketPair pair;
  pair.send("GET / HTTP/1.1\r\n");
  pair.socket.receive();
  HeadReader head(pair.socket, pair.context);
  EXPECT_FALSE(head.parse());
  read_after_leaving(pair, head);
  EXPECT_FALSE(head.client_left());
  EXPECT_EQ(head.rejected()->status, 400u);
}

TEST(HeadReader, StoppingResponseAsksToRetry) {
  const Response response = stopping_response(Request());
  EXPECT_EQ(response.status, 503u);
  EXPECT_EQ(response.rejection_cause, kStoppingCause);
  EXPECT_THAT(response.extra_headers, HasSubstr("retry-after"));
}

}  // namespace
}  // namespace eventgate

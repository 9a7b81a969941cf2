#include "http/client_socket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "socket_pair.hpp"

namespace eventgate {
namespace {

using namespace std::chrono_literals;
using Received = ClientSocket::Received;

std::optional<Received> receive_more(SocketPair& pair, std::chrono::milliseconds limit) {
  std::optional<Received> result;
  spawn(pair.io.get_executor(),
        [](SocketPair& on, std::chrono::milliseconds time, std::optional<Received>& received) -> Task<void> {
          received = co_await on.socket.receive_more(time);
        }(pair, limit, result));
  pair.io.run_one();
  while (!result) pair.io.run_one();
  return result;
}

TEST(ClientSocket, ReceivedBytesAreUnreadUntilTheyAreConsumed) {
  SocketPair pair;
  EXPECT_EQ(pair.socket.receive(), Received::nothing);
  pair.send("abc");
  EXPECT_EQ(pair.socket.receive(), Received::bytes);
  pair.socket.consume(1);
  pair.send("d");
  EXPECT_EQ(pair.socket.receive(), Received::bytes);
  EXPECT_EQ(pair.socket.buffers().unread(), "bcd");
}

TEST(ClientSocket, FullBufferTakesNoMore) {
  HttpOptions options;
  options.max_header_size = 256;
  SocketPair pair(options);
  pair.send(std::string(8192, 'x'));
  EXPECT_EQ(pair.socket.receive(), Received::bytes);
  EXPECT_EQ(pair.socket.receive(), Received::full);
  pair.socket.consume(100);
  EXPECT_EQ(pair.socket.receive(), Received::bytes);
  EXPECT_EQ(pair.socket.buffers().unread().size(), 256u + 4096u);
}

TEST(ClientSocket, ClientThatLeavesIsTheEnd) {
  SocketPair pair;
  pair.leave();
  EXPECT_EQ(receive_more(pair, 60s), Received::end);
}

TEST(ClientSocket, ClientThatSendsNothingIsATimeout) {
  SocketPair pair;
  EXPECT_EQ(receive_more(pair, 1ms), Received::timeout);
}

TEST(ClientSocket, SendToAClientThatLeftFails) {
  SocketPair pair;
  pair.leave();
  std::string_view bytes = "x";
  EXPECT_FALSE(pair.socket.send_now(bytes));
}

TEST(ClientSocket, SendTakesWhatTheKernelTakes) {
  SocketPair pair;
  const std::string large(std::size_t{8} << 20, 'x');
  std::string_view unsent = large;
  EXPECT_TRUE(pair.socket.send_now(unsent));
  EXPECT_FALSE(unsent.empty());
  EXPECT_LT(unsent.size(), large.size());
}

}  // namespace
}  // namespace eventgate

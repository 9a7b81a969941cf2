#include "eventgate/io/connection_socket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventgate {
namespace {

using Direction = ConnectionSocket::Direction;

class ConnectionTest : public testing::Test {
 protected:
  ConnectionTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    other_end = ends[1];
    connection = std::make_unique<ConnectionSocket>(boost::asio::use_service<EpollReactor>(io), ends[0]);
  }
  ~ConnectionTest() override {
    connection.reset();
    ::close(other_end);
  }

  void other_sends(std::string_view bytes) {
    EXPECT_EQ(::send(other_end, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  void other_reads_all() {
    std::array<char, 65536> bytes;
    while (::recv(other_end, bytes.data(), bytes.size(), 0) > 0) continue;
  }

  /// What comes, up to `size` bytes at a time: each piece, `wait` for having to wait, `end`. `cancelled` ends it, too.
  void read_on(std::size_t size) {
    spawn(io.get_executor(), [](ConnectionTest& test, std::size_t most) -> Task<void> {
      for (std::string bytes(most, ' ');;) {
        const auto count = test.connection->receive(bytes.data(), most);
        if (!count) break;
        test.seen.push_back(*count > 0 ? bytes.substr(0, *count) : "wait");
        if (*count < most && !co_await test.connection->ready(Direction::in)) {
          test.seen.push_back("cancelled");
          co_return;
        }
      }
      test.seen.push_back("end");
    }(*this, size));
    io.poll();
  }
  /// One each wait.
  void read_bytes(int count) {
    spawn(io.get_executor(), [](ConnectionTest& test, int bytes) -> Task<void> {
      for (int i = 0; i < bytes; ++i) {
        char byte = ' ';
        co_await test.connection->ready(Direction::in);
        if (test.connection->receive(&byte, 1) == 1u) test.seen.emplace_back(1, byte);
      }
    }(*this, count));
  }
  void wait_for_room() {
    spawn(io.get_executor(), [](ConnectionTest& test) -> Task<void> {
      const std::string bytes(65536, 'x');
      for (;;) {
        const auto count = test.connection->send(bytes);
        if (!count || *count == 0) break;
      }
      test.seen.push_back("full");
      const bool ready = co_await test.connection->ready(Direction::out);
      test.seen.push_back(ready && test.connection->send("x") ? "room" : "none");
    }(*this));
  }
  void expect_room_once_all_is_read() {
    wait_for_room();
    io.poll();
    EXPECT_THAT(seen, testing::ElementsAre("full"));
    other_reads_all();
    io.poll();
    EXPECT_THAT(seen, testing::ElementsAre("full", "room"));
  }
  void wait_for_break() {
    spawn(io.get_executor(), [](ConnectionTest& test) -> Task<void> {
      test.seen.push_back(co_await test.connection->ready(Direction::neither) ? "broken" : "cancelled");
    }(*this));
    io.poll();
  }

  boost::asio::io_context io{1};
  int other_end = -1;
  std::unique_ptr<ConnectionSocket> connection;
  std::vector<std::string> seen;
};

TEST_F(ConnectionTest, BytesArrive_WaitEndsEachTime) {
  read_on(8);
  other_sends("a");
  io.poll();
  other_sends("b");
  io.poll();
  EXPECT_THAT(seen, testing::ElementsAre("wait", "a", "b"));
}

TEST_F(ConnectionTest, BytesArriveBeforeTheWait_WaitEndsAtOnce) {
  other_sends("a");
  io.poll();
  read_bytes(1);
  io.poll();
  EXPECT_THAT(seen, testing::ElementsAre("a"));
}

TEST_F(ConnectionTest, BytesAreLeftUnread_NextWaitEndsAtOnce) {
  read_bytes(3);
  other_sends("abc");
  io.poll();
  EXPECT_THAT(seen, testing::ElementsAre("a", "b", "c"));
}

TEST_F(ConnectionTest, PeerShutsDownWithTheLastBytes_ReaderSeesTheEnd) {
  read_on(8);
  other_sends("a");
  ::shutdown(other_end, SHUT_WR);
  io.poll();
  EXPECT_THAT(seen, testing::ElementsAre("wait", "a", "end"));
}

TEST_F(ConnectionTest, PeerClosesLater_ReaderSeesTheEnd) {
  read_on(8);
  other_sends("a");
  io.poll();
  ::close(std::exchange(other_end, -1));
  io.poll();
  EXPECT_THAT(seen, testing::ElementsAre("wait", "a", "end"));
}

TEST_F(ConnectionTest, SendBufferIsFull_WaitEndsOncePeerReads) { expect_room_once_all_is_read(); }

TEST_F(ConnectionTest, WaitForBreak_BytesDoNotEndItButCloseDoes) {
  wait_for_break();
  other_sends("a");
  io.poll();
  connection->cancel();
  io.poll();
  read_bytes(1);
  io.poll();
  wait_for_break();
  ::close(std::exchange(other_end, -1));
  io.poll();
  EXPECT_THAT(seen, testing::ElementsAre("cancelled", "a", "broken"));
}

TEST_F(ConnectionTest, PeerHasShutDownItsSending_WaitForRoomStillWorks) {
  ::shutdown(other_end, SHUT_WR);
  expect_room_once_all_is_read();
}

TEST_F(ConnectionTest, PeerCloses_WaitForRoomEndsAndSendFails) {
  wait_for_room();
  io.poll();
  ::close(std::exchange(other_end, -1));
  io.poll();
  EXPECT_THAT(seen, testing::ElementsAre("full", "none"));
}

TEST_F(ConnectionTest, Cancel_WaitEndsFromTheEventLoop) {
  read_on(8);
  connection->cancel();
  connection->cancel();
  EXPECT_THAT(seen, testing::ElementsAre("wait"));
  io.poll();
  EXPECT_THAT(seen, testing::ElementsAre("wait", "cancelled"));
}

TEST_F(ConnectionTest, CancelWithoutAWait_NextWaitIsNotCancelled) {
  connection->cancel();
  read_on(8);
  other_sends("a");
  io.poll();
  EXPECT_THAT(seen, testing::ElementsAre("wait", "a"));
}

TEST_F(ConnectionTest, LastConnectionIsDestroyed_ContextRunsOutOfWork) {
  read_on(8);
  EXPECT_FALSE(io.stopped());
  ::shutdown(other_end, SHUT_WR);
  io.poll();
  connection.reset();
  io.run();
  EXPECT_THAT(seen, testing::ElementsAre("wait", "end"));
}

TEST(ConnectionSocket, ContextIsDestroyed_WaitingTaskIsDestroyedAndSocketClosed) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
  const auto held = std::make_shared<int>(1);
  {
    boost::asio::io_context io{1};
    spawn(io.get_executor(), [](boost::asio::io_context& on, int socket, std::shared_ptr<int>) -> Task<void> {
      ConnectionSocket connection(boost::asio::use_service<EpollReactor>(on), socket);
      co_await connection.ready(Direction::in);
    }(io, ends[0], held));
    io.poll();
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
  char byte = ' ';
  EXPECT_EQ(::recv(ends[1], &byte, 1, 0), 0);  // it was closed
  ::close(ends[1]);
}

}  // namespace
}  // namespace eventgate

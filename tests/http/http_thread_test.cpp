#include "http/http_thread.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <cstring>
#include <vector>

namespace eventgate {
namespace {

class HttpThreadTest : public testing::Test {
 protected:
  boost::asio::io_context io{1};
  HttpThread thread{io.get_executor(), 16};
};

class CountingConnection final : public StoppableConnection {
 public:
  void stop() override { ++stops; }
  int stops = 0;
};

TEST_F(HttpThreadTest, BuffersAreReused) {
  std::unique_ptr<ConnectionBuffers> buffers = thread.acquire_buffers();
  thread.acquire_receive_buffer(*buffers);
  const void* const first = buffers.get();
  const void* const bytes = buffers->bytes.get();
  thread.release_buffers(std::move(buffers));
  buffers = thread.acquire_buffers();
  EXPECT_EQ(buffers.get(), first);
  EXPECT_EQ(buffers->bytes, nullptr);
  thread.acquire_receive_buffer(*buffers);
  EXPECT_EQ(buffers->bytes.get(), bytes);
}

TEST_F(HttpThreadTest, ReceiveBufferWithUnreadBytesStays) {
  const std::unique_ptr<ConnectionBuffers> buffers = thread.acquire_buffers();
  thread.acquire_receive_buffer(*buffers);
  std::memcpy(buffers->bytes.get(), "abc", 3);
  buffers->end = 3;
  buffers->begin = 1;
  thread.release_receive_buffer(*buffers);
  EXPECT_EQ(buffers->unread(), "bc");
  buffers->begin = 3;
  thread.release_receive_buffer(*buffers);
  EXPECT_EQ(buffers->bytes, nullptr);
  EXPECT_EQ(buffers->unread(), "");
}

TEST_F(HttpThreadTest, MemoryOfALongResponseIsFreed) {
  std::unique_ptr<ConnectionBuffers> buffers = thread.acquire_buffers();
  buffers->out.assign(HttpThread::kMaxKeptResponse + 1, 'x');
  thread.release_buffers(std::move(buffers));
  EXPECT_LE(thread.acquire_buffers()->out.capacity(), HttpThread::kMaxKeptResponse);
}

TEST_F(HttpThreadTest, PoolKeepsNoMoreThanItsBound) {
  std::vector<std::unique_ptr<ConnectionBuffers>> all;
  for (std::size_t i = 0; i < HttpThread::kMaxPooledBuffers + 3; ++i) {
    all.push_back(thread.acquire_buffers());
    thread.acquire_receive_buffer(*all.back());
  }
  for (auto& buffers : all) thread.release_buffers(std::move(buffers));
  all.clear();
  const std::unique_ptr<ConnectionBuffers> again = thread.acquire_buffers();
  EXPECT_EQ(again->begin, again->end);
}

TEST_F(HttpThreadTest, StopReachesTheConnectionsThatStillExist) {
  CountingConnection kept;
  thread.add(kept);
  {
    CountingConnection ended;
    thread.add(ended);
  }
  thread.stop();
  EXPECT_EQ(kept.stops, 1);
}

}  // namespace
}  // namespace eventgate

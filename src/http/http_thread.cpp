#include "http_thread.hpp"

#include <utility>

namespace eventgate {

HttpThread::HttpThread(const IoExecutor& io_executor, std::size_t size)
    : executor(io_executor),
      deadlines(boost::asio::use_service<DeadlineTimers>(io_executor.context())),
      reactor(boost::asio::use_service<EpollReactor>(io_executor.context())),
      buffer_size(size) {}

HttpThread::~HttpThread() { connections_.clear(); }

std::unique_ptr<ConnectionBuffers> HttpThread::acquire_buffers() {
  if (buffers_.empty()) return std::make_unique<ConnectionBuffers>();
  std::unique_ptr<ConnectionBuffers> buffers = std::move(buffers_.back());
  buffers_.pop_back();
  return buffers;
}

void HttpThread::release_buffers(std::unique_ptr<ConnectionBuffers> buffers) {
  buffers->begin = buffers->end = 0;
  release_receive_buffer(*buffers);
  if (buffers_.size() >= kMaxPooledBuffers) return;
  if (buffers->out.capacity() > kMaxKeptResponse)
    std::string().swap(buffers->out);  // an assignment would keep the memory
  buffers_.push_back(std::move(buffers));
}

void HttpThread::acquire_receive_buffer(ConnectionBuffers& buffers) {
  if (buffers.bytes) return;
  if (receive_buffers_.empty()) {
    buffers.bytes = std::make_unique_for_overwrite<char[]>(buffer_size);
  } else {
    buffers.bytes = std::move(receive_buffers_.back());
    receive_buffers_.pop_back();
  }
}

void HttpThread::release_receive_buffer(ConnectionBuffers& buffers) {
  if (!buffers.bytes || buffers.begin != buffers.end) return;
  buffers.begin = buffers.end = 0;
  if (receive_buffers_.size() < kMaxPooledBuffers) {
    receive_buffers_.push_back(std::move(buffers.bytes));
  } else {
    buffers.bytes.reset();
  }
}

void HttpThread::stop() {
  for (StoppableConnection& connection : connections_) connection.stop();
}

}  // namespace eventgate

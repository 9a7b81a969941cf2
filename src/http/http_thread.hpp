#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/http/request.hpp"
#include "eventgate/io/deadline_timers.hpp"
#include "eventgate/io/epoll_reactor.hpp"
#include "eventgate/io/task.hpp"

namespace eventgate {

/// The memory that a connection needs from the first bytes of a request to the end of its response. An idle connection
/// has none.
struct ConnectionBuffers {
  /// The received bytes that are not used yet.
  std::string_view unread() const { return {bytes.get() + begin, end - begin}; }

  std::unique_ptr<char[]> bytes;  ///< The receive buffer. Null: nothing is unread.
  std::size_t begin = 0;          ///< Offset of the first unread byte in `bytes`.
  std::size_t end = 0;            ///< Offset behind the last one.
  Request request;
  std::string out;  ///< The rest of a response that the client does not read at once.
};

/// A connection as its I/O thread knows it.
class StoppableConnection
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual ~StoppableConnection() = default;

  /// Ends an idle connection at once; another one ends after its response.
  virtual void stop() = 0;
};

/// What the connections of one I/O thread share: the list of them, timers, epoll, and pools of buffers.
///
/// Use on one I/O thread.
class HttpThread {
 public:
  /// Pooled buffers of a thread, of each kind. More concurrent requests allocate.
  static constexpr std::size_t kMaxPooledBuffers = 64;
  /// Bytes of the longest response whose memory stays allocated.
  static constexpr std::size_t kMaxKeptResponse = 64 * 1024;

  /// `buffer_size` is the size of a receive buffer in bytes.
  HttpThread(const IoExecutor& executor, std::size_t buffer_size);
  ~HttpThread();

  std::unique_ptr<ConnectionBuffers> acquire_buffers();
  void release_buffers(std::unique_ptr<ConnectionBuffers> buffers);

  /// Gives `buffers` a receive buffer if it has none.
  void acquire_receive_buffer(ConnectionBuffers& buffers);

  /// Takes the receive buffer back if nothing in it is unread. So a request that waits for its deliveries holds none.
  void release_receive_buffer(ConnectionBuffers& buffers);

  /// Adds a connection until its destructor runs.
  void add(StoppableConnection& connection) { connections_.push_back(connection); }

  /// Stops every connection.
  void stop();

  const IoExecutor executor;
  DeadlineTimers& deadlines;
  EpollReactor& reactor;
  const std::size_t buffer_size;
  std::string response;  ///< The response being sent. No task waits between its making and the first send.

 private:
  boost::intrusive::list<StoppableConnection, boost::intrusive::constant_time_size<false>> connections_;
  std::vector<std::unique_ptr<ConnectionBuffers>> buffers_;
  std::vector<std::unique_ptr<char[]>> receive_buffers_;
};

}  // namespace eventgate

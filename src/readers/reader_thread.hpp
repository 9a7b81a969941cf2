#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "eventgate/io/epoll_reactor.hpp"
#include "eventgate/readers/reader_options.hpp"
#include "live_channel.hpp"
#include "replay.hpp"
#include "stream_opening.hpp"
#include "stream_reader.hpp"
#include "topic_ring.hpp"

namespace eventgate {

/// What all readers share.
struct ReaderContext {
  const ReaderOptions& options;
  RecordSource& source;
  StreamMetrics& metrics;
  RingFeeder& feeder;
  StreamOpener& opener;
  WorkPool& replay_pool;
  std::shared_ptr<ReplaySlots> slots;
};

/// What the stream configs say of a request that they allowed before.
enum class ReadAccess : std::uint8_t {
  same,
  other_topics,  ///< A stream has other topics now: the client has to ask again.
  none,          ///< A stream is not exposed any more.
};

/// A topic's ring as one thread has read it. The thread's channels and the readers that have caught up are there, too.
struct ThreadTopic {
  std::shared_ptr<TopicRing> ring;
  std::uint64_t head = 0;        ///< The number of the next item that the thread has not read.
  std::uint64_t generation = 0;  ///< That of the ring there.
  std::map<std::int32_t, TopicRing::Place> places;
  std::size_t users = 0;
  std::shared_ptr<std::atomic<bool>> told;  ///< The thread will look at the ring.
};

/// The live readers of one subscription on one thread.
struct ThreadChannel {
  ThreadChannel(boost::asio::io_context& io, std::unique_ptr<LiveChannel> made) : channel(std::move(made)), timer(io) {}

  std::unique_ptr<LiveChannel> channel;
  std::vector<std::size_t> topic_numbers;
  ReaderList ready;    ///< They have all entries, up to the last round.
  ReaderList pending;  ///< The round has not come to them yet.
  ReaderList blocked;  ///< Their sockets take nothing now.
  boost::asio::steady_timer timer;
  std::chrono::steady_clock::time_point round_begun;
  bool scheduled = false;  ///< A round will begin, or runs.
  std::string key;

  bool is_empty() const { return ready.empty() && pending.empty() && blocked.empty(); }
};

/// A thread that writes to readers.
///
/// Use on this thread, but for what says otherwise.
class ReaderThread {
 public:
  explicit ReaderThread(ReaderContext context);
  ~ReaderThread();

  const ReaderContext& context() const { return context_; }
  boost::asio::io_context& io() { return io_; }

  /// Runs `function` on the thread. Any thread may call this.
  void post(std::function<void()> function);

  /// Takes a connection. Any thread may call this.
  void start(HandedReader handed);
  /// Ends the readers whose requests are not allowed any more by `access`. Any thread may call this.
  void end_unexposed(std::function<ReadAccess(const StreamRequest& request)> access);
  /// What was made of the records of `topics` does not hold any more: its readers read them again. Any thread may call
  /// this.
  void drop_items(std::vector<std::string> topics);
  /// Ends all readers properly, and the thread once they have ended, or at `deadline`. Any thread may call this.
  void stop(std::chrono::steady_clock::time_point deadline);
  /// Waits for the end of the thread.
  void join();

  // For readers.
  ThreadTopic& use_topic(const std::shared_ptr<TopicRing>& ring);
  void leave_topic(const std::string& topic);
  /// Adds a reader that has caught up to the live readers of its subscription.
  void join_channel(StreamReader& reader, ReaderPositions positions);
  /// A live reader can be written to again, or has left.
  void channel_left(ThreadChannel& channel);
  /// The reader waits for items of its topics.
  void wait_for_items(StreamReader& reader);
  /// Notes that bytes were sent, or that the socket begins or ends to take none.
  void reader_active(StreamReader& reader);
  /// Events of the socket are to be handled.
  void note_ready(StreamReader& reader);
  /// Destroys the reader soon.
  void remove(StreamReader& reader);
  void sent(std::size_t events, std::size_t bytes);

 private:
  void run();
  void begin(HandedReader handed);
  void sync(const std::string& topic);
  void lose_topic(const std::string& topic);
  void restart_readers(const std::string& topic);
  void schedule(ThreadChannel& channel);
  void run_round(ThreadChannel& channel);
  void tick();
  void handle_ready();
  void check_end();

  ReaderContext context_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  EpollReactor& reactor_;
  boost::asio::steady_timer tick_timer_;
  std::unordered_map<std::string, ThreadTopic> topics_;
  std::unordered_map<std::string, std::unique_ptr<ThreadChannel>> channels_;
  std::unordered_map<StreamReader*, std::unique_ptr<StreamReader>> readers_;
  ReaderList waiting_;   // for items of their topics
  ActiveList active_;    // those whose sockets take bytes, by the time of their last byte
  StalledList stalled_;  // the others, likewise
  std::vector<StreamReader*> ready_;
  bool ready_posted_ = false;
  std::chrono::steady_clock::time_point stop_at_;
  std::chrono::steady_clock::time_point ages_checked_at_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace eventgate

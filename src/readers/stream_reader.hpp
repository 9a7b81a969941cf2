#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/io/epoll_reactor.hpp"
#include "live_channel.hpp"
#include "reader_positions.hpp"
#include "replay.hpp"
#include "stream_opening.hpp"
#include "stream_text.hpp"

namespace eventgate {

class ReaderThread;
struct ThreadChannel;
struct ThreadTopic;

/// A connection on its way to a reader thread.
struct HandedReader {
  HandedReader(int connected, std::string head_text, bool is_chunked, std::shared_ptr<StreamOpening> of,
               std::shared_ptr<void> counted)
      : socket(connected),
        head(std::move(head_text)),
        chunked(is_chunked),
        opening(std::move(of)),
        place(std::move(counted)) {}
  HandedReader(HandedReader&& other) noexcept
      : socket(std::exchange(other.socket, -1)),
        head(std::move(other.head)),
        chunked(other.chunked),
        opening(std::move(other.opening)),
        place(std::move(other.place)) {}
  HandedReader& operator=(HandedReader&&) = delete;
  ~HandedReader();

  int socket;        ///< Connected and nonblocking. Closed with this, unless it is taken.
  std::string head;  ///< The head of the response, not sent yet.
  bool chunked;
  std::shared_ptr<StreamOpening> opening;
  std::shared_ptr<void> place;  ///< Counts the reader until it has ended.
};

// The lists that a reader may be in. `ReaderList` is that of its state.
using ReaderHook = boost::intrusive::list_base_hook<boost::intrusive::tag<struct StateTag>,
                                                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
using ActiveHook = boost::intrusive::list_base_hook<boost::intrusive::tag<struct ActiveTag>,
                                                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
using StalledHook = boost::intrusive::list_base_hook<boost::intrusive::tag<struct StalledTag>,
                                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// One client of a stream. It is in one of these states:
///
///     opening --> reading ring --> live          all that a live reader needs is in its channel
///                  ^  |             |
///     replaying <--+--+-- fell back +
///
/// and `ending` from each of them. Only a reader that is not live has memory for positions and bytes of its own.
///
/// Use on its thread.
class StreamReader final : public EpollEntry, public ReaderHook, public ActiveHook, public StalledHook {
 public:
  StreamReader(ReaderThread& thread, EpollReactor& reactor, HandedReader handed);
  ~StreamReader() override;

  /// Sends the head and begins.
  void begin();
  /// Handles what has happened at the socket.
  void handle_events();
  /// Sends what there is to send to a reader that is not live.
  void pump();
  /// Sends the entries of the channel from the reader's place on.
  void send_live();
  /// The channel has dropped entries that the reader wants, or is gone: reads on from the ring or the source.
  void fall_back(ReaderPositions positions);
  /// What was read ahead for a reader that is not live does not hold any more: reads it again.
  void restart_catch_up();
  /// Sends a heartbeat.
  void send_heartbeat();
  /// Ends the stream. `cause` is a label of metrics. With `end_reason` the client is told not to come back.
  void finish(std::string_view cause, std::string_view end_reason = {});
  /// Ends the connection without a word.
  void drop(std::string_view cause);

  const StreamRequest& request() const { return *request_; }
  const std::shared_ptr<const StreamRequest>& shared_request() const { return request_; }
  const StreamText& text() const { return text_; }
  std::uint64_t place() const { return place_; }
  void set_live(ThreadChannel& channel, std::uint64_t place);
  ThreadChannel* channel() const { return channel_; }
  bool is_blocked() const { return blocked_; }
  std::chrono::steady_clock::time_point active_at() const { return active_at_; }
  std::chrono::steady_clock::time_point begun_at() const { return begun_at_; }
  void set_active_at(std::chrono::steady_clock::time_point now) { active_at_ = now; }
  bool is_gone() const { return gone_; }

 private:
  enum class State : std::uint8_t { opening, catching_up, live, ending };

  /// What a reader needs while it is not live.
  struct CatchUp {
    struct Cursor {
      std::uint64_t next = 0;  // the item after `items`
      std::vector<RingItem> items;
      std::size_t at = 0;
    };
    ReaderPositions positions;
    std::vector<std::uint64_t> generations;  // of the rings, when the positions were known
    std::vector<Cursor> cursors;             // by topic; empty: the reader is not in the rings
    std::unique_ptr<Replay> replay;
    std::optional<ReplaySlots::Slot> slot;
    bool wants_slot = false;  // in line for one
    std::unique_ptr<boost::asio::steady_timer> timer;
    bool timer_set = false;
    bool pausing = false;               // until the timer
    std::vector<PartitionOffset> ends;  // what the rings must have before they are merged; empty: they have it
    std::chrono::steady_clock::time_point merge_until;  // then they are merged with what they have
  };
  /// Joins the reader with what other threads do for it, which may end after it.
  struct Link {
    ReaderThread* thread;
    StreamReader* reader;  // null: it is gone. Use on the thread.
  };

  bool note_events(std::uint32_t events) noexcept override;
  void post(std::function<void(StreamReader&)> function);
  void opened();
  bool flush();
  void block();
  bool flush_some();
  bool enter_rings();
  bool refill_cursors();
  bool rings_have_ends();
  void read_rings();
  void settle_at_heads();
  void start_replay();
  void begin_replay();
  void read_replay();
  void end_replay();
  void fetch_more();
  bool take(std::size_t topic, const RingItem& item);
  bool is_behind_stop(std::size_t topic, const Frame& frame);
  bool has_reached_stops() const;
  void look_for_stops();
  void wait_until(std::chrono::steady_clock::time_point when);
  bool may_go_live() const { return !request_->until && !request_->limit; }
  ReaderPositions& positions() { return catch_up_->positions; }

  ReaderThread& thread_;
  std::shared_ptr<StreamOpening> opening_;
  std::shared_ptr<const StreamRequest> request_;
  std::shared_ptr<void> counted_;
  std::shared_ptr<Link> link_;
  std::unique_ptr<CatchUp> catch_up_;
  std::vector<ThreadTopic*> topics_;
  std::vector<StopOffset> stops_;
  std::string out_;       // bytes of this reader alone
  std::size_t sent_ = 0;  // of `out_`
  ThreadChannel* channel_ = nullptr;
  std::uint64_t place_ = 0;   // the next entry of the channel
  std::uint64_t events_ = 0;  // sent while it was not live
  std::uint64_t replays_ = 0;
  std::size_t turn_bytes_ = 0;
  std::chrono::steady_clock::time_point active_at_;
  std::chrono::steady_clock::time_point begun_at_;
  std::string_view cause_ = "client_left";
  StreamText text_;
  State state_ = State::opening;
  std::uint32_t socket_events_ = 0;
  bool noted_ = false;    // in the thread's list of sockets with events
  bool blocked_ = false;  // the socket takes nothing now
  bool stops_known_ = false;
  bool gone_ = false;
};

using ReaderList = boost::intrusive::list<StreamReader, boost::intrusive::base_hook<ReaderHook>,
                                          boost::intrusive::constant_time_size<false>>;
using ActiveList = boost::intrusive::list<StreamReader, boost::intrusive::base_hook<ActiveHook>,
                                          boost::intrusive::constant_time_size<false>>;
using StalledList = boost::intrusive::list<StreamReader, boost::intrusive::base_hook<StalledHook>,
                                           boost::intrusive::constant_time_size<false>>;

}  // namespace eventgate

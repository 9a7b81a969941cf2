#include "stream_reader.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <random>
#include <utility>

#include "eventgate/telemetry/stream_metrics.hpp"
#include "reader_thread.hpp"

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kFlushBytes = 64 * 1024;        // of one send to a reader that is not live
constexpr std::size_t kTurnBytes = 512 * 1024;        // then other readers have their turn
constexpr std::size_t kRingItems = 64;                // read from a ring at a time
constexpr std::chrono::seconds kMergeWait{1};         // for the rings of a new reader to fill
constexpr std::size_t kMaxKeptCapacity = 256;         // bytes of an idle reader's buffer
constexpr std::chrono::milliseconds kRingRetry{100};  // until the source and the ring meet

/// Clients that are sent away at the same time come back at different times.
std::chrono::milliseconds retry_delay() {
  thread_local std::minstd_rand random(std::random_device{}());
  return std::chrono::milliseconds(std::uniform_int_distribution<int>(1000, 5000)(random));
}

}  // namespace

HandedReader::~HandedReader() {
  if (socket >= 0) ::close(socket);
}

StreamReader::StreamReader(ReaderThread& thread, EpollReactor& reactor, HandedReader handed)
    : EpollEntry(reactor, std::exchange(handed.socket, -1)),
      thread_(thread),
      opening_(std::move(handed.opening)),
      request_(opening_->request()),
      counted_(std::move(handed.place)),
      link_(std::make_shared<Link>(Link{&thread, this})),
      out_(std::move(handed.head)),
      active_at_(Clock::now()),
      begun_at_(active_at_),
      text_(request_->format, handed.chunked) {
  thread_.context().metrics.reader_connected(request_->streams);
}

StreamReader::~StreamReader() {
  link_->reader = nullptr;
  for (ThreadTopic* topic : topics_) thread_.leave_topic(topic->ring->topic());
  thread_.context().metrics.reader_disconnected(request_->streams, cause_);
}

/// Calls `function` on the thread, unless the reader is gone by then.
void StreamReader::post(std::function<void(StreamReader&)> function) {
  thread_.post([link = link_, function = std::move(function)] {
    if (link->reader && !link->reader->gone_) function(*link->reader);
  });
}

void StreamReader::begin() {
  if (!opening_->is_late()) return opened();
  text_.append_preamble(out_, {}, {});
  flush();
  opening_->when_done([link = link_] {
    link->thread->post([link] {
      if (link->reader && !link->reader->gone_) link->reader->opened();
    });
  });
}

void StreamReader::opened() {
  if (state_ != State::opening) return;
  const bool has_preamble = opening_->is_late();
  const std::shared_ptr<StreamOpening> opening = std::exchange(opening_, nullptr);
  if (opening->refusal()) return finish("refused");
  OpenedStream stream = opening->take();
  for (const std::shared_ptr<TopicRing>& ring : stream.rings) topics_.push_back(&thread_.use_topic(ring));
  stops_ = std::move(stream.stops);
  stops_known_ = request_->until && !stops_.empty();
  catch_up_ = std::make_unique<CatchUp>();
  positions() = ReaderPositions(request_->topics, std::move(stream.positions));
  catch_up_->generations = std::move(stream.generations);
  if (topics_.size() > 1) catch_up_->ends = std::move(stream.ends);
  catch_up_->merge_until = Clock::now() + kMergeWait;
  state_ = State::catching_up;
  if (has_preamble) {
    text_.append_comment(out_, "the source answers", positions().all());
  } else {
    text_.append_preamble(out_, stream.comments, positions().all());
  }
  for (const auto& [topic, gap] : stream.gaps) text_.append_gap(out_, topic, gap, positions().all());
  if (request_->until && !stops_known_) look_for_stops();
  if (!blocked_) pump();
}

bool StreamReader::note_events(std::uint32_t events) noexcept {
  socket_events_ |= events;
  if (!std::exchange(noted_, true)) thread_.note_ready(*this);
  return false;
}

void StreamReader::handle_events() {
  noted_ = false;
  const std::uint32_t events = std::exchange(socket_events_, 0);
  if ((events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0) return drop("client_left");
  if ((events & EPOLLIN) != 0) {
    // A client of a stream has nothing to send.
    char bytes[512];
    const ssize_t size = ::recv(descriptor(), bytes, sizeof(bytes), MSG_DONTWAIT);
    if (size >= 0 || (errno != EAGAIN && errno != EINTR)) return drop(size > 0 ? "client_sent_bytes" : "client_left");
  }
  if ((events & EPOLLOUT) == 0 || !blocked_ || !flush()) return;
  if (state_ == State::live) {
    send_live();
  } else if (state_ == State::catching_up) {
    pump();
  }
}

void StreamReader::block() {
  watch_output();
  if (!std::exchange(blocked_, true)) thread_.reader_active(*this);
}

/// Sends `out_`. Returns true if all of it is sent and the reader goes on.
bool StreamReader::flush() {
  if (gone_) return false;
  while (sent_ < out_.size()) {
    const ssize_t size = ::send(descriptor(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size > 0) {
      sent_ += static_cast<std::size_t>(size);
      thread_.sent(0, static_cast<std::size_t>(size));
      thread_.reader_active(*this);
    } else if (size < 0 && errno == EAGAIN) {
      block();
      return false;
    } else if (size == 0 || errno != EINTR) {
      drop("client_left");
      return false;
    }
  }
  if (std::exchange(blocked_, false)) thread_.reader_active(*this);
  out_.clear();
  if (out_.capacity() > kMaxKeptCapacity && state_ != State::catching_up) std::string().swap(out_);
  sent_ = 0;
  if (state_ == State::ending) {
    ::shutdown(descriptor(), SHUT_WR);
    gone_ = true;
    thread_.remove(*this);
    return false;
  }
  return true;
}

void StreamReader::drop(std::string_view cause) {
  if (gone_) return;
  gone_ = true;
  if (state_ != State::ending) cause_ = cause;
  thread_.remove(*this);
}

void StreamReader::finish(std::string_view cause, std::string_view end_reason) {
  if (state_ == State::ending || gone_) return;
  cause_ = cause;
  ReaderPositions at;
  if (state_ == State::live) at = channel_->channel->positions_at(place_);
  if (state_ == State::catching_up) at = std::move(positions());
  if (!end_reason.empty()) text_.append_end_event(out_, end_reason, at.all());
  text_.append_end(out_, end_reason.empty() ? std::optional(retry_delay()) : std::nullopt);
  state_ = State::ending;
  ReaderHook::unlink();
  if (ThreadChannel* const left = std::exchange(channel_, nullptr)) thread_.channel_left(*left);
  catch_up_.reset();
  if (!blocked_) flush();
}

void StreamReader::send_heartbeat() {
  if (blocked_ || gone_) return;
  const std::optional<std::string> away = thread_.context().source.away_reason();
  switch (state_) {
    case State::opening:
      text_.append_heartbeat(out_, {}, away);
      break;
    case State::catching_up:
      text_.append_heartbeat(out_, positions().all(), away);
      break;
    case State::live:
      // What waits for the next round is sent soon.
      if (place_ < channel_->channel->head()) return;
      text_.append_heartbeat(out_, channel_->channel->positions().all(), away);
      break;
    case State::ending:
      return;
  }
  if (!flush() && state_ == State::live && !gone_) {
    ReaderHook::unlink();
    channel_->blocked.push_back(*this);
  }
}

void StreamReader::set_live(ThreadChannel& channel, std::uint64_t place) {
  state_ = State::live;
  channel_ = &channel;
  place_ = place;
  catch_up_.reset();
  std::string().swap(out_);
  std::vector<StopOffset>().swap(stops_);
}

void StreamReader::send_live() {
  LiveChannel& channel = *channel_->channel;
  while (place_ < channel.head()) {
    const LiveChannel::Batch& batch = channel.batch(place_);
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(batch.parts.data());
    message.msg_iovlen = batch.parts.size();
    ssize_t size = ::sendmsg(descriptor(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno != EAGAIN) return drop("client_left");
    if (size > 0) thread_.reader_active(*this);
    const std::size_t sent = size > 0 ? static_cast<std::size_t>(size) : 0;
    if (sent == batch.bytes()) {
      place_ = batch.until;
      thread_.sent(batch.events, sent);
      continue;
    }
    const auto whole =
        static_cast<std::size_t>(std::upper_bound(batch.ends.begin(), batch.ends.end(), sent) - batch.ends.begin());
    const std::size_t begin = whole == 0 ? 0 : batch.ends[whole - 1];
    if (sent > begin) channel.append_rest(out_, place_ + whole, sent - begin);
    place_ += whole + (sent > begin ? 1 : 0);
    thread_.sent(whole, sent);
    block();
    ReaderHook::unlink();
    channel_->blocked.push_back(*this);
    return;
  }
  ReaderHook::unlink();
  channel_->ready.push_back(*this);
}

void StreamReader::fall_back(ReaderPositions at) {
  ReaderHook::unlink();
  channel_ = nullptr;
  catch_up_ = std::make_unique<CatchUp>();
  positions() = std::move(at);
  for (const ThreadTopic* topic : topics_) catch_up_->generations.push_back(topic->generation);
  state_ = State::catching_up;
  if (!blocked_) pump();
}

void StreamReader::restart_catch_up() {
  if (gone_ || state_ != State::catching_up) return;
  catch_up_->cursors.clear();
  catch_up_->replay.reset();
  if (!blocked_) pump();
}

void StreamReader::pump() {
  if (gone_ || state_ != State::catching_up) return;
  ReaderHook::unlink();
  turn_bytes_ = 0;
  if (!flush()) return;
  CatchUp& own = *catch_up_;
  if (own.wants_slot || own.pausing) return;
  if (own.replay) return read_replay();
  if (has_reached_stops()) return finish("ended", "until");
  if (own.cursors.empty() && (stops_known_ || !enter_rings())) return start_replay();
  read_rings();
}

/// Finds the reader's place in each ring. Returns false if a ring does not have what the reader wants.
bool StreamReader::enter_rings() {
  std::vector<CatchUp::Cursor> cursors(topics_.size());
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    const std::uint64_t generation = topics_[i]->ring->generation();
    if (std::exchange(catch_up_->generations[i], generation) != generation) positions().mark_old(i);
    const std::optional<std::uint64_t> place = topics_[i]->ring->find(positions(), i);
    if (!place) return false;
    cursors[i].next = *place;
  }
  catch_up_->cursors = std::move(cursors);
  return true;
}

/// Sends what has gathered, if it is enough. Returns false if the reader has to wait.
bool StreamReader::flush_some() {
  if (out_.size() - sent_ < kFlushBytes) return true;
  turn_bytes_ += out_.size() - sent_;
  if (!flush()) return false;
  if (turn_bytes_ < kTurnBytes) return true;
  post([](StreamReader& reader) { reader.pump(); });
  return false;
}

/// Returns false if a ring has dropped what the reader wants.
bool StreamReader::refill_cursors() {
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    CatchUp::Cursor& cursor = catch_up_->cursors[i];
    if (cursor.at < cursor.items.size() || cursor.next >= topics_[i]->head) continue;
    cursor.items.clear();
    cursor.at = 0;
    if (!topics_[i]->ring->read(cursor.next, topics_[i]->head, kRingItems, cursor.items)) return false;
    cursor.next += cursor.items.size();
  }
  return true;
}

/// Returns false while a ring that has nothing for the reader is not filled yet. Events of the others wait, because
/// they may be later.
bool StreamReader::rings_have_ends() {
  std::vector<PartitionOffset>& ends = catch_up_->ends;
  if (ends.empty()) return true;
  if (Clock::now() >= catch_up_->merge_until) ends.clear();
  bool all = true;
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    for (const PartitionOffset& end : ends) {
      if (end.id.topic != request_->topics[i]) continue;
      const auto place = topics_[i]->places.find(end.id.partition);
      if (place != topics_[i]->places.end() && place->second.offset >= end.offset) continue;
      all = false;
      const CatchUp::Cursor& cursor = catch_up_->cursors[i];
      if (cursor.at == cursor.items.size()) return false;
    }
  }
  if (all) ends.clear();
  return true;
}

void StreamReader::read_rings() {
  for (;;) {
    if (!refill_cursors()) {
      catch_up_->cursors.clear();
      return pump();
    }
    if (!rings_have_ends()) {
      if (!flush()) return;
      wait_until(catch_up_->merge_until);
      return thread_.wait_for_items(*this);
    }
    std::size_t chosen = topics_.size();
    std::int64_t chosen_time = std::numeric_limits<std::int64_t>::max();
    for (std::size_t i = 0; i < topics_.size(); ++i) {
      const CatchUp::Cursor& cursor = catch_up_->cursors[i];
      if (cursor.at == cursor.items.size()) continue;
      const RingItem& item = cursor.items[cursor.at];
      const std::int64_t time =
          item.kind == RingItem::Kind::frame ? item.frame->timestamp : std::numeric_limits<std::int64_t>::min();
      if (chosen < topics_.size() && time >= chosen_time) continue;
      chosen = i;
      chosen_time = time;
    }
    if (chosen == topics_.size()) break;
    CatchUp::Cursor& cursor = catch_up_->cursors[chosen];
    const RingItem item = std::move(cursor.items[cursor.at++]);
    if (!take(chosen, item) || !flush_some()) return;
  }
  if (!flush()) return;
  settle_at_heads();
}

/// The reader has all that the rings have.
void StreamReader::settle_at_heads() {
  if (has_reached_stops()) return finish("ended", "until");
  if (stops_known_) return start_replay();
  bool at_heads = may_go_live();
  for (std::size_t i = 0; at_heads && i < topics_.size(); ++i) {
    at_heads = catch_up_->cursors[i].next == topics_[i]->head;
    for (const auto& [number, place] : topics_[i]->places) {
      const StreamPosition* const position = positions().find(i, number);
      at_heads = at_heads && position && position->offset <= place.offset;
    }
  }
  if (at_heads) return thread_.join_channel(*this, std::move(positions()));
  for (CatchUp::Cursor& cursor : catch_up_->cursors) std::vector<RingItem>().swap(cursor.items), cursor.at = 0;
  thread_.wait_for_items(*this);
}

void StreamReader::start_replay() {
  CatchUp& own = *catch_up_;
  own.cursors.clear();
  if (own.slot) return begin_replay();
  own.wants_slot = true;
  const std::shared_ptr<ReplaySlots> slots = thread_.context().slots;
  slots->acquire([link = link_, slots] {
    link->thread->post([link, held = std::make_shared<ReplaySlots::Slot>(slots)] {
      StreamReader* const reader = link->reader;
      // `held` gives the slot back if the reader does not take it.
      if (!reader || reader->gone_ || !reader->catch_up_ || !reader->catch_up_->wants_slot) return;
      reader->catch_up_->slot.emplace(std::move(*held));
      reader->catch_up_->wants_slot = false;
      if (!reader->blocked_) reader->pump();
    });
  });
}

void StreamReader::begin_replay() {
  std::vector<std::map<std::int32_t, TopicRing::Place>> targets(topics_.size());
  for (std::size_t i = 0; i < topics_.size(); ++i) targets[i] = topics_[i]->places;
  if (stops_known_) {
    for (std::size_t i = 0; i < topics_.size(); ++i) {
      targets[i].clear();
      for (const StopOffset& stop : stops_)
        if (stop.id.topic == request_->topics[i]) targets[i][stop.id.partition].offset = stop.offset;
    }
  }
  ++replays_;
  catch_up_->replay =
      std::make_unique<Replay>(request_->topics, positions(), targets, thread_.context().options.replay_rate);
  read_replay();
}

void StreamReader::fetch_more() {
  std::optional<Clock::time_point> later;
  const ReaderContext& context = thread_.context();
  for (Replay::Wanted& wanted : catch_up_->replay->wanted(Clock::now(), later)) {
    Replay::fetch(context.replay_pool, context.source, context.feeder, context.metrics, std::move(wanted),
                  [link = link_, number = replays_](std::size_t part, Replay::Fetched fetched) {
                    link->thread->post([link, number, part, fetched = std::move(fetched)]() mutable {
                      StreamReader* const reader = link->reader;
                      if (!reader || reader->gone_ || !reader->catch_up_ || !reader->catch_up_->replay ||
                          reader->replays_ != number)
                        return;
                      reader->catch_up_->replay->add(part, std::move(fetched));
                      if (!reader->blocked_) reader->pump();
                    });
                  });
  }
  if (later) wait_until(*later);
}

void StreamReader::read_replay() {
  while (std::optional<Replay::Next> next = catch_up_->replay->next()) {
    if (!take(next->topic, next->item) || !flush_some()) return;
  }
  if (catch_up_->replay->is_done()) return end_replay();
  fetch_more();
  // What has come so far does not wait for the next fetch.
  flush();
}

void StreamReader::end_replay() {
  if (!flush()) return;
  catch_up_->replay.reset();
  if (stops_known_) return finish("ended", "until");
  if (enter_rings()) {
    catch_up_->slot.reset();
    return read_rings();
  }
  // The ring has moved on, or has not seen yet that the topic was made anew.
  catch_up_->pausing = true;
  wait_until(Clock::now() + kRingRetry);
}

void StreamReader::wait_until(Clock::time_point when) {
  CatchUp& own = *catch_up_;
  if (own.timer_set) return;
  if (!own.timer) own.timer = std::make_unique<boost::asio::steady_timer>(thread_.io());
  own.timer_set = true;
  own.timer->expires_at(when);
  own.timer->async_wait([link = link_](const boost::system::error_code& error) {
    StreamReader* const reader = link->reader;
    if (error || !reader || reader->gone_ || !reader->catch_up_) return;
    reader->catch_up_->timer_set = reader->catch_up_->pausing = false;
    if (!reader->blocked_) reader->pump();
  });
}

/// Appends what the reader is sent of `item`. Returns false if the stream ends with it.
bool StreamReader::take(std::size_t topic, const RingItem& item) {
  if (item.kind == RingItem::Kind::frame && request_->until && is_behind_stop(topic, *item.frame)) return true;
  const std::string& name = request_->topics[topic];
  switch (positions().take(topic, name, item)) {
    case ReaderPositions::Step::nothing:
      return true;
    case ReaderPositions::Step::gap:
      text_.append_gap(out_, name, positions().gap(), positions().all());
      return true;
    case ReaderPositions::Step::frame:
      break;
  }
  const Frame& frame = *item.frame;
  if (!is_visible(*request_, frame)) return true;
  text_.append_before_frame(out_, frame, positions().all());
  out_.append(text_.frame_text(frame)).append(text_.after_frame());
  thread_.sent(1, 0);
  if (!request_->limit || ++events_ < *request_->limit) return true;
  finish("ended", "limit");
  return false;
}

/// Returns true if the reader has had enough of the frame's partition. Notes the first such frame.
bool StreamReader::is_behind_stop(std::size_t topic, const Frame& frame) {
  const std::string& name = request_->topics[topic];
  for (const StopOffset& stop : stops_)
    if (stop.id.partition == frame.partition && stop.id.topic == name) return frame.offset >= stop.offset;
  if (frame.timestamp < *request_->until) return false;
  const StreamPosition* const position = positions().find(topic, frame.partition);
  if (position && frame.offset < position->offset) return false;
  stops_.push_back({{name, frame.partition}, frame.offset});
  return true;
}

bool StreamReader::has_reached_stops() const {
  if (!request_->until || stops_.empty()) return false;
  const std::vector<StreamPosition>& all = catch_up_->positions.all();
  return std::all_of(all.begin(), all.end(), [this](const StreamPosition& position) {
    return std::any_of(stops_.begin(), stops_.end(), [&position](const StopOffset& stop) {
      return stop.id.partition == position.partition && stop.id.topic == position.topic &&
             position.offset >= stop.offset;
    });
  });
}

/// When the time of `until` has come, asks for the offsets to stop at.
void StreamReader::look_for_stops() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto left =
      std::chrono::milliseconds(*request_->until) - std::chrono::duration_cast<std::chrono::milliseconds>(now);
  const auto timer = std::make_shared<boost::asio::steady_timer>(thread_.io());
  timer->expires_after(std::min<std::chrono::milliseconds>(left, std::chrono::hours(24)));
  timer->async_wait([link = link_, timer](const boost::system::error_code& error) {
    StreamReader* const reader = link->reader;
    if (error || !reader || reader->gone_ || !reader->catch_up_) return;
    const auto reached =
        std::chrono::milliseconds(*reader->request_->until) <= std::chrono::system_clock::now().time_since_epoch();
    if (!reached) return reader->look_for_stops();
    std::vector<PartitionId> partitions;
    for (const StreamPosition& position : reader->positions().all())
      partitions.push_back({position.topic, position.partition});
    reader->thread_.context().opener.find_stops(std::move(partitions), *reader->request_->until,
                                                [link](std::vector<StopOffset> stops) {
                                                  link->thread->post([link, stops = std::move(stops)] {
                                                    StreamReader* const self = link->reader;
                                                    if (!self || self->gone_ || !self->catch_up_) return;
                                                    // A stop that a frame has set is not behind that of the source.
                                                    self->stops_.insert(self->stops_.end(), stops.begin(), stops.end());
                                                    self->stops_known_ = true;
                                                    if (!self->blocked_ && !self->catch_up_->replay) self->pump();
                                                  });
                                                });
  });
}

}  // namespace eventgate

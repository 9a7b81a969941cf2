#include "reader_thread.hpp"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <exception>
#include <utility>

#include "eventgate/logging/log.hpp"
#include "eventgate/telemetry/stream_metrics.hpp"

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTick{100};      // between looks at heartbeats and timeouts
constexpr std::chrono::milliseconds kAgeCheck{500};  // between looks at `max_connection_time`
constexpr std::size_t kRoundSlice = 256;             // readers of a round, before the thread does something else
constexpr std::size_t kSyncItems = 1024;             // items taken from a ring at a time

/// What live readers that share a channel have in common.
std::string channel_key(const StreamRequest& request, const StreamText& text) {
  std::string key;
  for (const std::string& topic : request.topics) key.append(topic).append("\n");
  key += text.format() == StreamFormat::sse ? 's' : 'l';
  key += text.chunked() ? 'c' : 'u';
  key += request.canary ? 'c' : '-';
  key += request.filter.key();
  return key;
}

}  // namespace

ReaderThread::ReaderThread(ReaderContext context)
    : context_(std::move(context)), reactor_(boost::asio::use_service<EpollReactor>(io_)), tick_timer_(io_) {
  boost::asio::post(io_, [this] { tick(); });
  thread_ = std::thread([this] { run(); });
}

ReaderThread::~ReaderThread() {
  stop(Clock::now());
  join();
}

void ReaderThread::join() {
  if (thread_.joinable()) thread_.join();
}

void ReaderThread::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  for (;;) {
    try {
      io_.run();
      break;
    } catch (const std::exception& e) {
      log(LogLevel::error, "A reader thread went on after an exception", {{"message", std::string_view(e.what())}});
    }
  }
  readers_.clear();
  channels_.clear();
  for (auto& [name, topic] : topics_) topic.ring->remove_listener(this);
  topics_.clear();
}

void ReaderThread::post(std::function<void()> function) { boost::asio::post(io_, std::move(function)); }

void ReaderThread::start(HandedReader handed) {
  post([this, shared = std::make_shared<HandedReader>(std::move(handed))] { begin(std::move(*shared)); });
}

void ReaderThread::begin(HandedReader handed) {
  try {
    auto made = std::make_unique<StreamReader>(*this, reactor_, std::move(handed));
    StreamReader& reader = *made;
    readers_.emplace(&reader, std::move(made));
    active_.push_back(reader);
    reader.begin();
    if (stopping_) reader.finish("stopping");
  } catch (const std::exception& e) {
    log(LogLevel::error, "A reader could not begin", {{"message", std::string_view(e.what())}});
  }
}

void ReaderThread::end_unexposed(std::function<ReadAccess(const StreamRequest&)> access) {
  post([this, access = std::move(access)] {
    for (const auto& [reader, owned] : readers_) {
      switch (access(reader->request())) {
        case ReadAccess::same:
          break;
        case ReadAccess::other_topics:
          reader->finish("other_topics");
          break;
        case ReadAccess::none:
          reader->finish("not_exposed", "not_exposed");
          break;
      }
    }
  });
}

void ReaderThread::drop_items(std::vector<std::string> topics) {
  post([this, topics = std::move(topics)] {
    for (const std::string& topic : topics) {
      restart_readers(topic);
      if (topics_.contains(topic)) lose_topic(topic);
    }
  });
}

/// Makes the readers of the topic that catch up read again what they have not sent.
void ReaderThread::restart_readers(const std::string& topic) {
  std::vector<StreamReader*> readers;
  for (const auto& [reader, owned] : readers_) {
    const std::vector<std::string>& topics = reader->request().topics;
    if (std::find(topics.begin(), topics.end(), topic) != topics.end()) readers.push_back(reader);
  }
  for (StreamReader* reader : readers) reader->restart_catch_up();
}

void ReaderThread::stop(Clock::time_point deadline) {
  post([this, deadline] {
    stop_at_ = deadline;
    if (!std::exchange(stopping_, true))
      for (const auto& [reader, owned] : readers_) reader->finish("stopping");
    check_end();
  });
}

void ReaderThread::check_end() {
  if (!stopping_ || (!readers_.empty() && Clock::now() < stop_at_)) return;
  work_.reset();
  io_.stop();
}

void ReaderThread::remove(StreamReader& reader) {
  static_cast<ReaderHook&>(reader).unlink();
  static_cast<ActiveHook&>(reader).unlink();
  static_cast<StalledHook&>(reader).unlink();
  if (ThreadChannel* const channel = reader.channel()) channel_left(*channel);
  post([this, removed = &reader] {
    std::erase(ready_, removed);
    readers_.erase(removed);
    check_end();
  });
}

void ReaderThread::sent(std::size_t events, std::size_t bytes) { context_.metrics.sent(events, bytes); }

void ReaderThread::reader_active(StreamReader& reader) {
  reader.set_active_at(Clock::now());
  static_cast<ActiveHook&>(reader).unlink();
  static_cast<StalledHook&>(reader).unlink();
  if (reader.is_blocked()) {
    stalled_.push_back(reader);
  } else {
    active_.push_back(reader);
  }
}

void ReaderThread::note_ready(StreamReader& reader) {
  ready_.push_back(&reader);
  if (std::exchange(ready_posted_, true)) return;
  boost::asio::post(io_, [this] { handle_ready(); });
}

void ReaderThread::handle_ready() {
  ready_posted_ = false;
  std::vector<StreamReader*> ready;
  ready.swap(ready_);
  for (StreamReader* reader : ready)
    if (!reader->is_gone()) reader->handle_events();
}

/// Sends heartbeats, and ends readers whose time is over.
void ReaderThread::tick() {
  const Clock::time_point now = Clock::now();
  const ReaderOptions& options = context_.options;
  while (!stalled_.empty() && now - stalled_.front().active_at() >= options.request_timeout)
    stalled_.front().drop("too_slow");
  while (!active_.empty() && now - active_.front().active_at() >= options.stream_heartbeat) {
    StreamReader& reader = active_.front();
    reader_active(reader);
    reader.send_heartbeat();
  }
  if (options.max_connection_time.count() > 0 && now - ages_checked_at_ >= kAgeCheck) {
    ages_checked_at_ = now;
    for (const auto& [reader, owned] : readers_)
      if (now - reader->begun_at() >= options.max_connection_time) reader->finish("max_connection_time");
  }
  check_end();
  tick_timer_.expires_after(kTick);
  tick_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

ThreadTopic& ReaderThread::use_topic(const std::shared_ptr<TopicRing>& ring) {
  ThreadTopic& topic = topics_[ring->topic()];
  if (topic.users++ > 0) return topic;
  topic.ring = ring;
  topic.told = std::make_shared<std::atomic<bool>>(false);
  ring->add_listener(this, [this, told = topic.told, name = ring->topic()] {
    if (!told->exchange(true)) post([this, told, name] { sync(name); });
  });
  const TopicRing::Head head = ring->head(topic.places);
  topic.head = head.number;
  topic.generation = head.generation;
  return topic;
}

void ReaderThread::leave_topic(const std::string& name) {
  const auto found = topics_.find(name);
  if (found == topics_.end() || --found->second.users > 0) return;
  found->second.ring->remove_listener(this);
  topics_.erase(found);
}

/// Takes what is new in a ring, and gives it to the channels and the readers that wait.
void ReaderThread::sync(const std::string& name) {
  const auto found = topics_.find(name);
  if (found == topics_.end()) return;
  ThreadTopic& topic = found->second;
  topic.told->store(false);
  std::vector<RingItem> items;
  if (!topic.ring->read(topic.head, ~std::uint64_t{0}, kSyncItems, items)) return lose_topic(name);
  if (items.empty()) return;
  topic.head += items.size();
  for (const RingItem& item : items) {
    topic.generation += item.is_new_topic() ? 1 : 0;
    TopicRing::Place& place = topic.places[item.partition()];
    if (item.kind == RingItem::Kind::frame) {
      place = {item.frame->offset + 1, item.frame->timestamp + 1};
    } else {
      place = {item.gap.to, std::nullopt};
    }
  }
  for (const auto& [key, channel] : channels_) {
    const std::vector<std::string>& topics = channel->channel->request().topics;
    const auto number = std::find(topics.begin(), topics.end(), name);
    if (number == topics.end()) continue;
    bool sends = false;
    for (const RingItem& item : items)
      sends = channel->channel->add(static_cast<std::size_t>(number - topics.begin()), item) || sends;
    if (sends) schedule(*channel);
  }
  if (items.size() == kSyncItems && !topic.told->exchange(true)) post([this, name] { sync(name); });
  ReaderList waiting;
  waiting.swap(waiting_);
  while (!waiting.empty()) waiting.front().pump();
}

/// The ring has dropped items that the thread has not read: its live readers read on from the source.
void ReaderThread::lose_topic(const std::string& name) {
  ThreadTopic& topic = topics_.find(name)->second;
  topic.places.clear();
  const TopicRing::Head head = topic.ring->head(topic.places);
  topic.head = head.number;
  std::vector<std::pair<StreamReader*, ReaderPositions>> lost;
  for (const auto& [key, channel] : channels_) {
    const std::vector<std::string>& topics = channel->channel->request().topics;
    if (std::find(topics.begin(), topics.end(), name) == topics.end()) continue;
    for (ReaderList* list : {&channel->ready, &channel->pending, &channel->blocked})
      for (StreamReader& reader : *list) lost.emplace_back(&reader, channel->channel->positions_at(reader.place()));
    ThreadChannel& emptied = *channel;
    for (ReaderList* list : {&emptied.ready, &emptied.pending, &emptied.blocked}) list->clear();
  }
  // A reader that catches up must not find a channel that has missed something.
  std::erase_if(channels_, [](const auto& entry) { return entry.second->is_empty(); });
  for (auto& [reader, positions] : lost) reader->fall_back(std::move(positions));
  // These readers were at the old one.
  topic.generation = head.generation;
  ReaderList waiting;
  waiting.swap(waiting_);
  while (!waiting.empty()) waiting.front().pump();
}

void ReaderThread::wait_for_items(StreamReader& reader) {
  static_cast<ReaderHook&>(reader).unlink();
  waiting_.push_back(reader);
}

void ReaderThread::join_channel(StreamReader& reader, ReaderPositions positions) {
  std::string key = channel_key(reader.request(), reader.text());
  std::unique_ptr<ThreadChannel>& channel = channels_[key];
  if (!channel) {
    channel = std::make_unique<ThreadChannel>(
        io_,
        std::make_unique<LiveChannel>(reader.shared_request(), reader.text(), std::move(positions), context_.metrics));
    channel->key = std::move(key);
  }
  reader.set_live(*channel, channel->channel->head());
  static_cast<ReaderHook&>(reader).unlink();
  channel->ready.push_back(reader);
}

void ReaderThread::channel_left(ThreadChannel& channel) {
  if (!channel.is_empty()) return;
  post([this, key = channel.key] {
    const auto found = channels_.find(key);
    if (found != channels_.end() && found->second->is_empty()) channels_.erase(found);
  });
}

/// Begins a round soon: at once if the last one is `stream_linger` ago, else then.
void ReaderThread::schedule(ThreadChannel& channel) {
  if (std::exchange(channel.scheduled, true)) return;
  const Clock::time_point when = channel.round_begun + context_.options.stream_linger;
  const auto begin = [this, key = channel.key] {
    const auto found = channels_.find(key);
    if (found == channels_.end()) return;
    ThreadChannel& due = *found->second;
    due.round_begun = Clock::now();
    due.pending.splice(due.pending.end(), due.ready);
    run_round(due);
  };
  if (when <= Clock::now()) {
    boost::asio::post(io_, begin);
    return;
  }
  channel.timer.expires_at(when);
  channel.timer.async_wait([begin](const boost::system::error_code& error) {
    if (!error) begin();
  });
}

void ReaderThread::run_round(ThreadChannel& channel) {
  for (std::size_t i = 0; i < kRoundSlice && !channel.pending.empty(); ++i) channel.pending.front().send_live();
  LiveChannel& live = *channel.channel;
  if (!channel.pending.empty()) {
    boost::asio::post(io_, [this, key = channel.key] {
      const auto found = channels_.find(key);
      if (found != channels_.end()) run_round(*found->second);
    });
    return;
  }
  channel.scheduled = false;
  // Readers in `ready` may have begun to fall behind during the round: the next round is theirs.
  bool is_behind = false;
  for (StreamReader& reader : channel.ready) {
    if (reader.place() == live.head()) continue;
    is_behind = true;
    break;
  }
  if (is_behind) return schedule(channel);
  const std::uint64_t kept = channel.blocked.empty() ? live.head() : live.window_begin();
  std::map<std::uint64_t, ReaderPositions> positions;
  std::vector<StreamReader*> behind;
  for (StreamReader& reader : channel.blocked)
    if (reader.place() < kept) behind.push_back(&reader);
  for (StreamReader* reader : behind)
    if (!positions.contains(reader->place())) positions.emplace(reader->place(), live.positions_at(reader->place()));
  live.drop_before(kept);
  for (StreamReader* reader : behind) reader->fall_back(positions.at(reader->place()));
  channel_left(channel);
}

}  // namespace eventgate

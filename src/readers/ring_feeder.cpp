#include "ring_feeder.hpp"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <exception>

#include "eventgate/logging/log.hpp"
#include "eventgate/readers/frame.hpp"
#include "eventgate/telemetry/stream_metrics.hpp"

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 256 * 1024;   // of one topic, before others have their turn
constexpr std::chrono::seconds kSweep{5};        // between looks for topics without readers
constexpr std::chrono::seconds kKeptUnused{60};  // how long a topic is followed without a reader

std::string_view rules_key(const std::shared_ptr<const RedactionRules>& rules) {
  return rules ? std::string_view(rules->key()) : std::string_view();
}

/// Returns where the tail of a partition begins if the first reader wants `wanted`.
std::int64_t tail_begin(const PartitionBounds& bounds, std::int64_t wanted) {
  const std::int64_t behind = bounds.end - wanted;
  // A reader of the end: the record before it says what time it is there.
  if (behind <= 0) return std::max(bounds.begin, bounds.end - 1);
  // A reader far behind replays, and finds the newest records in the ring when it is through.
  const std::int64_t from = behind <= RingFeeder::kLookBack ? wanted : bounds.end;
  return std::max(bounds.begin, from - RingFeeder::kLookBack);
}

}  // namespace

RingFeeder::RingFeeder(RecordSource& source, StreamMetrics& metrics, std::size_t stream_buffer, FindRules find_rules)
    : source_(source),
      metrics_(metrics),
      stream_buffer_(stream_buffer),
      find_rules_(std::move(find_rules)),
      thread_([this] { run(); }) {}

RingFeeder::~RingFeeder() { stop(); }

void RingFeeder::stop() {
  {
    const std::lock_guard lock(wake_mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<TopicRing> RingFeeder::ring(const std::string& topic, const TopicBounds& bounds,
                                            std::span<const PartitionOffset> wanted) {
  std::vector<PartitionOffset> begin;
  for (const PartitionBounds& partition : bounds.partitions) {
    std::int64_t offset = partition.end;
    for (const PartitionOffset& place : wanted)
      if (place.id.topic == topic && place.id.partition == partition.partition) offset = place.offset;
    begin.push_back({{topic, partition.partition}, tail_begin(partition, offset)});
  }
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Feed>& feed = feeds_[topic];
  if (!feed) {
    feed = std::make_shared<Feed>();
    feed->ring = std::make_shared<TopicRing>(topic, stream_buffer_, begin);
    feed->rules = find_rules_(topic);
    feed->used_at = Clock::now();
    feed->tail = source_.tail(topic, begin, [this, readable = feed->readable] { mark_readable(*readable); });
    mark_readable(*feed->readable);
  }
  return feed->ring;
}

void RingFeeder::mark_readable(bool& readable) {
  {
    const std::lock_guard lock(wake_mutex_);
    readable = any_readable_ = true;
  }
  wake_.notify_one();
}

/// Waits until a feed is readable, or for kSweep. Returns false if the thread is to end.
bool RingFeeder::await_readable() {
  std::unique_lock lock(wake_mutex_);
  wake_.wait_for(lock, kSweep, [this] { return stopped_ || any_readable_; });
  any_readable_ = false;
  return !stopped_;
}

/// Returns the feeds that may have something, and marks them as read.
std::vector<RingFeeder::FeedWithRules> RingFeeder::take_readable() {
  const std::lock_guard lock(mutex_);
  const std::lock_guard wake_lock(wake_mutex_);
  std::vector<FeedWithRules> readable;
  for (const auto& [topic, feed] : feeds_)
    if (std::exchange(*feed->readable, false)) readable.emplace_back(feed, feed->rules);
  return readable;
}

std::shared_ptr<TopicRing> RingFeeder::find(const std::string& topic) {
  const std::lock_guard lock(mutex_);
  const auto found = feeds_.find(topic);
  return found == feeds_.end() ? nullptr : found->second->ring;
}

void RingFeeder::change_rules() {
  std::vector<std::shared_ptr<TopicRing>> changed;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [topic, feed] : feeds_) {
      std::shared_ptr<const RedactionRules> rules = find_rules_(topic);
      if (rules_key(rules) != rules_key(feed->rules)) changed.push_back(feed->ring);
      feed->rules = std::move(rules);
    }
  }
  for (const std::shared_ptr<TopicRing>& ring : changed) ring->clear();
}

void RingFeeder::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  Clock::time_point swept_at = Clock::now();
  while (await_readable()) {
    std::vector<FeedWithRules> readable = take_readable();
    for (const auto& [feed, rules] : readable) {
      bool has_more = false;
      try {
        has_more = this->feed(*feed, rules);
      } catch (const std::exception& e) {
        log(LogLevel::error, "The feeder of streams went on after an exception",
            {{"topic", std::string_view(feed->ring->topic())}, {"message", std::string_view(e.what())}});
      }
      if (has_more) mark_readable(*feed->readable);
    }
    readable.clear();
    if (Clock::now() - swept_at >= kSweep) {
      swept_at = Clock::now();
      drop_unused();
    }
  }
  std::map<std::string, std::shared_ptr<Feed>> ended;  // destroyed after the lock is released
  const std::lock_guard lock(mutex_);
  ended.swap(feeds_);
}

/// Moves what has come into the ring. Returns true if there may be more.
bool RingFeeder::feed(Feed& feed, const std::shared_ptr<const RedactionRules>& rules) {
  const std::string& topic = feed.ring->topic();
  TailRead read;
  feed.tail->read(read, kReadBytes);
  metrics_.lag_changed(topic, feed.tail->lag());
  if (read.empty()) return false;
  std::vector<RingItem> items;
  items.reserve(read.started.size() + read.gaps.size() + read.records.size());
  for (const TailRead::Started& started : read.started)
    items.push_back({RingItem::Kind::started, nullptr, {started.partition, started.offset, started.offset}});
  for (const RecordGap& gap : read.gaps) {
    metrics_.gap_found(topic, gap.partition, gap.from, gap.to);
    items.push_back({RingItem::Kind::gap, nullptr, gap});
  }
  for (const SourceRecord& record : read.records) {
    items.push_back(RingItem::of(make_frame(topic, record, rules.get())));
    const Frame& frame = *items.back().frame;
    if (frame.skip != SkipCause::none) metrics_.record_skipped(topic, frame.offset, skip_cause_name(frame.skip));
  }
  feed.ring->append(std::move(items));
  metrics_.ring_changed(topic, feed.ring->bytes());
  return true;
}

void RingFeeder::drop_unused() {
  const Clock::time_point now = Clock::now();
  std::vector<std::shared_ptr<Feed>> dropped;
  std::unique_lock lock(mutex_);
  for (auto it = feeds_.begin(); it != feeds_.end();) {
    Feed& feed = *it->second;
    if (feed.ring.use_count() > 1) feed.used_at = now;
    if (now - feed.used_at >= kKeptUnused) {
      dropped.push_back(std::move(it->second));
      it = feeds_.erase(it);
    } else {
      ++it;
    }
  }
  lock.unlock();  // a tail may take its time to end
  for (const std::shared_ptr<Feed>& feed : dropped) metrics_.topic_left(feed->ring->topic());
}

}  // namespace eventgate

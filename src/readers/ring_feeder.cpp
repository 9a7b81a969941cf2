#include "ring_feeder.hpp"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <exception>
#include <iterator>
#include <optional>
#include <utility>

#include "eventgate/logging/log.hpp"
#include "eventgate/readers/frame.hpp"
#include "eventgate/telemetry/stream_metrics.hpp"

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 256 * 1024;   // of one topic, before others have their turn
constexpr std::chrono::seconds kSweep{5};        // between looks for topics without readers
constexpr std::chrono::seconds kKeptUnused{60};  // how long a topic is followed without a reader
constexpr std::chrono::seconds kFirstRead{1};    // in which a new ring reads the end of its topic
constexpr std::size_t kItemBytes = 160;          // of a ring, beside a record's own
constexpr double kGuessedRecord = 512;           // bytes of a record, before some were read

std::string_view rules_key(const std::shared_ptr<const RedactionRules>& rules) {
  return rules ? std::string_view(rules->key()) : std::string_view();
}

std::vector<RingItem> items_of(const std::string& topic, const TailRead& read, const RedactionRules* rules) {
  std::vector<RingItem> items;
  items.reserve(read.started.size() + read.gaps.size() + read.records.size());
  for (const TailRead::Started& started : read.started)
    items.push_back({RingItem::Kind::started, nullptr, {started.partition, started.offset, started.offset}});
  for (const RecordGap& gap : read.gaps) items.push_back({RingItem::Kind::gap, nullptr, gap});
  for (const SourceRecord& record : read.records) items.push_back(RingItem::of(make_frame(topic, record, rules)));
  return items;
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

std::shared_ptr<TopicRing> RingFeeder::ring(const std::string& topic, const TopicBounds& bounds) {
  std::vector<PartitionOffset> begin;
  // The last record says what time it is at the end.
  for (const PartitionBounds& partition : bounds.partitions)
    begin.push_back({{topic, partition.partition}, std::max(partition.begin, partition.end - 1)});
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Feed>& feed = feeds_[topic];
  if (!feed) {
    feed = std::make_shared<Feed>();
    feed->ring = std::make_shared<TopicRing>(topic, stream_buffer_, begin);
    feed->rules = find_rules_(topic);
    feed->made_at = feed->used_at = Clock::now();
    feed->bounds = bounds.partitions;
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

std::vector<std::string> RingFeeder::change_rules() {
  std::vector<std::string> changed;
  const std::lock_guard lock(mutex_);
  for (auto& [topic, feed] : feeds_) {
    std::shared_ptr<const RedactionRules> rules = find_rules_(topic);
    const bool differs = rules_key(rules) != rules_key(feed->rules);
    feed->rules = std::move(rules);
    if (!differs) continue;
    feed->ring->clear();
    if (feed->look_back == Feed::LookBack::done) feed->look_back = Feed::LookBack::none;
    changed.push_back(topic);
  }
  return changed;
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
bool RingFeeder::feed(Feed& feed, std::shared_ptr<const RedactionRules> rules) {
  const std::string& topic = feed.ring->topic();
  TailRead read;
  feed.tail->read(read, kReadBytes);
  metrics_.lag_changed(topic, feed.tail->lag());
  if (read.empty()) return false;
  for (const RecordGap& gap : read.gaps) metrics_.gap_found(topic, gap.partition, gap.from, gap.to);
  for (;;) {
    std::vector<RingItem> items = items_of(topic, read, rules.get());
    const std::lock_guard lock(mutex_);
    // Rules that changed meanwhile count for these frames, too.
    if (rules_key(feed.rules) != rules_key(rules)) {
      rules = feed.rules;
      continue;
    }
    count_skipped(topic, items);
    feed.ring->append(std::move(items));
    break;
  }
  metrics_.ring_changed(topic, feed.ring->bytes());
  return true;
}

void RingFeeder::fill(const PartitionId& id, std::int64_t offset, RecordSource::Deadline deadline) {
  std::shared_ptr<Feed> feed;
  {
    const std::lock_guard lock(mutex_);
    const auto found = feeds_.find(id.topic);
    if (found == feeds_.end()) return;
    feed = found->second;
  }
  const std::vector<TopicRing::Older> fronts = feed->ring->fronts();
  const auto front = std::find_if(fronts.begin(), fronts.end(),
                                  [&](const TopicRing::Older& one) { return one.partition == id.partition; });
  if (front == fronts.end()) return;
  if (offset >= front->end) {
    feed->ring->wait_for(id.partition, offset, std::min(deadline, feed->made_at + kFirstRead));
    return;
  }
  std::unique_lock lock(mutex_);
  looked_back_.wait_until(lock, deadline, [&] { return feed->look_back != Feed::LookBack::running; });
  if (feed->look_back != Feed::LookBack::none) return;
  feed->look_back = Feed::LookBack::running;
  lock.unlock();
  look_back(*feed, deadline);
  lock.lock();
  feed->look_back = Feed::LookBack::done;
  looked_back_.notify_all();
}

/// Puts the records before the ring's first ones into it, as many as fit, by time over the partitions.
void RingFeeder::look_back(Feed& feed, RecordSource::Deadline deadline) {
  const std::string& topic = feed.ring->topic();
  std::vector<TopicRing::Older> parts = feed.ring->fronts();
  std::vector<std::vector<SourceRecord>> records;
  for (TopicRing::Older& part : parts) {
    for (const PartitionBounds& bounds : feed.bounds)
      if (bounds.partition == part.partition) part.begin = std::min(bounds.begin, part.end);
    // What comes meanwhile needs some room, too.
    records.push_back(read_back(part, topic, feed.ring->room() / parts.size() * 3 / 4, deadline));
  }
  std::vector<const SourceRecord*> merged;
  std::vector<std::size_t> next(records.size(), 0);
  for (;;) {
    std::optional<std::size_t> oldest;
    for (std::size_t i = 0; i < records.size(); ++i)
      if (next[i] < records[i].size() &&
          (!oldest || records[i][next[i]].timestamp < records[*oldest][next[*oldest]].timestamp))
        oldest = i;
    if (!oldest) break;
    merged.push_back(&records[*oldest][next[*oldest]++]);
  }
  prepend(feed, parts, merged);
}

void RingFeeder::prepend(Feed& feed, std::span<const TopicRing::Older> parts,
                         std::span<const SourceRecord* const> records) {
  std::shared_ptr<const RedactionRules> rules;
  {
    const std::lock_guard lock(mutex_);
    rules = feed.rules;
  }
  std::vector<RingItem> frames;
  frames.reserve(records.size());
  for (const SourceRecord* record : records)
    frames.push_back(RingItem::of(make_frame(feed.ring->topic(), *record, rules.get())));
  count_skipped(feed.ring->topic(), frames);
  const std::lock_guard lock(mutex_);
  // After a change of rules the ring begins anew.
  if (rules_key(feed.rules) == rules_key(rules)) feed.ring->prepend(parts, std::move(frames));
}

/// Reads the last `max_bytes` before `part.end`, and sets `part.begin` to the first offset that was read. It reads
/// forward, from a guess of where that is, so that Kafka sends next to nothing twice. Returns nothing if the source
/// does not have or does not give all of it.
std::vector<SourceRecord> RingFeeder::read_back(TopicRing::Older& part, const std::string& topic, std::size_t max_bytes,
                                                RecordSource::Deadline deadline) {
  const std::int64_t kept_from = part.begin;
  const auto begin_for = [&](double bytes_per_offset) {
    return std::max(kept_from, part.end - static_cast<std::int64_t>(static_cast<double>(max_bytes) / bytes_per_offset));
  };
  std::deque<SourceRecord> records;
  std::size_t bytes = 0;
  bool is_guess = true;
  std::int64_t next = part.begin = begin_for(kGuessedRecord);
  for (std::size_t read = 0; next < part.end && read < 4 * max_bytes + kReadBytes;) {
    auto fetched = source_.fetch({topic, part.partition}, next, std::min(kReadBytes, max_bytes), deadline);
    if (!fetched || fetched->gap) break;
    std::size_t fetched_bytes = 0;
    for (SourceRecord& record : fetched->records) {
      if (record.offset >= part.end) break;
      fetched_bytes += record.size() + kItemBytes;
      records.push_back(std::move(record));
    }
    bytes += fetched_bytes;
    next = fetched->next;
    read += fetched_bytes;
    if (fetched->at_end && next < part.end) break;  // the topic is another one now
    // Large records: the first ones will not fit. Offsets that count bytes, as those of files do: more will fit.
    if (std::exchange(is_guess, false) && !records.empty()) {
      const double bytes_per_offset = static_cast<double>(bytes) / static_cast<double>(next - part.begin);
      const std::int64_t begin = begin_for(bytes_per_offset);
      if (begin > next || (begin < part.begin && bytes_per_offset < kGuessedRecord / 4)) {
        part.begin = next = begin;
        records.clear();
        bytes = 0;
      }
    }
    for (; bytes > max_bytes; records.pop_front()) {
      bytes -= records.front().size() + kItemBytes;
      part.begin = records.front().offset + 1;
    }
  }
  if (next < part.end) {
    part.begin = part.end;
    return {};
  }
  return {std::make_move_iterator(records.begin()), std::make_move_iterator(records.end())};
}

void RingFeeder::count_skipped(const std::string& topic, std::span<const RingItem> items) {
  for (const RingItem& item : items)
    if (item.frame && item.frame->skip != SkipCause::none)
      metrics_.record_skipped(topic, item.frame->offset, skip_cause_name(item.frame->skip));
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

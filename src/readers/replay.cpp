#include "replay.hpp"

#include <algorithm>
#include <limits>

#include "eventgate/readers/frame.hpp"
#include "eventgate/telemetry/stream_metrics.hpp"

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kFetchTimeout{10};      // of one fetch
constexpr std::chrono::milliseconds kRetryDelay{500};  // after a failed fetch
constexpr std::chrono::milliseconds kBurst{50};        // of `replay_rate`, before fetches wait
constexpr std::size_t kMinFetch = 16 * 1024;           // bytes
constexpr std::size_t kMaxFetch = 512 * 1024;

}  // namespace

void ReplaySlots::acquire(std::function<void()> granted) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    if (free_ == 0) {
      waiting_.push_back(std::move(granted));
      metrics_.waiting_replays_changed(1);
      return;
    }
    --free_;
  }
  metrics_.replays_changed(1);
  granted();
}

void ReplaySlots::release() {
  std::function<void()> granted;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      ++free_;
    } else {
      granted = std::move(waiting_.front());
      waiting_.pop_front();
      metrics_.waiting_replays_changed(-1);
    }
  }
  if (granted) {
    granted();
  } else {
    metrics_.replays_changed(-1);
  }
}

void ReplaySlots::stop() {
  std::deque<std::function<void()>> dropped;
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  dropped.swap(waiting_);
  metrics_.waiting_replays_changed(-static_cast<int>(dropped.size()));
}

Replay::Replay(const std::vector<std::string>& topics, const ReaderPositions& positions,
               const std::vector<std::map<std::int32_t, TopicRing::Place>>& targets, std::size_t rate)
    : rate_(rate), allowed_at_(Clock::now()), retry_at_(allowed_at_) {
  for (const StreamPosition& position : positions.all()) {
    const auto topic =
        static_cast<std::size_t>(std::find(topics.begin(), topics.end(), position.topic) - topics.begin());
    Part& part = parts_.emplace_back();
    part.topic = topic;
    part.id = {position.topic, position.partition};
    part.next = position.offset;
    part.target = std::numeric_limits<std::int64_t>::max();
    if (const auto target = targets[topic].find(position.partition); target != targets[topic].end())
      part.target = target->second.offset;
    // A ring that is behind the reader does not say where the end is.
    if (part.target < part.next) part.target = std::numeric_limits<std::int64_t>::max();
    part.at_end = part.next == part.target;
  }
  part_bytes_ = std::clamp(kMaxBytes / std::max<std::size_t>(parts_.size(), 1) / 2, kMinFetch, kMaxFetch);
}

std::vector<Replay::Wanted> Replay::wanted(Clock::time_point now, std::optional<Clock::time_point>& wait_until) {
  std::vector<Wanted> found;
  const Clock::time_point from = std::max(allowed_at_ - kBurst, retry_at_);
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    Part& part = parts_[i];
    if (part.fetching || part.at_end || part.bytes >= part_bytes_) continue;
    if (now < from) {
      wait_until = from;
      return found;
    }
    part.fetching = true;
    found.push_back({i, part.id, part.next, part_bytes_});
  }
  return found;
}

void Replay::add(std::size_t number, Fetched fetched) {
  Part& part = parts_[number];
  part.fetching = false;
  away_ = fetched.away;
  if (fetched.away) {
    retry_at_ = Clock::now() + kRetryDelay;
    return;
  }
  for (RingItem& item : fetched.items) {
    part.bytes += item.size();
    part.items.push_back(std::move(item));
  }
  part.next = fetched.next;
  part.at_end = fetched.at_end || part.next >= part.target;
  const auto cost = std::chrono::duration<double>(static_cast<double>(fetched.bytes) / static_cast<double>(rate_));
  allowed_at_ = std::max(allowed_at_, Clock::now()) + std::chrono::duration_cast<Clock::duration>(cost);
}

std::optional<Replay::Next> Replay::next() {
  Part* chosen = nullptr;
  std::int64_t chosen_time = std::numeric_limits<std::int64_t>::max();
  for (Part& part : parts_) {
    if (part.items.empty()) {
      if (!part.at_end) return std::nullopt;
      continue;
    }
    const RingItem& item = part.items.front();
    const std::int64_t time =
        item.kind == RingItem::Kind::frame ? item.frame->timestamp : std::numeric_limits<std::int64_t>::min();
    if (chosen && time >= chosen_time) continue;
    chosen = &part;
    chosen_time = time;
  }
  if (!chosen) return std::nullopt;
  Next next{chosen->topic, std::move(chosen->items.front())};
  chosen->items.pop_front();
  chosen->bytes -= next.item.size();
  return next;
}

bool Replay::is_done() const {
  return std::all_of(parts_.begin(), parts_.end(),
                     [](const Part& part) { return part.at_end && part.items.empty() && !part.fetching; });
}

void Replay::fetch(WorkPool& pool, RecordSource& source, RingFeeder& feeder, StreamMetrics& metrics, Wanted wanted,
                   std::function<void(std::size_t, Fetched)> done) {
  pool.add([&source, &feeder, &metrics, wanted = std::move(wanted), done = std::move(done)] {
    Fetched result;
    auto fetched = source.fetch(wanted.id, wanted.offset, wanted.max_bytes, Clock::now() + kFetchTimeout);
    if (!fetched) {
      if (fetched.error().kind == SourceFailure::Kind::away)
        metrics.source_away(source.name(), fetched.error().message);
      result.away = true;
      return done(wanted.part, std::move(result));
    }
    metrics.source_back(source.name());
    const std::string& topic = wanted.id.topic;
    const std::shared_ptr<const RedactionRules> rules = feeder.rules(topic);
    result.items.reserve(fetched->records.size() + 1);
    if (fetched->gap) {
      RecordGap gap = *fetched->gap;
      gap.partition = wanted.id.partition;
      metrics.gap_found(topic, gap.partition, gap.from, gap.to);
      result.items.push_back({RingItem::Kind::gap, nullptr, gap});
    }
    for (const SourceRecord& record : fetched->records) {
      result.bytes += record.size();
      result.items.push_back(RingItem::of(make_frame(topic, record, rules.get())));
    }
    result.next = fetched->next;
    result.at_end = fetched->at_end;
    done(wanted.part, std::move(result));
  });
}

}  // namespace eventgate

#include "eventgate/gate/live_feed.hpp"

#include <algorithm>
#include <chrono>

#include "packed_live_event.hpp"

namespace eventgate {

namespace {

/// Events added under one lock. A reader waits for so many at most.
constexpr std::size_t kEventsPerLock = 64;

std::int64_t milliseconds_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

LiveFeed::LiveFeed() : epoch_(milliseconds_now()), bytes_(kMaxBytes), slots_(kMaxEvents), since_(epoch_) {}

char* LiveFeed::make_room(std::size_t size) {
  if (end_ + size > limit_) {
    // The events behind the newest are the oldest. The ring starts again at its begin.
    while (first_ < next_ && slot(first_).begin >= end_) ++first_;
    end_ = 0;
  }
  const std::size_t begin = end_;
  while (first_ < next_ &&
         (next_ - first_ == kMaxEvents || (slot(first_).begin >= begin && slot(first_).begin < begin + size)))
    ++first_;
  slot(next_) = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(size)};
  end_ = begin + size;
  return bytes_.data() + begin;
}

void LiveFeed::add(std::span<const LiveEvent> events) {
  thread_local std::string status_buffer;
  Place place{0, 0, static_cast<std::uint32_t>(events.size())};
  while (!events.empty()) {
    const std::lock_guard lock(mutex_);
    if (place.index == 0) place.request = next_;
    const bool idle = events.front().received_at - read_at_ > std::chrono::milliseconds(kIdleAfter).count();
    limit_ = idle ? kIdleBytes : kMaxBytes;
    // Events that later ones of this call would overwrite are not copied.
    std::size_t first = events.size();
    for (std::size_t size = 0; first > 0 && size < limit_; --first) size += events[first - 1].text.size();
    if (first > 0) {
      for (const LiveEvent& event : events.first(first)) counts_.add(event);
      next_ += first;
      first_ = next_;
      events = events.subspan(first);
      place.index += static_cast<std::uint32_t>(first);
    }
    const std::span<const LiveEvent> now = events.first(std::min(events.size(), kEventsPerLock));
    for (const LiveEvent& event : now) {
      counts_.add(event);
      add(event, place, status_buffer);
      ++place.index;
    }
    events = events.subspan(now.size());
  }
}

void LiveFeed::add(const LiveEvent& event, const Place& place, std::string& status_buffer) {
  BoundedLiveEvent bounded = bound_live_event(event, next_, status_buffer);
  bounded.head.request = place.request;
  bounded.head.index = place.index;
  bounded.head.of = place.size;
  bounded.write(make_room(bounded.head.size()));
  ++next_;
}

LiveCount LiveFeed::count(const LiveFilter& filter) const {
  // Read first: an event that ends meanwhile is counted, perhaps, in both places, and never in none.
  const std::uint64_t in_flight = in_flight_.load(std::memory_order_acquire);
  const std::lock_guard lock(mutex_);
  LiveCount result = counts_.count(filter);
  result.in_flight = in_flight;
  return result;
}

LiveSummary LiveFeed::summary() const {
  LiveSummary result;
  result.in_flight = in_flight_.load(std::memory_order_acquire);
  const std::lock_guard lock(mutex_);
  counts_.fill(result);
  result.kept = next_ - first_;
  result.last = next_ - 1;
  result.since = since_;
  return result;
}

void LiveFeed::reset() {
  const std::int64_t now = milliseconds_now();
  const std::lock_guard lock(mutex_);
  counts_.clear();
  ++next_;  // no event has the number, so that a viewer who has seen all of them is told, too
  first_ = next_;
  reset_ = next_;
  since_ = now;
}

std::uint64_t LiveFeed::oldest() const {
  const std::lock_guard lock(mutex_);
  return first_;
}

LiveFeed::Page LiveFeed::read(std::uint64_t next, const LiveFilter& filter, std::size_t max_bytes) {
  Page page;
  const std::int64_t now = milliseconds_now();
  const std::lock_guard lock(mutex_);
  read_at_ = now;
  page.next = std::min(next, next_);
  if (page.next < reset_) {
    page.reset = true;
    page.next = reset_;
  }
  if (page.next < first_) {
    page.missed = first_ - page.next;
    page.next = first_;
  }
  for (; page.next < next_; ++page.next) {
    const Slot& event = slot(page.next);
    const char* const bytes = bytes_.data() + event.begin;
    const PackedLiveEvent head = read_head(bytes);
    if (!filter.wants(head.outcome)) continue;
    if (!page.events.empty() && page.events.size() + event.size > max_bytes) break;
    page.events.append(bytes, event.size);
  }
  return page;
}

}  // namespace eventgate

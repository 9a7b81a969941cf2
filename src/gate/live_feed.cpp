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

bool is_wanted(const PackedLiveEvent& head, std::string_view stream, const LiveFilter& filter) {
  if (head.canary && !filter.canaries) return false;
  if (filter.stream && stream != *filter.stream) return false;
  switch (head.outcome) {
    case LiveOutcome::accepted:
      return filter.accepted;
    case LiveOutcome::invalid:
      return filter.invalid;
    case LiveOutcome::error:
      return filter.error;
  }
  return false;
}

}  // namespace

std::string_view live_outcome_name(LiveOutcome outcome) {
  switch (outcome) {
    case LiveOutcome::accepted:
      return "accepted";
    case LiveOutcome::invalid:
      return "invalid";
    case LiveOutcome::error:
      return "error";
  }
  return {};
}

LiveFeed::LiveFeed() : epoch_(milliseconds_now()), bytes_(kMaxBytes), slots_(kMaxEvents) {}

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
  while (!events.empty()) {
    const std::lock_guard lock(mutex_);
    const bool idle = events.front().received_at - read_at_ > std::chrono::milliseconds(kIdleAfter).count();
    limit_ = idle ? kIdleBytes : kMaxBytes;
    // Events that later ones of this call would overwrite are not copied.
    std::size_t first = events.size();
    for (std::size_t size = 0; first > 0 && size < limit_; --first) size += events[first - 1].text.size();
    if (first > 0) {
      next_ += first;
      first_ = next_;
      events = events.subspan(first);
    }
    for (const LiveEvent& event : events.first(std::min(events.size(), kEventsPerLock))) add(event, status_buffer);
    events = events.subspan(std::min(events.size(), kEventsPerLock));
  }
}

void LiveFeed::add(const LiveEvent& event, std::string& status_buffer) {
  const BoundedLiveEvent bounded = bound_live_event(event, next_, status_buffer);
  bounded.write(make_room(bounded.head.size()));
  ++next_;
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
  if (page.next < first_) {
    page.missed = first_ - page.next;
    page.next = first_;
  }
  for (; page.next < next_; ++page.next) {
    const Slot& event = slot(page.next);
    const char* const bytes = bytes_.data() + event.begin;
    const PackedLiveEvent head = read_head(bytes);
    if (!is_wanted(head, packed_stream(bytes, head), filter)) continue;
    if (!page.events.empty() && page.events.size() + event.size > max_bytes) break;
    page.events.append(bytes, event.size);
  }
  return page;
}

}  // namespace eventgate

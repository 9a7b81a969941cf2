#include "spool_inbox.hpp"

#include <algorithm>

namespace eventgate {
namespace {

constexpr std::size_t kMaxWriteBytes = std::size_t{64} << 20;  // records that wait for the spool's thread

}  // namespace

std::vector<bool> SpoolInbox::find_spooled(std::span<const Record> records) const {
  std::vector<bool> found(records.size());
  std::string topic;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (i > 0 && records[i].topic == records[i - 1].topic) {
      found[i] = found[i - 1];
    } else {
      topic = records[i].topic;
      found[i] = spooled_.contains(topic);
    }
  }
  return found;
}

void SpoolInbox::add_spooled(const std::string& topic, std::size_t count) {
  const std::lock_guard lock(mutex_);
  add_spooled_locked(topic, count);
}

void SpoolInbox::add_spooled_locked(const std::string& topic, std::size_t count) {
  std::size_t& records = spooled_[topic];
  if (records == 0) ++spooled_topic_count_;
  records += count;
}

void SpoolInbox::remove_spooled(const std::string& topic, std::size_t count) {
  const std::lock_guard lock(mutex_);
  const auto found = spooled_.find(topic);
  if (found == spooled_.end() || (found->second -= std::min(count, found->second)) > 0) return;
  spooled_.erase(found);
  --spooled_topic_count_;
}

bool SpoolInbox::has_room() const {
  const std::lock_guard lock(mutex_);
  return write_bytes_ < kMaxWriteBytes;
}

std::vector<PendingWrite> SpoolInbox::add(std::vector<PendingWrite> writes) {
  std::vector<PendingWrite> refused;
  const std::lock_guard lock(mutex_);
  const bool has_room = write_bytes_ < kMaxWriteBytes;
  for (PendingWrite& write : writes) {
    if (has_room || write.already_answered) {
      add_locked(std::move(write));
    } else {
      refused.push_back(std::move(write));
    }
  }
  wake_locked();
  return refused;
}

void SpoolInbox::add_locked(PendingWrite write) {
  write_bytes_ += size_of(write.record);
  add_spooled_locked(write.record.topic, 1);
  writes_.push_back(std::move(write));
}

void SpoolInbox::add_report(AttemptReport report) {
  const std::lock_guard lock(mutex_);
  reports_.push_back(std::move(report));
  wake_locked();
}

void SpoolInbox::add_deadline(Clock::time_point time, AttemptBatchPointer batch) {
  const std::lock_guard lock(mutex_);
  Deadlines& deadlines = batch->assurance == Assurance::guaranteed ? guaranteed_deadlines_ : hasty_deadlines_;
  if (deadlines.empty()) wake_.notify_one();
  deadlines.emplace_back(time, std::move(batch));
}

void SpoolInbox::wake(bool finishing) {
  const std::lock_guard lock(mutex_);
  finishing_ = finishing;
  wake_locked();
}

void SpoolInbox::wake_locked() {
  wake_requested_ = true;
  wake_.notify_one();
}

SpoolInbox::Clock::time_point SpoolInbox::first_deadline(Clock::time_point until) const {
  for (const Deadlines* deadlines : {&guaranteed_deadlines_, &hasty_deadlines_})
    if (!deadlines->empty()) until = std::min(until, deadlines->front().first + kDeadlineSlack);
  return until;
}

SpoolInbox::Work SpoolInbox::wait(Clock::time_point until) {
  Work work;
  std::unique_lock lock(mutex_);
  // `add_deadline` may set an earlier time meanwhile.
  for (Clock::time_point next = first_deadline(until); !wake_requested_ && Clock::now() < next;
       next = first_deadline(until))
    wake_.wait_until(lock, next);
  wake_requested_ = false;
  work.finishing = finishing_;
  work.writes = std::exchange(writes_, {});
  work.reports = std::exchange(reports_, {});
  write_bytes_ = 0;
  work.now = Clock::now();
  for (Deadlines* deadlines : {&guaranteed_deadlines_, &hasty_deadlines_})
    for (; !deadlines->empty() && deadlines->front().first <= work.now; deadlines->pop_front())
      work.expired.push_back(std::move(deadlines->front().second));
  return work;
}

bool SpoolInbox::is_empty() const {
  const std::lock_guard lock(mutex_);
  return writes_.empty() && reports_.empty();
}

}  // namespace eventgate

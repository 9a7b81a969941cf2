#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "first_attempt.hpp"
#include "pending_write.hpp"

namespace eventgate {

/// The result of an attempt whose record is in the store or waits for it.
struct AttemptReport {
  std::int64_t id;
  bool is_replay;  ///< False: the first attempt.
  std::optional<DeliveryFailure> failure;
};

/// What other threads hand to the spool's thread: records to be written, reports of attempts, and deadlines. It also
/// knows the topics that have records in the store or on the way to it, so that new records queue behind them.
///
/// Thread-safe, except for `wait`, which the spool's thread calls.
class SpoolInbox {
 public:
  using Clock = std::chrono::steady_clock;

  /// Deadlines within this time are handled together.
  static constexpr std::chrono::milliseconds kDeadlineSlack{10};

  /// Returns true if any topic has records in the store or on the way to it.
  bool has_spooled_topics() const { return spooled_topic_count_.load(std::memory_order_acquire) > 0; }
  /// Returns for each record whether its topic has such records.
  std::vector<bool> find_spooled(std::span<const Record> records) const;
  /// Adds `count` records of `topic` to those in the store.
  void add_spooled(const std::string& topic, std::size_t count);
  /// Removes `count` records of `topic` that left the store or are not written to it.
  void remove_spooled(const std::string& topic, std::size_t count);

  /// Returns true if the bytes of waiting writes are below their limit.
  bool has_room() const;

  /// Adds `writes`. Returns those that have no room. Already answered ones always have.
  std::vector<PendingWrite> add(std::vector<PendingWrite> writes);

  /// Adds each of `writes` for which `claim(index)` returns true. Calls `claim` under the lock, so that a report which
  /// the claim redirects to `add_report` comes after its write.
  template <typename Claim>
  void add_claimed(std::vector<PendingWrite> writes, Claim&& claim) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < writes.size(); ++i)
      if (claim(i, writes[i])) add_locked(std::move(writes[i]));
    wake_locked();
  }

  void add_report(AttemptReport report);

  /// Makes `wait` return `batch` at `time`. Times of one assurance should come in order: a batch is returned behind
  /// those added before it.
  void add_deadline(Clock::time_point time, AttemptBatchPointer batch);

  /// Wakes the spool's thread. `finishing`: it must end once the inbox is empty.
  void wake(bool finishing);

  struct Work {
    std::vector<PendingWrite> writes;
    std::vector<AttemptReport> reports;
    std::vector<AttemptBatchPointer> expired;  ///< Batches whose deadline has passed.
    bool finishing = false;
    Clock::time_point now;
  };
  /// Waits until `until`, a wake-up or a deadline. Returns what has come since the last call.
  Work wait(Clock::time_point until);

  /// Returns true if there are no writes and no reports.
  bool is_empty() const;

 private:
  using Deadlines = std::deque<std::pair<Clock::time_point, AttemptBatchPointer>>;

  void add_locked(PendingWrite write);
  void add_spooled_locked(const std::string& topic, std::size_t count);
  void wake_locked();
  Clock::time_point first_deadline(Clock::time_point until) const;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::unordered_map<std::string, std::size_t> spooled_;  // records in the store or on the way to it, by topic
  std::atomic<std::size_t> spooled_topic_count_{0};       // size of spooled_
  Deadlines guaranteed_deadlines_, hasty_deadlines_;
  std::vector<PendingWrite> writes_;
  std::size_t write_bytes_ = 0;
  std::vector<AttemptReport> reports_;
  bool wake_requested_ = false;
  bool finishing_ = false;
};

}  // namespace eventgate

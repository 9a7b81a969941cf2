#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "reader_positions.hpp"
#include "ring_feeder.hpp"
#include "topic_ring.hpp"
#include "work_pool.hpp"

namespace eventgate {

class StreamMetrics;

/// The right to replay: `max_replays` of them are given at a time, others wait in line.
///
/// Thread-safe.
class ReplaySlots {
 public:
  ReplaySlots(std::size_t max, StreamMetrics& metrics) : free_(max), metrics_(metrics) {}

  /// Held while a replay runs. The destructor gives the slot to the next in line.
  class Slot {
   public:
    explicit Slot(std::shared_ptr<ReplaySlots> slots) : slots_(std::move(slots)) {}
    Slot(Slot&&) noexcept = default;
    Slot& operator=(Slot&& other) noexcept {
      Slot old(std::move(slots_));
      slots_ = std::move(other.slots_);
      return *this;
    }
    ~Slot() {
      if (slots_) slots_->release();
    }

   private:
    std::shared_ptr<ReplaySlots> slots_;
  };

  /// Calls `granted` when there is a slot, perhaps at once and on any thread. It is called once, and then owns a slot
  /// until it calls `release` or a Slot does.
  void acquire(std::function<void()> granted);
  void release();

  /// Drops those who wait. No one gets a slot any more.
  void stop();

 private:
  std::mutex mutex_;
  bool stopped_ = false;
  std::size_t free_;
  std::deque<std::function<void()>> waiting_;
  StreamMetrics& metrics_;
};

/// The old records of one reader, fetched from the source and merged by time over its partitions, each in order.
///
/// Use on one thread, but for what `Fetch` does elsewhere.
class Replay {
 public:
  /// Bytes of frames that a replay holds, about.
  static constexpr std::size_t kMaxBytes = std::size_t{2} << 20;

  struct Fetched {
    std::vector<RingItem> items;
    std::int64_t next = 0;
    bool at_end = false;
    bool away = false;
    std::size_t bytes = 0;
  };
  /// One item, and where it belongs.
  struct Next {
    std::size_t topic;
    RingItem item;
  };
  /// A fetch to make.
  struct Wanted {
    std::size_t part;
    PartitionId id;
    std::int64_t offset;
    std::size_t max_bytes;
  };

  /// `targets`: offsets from which rings go on, so that no more is fetched. `rate`: bytes a second.
  Replay(const std::vector<std::string>& topics, const ReaderPositions& positions,
         const std::vector<std::map<std::int32_t, TopicRing::Place>>& targets, std::size_t rate);

  /// Returns the fetches to start now. `wait_until` is set if the rate allows none before.
  std::vector<Wanted> wanted(std::chrono::steady_clock::time_point now,
                             std::optional<std::chrono::steady_clock::time_point>& wait_until);
  /// The result of a fetch of part number `part`.
  void add(std::size_t part, Fetched fetched);

  /// Returns the next item by time, or nullopt if it is not known yet.
  std::optional<Next> next();

  /// Returns true if all that the source had was returned by `next`.
  bool is_done() const;
  /// The source does not answer.
  bool is_away() const { return away_; }

  /// Fetches on a thread of `pool`, and calls `done` there.
  static void fetch(WorkPool& pool, RecordSource& source, RingFeeder& feeder, StreamMetrics& metrics, Wanted wanted,
                    std::function<void(std::size_t part, Fetched)> done);

 private:
  struct Part {
    std::size_t topic = 0;
    PartitionId id;
    std::int64_t next = 0;
    std::int64_t target = 0;
    std::deque<RingItem> items;
    std::size_t bytes = 0;
    bool fetching = false;
    bool at_end = false;
  };

  std::vector<Part> parts_;
  const std::size_t rate_;
  std::size_t part_bytes_;
  std::chrono::steady_clock::time_point allowed_at_;
  std::chrono::steady_clock::time_point retry_at_;
  bool away_ = false;
};

}  // namespace eventgate

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eventgate/source/record_source.hpp"
#include "reader_positions.hpp"

namespace eventgate {

/// The newest items of one topic, as frames that all readers share. The oldest go when `max_bytes` are reached. Items
/// are numbered, and a reader remembers the number of the next one that it wants.
///
/// Thread-safe.
class TopicRing {
 public:
  /// The number of the first item that is appended. Those put in front of it have smaller ones.
  static constexpr std::uint64_t kFirstNumber = std::uint64_t{1} << 62;

  /// A place in a partition.
  struct Place {
    std::int64_t offset = 0;
    std::optional<std::int64_t> timestamp;  ///< As StreamPosition::timestamp.
  };

  /// `begin`: the offsets of the known partitions from which the first items come.
  TopicRing(std::string topic, std::size_t max_bytes, std::span<const PartitionOffset> begin);

  const std::string& topic() const { return topic_; }
  std::size_t bytes() const;

  /// Older records of a partition: `begin` and `end` are offsets, and what lies between them is complete.
  struct Older {
    std::int32_t partition = 0;
    std::int64_t begin = 0;
    std::int64_t end = 0;
  };
  /// Returns what could be put in front: for each partition, an `end`.
  std::vector<Older> fronts() const;
  /// Puts frames in front of all others, each partition in order. Does nothing if a partition does not begin at its
  /// `end` any more, or if there is no room.
  void prepend(std::span<const Older> parts, std::vector<RingItem> frames);
  /// Returns the bytes that are free.
  std::size_t room() const;

  /// Waits until the ring has read the partition beyond `offset`. Returns false at the deadline.
  bool wait_for(std::int32_t partition, std::int64_t offset, std::chrono::steady_clock::time_point deadline) const;

  /// Adds items, and tells the listeners. A partition that starts a second time is left out.
  void append(std::vector<RingItem> items);

  /// Drops all items, for example because they were made by rules that do not hold any more.
  void clear();

  /// The end of the ring.
  struct Head {
    std::uint64_t number = 0;      ///< Of the next item.
    std::uint64_t generation = 0;  ///< How often a partition of the topic was made anew.
  };
  /// Returns the end, and where the partitions are then.
  Head head(std::map<std::int32_t, Place>& places) const;
  std::uint64_t generation() const;

  /// Appends items from number `from` up to `until`, at most `max` of them. Returns false if the first is gone.
  bool read(std::uint64_t from, std::uint64_t until, std::size_t max, std::vector<RingItem>& into) const;

  /// Returns the number of the first item that `positions` want in topic number `topic`, or nullopt if some item that
  /// they want is gone. Adds partitions that started later to `positions`.
  std::optional<std::uint64_t> find(ReaderPositions& positions, std::size_t topic) const;

  /// Returns the first record at or after `offset`, or nullopt if the ring cannot know.
  std::optional<RecordPlace> record_at(std::int32_t partition, std::int64_t offset) const;

  /// Calls `listener` after each `append` and `clear`, on their thread, until `remove_listener` has returned. It must
  /// not block and must not call the ring.
  void add_listener(const void* owner, std::function<void()> listener);
  void remove_listener(const void* owner);

 private:
  struct Record {
    RecordPlace place;
    std::uint64_t number;  // of its item
  };
  struct Partition {
    Place front;                        // what comes from here on is in the ring
    Place back;                         // the next record's place
    std::optional<std::int64_t> first;  // where it started, if it started while the ring was there
    std::deque<Record> records;

    /// Returns the first record at or after `offset`, or the end.
    std::deque<Record>::const_iterator at(std::int64_t offset) const;
  };

  void drop_first();
  void tell();

  const std::string topic_;
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  mutable std::condition_variable grown_;
  std::deque<RingItem> items_;
  std::uint64_t first_ = kFirstNumber;  // number of the first item
  std::deque<std::uint64_t> others_;    // numbers of the items that are no frames
  std::uint64_t generation_ = 0;
  std::size_t bytes_ = 0;
  std::map<std::int32_t, Partition> partitions_;
  std::mutex listeners_mutex_;
  std::vector<std::pair<const void*, std::function<void()>>> listeners_;
};

}  // namespace eventgate

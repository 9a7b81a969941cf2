#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Records on their way into the read side, the mirror of delivery/sink.hpp:
//
//     brokers, or the files of `output_path` -> RecordSource -> rings and replays of module `readers` -> clients
//
// A topic has partitions, and each record of a partition has an offset that grows. Offsets may skip numbers. Module
// `kafka` implements the interface over Kafka, module `files` over the partitions of a folder.

namespace eventgate {

/// One partition of a topic.
struct PartitionId {
  std::string topic;
  std::int32_t partition = 0;

  auto operator<=>(const PartitionId&) const = default;
};

/// One record of a partition.
struct SourceRecord {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t timestamp = 0;        ///< Milliseconds since 1970, UTC. -1: the record has none.
  std::optional<std::string> key;    ///< Any bytes.
  std::optional<std::string> value;  ///< Any bytes. Nullopt: a tombstone.

  /// Bytes that count against the bounds of `fetch` and `RecordTail::read`.
  std::size_t size() const { return 64 + (key ? key->size() : 0) + (value ? value->size() : 0); }
};

/// The offsets that a partition has.
struct PartitionBounds {
  std::int32_t partition = 0;
  std::int64_t begin = 0;  ///< The first offset that is kept.
  std::int64_t end = 0;    ///< The offset that the next record gets.
};

/// What is known of a topic.
struct TopicBounds {
  bool exists = false;                      ///< False: the source has answered that there is no such topic.
  std::vector<PartitionBounds> partitions;  ///< In the order of their numbers.
};

/// Offsets of a partition whose records are gone: retention, compaction at the start, a deletion, or a topic that was
/// made anew. `to` may be smaller than `from`.
struct RecordGap {
  std::int32_t partition = 0;
  std::int64_t from = 0;  ///< The offset that was to be read.
  std::int64_t to = 0;    ///< The first offset read instead.
};

/// Why a call of a source failed. Both pass: the caller may try again.
struct SourceFailure {
  enum class Kind : std::uint8_t {
    away,     ///< The source does not answer, or answered with an error that passes.
    stopped,  ///< `RecordSource::stop` was called.
  };
  Kind kind = Kind::away;
  std::string message;  ///< A sentence for the log, with the cause.
};

template <typename T>
using SourceResult = boost::system::result<T, SourceFailure>;

/// A time of a partition.
struct PartitionTime {
  PartitionId id;
  std::int64_t timestamp = 0;  ///< Milliseconds since 1970, UTC.
};

/// An offset of a partition.
struct PartitionOffset {
  PartitionId id;
  std::int64_t offset = 0;
};

/// Where a record is.
struct RecordPlace {
  std::int64_t offset = 0;
  std::int64_t timestamp = 0;  ///< As SourceRecord::timestamp.
};

/// The records of one `fetch`.
struct FetchedRecords {
  std::vector<SourceRecord> records;  ///< In the order of their offsets.
  /// The offset to fetch next. Records may be missing before it, for example control records of transactions.
  std::int64_t next = 0;
  std::optional<RecordGap> gap;  ///< The offset asked for is gone; `records` begin at `gap->to`.
  bool at_end = false;           ///< There was no record at `next` when the source answered.
};

/// What `RecordTail::read` has found since it was called before. Keeps its memory when cleared.
struct TailRead {
  /// A partition that the tail reads from now on: each at the first `read` that knows it.
  struct Started {
    std::int32_t partition = 0;
    std::int64_t offset = 0;
  };

  std::vector<Started> started;       ///< Before all records of these partitions.
  std::vector<RecordGap> gaps;        ///< Before all records at or after `to`. At most one a partition and `read`.
  std::vector<SourceRecord> records;  ///< Each partition in order.

  void clear() {
    started.clear();
    gaps.clear();
    records.clear();
  }
  bool empty() const { return started.empty() && gaps.empty() && records.empty(); }
};

/// Follows the end of one topic. It goes on by itself after an outage, after a gap, and when the topic is made anew; it
/// reads partitions made later from their beginning within 10 s.
///
/// Use from one thread at a time.
class RecordTail {
 public:
  virtual ~RecordTail() = default;

  /// Adds what has come, about `max_bytes` of records, to `into`. Does not block. If it adds nothing, it calls
  /// `on_readable` (see `RecordSource::tail`) once as soon as it may add something.
  virtual void read(TailRead& into, std::size_t max_bytes) = 0;

  /// Returns the records between what was read and the end that the source has told last, over all partitions. An
  /// estimate for metrics. Does not block.
  virtual std::int64_t lag() const = 0;
};

/// A source of topics: Kafka, or the files of `output_path`.
///
/// Thread-safe. Functions that take a deadline block until then at most; only threads of the read side call them.
class RecordSource {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  virtual ~RecordSource() = default;

  /// Returns `kafka` or `file`, which is a label of metrics and log lines.
  virtual std::string_view name() const = 0;

  /// Returns the bounds of each topic, in the order given. The answer is at least as new as the call: `end` counts
  /// every record that was acknowledged before it. No topic is created.
  virtual SourceResult<std::vector<TopicBounds>> bounds(std::span<const std::string> topics, Deadline deadline) = 0;

  /// Returns, for each partition, the first offset whose record's time is not before `timestamp`. Returns nullopt for a
  /// partition without such a record, or that does not exist.
  virtual SourceResult<std::vector<std::optional<std::int64_t>>> offsets_at(std::span<const PartitionTime> times,
                                                                            Deadline deadline) = 0;

  /// Returns, for each partition, the first record at or after `offset`: that one, or the next if it is gone. Returns
  /// nullopt if there is none up to the end, or if the partition does not exist.
  virtual SourceResult<std::vector<std::optional<RecordPlace>>> records_at(std::span<const PartitionOffset> offsets,
                                                                           Deadline deadline) = 0;

  /// Reads one partition from `offset` on: at least one record if there is one, and not many more bytes than
  /// `max_bytes`. Does not wait for records to come. An offset that is gone is a gap up to the first that is kept. An
  /// offset beyond the end is a gap, too: to the beginning if the topic may have been made anew, else to the end. A
  /// topic or partition that does not exist has no records and is at its end. Calls for the same partition with the
  /// offset where the one before ended are fast.
  virtual SourceResult<FetchedRecords> fetch(const PartitionId& id, std::int64_t offset, std::size_t max_bytes,
                                             Deadline deadline) = 0;

  /// Follows `topic`. `from` has the offset of each partition that is known; partitions that are not in it, and those
  /// of a topic that does not exist yet, are read from their beginning. `on_readable` is called on any thread, also
  /// from `read`, until the tail is destroyed; it must not block, and must not call the tail. Does not block.
  virtual std::unique_ptr<RecordTail> tail(const std::string& topic, std::span<const PartitionOffset> from,
                                           std::function<void()> on_readable) = 0;

  /// Returns why the source cannot be read now, as a sentence, or nullopt. Does not block.
  virtual std::optional<std::string> away_reason() const = 0;

  /// Reads certificates and keys again. Returns a function that puts them to use; it must be called before the source
  /// is destroyed, or not at all. Throws std::invalid_argument if they cannot be used; then nothing changes.
  virtual std::function<void()> reload() {
    return [] {};
  }

  /// Makes the calls that block return `stopped`, now and from now on.
  virtual void stop() = 0;
};

}  // namespace eventgate

#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eventgate/source/record_source.hpp"

namespace eventgate {

/// Topics in memory, with what a source may do to a reader: partitions that come later, records that go, topics that
/// are made anew, and an outage.
///
/// Thread-safe.
class MemorySource final : public RecordSource {
 public:
  ~MemorySource() override = default;

  void make_topic(const std::string& topic, std::size_t partitions = 1) {
    const std::lock_guard lock(mutex_);
    topics_[topic].resize(std::max(topics_[topic].size(), partitions));
    tell(topic);
  }

  /// Appends a record and returns its offset. Makes the topic if there is none.
  std::int64_t append(const std::string& topic, std::string value, std::int64_t timestamp, std::int32_t partition = 0) {
    const std::lock_guard lock(mutex_);
    std::vector<Partition>& partitions = topics_[topic];
    if (partitions.size() <= static_cast<std::size_t>(partition))
      partitions.resize(static_cast<std::size_t>(partition) + 1);
    Partition& to = partitions[static_cast<std::size_t>(partition)];
    SourceRecord record;
    record.partition = partition;
    record.offset = to.end++;
    record.timestamp = timestamp;
    record.value = std::move(value);
    to.records.push_back(std::move(record));
    tell(topic);
    return to.end - 1;
  }

  /// Drops the records before `offset`.
  void drop_before(const std::string& topic, std::int64_t offset, std::int32_t partition = 0) {
    const std::lock_guard lock(mutex_);
    Partition& of = topics_[topic][static_cast<std::size_t>(partition)];
    std::erase_if(of.records, [offset](const SourceRecord& record) { return record.offset < offset; });
    of.begin = offset;
    of.end = std::max(of.end, offset);
  }

  void make_anew(const std::string& topic) {
    const std::lock_guard lock(mutex_);
    std::vector<Partition>& partitions = topics_[topic];
    partitions.assign(partitions.size(), Partition());
    tell(topic);
  }

  void set_away(bool away) {
    const std::lock_guard lock(mutex_);
    away_ = away;
    for (const auto& [topic, partitions] : topics_) tell(topic);
  }

  /// The calls of `fetch` so far.
  std::size_t fetches() const {
    const std::lock_guard lock(mutex_);
    return fetches_;
  }

  /// The offsets that `records_at` was asked for so far.
  std::size_t looked_up() const {
    const std::lock_guard lock(mutex_);
    return looked_up_;
  }

  std::string_view name() const override { return "memory"; }

  SourceResult<std::vector<TopicBounds>> bounds(std::span<const std::string> topics, Deadline) override {
    const std::lock_guard lock(mutex_);
    if (away_) return failure();
    std::vector<TopicBounds> found;
    for (const std::string& topic : topics) {
      TopicBounds& bounds = found.emplace_back();
      const auto at = topics_.find(topic);
      if (at == topics_.end()) continue;
      bounds.exists = true;
      for (std::size_t i = 0; i < at->second.size(); ++i)
        bounds.partitions.push_back({static_cast<std::int32_t>(i), at->second[i].begin, at->second[i].end});
    }
    return found;
  }

  SourceResult<std::vector<std::optional<std::int64_t>>> offsets_at(std::span<const PartitionTime> times,
                                                                    Deadline) override {
    const std::lock_guard lock(mutex_);
    if (away_) return failure();
    std::vector<std::optional<std::int64_t>> found;
    for (const PartitionTime& time : times) {
      found.emplace_back();
      if (const Partition* partition = find(time.id))
        for (const SourceRecord& record : partition->records) {
          if (record.timestamp < time.timestamp) continue;
          found.back() = record.offset;
          break;
        }
    }
    return found;
  }

  SourceResult<std::vector<std::optional<RecordPlace>>> records_at(std::span<const PartitionOffset> offsets,
                                                                   Deadline) override {
    const std::lock_guard lock(mutex_);
    looked_up_ += offsets.size();
    if (away_) return failure();
    std::vector<std::optional<RecordPlace>> found;
    for (const PartitionOffset& wanted : offsets) {
      found.emplace_back();
      if (const Partition* partition = find(wanted.id))
        for (const SourceRecord& record : partition->records) {
          if (record.offset < wanted.offset) continue;
          found.back() = RecordPlace{record.offset, record.timestamp};
          break;
        }
    }
    return found;
  }

  SourceResult<FetchedRecords> fetch(const PartitionId& id, std::int64_t offset, std::size_t max_bytes,
                                     Deadline) override {
    const std::lock_guard lock(mutex_);
    ++fetches_;
    if (away_) return failure();
    return read(id, offset, max_bytes);
  }

  std::unique_ptr<RecordTail> tail(const std::string& topic, std::span<const PartitionOffset> from,
                                   std::function<void()> on_readable) override {
    return std::make_unique<Tail>(*this, topic, from, std::move(on_readable));
  }

  std::optional<std::string> away_reason() const override {
    const std::lock_guard lock(mutex_);
    return away_ ? std::optional<std::string>("The source is away") : std::nullopt;
  }
  void stop() override {
    const std::lock_guard lock(mutex_);
    stopped_ = away_ = true;
  }

 private:
  struct Partition {
    std::vector<SourceRecord> records;
    std::int64_t begin = 0;
    std::int64_t end = 0;
  };

  class Tail final : public RecordTail {
   public:
    Tail(MemorySource& source, std::string topic, std::span<const PartitionOffset> from,
         std::function<void()> on_readable)
        : source_(source), topic_(std::move(topic)), on_readable_(std::move(on_readable)) {
      for (const PartitionOffset& known : from) next_[known.id.partition] = known.offset;
      const std::lock_guard lock(source_.mutex_);
      source_.tails_.insert(this);
    }
    ~Tail() override {
      const std::lock_guard lock(source_.mutex_);
      source_.tails_.erase(this);
    }

    void read(TailRead& into, std::size_t max_bytes) override {
      const std::lock_guard lock(source_.mutex_);
      if (!source_.away_) {
        const auto found = source_.topics_.find(topic_);
        const std::size_t partitions = found == source_.topics_.end() ? 0 : found->second.size();
        for (std::size_t i = 0; i < partitions; ++i) {
          const auto number = static_cast<std::int32_t>(i);
          std::int64_t& next = next_.try_emplace(number, 0).first->second;
          if (started_.insert(number).second) into.started.push_back({number, next});
          FetchedRecords fetched = source_.read({topic_, number}, next, max_bytes);
          next = fetched.next;
          if (fetched.gap) into.gaps.push_back(*fetched.gap);
          for (SourceRecord& record : fetched.records) into.records.push_back(std::move(record));
        }
      }
      armed_ = into.empty();
    }

    std::int64_t lag() const override { return 0; }

    const std::string& topic() const { return topic_; }
    void tell() {
      if (std::exchange(armed_, false)) on_readable_();
    }

   private:
    MemorySource& source_;
    const std::string topic_;
    const std::function<void()> on_readable_;
    std::map<std::int32_t, std::int64_t> next_;
    std::set<std::int32_t> started_;
    bool armed_ = false;
  };

  SourceFailure failure() const {
    return {stopped_ ? SourceFailure::Kind::stopped : SourceFailure::Kind::away, "The source is away"};
  }

  const Partition* find(const PartitionId& id) const {
    const auto found = topics_.find(id.topic);
    if (found == topics_.end() || static_cast<std::size_t>(id.partition) >= found->second.size()) return nullptr;
    return &found->second[static_cast<std::size_t>(id.partition)];
  }

  FetchedRecords read(const PartitionId& id, std::int64_t offset, std::size_t max_bytes) const {
    FetchedRecords fetched;
    fetched.next = offset;
    fetched.at_end = true;
    const Partition* const partition = find(id);
    if (!partition) return fetched;
    if (offset < partition->begin) fetched.next = partition->begin;
    if (offset > partition->end) fetched.next = partition->end;
    if (fetched.next != offset) fetched.gap = RecordGap{id.partition, offset, fetched.next};
    std::size_t bytes = 0;
    for (const SourceRecord& record : partition->records) {
      if (record.offset < fetched.next) continue;
      if (bytes > 0 && bytes + record.size() > max_bytes) {
        fetched.at_end = false;
        break;
      }
      bytes += record.size();
      fetched.records.push_back(record);
      fetched.next = record.offset + 1;
    }
    return fetched;
  }

  void tell(const std::string& topic) {
    for (Tail* tail : tails_)
      if (tail->topic() == topic) tail->tell();
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::vector<Partition>> topics_;
  std::set<Tail*> tails_;
  bool away_ = false;
  bool stopped_ = false;
  std::size_t fetches_ = 0;
  std::size_t looked_up_ = 0;
};

}  // namespace eventgate

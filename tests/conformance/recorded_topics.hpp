#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "eventgate/source/record_source.hpp"
#include "support/base64.hpp"

namespace eventgate {

/// The record that the set-up and `produce_after_head` write as `json`. Its offset is not known.
inline SourceRecord recorded_record(const nlohmann::json& json) {
  SourceRecord record;
  record.partition = json.value("partition", 0);
  record.timestamp = json["timestamp"];
  if (json.contains("key") && json["key"].is_string()) record.key = json["key"];
  if (json.contains("value_base64")) {
    record.value = base64_decoded(json["value_base64"].get<std::string>());
  } else if (json.contains("value_repeat")) {
    const auto& parts = json["value_repeat"];
    std::string value = parts["prefix"];
    for (int i = 0; i < parts["times"].get<int>(); ++i) value += parts["repeat"].get<std::string>();
    record.value = value + parts["suffix"].get<std::string>();
  } else if (json["value"].is_string()) {
    record.value = json["value"];
  }
  return record;
}

/// The topics of a recording's set-up, as a source in memory. Topics are made before it is used; records may be
/// produced at any time.
///
/// Thread-safe.
class RecordedTopics : public RecordSource {
 public:
  explicit RecordedTopics(const nlohmann::json& setup) {
    for (const auto& topic : setup["topics"]) {
      auto& partitions = topics_[topic["topic"].get<std::string>()];
      partitions.resize(topic["partitions"].get<std::size_t>());
    }
    for (const auto& record : setup["records"]) produce(record);
    for (const auto& deleted : setup["delete_records"])
      partition({deleted["topic"], deleted["partition"]})->begin = deleted["before_offset"];
  }

  /// Appends a record as the set-up and `produce_after_head` write it.
  void produce(const nlohmann::json& json) {
    SourceRecord record = recorded_record(json);
    std::vector<std::function<void()>> readable;
    {
      const std::lock_guard lock(mutex_);
      Partition& into = topics_.at(json["topic"]).at(static_cast<std::size_t>(record.partition));
      record.offset = static_cast<std::int64_t>(into.records.size());
      into.records.push_back(std::move(record));
      for (const auto& [id, waiting] : waiting_) readable.push_back(waiting);
      waiting_.clear();
    }
    for (const auto& call : readable) call();
  }

  /// Returns the partitions of `topic`, 0 if it does not exist.
  std::size_t partitions(const std::string& topic) const {
    const std::lock_guard lock(mutex_);
    const auto found = topics_.find(topic);
    return found == topics_.end() ? 0 : found->second.size();
  }

  std::string_view name() const override { return "file"; }

  SourceResult<std::vector<TopicBounds>> bounds(std::span<const std::string> topics, Deadline) override {
    const std::lock_guard lock(mutex_);
    std::vector<TopicBounds> all;
    for (const std::string& topic : topics) {
      TopicBounds& one = all.emplace_back();
      const auto found = topics_.find(topic);
      one.exists = found != topics_.end();
      for (std::size_t i = 0; one.exists && i < found->second.size(); ++i)
        one.partitions.push_back({static_cast<std::int32_t>(i), found->second[i].begin, found->second[i].end()});
    }
    return all;
  }

  SourceResult<std::vector<std::optional<std::int64_t>>> offsets_at(std::span<const PartitionTime> times,
                                                                    Deadline) override {
    const std::lock_guard lock(mutex_);
    std::vector<std::optional<std::int64_t>> offsets;
    for (const PartitionTime& time : times) {
      offsets.emplace_back();
      const Partition* const of = partition(time.id);
      for (std::int64_t at = of ? of->begin : 0; of && at < of->end() && !offsets.back(); ++at)
        if (of->at(at).timestamp >= time.timestamp) offsets.back() = at;
    }
    return offsets;
  }

  SourceResult<std::vector<std::optional<RecordPlace>>> records_at(std::span<const PartitionOffset> offsets,
                                                                   Deadline) override {
    const std::lock_guard lock(mutex_);
    std::vector<std::optional<RecordPlace>> places;
    for (const PartitionOffset& offset : offsets) {
      places.emplace_back();
      const Partition* const of = partition(offset.id);
      if (!of) continue;
      const std::int64_t at = std::max(offset.offset, of->begin);
      if (at < of->end()) places.back() = RecordPlace{at, of->at(at).timestamp};
    }
    return places;
  }

  SourceResult<FetchedRecords> fetch(const PartitionId& id, std::int64_t offset, std::size_t max_bytes,
                                     Deadline) override {
    const std::lock_guard lock(mutex_);
    FetchedRecords fetched;
    fetched.next = offset;
    const Partition* const of = partition(id);
    if (of && (offset < of->begin || offset > of->end())) {
      fetched.next = std::clamp(offset, of->begin, of->end());
      fetched.gap = RecordGap{id.partition, offset, fetched.next};
    }
    for (std::size_t bytes = 0; of && fetched.next < of->end() && bytes < max_bytes; ++fetched.next) {
      fetched.records.push_back(of->at(fetched.next));
      bytes += fetched.records.back().size();
    }
    fetched.at_end = !of || fetched.next == of->end();
    return fetched;
  }

  std::unique_ptr<RecordTail> tail(const std::string& topic, std::span<const PartitionOffset> from,
                                   std::function<void()> on_readable) override {
    return std::make_unique<Tail>(*this, topic, from, std::move(on_readable));
  }

  std::optional<std::string> away_reason() const override { return std::nullopt; }
  void stop() override {}

 private:
  struct Partition {
    std::vector<SourceRecord> records;  ///< From offset 0, also those that are deleted.
    std::int64_t begin = 0;

    std::int64_t end() const { return static_cast<std::int64_t>(records.size()); }
    const SourceRecord& at(std::int64_t offset) const { return records[static_cast<std::size_t>(offset)]; }
  };

  class Tail : public RecordTail {
   public:
    Tail(RecordedTopics& topics, std::string topic, std::span<const PartitionOffset> from,
         std::function<void()> on_readable)
        : topics_(topics), topic_(std::move(topic)), on_readable_(std::move(on_readable)) {
      for (const PartitionOffset& one : from) next_[one.id.partition] = one.offset;
    }
    ~Tail() override {
      const std::lock_guard lock(topics_.mutex_);
      topics_.waiting_.erase(this);
    }

    void read(TailRead& into, std::size_t max_bytes) override {
      const std::lock_guard lock(topics_.mutex_);
      const auto found = topics_.topics_.find(topic_);
      std::size_t bytes = 0;
      const bool was_empty = into.empty();
      for (std::size_t i = 0; found != topics_.topics_.end() && i < found->second.size(); ++i) {
        const auto number = static_cast<std::int32_t>(i);
        const Partition& of = found->second[i];
        std::int64_t& next = next_.try_emplace(number, of.begin).first->second;
        if (started_.insert(number).second) into.started.push_back({number, next});
        if (next < of.begin) {
          into.gaps.push_back({number, next, of.begin});
          next = of.begin;
        }
        for (; next < of.end() && bytes < max_bytes; ++next) {
          into.records.push_back(of.at(next));
          bytes += into.records.back().size();
        }
      }
      if (was_empty && into.empty()) topics_.waiting_[this] = on_readable_;
    }

    std::int64_t lag() const override { return 0; }

   private:
    RecordedTopics& topics_;
    const std::string topic_;
    const std::function<void()> on_readable_;
    std::map<std::int32_t, std::int64_t> next_;
    std::set<std::int32_t> started_;
  };

  Partition* partition(const PartitionId& id) {
    const auto found = topics_.find(id.topic);
    const auto number = static_cast<std::size_t>(id.partition);
    return found == topics_.end() || number >= found->second.size() ? nullptr : &found->second[number];
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::vector<Partition>> topics_;
  std::map<const Tail*, std::function<void()>> waiting_;  ///< Tails that have read all there is.
};

}  // namespace eventgate

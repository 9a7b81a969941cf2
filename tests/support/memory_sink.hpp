#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/delivery/sink.hpp"

namespace eventgate {

/// A copy of a record that a sink got.
struct KeptRecord {
  std::string topic;
  std::optional<std::string> message_key;
  std::string value;
  std::int64_t timestamp = 0;
  Assurance assurance = Assurance::guaranteed;
};

/// The records of a MemorySink. It outlives the sink, so that the test can read it.
struct SinkMemory {
  /// Returns the failure of a record, or nullopt for a success. Without it all succeed.
  std::function<std::optional<DeliveryFailure>(const KeptRecord&)> judge;
  /// If true, records are settled only when the sink stops.
  bool silent = false;
  bool borrows_record_text = false;
  std::optional<std::string> not_ready_reason;

  std::mutex mutex;
  std::vector<KeptRecord> records;
  std::vector<std::string> prefetched_topics;
  std::vector<DeliveryHandle*> unsettled;
};

/// A sink that keeps records in memory and settles them at once.
class MemorySink final : public Sink {
 public:
  MemorySink(std::string name, std::shared_ptr<SinkMemory> memory)
      : name_(std::move(name)), memory_(std::move(memory)) {}

  std::string_view name() const override { return name_; }

  void produce(std::span<const Record> records, Assurance assurance) override {
    for (const Record& record : records) {
      KeptRecord kept{std::string(record.topic), std::nullopt, std::string(record.value), record.timestamp, assurance};
      if (record.message_key) kept.message_key = std::string(*record.message_key);
      auto failure = memory_->judge ? memory_->judge(kept) : std::nullopt;
      {
        const std::lock_guard lock(memory_->mutex);
        memory_->records.push_back(std::move(kept));
        if (memory_->silent) {
          memory_->unsettled.push_back(record.handle);
          continue;
        }
      }
      if (failure)
        record.handle->fail(std::move(*failure));
      else
        record.handle->succeed();
    }
  }

  bool borrows_record_text() const override { return memory_->borrows_record_text; }

  void prefetch_metadata(const std::string& topic) override {
    const std::lock_guard lock(memory_->mutex);
    memory_->prefetched_topics.push_back(topic);
  }

  std::optional<std::string> not_ready_reason() const override { return memory_->not_ready_reason; }

  void stop(std::chrono::steady_clock::time_point) override {
    std::vector<DeliveryHandle*> left;
    {
      const std::lock_guard lock(memory_->mutex);
      left.swap(memory_->unsettled);
    }
    for (DeliveryHandle* handle : left) handle->succeed();
  }

 private:
  std::string name_;
  std::shared_ptr<SinkMemory> memory_;
};

}  // namespace eventgate

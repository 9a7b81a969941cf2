#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "eventgate/delivery/sink.hpp"
#include "memory_sink.hpp"

namespace eventgate {

/// The records of a HeldSink. The test settles them later, or `judge` settles them at once.
struct SinkHold {
  struct Held {
    KeptRecord record;
    DeliveryHandle* handle;
  };

  std::mutex mutex;
  std::vector<Held> held;
  std::vector<std::string> values;  ///< Values of all records, in the order in which they came.
  std::optional<std::string> not_ready_reason;
  std::set<std::string> topics_without_metadata;
  std::vector<std::string> prefetched_topics;
  /// Returns the failure of a record, or nullopt for a success. Without it records are held.
  std::function<std::optional<DeliveryFailure>(const KeptRecord&)> judge;

  std::size_t count() {
    const std::lock_guard lock(mutex);
    return held.size();
  }
  std::vector<std::string> all() {
    const std::lock_guard lock(mutex);
    return values;
  }
  void set_not_ready(std::optional<std::string> reason) {
    const std::lock_guard lock(mutex);
    not_ready_reason = std::move(reason);
  }
  void set_judge(std::function<std::optional<DeliveryFailure>(const KeptRecord&)> next) {
    const std::lock_guard lock(mutex);
    judge = std::move(next);
  }
  /// Settles the first held record with this value. Returns false if there is none.
  bool settle(const std::string& value, std::optional<DeliveryFailure> failure = std::nullopt) {
    DeliveryHandle* handle = nullptr;
    {
      const std::lock_guard lock(mutex);
      for (auto it = held.begin(); it != held.end(); ++it) {
        if (it->record.value != value) continue;
        handle = it->handle;
        held.erase(it);
        break;
      }
    }
    if (handle == nullptr) return false;
    if (failure)
      handle->fail(std::move(*failure));
    else
      handle->succeed();
    return true;
  }
};

/// A sink that replaces Kafka's. It holds records until the test settles them.
class HeldSink final : public Sink {
 public:
  explicit HeldSink(std::shared_ptr<SinkHold> hold) : hold_(std::move(hold)) {}
  ~HeldSink() override { stop({}); }

  std::string_view name() const override { return "kafka"; }

  void produce(std::span<const Record> records, Assurance assurance) override {
    std::vector<std::pair<DeliveryHandle*, std::optional<DeliveryFailure>>> judged;
    {
      const std::lock_guard lock(hold_->mutex);
      for (const Record& record : records) {
        KeptRecord kept{std::string(record.topic), std::nullopt, std::string(record.value), record.timestamp,
                        assurance};
        if (record.message_key) kept.message_key = std::string(*record.message_key);
        hold_->values.push_back(kept.value);
        if (hold_->judge) {
          judged.emplace_back(record.handle, hold_->judge(kept));
        } else {
          hold_->held.push_back({std::move(kept), record.handle});
        }
      }
    }
    for (auto& [handle, failure] : judged) {
      if (failure)
        handle->fail(std::move(*failure));
      else
        handle->succeed();
    }
  }

  void prefetch_metadata(const std::string& topic) override {
    const std::lock_guard lock(hold_->mutex);
    hold_->prefetched_topics.push_back(topic);
  }
  std::optional<std::string> not_ready_reason() const override {
    const std::lock_guard lock(hold_->mutex);
    return hold_->not_ready_reason;
  }
  bool has_metadata(const std::string& topic) const override {
    const std::lock_guard lock(hold_->mutex);
    return !hold_->topics_without_metadata.contains(topic);
  }

  /// Fails the held records as purged.
  void stop(std::chrono::steady_clock::time_point) override {
    std::vector<SinkHold::Held> left;
    {
      const std::lock_guard lock(hold_->mutex);
      left.swap(hold_->held);
    }
    for (const SinkHold::Held& held : left) held.handle->fail({Delivery::unknown, "purged"});
  }

 private:
  std::shared_ptr<SinkHold> hold_;
};

}  // namespace eventgate

#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "becomes.hpp"
#include "eventgate/delivery/delivery_batch.hpp"
#include "eventgate/delivery/sink.hpp"

namespace eventgate {

/// A record that owns its texts.
struct OwnRecord {
  std::string topic;
  std::string value;
  std::optional<std::string> message_key;
  std::int64_t timestamp = 0;
  bool already_answered = false;
};

/// The failure of each record, or nullopt for a success.
using Outcomes = std::vector<std::optional<DeliveryFailure>>;

/// An I/O thread that produces to a sink and waits for the deliveries, as the gate does. It must outlive the sink.
class SinkDriver {
 public:
  SinkDriver() : work_(io_.get_executor()), thread_([this] { io_.run(); }) {}
  ~SinkDriver() {
    io_.stop();
    thread_.join();
  }

  IoExecutor executor() { return io_.get_executor(); }

  /// Returns the number of delivered records that only the spool has.
  std::size_t spooled() const { return spooled_; }

  /// Hands `records` over now. The future gets their outcomes. `timeout` zero: waits for every report.
  std::future<Outcomes> start(Sink& sink, std::vector<OwnRecord> records, Assurance assurance = Assurance::guaranteed,
                              std::chrono::milliseconds timeout = std::chrono::milliseconds(0)) {
    std::promise<Outcomes> outcomes;
    std::future<Outcomes> later = outcomes.get_future();
    spawn(io_.get_executor(),
          deliver(io_.get_executor(), sink, std::move(records), assurance, timeout, std::move(outcomes), &spooled_));
    return later;
  }

  Outcomes produce(Sink& sink, std::vector<OwnRecord> records, Assurance assurance = Assurance::guaranteed,
                   std::chrono::milliseconds timeout = std::chrono::milliseconds(0)) {
    return start(sink, std::move(records), assurance, timeout).get();
  }

 private:
  static Task<void> deliver(IoExecutor executor, Sink& sink, std::vector<OwnRecord> own, Assurance assurance,
                            std::chrono::milliseconds timeout, std::promise<Outcomes> outcomes,
                            std::atomic<std::size_t>* spooled) {
    DeliveryBatch* batch = DeliveryBatch::make(executor, own.size());
    std::vector<Record> records;
    for (std::size_t i = 0; i < own.size(); ++i) {
      Record record;
      record.topic = own[i].topic;
      if (own[i].message_key) record.message_key = *own[i].message_key;
      record.value = own[i].value;
      record.timestamp = own[i].timestamp;
      record.handle = &batch->handle(i);
      record.already_answered = own[i].already_answered;
      records.push_back(record);
    }
    sink.produce(records, assurance);
    co_await batch->wait(timeout);
    const DeliveryFailure timed_out{Delivery::unknown, "no report in time"};
    Outcomes found;
    for (std::size_t i = 0; i < own.size(); ++i) {
      const DeliveryFailure* failure = batch->failure(i, timed_out);
      found.push_back(failure == nullptr ? std::nullopt : std::optional(*failure));
      if (failure == nullptr && batch->is_spooled(i)) ++*spooled;
    }
    batch->release();
    outcomes.set_value(std::move(found));
  }

  std::atomic<std::size_t> spooled_{0};
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<IoExecutor> work_;
  std::thread thread_;
};

/// Returns `success`, `not_produced: MESSAGE` or `unknown: MESSAGE`.
inline std::string outcome_text(const std::optional<DeliveryFailure>& failure) {
  if (!failure) return "success";
  return (failure->delivery == Delivery::not_produced ? "not_produced: " : "unknown: ") + failure->message;
}

inline std::vector<std::string> outcome_texts(const Outcomes& outcomes) {
  std::vector<std::string> texts;
  for (const auto& outcome : outcomes) texts.push_back(outcome_text(outcome));
  return texts;
}

}  // namespace eventgate

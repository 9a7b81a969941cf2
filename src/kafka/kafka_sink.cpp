#include "eventgate/kafka/kafka_sink.hpp"

#include <atomic>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "eventgate/base/topic_name.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "kafka_conf.hpp"
#include "kafka_housekeeper.hpp"
#include "kafka_producer.hpp"
#include "topic_limits.hpp"

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kReportsPerDrain = 1000;
constexpr milliseconds kFlushTime{10};  // for each client with messages, at each drain while the sink stops
constexpr milliseconds kDrainPause{1};  // between drains while the sink stops
constexpr int kMaxPurgeDrains = 200;    // drains after a purge, which reports everything at once

/// Throws std::invalid_argument that names every problem of the options.
KafkaConf make_valid_conf(const KafkaSinkOptions& options, std::string_view label) {
  std::vector<std::string> problems;
  KafkaConf conf = make_kafka_conf(options, label, problems);
  if (problems.empty()) return conf;
  std::string all;
  for (const std::string& problem : problems) all += (all.empty() ? "" : "; ") + problem;
  throw std::invalid_argument(all);
}

class KafkaSink final : public Sink {
 public:
  KafkaSink(const KafkaSinkOptions& options, const IoExecutor& reports, Telemetry& telemetry)
      : guaranteed_("guaranteed", make_valid_conf(options, "guaranteed"), reports, limits_, housekeeper_, telemetry),
        hasty_("hasty", make_valid_conf(options, "hasty"), reports, limits_, housekeeper_, telemetry) {
    if (!BrokerRefusals::is_tested(rd_kafka_version()))
      telemetry.sink_warning(name(), std::string("librdkafka ") + rd_kafka_version_str() +
                                         " is not one of the versions tested, 2.0.2 and 2.8.0: an event that Kafka did "
                                         "not take gets delivery 'unknown' where only librdkafka's log proves "
                                         "'not_produced'");
    housekeeper_.start({&guaranteed_, &hasty_});
  }

  ~KafkaSink() override { stop(Clock::now()); }

  std::string_view name() const override { return "kafka"; }

  void produce(std::span<const Record> records, Assurance assurance) override {
    (assurance == Assurance::guaranteed ? guaranteed_ : hasty_).produce(records);
  }

  void prefetch_metadata(const std::string& topic) override {
    if (is_topic_name(topic)) housekeeper_.prefetch_metadata(topic);
  }

  std::function<void()> reload() override {
    return [reload_guaranteed = guaranteed_.reload(), reload_hasty = hasty_.reload()] {
      reload_guaranteed();
      reload_hasty();
    };
  }

  std::optional<std::string> not_ready_reason() const override {
    if (auto reason = guaranteed_.not_ready_reason()) return reason;
    return hasty_.not_ready_reason();
  }

  bool has_metadata(const std::string& topic) const override {
    return guaranteed_.has_metadata(topic) && hasty_.has_metadata(topic);
  }

  milliseconds linger(Assurance assurance) const override {
    return (assurance == Assurance::guaranteed ? guaranteed_ : hasty_).linger();
  }

  void stop(Clock::time_point deadline) override;

 private:
  /// Handles the reports of all clients. Returns true if no record waits for a report or for room.
  bool drain() {
    bool empty = true;
    for (const KafkaProducer* producer : {&guaranteed_, &hasty_}) {
      for (const auto& client : producer->clients()) {
        if (client->pending_count() > 0) client->flush(kFlushTime);
        while (client->drain(kReportsPerDrain)) continue;
        empty = empty && client->pending_count() == 0;
      }
      empty = empty && !producer->has_waiting_records();
    }
    return empty;
  }

  TopicLimits limits_;
  KafkaHousekeeper housekeeper_;
  KafkaProducer guaranteed_;
  KafkaProducer hasty_;
  std::atomic<bool> stopped_{false};
};

void KafkaSink::stop(Clock::time_point deadline) {
  if (stopped_.exchange(true)) return;
  guaranteed_.end();
  hasty_.end();
  housekeeper_.end_maintenance();
  for (;;) {
    const bool idle = housekeeper_.is_idle();
    if (drain() && idle && housekeeper_.is_idle()) break;
    if (Clock::now() >= deadline) break;
    std::this_thread::sleep_for(kDrainPause);
  }
  housekeeper_.stop();
  guaranteed_.fail_waiting_records();
  hasty_.fail_waiting_records();
  for (const KafkaProducer* producer : {&guaranteed_, &hasty_})
    for (const auto& client : producer->clients())
      if (client->pending_count() > 0) client->purge(RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  for (int i = 0; i < kMaxPurgeDrains && !drain(); ++i) std::this_thread::sleep_for(kDrainPause);
  guaranteed_.close();
  hasty_.close();
}

}  // namespace

std::unique_ptr<Sink> make_kafka_sink(const KafkaSinkOptions& options, const IoExecutor& reports,
                                      Telemetry& telemetry) {
  return std::make_unique<KafkaSink>(options, reports, telemetry);
}

}  // namespace eventgate

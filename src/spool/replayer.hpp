#pragma once

#include <chrono>
#include <cstddef>

#include "eventgate/delivery/sink.hpp"
#include "replay_rate.hpp"
#include "spool_inbox.hpp"

namespace eventgate {

class SpoolState;
class SpoolWriter;
class Telemetry;
class TopicQueues;
struct TopicQueue;

/// Sends the records of the store to Kafka once it is back, in order within a topic.
///
/// Use on the spool's thread.
class Replayer {
 public:
  using Clock = std::chrono::steady_clock;

  /// `records_per_second`: the limit over all topics. The references must outlive this.
  Replayer(std::size_t records_per_second, Sink& kafka, TopicQueues& queues, SpoolWriter& writer, SpoolInbox& inbox,
           const SpoolState& state, Telemetry& telemetry);

  /// Hands the records that are due to Kafka's sink, as far as the rate allows.
  void replay(Clock::time_point now);

  /// Handles the report of a replayed record.
  void handle_report(AttemptReport report, Clock::time_point now);

  /// Returns when `replay` has something to do, at the latest `latest`.
  Clock::time_point next_run(Clock::time_point now, Clock::time_point latest) const;

  /// Allows one more repair of a damaged store. Call once a second.
  void allow_repair() { repaired_ = false; }

 private:
  /// A record under way from the store. It deletes itself when it is settled.
  struct ReplayHandle;
  struct ReplayListener final : DeliveryListener {
    explicit ReplayListener(SpoolInbox& to) : inbox(to) {}
    void handle_settled(DeliveryHandle& handle) noexcept override;
    SpoolInbox& inbox;
  };

  std::size_t replay_topic(TopicQueue& queue, std::size_t max_records, Clock::time_point now);
  std::vector<SpooledRecord> read_records(TopicQueue& queue, std::size_t max_records, Clock::time_point now);

  ReplayRate rate_;
  Sink& kafka_;
  TopicQueues& queues_;
  SpoolWriter& writer_;
  const SpoolState& state_;
  Telemetry& telemetry_;
  ReplayListener listener_;
  bool recount_needed_ = false;
  bool repaired_ = false;  // since the last `allow_repair`
};

}  // namespace eventgate

#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace eventgate {

/// Returns the topic if `text` says that a broker refused messages in a way that does not prove them unwritten: it does
/// not lead the partition any more, or its disk failed. Returns nullopt for every other line.
///
/// `text` is a line of librdkafka's debug context "msg", of the facility MSGSET:
/// "[thrd:...]: HOST:PORT/ID: TOPIC [0]: MessageSet with 3 message(s) (...) encountered error: ERROR (actions ...)".
std::optional<std::string_view> doubtfully_refused_topic(std::string_view text);

/// What is certain of a message, from librdkafka's report and the refusals that its log tells of.
///
/// Thread-safe.
class RefusalLog {
 public:
  using Clock = std::chrono::steady_clock;  // librdkafka's is the same

  /// `version`: as rd_kafka_version() gives it. If it was not tested, its log is not believed.
  explicit RefusalLog(int version) : believed_(is_tested(version)) {}

  /// True for the versions of librdkafka whose lines the tests hold, 2.0.2 and 2.8.0.
  static bool is_tested(int version);

  /// Takes a line of librdkafka's log, of the facility MSGSET, before the reports that follow from it.
  void note(std::string_view text);

  /// As librdkafka's `status`, but POSSIBLY_PERSISTED where that is not certain:
  /// - NOT_PERSISTED of a message that a broker refused because it does not lead the partition (any more), and that was
  ///   sent again until its time was over. A leader that steps down answers so for what it has written already, too.
  ///   Only the log tells of such refusals. If the log is not believed, only a record too large for its topic is
  ///   NOT_PERSISTED, because no earlier try can have written it.
  /// - NOT_PERSISTED after an unexpected error of the broker, which may have come behind the append.
  /// - PERSISTED without an offset, of an idempotent producer: a later batch was taken, so this one must have been. A
  ///   broker that knows nothing of the producer yet takes a later batch without the one before, though.
  rd_kafka_msg_status_t status(rd_kafka_msg_status_t status, rd_kafka_resp_err_t error, std::int64_t offset,
                               std::string_view topic, Clock::time_point handed_over) const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  const bool believed_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Clock::time_point, Hash, std::equal_to<>> refusals_;  // topics of Kafka to their last
};

}  // namespace eventgate

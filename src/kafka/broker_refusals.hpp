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

/// Returns the topic if `text` says that a broker refused messages that it may have written: it no longer leads the
/// partition, or its disk failed. Returns nullopt for every other line.
///
/// `text` is a line of librdkafka's debug context "msg" with the facility MSGSET:
/// "[thrd:...]: HOST:PORT/ID: TOPIC [0]: MessageSet with 3 message(s) (...) encountered error: ERROR (actions ...)".
std::optional<std::string_view> doubtfully_refused_topic(std::string_view text);

/// Corrects the status in librdkafka's delivery reports. librdkafka calls a message not persisted that a broker may
/// have written, and only its log names the refusals that leave this open.
///
/// Thread-safe.
class BrokerRefusals {
 public:
  using Clock = std::chrono::steady_clock;  // librdkafka uses the same clock

  /// `version`: the result of rd_kafka_version(). The log of a version that is not tested is not trusted.
  explicit BrokerRefusals(int version) : trusted_(is_tested(version)) {}

  /// Returns true for 2.0.2 and 2.8.0: the tests contain the lines of these versions.
  static bool is_tested(int version);

  /// Takes a line of librdkafka's log with the facility MSGSET. Call it before the reports that follow from the line.
  void add_line(std::string_view text);

  /// Returns librdkafka's `status` of a message, or POSSIBLY_PERSISTED in these cases:
  ///
  /// - NOT_PERSISTED, but a broker refused the message since `handed_over` because it does not lead the partition. A
  ///   leader that steps down gives this answer also for messages that it has written. If the log is not trusted, every
  ///   NOT_PERSISTED counts as doubtful, except for a message that is too large: no earlier try can have written it.
  /// - NOT_PERSISTED after an unexpected error of the broker, which may have occurred after the write.
  /// - PERSISTED without an offset. An idempotent producer concludes this when a later batch is acknowledged. A broker
  ///   that does not know the producer yet accepts a later batch without the one before it.
  rd_kafka_msg_status_t status(rd_kafka_msg_status_t status, rd_kafka_resp_err_t error, std::int64_t offset,
                               std::string_view topic, Clock::time_point handed_over) const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  const bool trusted_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Clock::time_point, Hash, std::equal_to<>> last_refusals_;  // by topic
};

}  // namespace eventgate

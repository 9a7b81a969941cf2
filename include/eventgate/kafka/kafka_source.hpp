#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "eventgate/source/record_source.hpp"

namespace eventgate {

class Telemetry;

/// How the read side reaches Kafka.
struct KafkaSourceOptions {
  /// librdkafka's options by their own names: `kafka.streams.conf` over `kafka.conf`. Options of producers, of consumer
  /// groups and of committed offsets have no effect.
  std::map<std::string, std::string> conf;
  std::map<std::string, std::string> topic_conf;  ///< Options of topics, likewise.
  std::string user_agent = "eventgate";           ///< client.id is this with `-streams`, unless `conf` has one.
};

/// Makes a source that reads from Kafka without a consumer group: nothing is joined and nothing committed.
///
/// One librdkafka client follows the live ends of all topics; a second one reads a topic that is tailed twice. One more
/// looks positions up, and at most three read replays. A transaction's records are read as `isolation.level` says, by
/// default once they are committed. Offsets that compaction, aborted transactions or control records leave out are no
/// gap. Starting while Kafka is down succeeds.
///
/// `telemetry` must outlive the source. Destroy the tails before the source. Throws std::invalid_argument with
/// librdkafka's reason if it refuses an option.
std::unique_ptr<RecordSource> make_kafka_source(const KafkaSourceOptions& options, Telemetry& telemetry);

/// Returns true if librdkafka has the option `name` for producers only, so that consumers ignore it.
///
/// Thread-safe.
bool is_kafka_producer_option(std::string_view name);

}  // namespace eventgate

#include "kafka_consumer_conf.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "eventgate/kafka/kafka_preflight.hpp"

namespace eventgate {
namespace {

// Marked P in librdkafka's CONFIGURATION.md. librdkafka warns of each that a consumer has.
constexpr std::array<std::string_view, 33> kProducerOptions{"transactional.id",
                                                            "transaction.timeout.ms",
                                                            "enable.idempotence",
                                                            "enable.gapless.guarantee",
                                                            "queue.buffering.max.messages",
                                                            "queue.buffering.max.kbytes",
                                                            "queue.buffering.max.ms",
                                                            "linger.ms",
                                                            "message.send.max.retries",
                                                            "retries",
                                                            "retry.backoff.ms",
                                                            "retry.backoff.max.ms",
                                                            "queue.buffering.backpressure.threshold",
                                                            "compression.codec",
                                                            "compression.type",
                                                            "compression.level",
                                                            "batch.num.messages",
                                                            "batch.size",
                                                            "delivery.report.only.error",
                                                            "sticky.partitioning.linger.ms",
                                                            "request.required.acks",
                                                            "acks",
                                                            "request.timeout.ms",
                                                            "message.timeout.ms",
                                                            "delivery.timeout.ms",
                                                            "queuing.strategy",
                                                            "produce.offset.report",
                                                            "partitioner",
                                                            "msg_order_cmp",
                                                            "dr_cb",
                                                            "dr_msg_cb",
                                                            "partitioner_cb",
                                                            "topic.metadata.propagation.max.ms"};

// Options of groups and of committed offsets, and those that the source depends on.
constexpr std::array<std::string_view, 18> kOwnOptions{"group.id",
                                                       "group.instance.id",
                                                       "group.protocol",
                                                       "group.protocol.type",
                                                       "group.remote.assignor",
                                                       "partition.assignment.strategy",
                                                       "session.timeout.ms",
                                                       "heartbeat.interval.ms",
                                                       "max.poll.interval.ms",
                                                       "enable.auto.commit",
                                                       "auto.commit.enable",
                                                       "auto.commit.interval.ms",
                                                       "enable.auto.offset.store",
                                                       "auto.offset.reset",
                                                       "enable.partition.eof",
                                                       "allow.auto.create.topics",
                                                       "coordinator.query.interval.ms",
                                                       "consume.callback.max.messages"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_used(std::string_view name) {
  return !is_node_rdkafka_option(name) && !is_kafka_producer_option(name) && !contains(kOwnOptions, name) &&
         !name.starts_with("offset.store.");
}

using Settings = std::initializer_list<std::pair<const char*, const char*>>;

constexpr const char* kReplayKilobytes = "512";

}  // namespace

const char* consumer_purpose_name(ConsumerPurpose purpose) {
  switch (purpose) {
    case ConsumerPurpose::live:
      return "live";
    case ConsumerPurpose::replay:
      return "replay";
    case ConsumerPurpose::look_up:
      return "look_up";
  }
  return "";
}

bool is_kafka_producer_option(std::string_view name) { return contains(kProducerOptions, name); }

KafkaConf make_consumer_conf(const KafkaSourceOptions& options, ConsumerPurpose purpose,
                             std::vector<std::string>& problems) {
  KafkaConf conf(rd_kafka_conf_new());
  const auto set = [&](const std::string& where, const std::string& name, const std::string& value) {
    try {
      set_kafka_conf(*conf, where, name, value);
    } catch (const std::invalid_argument& refused) {
      problems.push_back(refused.what());
    }
  };
  const auto set_all = [&](Settings settings) {
    for (const auto& [name, value] : settings) set("kafka.streams", name, value);
  };
  // Defaults of the gate come first, so that an option wins under each of its names.
  set("kafka.streams", "client.id", options.user_agent + "-streams");
  set_all({{"reconnect.backoff.max.ms", "1000"},
           {"fetch.error.backoff.ms", "200"},
           {"topic.metadata.refresh.interval.ms", "5000"},
           {"fetch.wait.max.ms", "100"},
           {"fetch.max.bytes", "16777216"},
           {"queued.max.messages.kbytes", "4096"}});
  for (const auto& [name, value] : options.conf)
    if (is_used(name)) set("kafka.streams.conf", name, value);
  for (const auto& [name, value] : options.topic_conf)
    if (is_used(name)) set("kafka.streams.topic_conf", name, value);
  if (options.conf.count("bootstrap.servers") == 0 && options.conf.count("metadata.broker.list") == 0)
    problems.push_back("kafka.conf: expected metadata.broker.list, the brokers as host:port separated by commas");

  // A position that is gone must be an error, because the source says what is missing.
  set_all({{"auto.offset.reset", "error"}, {"allow.auto.create.topics", "false"}});
  switch (purpose) {
    case ConsumerPurpose::live:
      break;
    case ConsumerPurpose::replay:
      set_all({{"enable.partition.eof", "true"},
               {"statistics.interval.ms", "0"},
               {"fetch.min.bytes", "1"},
               {"fetch.wait.max.ms", "20"},
               {"fetch.message.max.bytes", "524288"},
               {"fetch.max.bytes", "4194304"},
               {"queued.min.messages", "100000"},
               {"queued.max.messages.kbytes", kReplayKilobytes}});
      break;
    case ConsumerPurpose::look_up:
      set_all({{"enable.partition.eof", "true"},
               {"statistics.interval.ms", "0"},
               {"fetch.min.bytes", "1"},
               {"fetch.wait.max.ms", "10"},
               {"fetch.message.max.bytes", "1024"},
               {"queued.min.messages", "1"},
               {"queued.max.messages.kbytes", "64"}});
      break;
  }
  // Since librdkafka 2.2 this is the pause after a queue was full. Before, KafkaConsumer::wake ends the pause.
  std::array<char, 256> ignored{};
  rd_kafka_conf_set(conf.get(), "fetch.queue.backoff.ms", "10", ignored.data(), ignored.size());
  return conf;
}

}  // namespace eventgate

#include "kafka_statistics.hpp"

#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "families.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::json;

/// The object of the statistics that has a value: the whole, one of `brokers`, one of a broker's `toppars`, one of
/// `topics`, or one of a topic's `partitions`.
enum class Scope { instance, broker, broker_partition, topic, partition };

struct Row {
  const char* name;  ///< Without the prefix `eventgate_rdkafka_`.
  const char* help;
  Scope scope;
  const char* field;
  const char* window_field = nullptr;  ///< If `field` is a window of samples: the field in it.
};

/// The gauges, with the help texts of the original.
constexpr Row kRows[] = {
    // clang-format off
    {"ts", "librdkafka's internal monotonic clock (micro seconds)", Scope::instance, "ts"},
    {"time", "Wall clock time in seconds since the epoch", Scope::instance, "time"},
    {"replyq", "Number of ops waiting in queue for application to serve with rd_kafka_poll()", Scope::instance, "replyq"},
    {"msg_cnt", "Current number of messages in instance queues", Scope::instance, "msg_cnt"},
    {"msg_size", "Current total size of messages in instance queues", Scope::instance, "msg_size"},
    {"msg_max", "Threshold: maximum number of messages allowed", Scope::instance, "msg_max"},
    {"msg_size_max", "Threshold: maximum total size of messages allowed", Scope::instance, "msg_size_max"},
    {"metadata_cache_cnt", "Number of topics in the metadata cache", Scope::instance, "metadata_cache_cnt"},
    {"broker_state", "Broker state (0 = INIT,1 = DOWN,2 = CONNECT,3 = AUTH,4 = UP,5 = UPDATE,6 = APIVERSION_QUERY,7 = AUTH_HANDSHAKE)", Scope::broker, "state"},
    {"broker_stateage", "Time since last broker state change (microseconds)", Scope::broker, "stateage"},
    {"broker_outbuf_cnt", "Number of requests awaiting transmission to broker", Scope::broker, "outbuf_cnt"},
    {"broker_outbuf_msg_cnt", "Number of messages in outbuf_cnt", Scope::broker, "outbuf_msg_cnt"},
    {"broker_waitresp_cnt", "Number of requests in-flight to broker awaiting response", Scope::broker, "waitresp_cnt"},
    {"broker_waitresp_msg_cnt", "Number of messages in waitresp_cnt", Scope::broker, "waitresp_msg_cnt"},
    {"broker_tx", "Total number of requests sent", Scope::broker, "tx"},
    {"broker_txbytes", "Total number of bytes sent", Scope::broker, "txbytes"},
    {"broker_txerrs", "Total number of transmissions errors", Scope::broker, "txerrs"},
    {"broker_txretries", "Total number of request retries", Scope::broker, "txretries"},
    {"broker_req_timeouts", "Total number of requests timed out", Scope::broker, "req_timeouts"},
    {"broker_rx", "Total number of responses received", Scope::broker, "rx"},
    {"broker_rxbytes", "Total number of bytes received", Scope::broker, "rxbytes"},
    {"broker_rxerrs", "Total number of receive errors", Scope::broker, "rxerrs"},
    {"broker_rxcorriderrs", "Total number of unmatched correlation ids in response (typically for timed out requests)", Scope::broker, "rxcorriderrs"},
    {"broker_rxpartial", "Total number of partial messagesets received", Scope::broker, "rxpartial"},
    {"broker_zbuf_grow", "Total number of decompression buffer size increases", Scope::broker, "zbuf_grow"},
    {"broker_buf_grow", "Total number of buffer size increases", Scope::broker, "buf_grow"},
    {"broker_wakeups", "Broker thread poll wakeups", Scope::broker, "wakeups"},
    {"broker_int_latency_min", "Internal producer queue latency in microseconds (smallest value)", Scope::broker, "int_latency", "min"},
    {"broker_int_latency_max", "Internal producer queue latency in microseconds (largest value)", Scope::broker, "int_latency", "max"},
    {"broker_int_latency_avg", "Internal producer queue latency in microseconds (average value)", Scope::broker, "int_latency", "avg"},
    {"broker_int_latency_sum", "Internal producer queue latency in microseconds (sum of values)", Scope::broker, "int_latency", "sum"},
    {"broker_int_latency_cnt", "Internal producer queue latency in microseconds (number of value samples)", Scope::broker, "int_latency", "cnt"},
    {"broker_rtt_min", "Broker latency / round-trip time in microseconds (smallest value)", Scope::broker, "rtt", "min"},
    {"broker_rtt_max", "Broker latency / round-trip time in microseconds (largest value)", Scope::broker, "rtt", "max"},
    {"broker_rtt_avg", "Broker latency / round-trip time in microseconds (average value)", Scope::broker, "rtt", "avg"},
    {"broker_rtt_sum", "Broker latency / round-trip time in microseconds (sum of values)", Scope::broker, "rtt", "sum"},
    {"broker_rtt_cnt", "Broker latency / round-trip time in microseconds (number of value samples)", Scope::broker, "rtt", "cnt"},
    {"broker_throttle_min", "Broker throttling time in milliseconds (smallest value)", Scope::broker, "throttle", "min"},
    {"broker_throttle_max", "Broker throttling time in milliseconds (largest value)", Scope::broker, "throttle", "max"},
    {"broker_throttle_avg", "Broker throttling time in milliseconds (average value)", Scope::broker, "throttle", "avg"},
    {"broker_throttle_sum", "Broker throttling time in milliseconds (sum of values)", Scope::broker, "throttle", "sum"},
    {"broker_throttle_cnt", "Broker throttling time in milliseconds (number of value samples)", Scope::broker, "throttle", "cnt"},
    {"broker_toppars_partition", "Partitions handled by this broker handle", Scope::broker_partition, "partition"},
    {"topic_metadata_age", "Age of metadata from broker for this topic (milliseconds)", Scope::topic, "metadata_age"},
    {"topic_partition_leader", "Current leader broker id", Scope::partition, "leader"},
    {"topic_partition_desired", "Partition is explicitly desired by application (1 = true, 0 = false)", Scope::partition, "desired"},
    {"topic_partition_unknown", "Partition is not seen in topic metadata from broker (1 = true, 0 = false)", Scope::partition, "unknown"},
    {"topic_partition_msgq_cnt", "Number of messages waiting to be produced in first-level queue", Scope::partition, "msgq_cnt"},
    {"topic_partition_msgq_bytes", "Number of bytes in msgq_cnt", Scope::partition, "msgq_bytes"},
    {"topic_partition_xmit_msgq_cnt", "Number of messages ready to be produced in transmit queue", Scope::partition, "xmit_msgq_cnt"},
    {"topic_partition_xmit_msgq_bytes", "Number of bytes in xmit_msqg", Scope::partition, "xmit_msgq_bytes"},
    {"topic_partition_txmsgs", "Total number of messages transmitted (produced)", Scope::partition, "txmsgs"},
    {"topic_partition_txbytes", "Total number of bytes transmitted", Scope::partition, "txbytes"},
    {"topic_partition_msgs", "Total number of messages received (consumed)", Scope::partition, "msgs"},
    // clang-format on
};

/// Returns the number that the help text above gives to a state of a broker. Newer states of librdkafka have the number
/// of the older state that included them.
std::optional<double> broker_state(const std::string& name) {
  static const std::map<std::string, int, std::less<>> kStates{
      {"INIT", 0},        {"DOWN", 1},           {"TRY_CONNECT", 2},     {"CONNECT", 2}, {"SSL_HANDSHAKE", 2},
      {"AUTH_LEGACY", 3}, {"AUTH", 3},           {"AUTH_REQ", 3},        {"REAUTH", 3},  {"UP", 4},
      {"UPDATE", 5},      {"AUTH_HANDSHAKE", 7}, {"APIVERSION_QUERY", 6}};
  const auto found = kStates.find(name);
  if (found == kStates.end()) return std::nullopt;
  return found->second;
}

const Json* member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::optional<double> value_of(const Row& row, const Json& object) {
  const Json* value = member(object, row.field);
  if (value && row.window_field) value = member(*value, row.window_field);
  if (!value) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>() ? 1 : 0;
  if (value->is_number()) return value->get<double>();
  if (value->is_string() && row.scope == Scope::broker) return broker_state(value->get_ref<const std::string&>());
  return std::nullopt;
}

std::string label(const Json& object, const char* name) {
  const Json* value = member(object, name);
  if (!value) return {};
  return value->is_string() ? value->get<std::string>() : value->dump();
}

}  // namespace

struct KafkaStatistics::Impl {
  using Gauges = std::set<std::pair<std::size_t, prometheus::Gauge*>>;  // index in kRows, and gauge

  explicit Impl(Metrics& registry) : metrics(registry) {}

  void set(Scope scope, const Json& object, const prometheus::Labels& labels, Gauges& gauges) {
    for (std::size_t i = 0; i < std::size(kRows); ++i) {
      if (kRows[i].scope != scope) continue;
      const std::optional<double> value = value_of(kRows[i], object);
      if (!value) continue;
      prometheus::Gauge& gauge = family(i).Add(labels);
      gauge.Set(*value);
      gauges.emplace(i, &gauge);
    }
  }

  prometheus::Family<prometheus::Gauge>& family(std::size_t row) {
    if (!families[row])
      families[row] = &Families(metrics).gauges(std::string("eventgate_rdkafka_") + kRows[row].name, kRows[row].help);
    return *families[row];
  }

  Metrics& metrics;
  std::mutex mutex;
  std::array<prometheus::Family<prometheus::Gauge>*, std::size(kRows)> families{};
  std::map<std::string, Gauges, std::less<>> by_producer;
};

KafkaStatistics::KafkaStatistics(Metrics& metrics) : impl_(std::make_unique<Impl>(metrics)) {}

KafkaStatistics::~KafkaStatistics() = default;

bool KafkaStatistics::set(std::string_view producer_type, std::string_view json) {
  const Json statistics = Json::parse(json, nullptr, false);
  if (!statistics.is_object()) return false;
  const std::lock_guard lock(impl_->mutex);
  Impl::Gauges gauges;

  const prometheus::Labels instance{{"producer_type", std::string(producer_type)},
                                    {"handle", label(statistics, "name")},
                                    {"type", label(statistics, "type")}};
  impl_->set(Scope::instance, statistics, instance, gauges);

  if (const Json* brokers = member(statistics, "brokers"); brokers && brokers->is_object()) {
    for (const auto& broker : *brokers) {
      prometheus::Labels labels = instance;
      labels["name"] = label(broker, "name");
      labels["nodeid"] = label(broker, "nodeid");
      impl_->set(Scope::broker, broker, labels, gauges);
      const Json* partitions = member(broker, "toppars");
      if (!partitions || !partitions->is_object()) continue;
      for (const auto& partition : *partitions) {
        labels["topic"] = label(partition, "topic");
        impl_->set(Scope::broker_partition, partition, labels, gauges);
      }
    }
  }

  if (const Json* topics = member(statistics, "topics"); topics && topics->is_object()) {
    for (const auto& topic : *topics) {
      prometheus::Labels labels = instance;
      labels["topic"] = label(topic, "topic");
      impl_->set(Scope::topic, topic, labels, gauges);
      const Json* partitions = member(topic, "partitions");
      if (!partitions || !partitions->is_object()) continue;
      for (const auto& partition : *partitions) {
        labels["partition"] = label(partition, "partition");
        impl_->set(Scope::partition, partition, labels, gauges);
      }
    }
  }

  Impl::Gauges& before = impl_->by_producer[std::string(producer_type)];
  for (const auto& [row, gauge] : before) {
    if (!gauges.contains({row, gauge})) impl_->family(row).Remove(gauge);
  }
  before = std::move(gauges);
  return true;
}

}  // namespace eventgate

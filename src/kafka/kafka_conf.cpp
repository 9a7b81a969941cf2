#include "kafka_conf.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <stdexcept>

#include "eventgate/kafka/kafka_preflight.hpp"

namespace eventgate {
namespace {

using std::chrono::milliseconds;

bool has_any_option(const KafkaProducerOptions& options, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(), [&](const char* name) {
    return options.conf.count(name) > 0 || options.topic_conf.count(name) > 0;
  });
}

/// Returns why librdkafka refuses the topic option `name` with `value`, or an empty string if it takes it.
std::string topic_option_problem(const std::string& name, const std::string& value) {
  std::array<char, 512> reason{};
  const std::unique_ptr<rd_kafka_topic_conf_t, void (*)(rd_kafka_topic_conf_t*)> conf(rd_kafka_topic_conf_new(),
                                                                                      rd_kafka_topic_conf_destroy);
  rd_kafka_topic_conf_set(conf.get(), name.c_str(), value.c_str(), reason.data(), reason.size());
  return reason.data();
}

}  // namespace

const KafkaProducerOptions& producer_options(const KafkaSinkOptions& options, std::string_view label) {
  return label == "guaranteed" ? options.guaranteed : options.hasty;
}

void set_kafka_conf(rd_kafka_conf_t& conf, const std::string& where, const std::string& name,
                    const std::string& value) {
  std::array<char, 512> reason{};
  if (rd_kafka_conf_set(&conf, name.c_str(), value.c_str(), reason.data(), reason.size()) != RD_KAFKA_CONF_OK)
    throw std::invalid_argument(where + ": " + name + ": " + reason.data());
}

std::string kafka_conf_value(const rd_kafka_conf_t& conf, const char* name) {
  std::array<char, 512> text{};
  std::size_t size = text.size();
  return rd_kafka_conf_get(&conf, name, text.data(), &size) == RD_KAFKA_CONF_OK ? text.data() : "";
}

std::vector<std::string> read_credential_files(const rd_kafka_conf_t& conf) {
  std::vector<std::string> contents;
  for (const char* name : {"ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.crl.location",
                           "ssl.keystore.location"}) {
    std::ifstream file(kafka_conf_value(conf, name), std::ios::binary);
    contents.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return contents;
}

KafkaConf make_kafka_conf(const KafkaSinkOptions& options, std::string_view label, std::vector<std::string>& problems) {
  const KafkaProducerOptions& own = producer_options(options, label);
  KafkaConf conf(rd_kafka_conf_new());
  const std::string where = "kafka." + std::string(label);
  const auto set = [&](const std::string& in, const std::string& name, const std::string& value) {
    try {
      set_kafka_conf(*conf, in, name, value);
    } catch (const std::invalid_argument& refused) {
      problems.push_back(refused.what());
    }
  };
  for (const auto& [name, value] : own.conf)
    if (!is_node_rdkafka_option(name)) set(where + ".conf", name, value);
  for (const auto& [name, value] : own.topic_conf) {
    if (is_node_rdkafka_option(name)) continue;
    if (const std::string problem = topic_option_problem(name, value); !problem.empty()) {
      problems.push_back(where + ".topic_conf: " + name + ": " + problem);
    } else {
      set(where + ".topic_conf", name, value);
    }
  }
  if (!has_any_option(own, {"bootstrap.servers", "metadata.broker.list", "test.mock.num.brokers"}))
    problems.push_back("kafka.conf: expected metadata.broker.list, the brokers as host:port separated by commas");
  if (!has_any_option(own, {"client.id"}))
    set(where, "client.id", options.user_agent + "-producer-" + std::string(label));
  if (!has_any_option(own, {"topic.metadata.propagation.max.ms"}))
    set(where, "topic.metadata.propagation.max.ms", "3000");
  const bool has_timeout = has_any_option(own, {"message.timeout.ms", "delivery.timeout.ms"});
  // A record that expires here would be replayed from the spool after later records, out of order.
  if (options.spooled && !has_timeout) set(where, "message.timeout.ms", "0");
  if (label != "guaranteed") return conf;

  if (kafka_conf_value(*conf, "acks") == "0")
    problems.push_back(
        "kafka.guaranteed: acks is 0: expected -1 (all) or at least 1, because a 201 says that Kafka has the event");
  // The timeout is shorter than the client's wait: librdkafka looks for expired records once a second, and not while it
  // backs off.
  if (!options.spooled && !has_timeout) {
    const milliseconds limit = options.produce_timeout;
    const auto timeout = std::max({limit - milliseconds(1500), limit / 4, milliseconds(1)});
    set(where, "message.timeout.ms", std::to_string(timeout.count()));
  }
  if (!has_any_option(own, {"reconnect.backoff.max.ms"})) {
    const int least = std::atoi(kafka_conf_value(*conf, "reconnect.backoff.ms").c_str());
    set(where, "reconnect.backoff.max.ms", std::to_string(std::max(250, least)));
  }
  return conf;
}

bool is_node_rdkafka_option(std::string_view name) {
  return name.ends_with("_cb") || name == "producer.poll.interval.ms" || name == "opaque" || name == "msg_order_cmp" ||
         name == "default_topic_conf";
}

std::optional<std::string> kafka_option_problem(const std::string& name, const std::string& value, bool of_topics) {
  if (of_topics) {
    if (const std::string problem = topic_option_problem(name, value); !problem.empty()) return problem;
  }
  std::array<char, 512> reason{};
  const KafkaConf conf(rd_kafka_conf_new());
  if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), reason.data(), reason.size()) == RD_KAFKA_CONF_OK)
    return std::nullopt;
  return reason.data();
}

}  // namespace eventgate

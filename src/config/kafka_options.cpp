#include "kafka_options.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "eventgate/kafka/kafka_preflight.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

using Conf = std::map<std::string, std::string>;

/// Names of librdkafka that mean the same option (CONFIGURATION.md): a specific one must win over a general one also if
/// it has the other name.
constexpr std::array<std::pair<const char*, const char*>, 8> kSameOption{
    {{"metadata.broker.list", "bootstrap.servers"},
     {"max.in.flight.requests.per.connection", "max.in.flight"},
     {"queue.buffering.max.ms", "linger.ms"},
     {"message.send.max.retries", "retries"},
     {"compression.codec", "compression.type"},
     {"request.required.acks", "acks"},
     {"message.timeout.ms", "delivery.timeout.ms"},
     {"sasl.mechanisms", "sasl.mechanism"}}};

bool is_secret(const std::string& name) {
  return name.ends_with("password") || name.ends_with("secret") || name.ends_with(".pem") ||
         name == "sasl.oauthbearer.config";
}

std::optional<std::string> kafka_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean() || value.is_number()) return value.dump();
  if (!value.is_array()) return std::nullopt;
  std::string joined;
  for (const Json& part : value) {
    if (!part.is_string() && !part.is_boolean() && !part.is_number()) return std::nullopt;
    if (!joined.empty()) joined += ',';
    joined += part.is_string() ? part.get<std::string>() : part.dump();
  }
  return joined;
}

constexpr const char* kBrokers = "the addresses of Kafka's brokers, such as localhost:9092";

/// Reads `conf` or `topic_conf` of `section` over `out`. An option of topics may stand in either: what is read takes
/// the place of the same one in `other`. Whether it has any option.
bool read_kafka_conf(ConfigSection& section, const std::string& name, Conf& out, Conf& other) {
  section.allow_null(name);
  const Json* conf = section.take(name);
  Json shown = conf ? *conf : Json();
  if (conf && !conf->is_object()) {
    section.problem(name, *conf, "an object of librdkafka's options");
    conf = nullptr;
  }
  if (conf) {
    ConfigSection options = section.section(name);
    for (const auto& [option, value] : conf->items()) {
      if (is_secret(option)) shown[option] = "(not shown)";
      if (is_node_rdkafka_option(option)) continue;
      auto text = kafka_text(options.as_text(option, value));
      const bool brokers = option == "metadata.broker.list" || option == "bootstrap.servers";
      if (brokers && (value.is_null() || (text && text->find_first_not_of(", \t\r\n") == std::string::npos))) {
        options.problem(option, value, kBrokers);
        out[option] = "";
        continue;
      }
      if (value.is_null() || (text && text->empty() && value.is_string())) {
        options.warn(option, value.is_null() ? " is null: it counts as not set" : " is empty: it counts as not set");
        text.reset();
      }
      if (!value.is_null() && value != "" && (!text || text->find('\0') != std::string::npos)) {
        options.problem(option, is_secret(option) ? Json("(not shown)") : value,
                        "a string, a number, true or false, or a list of them");
        continue;
      }
      if (text) {
        if (const auto reason = kafka_option_problem(option, *text, name == "topic_conf")) {
          options.problem(option, is_secret(option) ? Json("(not shown)") : value,
                          "an option that librdkafka takes" + (is_secret(option) ? "" : ": " + *reason));
          continue;
        }
      }
      for (Conf* in : {&out, &other}) {
        in->erase(option);
        for (const auto& [one, same] : kSameOption) {
          if (option == one) in->erase(same);
          if (option == same) in->erase(one);
        }
      }
      if (text) out[option] = *text;
    }
  }
  section.note(name, shown);
  return conf && !conf->empty();
}

}  // namespace

void read_kafka(ConfigSection& root, Config& config) {
  ConfigSection section = root.section("kafka");
  KafkaSinkOptions kafka;
  const std::string expected =
      "an object that has bootstrap.servers; without `kafka.conf` events go to `output_path` and not to Kafka";
  bool refused = section.refuse_nothing("conf", expected);
  if (const Json* conf = section.take("conf"); conf && conf->is_object() && conf->empty()) {
    section.problem("conf", *conf, expected);
    refused = true;
  }
  bool wanted = read_kafka_conf(section, "conf", kafka.guaranteed.conf, kafka.guaranteed.topic_conf);
  wanted |= read_kafka_conf(section, "topic_conf", kafka.guaranteed.topic_conf, kafka.guaranteed.conf);
  kafka.hasty = kafka.guaranteed;
  for (const auto& [name, producer] : {std::pair("guaranteed", &kafka.guaranteed), std::pair("hasty", &kafka.hasty)}) {
    ConfigSection specific = section.section(name);
    wanted |= read_kafka_conf(specific, "conf", producer->conf, producer->topic_conf);
    wanted |= read_kafka_conf(specific, "topic_conf", producer->topic_conf, producer->conf);
    specific.finish();
  }
  section.finish();
  if (!wanted || refused) return;
  bool has_brokers = true;
  for (const auto& [name, producer] : {std::pair("guaranteed", &kafka.guaranteed), std::pair("hasty", &kafka.hasty)}) {
    if (producer->conf.contains("metadata.broker.list") || producer->conf.contains("bootstrap.servers")) continue;
    has_brokers = false;
    section.problem("conf.bootstrap.servers", Json(),
                    std::string("the addresses of Kafka's brokers (metadata.broker.list is the same), for the "
                                "producer ") +
                        name);
  }
  if (!has_brokers) return;
  kafka.user_agent = config.gate.user_agent;
  kafka.produce_timeout = config.produce_timeout;
  config.kafka = std::move(kafka);
}

}  // namespace eventgate

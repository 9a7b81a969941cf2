#include "kafka_options.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "eventgate/base/is_one_of.hpp"
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

/// Members of `kafka` that are no option of librdkafka.
bool is_section(std::string_view name) {
  return is_one_of(name, {"conf", "topic_conf", "guaranteed", "hasty", "streams"});
}

bool has_brokers(const Conf& conf) {
  return conf.contains("metadata.broker.list") || conf.contains("bootstrap.servers");
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
      if (name == "kafka" && is_section(option)) {
        shown.erase(option);
        continue;
      }
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

bool has_flat_kafka_options(ConfigSection& root) {
  root.allow_null("kafka");
  const Json* kafka = root.take("kafka");
  if (!kafka || !kafka->is_object()) return false;
  for (const char* const name : {"conf", "topic_conf", "guaranteed", "hasty"})
    if (kafka->contains(name)) return false;
  // An object is no option of librdkafka, but may be a misspelt section.
  return std::any_of(kafka->items().begin(), kafka->items().end(),
                     [](const auto& member) { return !is_section(member.key()) && !member.value().is_object(); });
}

namespace {

/// Reads `kafka.streams` over `general`, and sets `config.kafka_readers` if there is any option.
void read_readers(ConfigSection& section, KafkaProducerOptions general, bool wanted, Config& config) {
  ConfigSection streams = section.section("streams");
  wanted |= read_kafka_conf(streams, "conf", general.conf, general.topic_conf);
  wanted |= read_kafka_conf(streams, "topic_conf", general.topic_conf, general.conf);
  streams.finish();
  if (!wanted || !config.readers) return;
  if (!has_brokers(general.conf)) {
    section.problem("streams.conf.bootstrap.servers", Json(),
                    "the addresses of Kafka's brokers (metadata.broker.list is the same), for those who read");
    return;
  }
  config.kafka_readers = std::move(general);
}

}  // namespace

void read_kafka(ConfigSection& root, Config& config) {
  if (has_flat_kafka_options(root)) {
    KafkaProducerOptions flat;
    if (config.intake) {
      root.problem("intake", true,
                   "false, or `kafka.conf` for the producers: these are the options of EventStreams, which reads");
    }
    const bool wanted = read_kafka_conf(root, "kafka", flat.conf, flat.topic_conf);
    ConfigSection section = root.section("kafka");
    read_readers(section, std::move(flat), wanted, config);
    return;
  }
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
  read_readers(section, kafka.guaranteed, wanted && !refused, config);
  kafka.hasty = kafka.guaranteed;
  for (const auto& [name, producer] : {std::pair("guaranteed", &kafka.guaranteed), std::pair("hasty", &kafka.hasty)}) {
    ConfigSection specific = section.section(name);
    wanted |= read_kafka_conf(specific, "conf", producer->conf, producer->topic_conf);
    wanted |= read_kafka_conf(specific, "topic_conf", producer->topic_conf, producer->conf);
    specific.finish();
  }
  section.finish();
  if (!wanted || refused || !config.intake) return;
  bool all_have_brokers = true;
  for (const auto& [name, producer] : {std::pair("guaranteed", &kafka.guaranteed), std::pair("hasty", &kafka.hasty)}) {
    if (has_brokers(producer->conf)) continue;
    all_have_brokers = false;
    section.problem("conf.bootstrap.servers", Json(),
                    std::string("the addresses of Kafka's brokers (metadata.broker.list is the same), for the "
                                "producer ") +
                        name);
  }
  if (!all_have_brokers) return;
  kafka.user_agent = config.gate.user_agent;
  kafka.produce_timeout = config.produce_timeout;
  config.kafka = std::move(kafka);
}

}  // namespace eventgate

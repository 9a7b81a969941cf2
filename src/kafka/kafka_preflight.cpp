#include "eventgate/kafka/kafka_preflight.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "eventgate/kafka/kafka_source_preflight.hpp"
#include "kafka_conf.hpp"
#include "kafka_consumer_conf.hpp"
#include "topic_configs.hpp"

namespace eventgate {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAnswerTimeout{5000};   // for one answer of a broker
constexpr milliseconds kTopicsTimeout{10000};  // for the options of all topics
constexpr std::size_t kMaxNamed = 10;          // topics of one message; the rest is counted

constexpr const char* kAcksAll = "-1";

constexpr std::array<const char*, 2> kBrokerLists{"metadata.broker.list", "bootstrap.servers"};

/// Returns true if the option decides how brokers are reached.
bool is_about_connections(std::string_view name) {
  for (const std::string_view start : {"bootstrap.", "metadata.broker", "broker.", "security.", "ssl.", "sasl.",
                                       "socket.", "enable.ssl", "api.version", "client.dns"})
    if (name.starts_with(start)) return true;
  return false;
}

std::map<std::string, std::string> connection_options(const std::map<std::string, std::string>& conf) {
  std::map<std::string, std::string> found;
  for (const auto& [name, value] : conf)
    if (is_about_connections(name)) found.emplace(name, value);
  return found;
}

std::vector<std::string> split_at_commas(const std::string& list) {
  std::vector<std::string> found;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    std::string part = list.substr(at, end - at);
    part.erase(0, part.find_first_not_of(' '));
    if (!part.empty()) found.push_back(std::move(part));
    at = end + 1;
  }
  return found;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMaxNamed); ++i) text += (i > 0 ? ", '" : "'") + names[i] + "'";
  if (names.size() > kMaxNamed) text += " and " + std::to_string(names.size() - kMaxNamed) + " more";
  return text;
}

/// A librdkafka client that only asks brokers for metadata. Use on one thread.
class MetadataClient {
 public:
  /// If librdkafka refuses `conf`, `handle()` is null and `problem()` says why.
  explicit MetadataClient(const rd_kafka_conf_t& conf) {
    KafkaConf own(rd_kafka_conf_dup(&conf));
    std::array<char, 512> reason{};
    rd_kafka_conf_set(own.get(), "statistics.interval.ms", "0", reason.data(), reason.size());
    rd_kafka_conf_set_log_cb(own.get(), [](const rd_kafka_t*, int, const char*, const char*) {});
    rd_kafka_conf_set_error_cb(own.get(), [](rd_kafka_t*, int code, const char* text, void* self) {
      if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
      static_cast<MetadataClient*>(self)->error_ = text;
    });
    rd_kafka_conf_set_opaque(own.get(), this);
    reason = {};
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, own.get(), reason.data(), reason.size());
    if (handle_ == nullptr) {
      error_ = reason.data();
    } else {
      std::ignore = own.release();  // the client owns it now
    }
  }
  ~MetadataClient() {
    if (handle_ != nullptr) rd_kafka_destroy(handle_);
  }
  MetadataClient(const MetadataClient&) = delete;
  MetadataClient& operator=(const MetadataClient&) = delete;

  rd_kafka_t* handle() const { return handle_; }

  /// Returns all topics, each with the number of replicas of the partition that has the fewest. Returns nullopt if no
  /// broker answers.
  std::optional<std::map<std::string, int>> topics() {
    const struct rd_kafka_metadata* metadata = nullptr;
    // Asks for all topics, because asking for one by name could create it.
    const rd_kafka_resp_err_t code =
        rd_kafka_metadata(handle_, 1, nullptr, &metadata, static_cast<int>(kAnswerTimeout.count()));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      while (rd_kafka_poll(handle_, 0) > 0) continue;
      if (error_.empty()) error_ = rd_kafka_err2str(code);
      return std::nullopt;
    }
    std::map<std::string, int> found;
    for (int i = 0; i < metadata->topic_cnt; ++i) {
      const rd_kafka_metadata_topic& topic = metadata->topics[i];
      int& replicas = found[topic.topic];
      for (int p = 0; p < topic.partition_cnt; ++p)
        if (p == 0 || topic.partitions[p].replica_cnt < replicas) replicas = topic.partitions[p].replica_cnt;
    }
    broker_ = metadata->orig_broker_id;
    rd_kafka_metadata_destroy(metadata);
    return found;
  }

  const std::string& problem() const { return error_; }
  /// Returns the id of the broker that answered `topics`.
  std::int32_t broker() const { return broker_; }

 private:
  rd_kafka_t* handle_ = nullptr;
  std::int32_t broker_ = -1;
  std::string error_;
};

/// What a broker says.
struct BrokerAnswer {
  std::unique_ptr<MetadataClient> client;
  std::optional<std::map<std::string, int>> topics;  ///< As MetadataClient::topics.
};

/// Asks each broker of the list separately, all of them in parallel. Returns the first answer. `problems` gets a
/// sentence for each that does not answer.
std::optional<BrokerAnswer> ask_brokers(const rd_kafka_conf_t& conf, const std::map<std::string, std::string>& options,
                                        const std::string& where, std::vector<std::string>& problems) {
  std::string list;
  for (const char* name : kBrokerLists)
    if (const auto found = options.find(name); found != options.end()) list = found->second;
  std::vector<std::pair<std::string, std::future<BrokerAnswer>>> answers;
  for (const std::string& broker : split_at_commas(list)) {
    KafkaConf one(rd_kafka_conf_dup(&conf));
    set_kafka_conf(*one, where, "metadata.broker.list", broker);
    answers.emplace_back(broker, std::async(std::launch::async, [own = std::move(one)] {
                           BrokerAnswer answer{std::make_unique<MetadataClient>(*own), std::nullopt};
                           if (answer.client->handle() != nullptr) answer.topics = answer.client->topics();
                           return answer;
                         }));
  }
  std::optional<BrokerAnswer> good;
  for (auto& [broker, future] : answers) {
    BrokerAnswer answer = future.get();
    if (!answer.topics) {
      problems.push_back(where + ": broker '" + broker + "': expected an answer: " + answer.client->problem());
    } else if (!good) {
      good = std::move(answer);
    }
  }
  return good;
}

/// Runs the checks of `kafka_findings` once. Use on one thread.
class KafkaCheck {
 public:
  KafkaCheck(const KafkaSinkOptions& options, const KafkaExpectations& expected)
      : options_(options), expected_(expected) {}

  KafkaFindings run() {
    std::vector<std::string> guaranteed_problems;
    std::vector<std::string> hasty_problems;
    const KafkaConf guaranteed = make_conf("guaranteed", guaranteed_problems);
    const KafkaConf hasty = make_conf("hasty", hasty_problems);
    add_option_problems(guaranteed_problems, hasty_problems);
    if (!found_.problems.empty()) return std::move(found_);

    const bool same = connection_options(options_.guaranteed.conf) == connection_options(options_.hasty.conf);
    std::optional<BrokerAnswer> answer =
        ask_brokers(*guaranteed, options_.guaranteed.conf, same ? "kafka" : "kafka.guaranteed", found_.problems);
    if (!same) ask_brokers(*hasty, options_.hasty.conf, "kafka.hasty", found_.problems);
    if (answer) read_topics(*answer);
    check_sizes(kafka_conf_value(*guaranteed, "message.max.bytes"), kafka_conf_value(*hasty, "message.max.bytes"));
    check_policies();
    check_timestamps();
    check_durability(acks_of(*guaranteed), acks_of(*hasty));
    warn_of_unknown_options();
    return std::move(found_);
  }

 private:
  struct Topic {
    std::string name;
    int replicas = 0;
    bool has_key = false;
    TopicConfig config;

    std::string option(std::string_view option_name) const {
      const auto found = config.options.find(option_name);
      return found == config.options.end() ? std::string() : found->second;
    }
  };

  /// Groups the topics for which `applies` returns true by `value`. Returns the names of each group as text.
  template <typename Value, typename Applies>
  auto by_value(Value&& value, Applies&& applies) const {
    using Key = std::decay_t<std::invoke_result_t<Value, const Topic&>>;
    std::map<Key, std::vector<std::string>> names;
    for (const Topic& topic : existing_topics_)
      if (applies(topic)) names[value(topic)].push_back(topic.name);
    std::map<Key, std::string> texts;
    for (const auto& [of, topics] : names)
      texts.emplace(of, (topics.size() > 1 ? "the topics " : "the topic ") + listed(topics));
    return texts;
  }

  /// Returns the configuration of the producer `label`, and tries to make a client from it.
  KafkaConf make_conf(const char* label, std::vector<std::string>& problems) const {
    KafkaConf conf = make_kafka_conf(options_, label, problems);
    if (!problems.empty()) return conf;
    const MetadataClient client(*conf);
    if (client.handle() == nullptr) problems.push_back("kafka." + std::string(label) + ": " + client.problem());
    return conf;
  }

  /// Adds the problems of both producers. A problem of the general options is in both lists, and is added once.
  void add_option_problems(const std::vector<std::string>& guaranteed, const std::vector<std::string>& hasty) {
    const auto general = [](std::string text) {
      for (const std::string_view name : {".guaranteed", ".hasty"})
        if (text.starts_with("kafka" + std::string(name))) text.erase(5, name.size());
      return text;
    };
    std::set<std::string> hasty_general;
    for (const std::string& problem : hasty) hasty_general.insert(general(problem));
    std::set<std::string> added;
    for (const std::string& problem : guaranteed) {
      const bool both = hasty_general.contains(general(problem));
      found_.problems.push_back(both ? general(problem) : problem);
      if (both) added.insert(general(problem));
    }
    for (const std::string& problem : hasty)
      if (!added.contains(general(problem))) found_.problems.push_back(problem);
  }

  void read_topics(const BrokerAnswer& answer) {
    std::vector<std::string> missing;
    for (const KafkaExpectations::Topic& topic : expected_.topics) {
      const auto found = answer.topics->find(topic.name);
      if (found == answer.topics->end()) {
        missing.push_back(topic.name);
      } else {
        existing_topics_.push_back({topic.name, found->second, topic.has_key, {}});
      }
    }
    add_missing(*answer.client, missing);
    read_configs(answer.client->handle());
  }

  /// A topic that is not there is created with its first record, if the broker does that.
  void add_missing(const MetadataClient& client, const std::vector<std::string>& missing) {
    if (missing.empty()) return;
    const TopicConfig broker = read_broker_config(client.handle(), client.broker(), kAnswerTimeout);
    const auto creates = broker.options.find("auto.create.topics.enable");
    if (creates != broker.options.end() && creates->second == "true") {
      warn((missing.size() > 1 ? "the topics " : "the topic ") + listed(missing) +
           (missing.size() > 1 ? " are" : " is") +
           " not there: expected a topic made with the partitions and replicas that it needs; the broker creates it "
           "with its defaults when the first event comes (auto.create.topics.enable)");
      return;
    }
    const std::string unknown =
        creates == broker.options.end() ? "; whether the broker would create it is not known: " + broker.problem : "";
    for (const std::string& topic : missing)
      found_.problems.push_back("kafka: expected the topic '" + topic + "', which is not there" + unknown);
  }

  void read_configs(rd_kafka_t* client) {
    const auto until = std::chrono::steady_clock::now() + kTopicsTimeout;
    for (std::size_t first = 0; first < existing_topics_.size(); first += kTopicsPerDescription) {
      const std::span<Topic> group =
          std::span(existing_topics_).subspan(first, std::min(kTopicsPerDescription, existing_topics_.size() - first));
      std::vector<std::string> names;
      for (const Topic& topic : group) names.push_back(topic.name);
      const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
      std::map<std::string, TopicConfig> configs =
          read_topic_configs(client, names, std::clamp(left, milliseconds(1), kAnswerTimeout));
      for (Topic& topic : group) topic.config = std::move(configs[topic.name]);
    }
  }

  void check_sizes(const std::string& guaranteed, const std::string& hasty) {
    check_size(guaranteed == hasty ? "kafka" : "kafka.guaranteed", guaranteed);
    if (guaranteed != hasty) check_size("kafka.hasty", hasty);
  }

  void check_size(const std::string& where, const std::string& value) {
    std::size_t bytes = 0;
    std::from_chars(value.data(), value.data() + value.size(), bytes);
    const auto limit = [](const Topic& topic) { return topic.config.number("max.message.bytes"); };
    for (const auto& [value_of_topic, topics] :
         by_value(limit, [&](const Topic& topic) { return limit(topic) > 0 && limit(topic) < bytes; }))
      found_.problems.push_back(where + ": message.max.bytes is " + value + ": expected at most " +
                                std::to_string(value_of_topic) + ", the max.message.bytes of " + topics);
  }

  /// Kafka refuses a record without a key in a topic that it compacts.
  void check_policies() {
    const auto policy = [](const Topic& topic) { return topic.option("cleanup.policy"); };
    for (const auto& [value, topics] : by_value(policy, [&](const Topic& topic) {
           return !topic.has_key && policy(topic).find("compact") != std::string::npos;
         }))
      found_.problems.push_back("kafka: cleanup.policy is " + value +
                                ": expected message_key_fields of the stream, because Kafka refuses records without a "
                                "key there: " +
                                topics);
  }

  /// Kafka refuses a record whose timestamp is too far ahead of its clock, unless it sets the timestamps itself.
  void check_timestamps() {
    if (!expected_.max_future_dt) return;
    const auto gate = static_cast<std::size_t>(expected_.max_future_dt->count());
    const auto limit = [](const Topic& topic) { return topic.config.number("message.timestamp.after.max.ms"); };
    for (const auto& [value, topics] : by_value(limit, [&](const Topic& topic) {
           constexpr std::size_t kNever = 9223372036854775807U;
           const bool is_bounded = topic.config.options.contains("message.timestamp.after.max.ms") &&
                                   limit(topic) < kNever && topic.option("message.timestamp.type") != "LogAppendTime";
           return is_bounded && (gate == 0 || gate > limit(topic));
         }))
      warn("message.timestamp.after.max.ms is " + std::to_string(value) + ": expected max_future_dt of at most " +
           std::to_string(value) + "ms, found " + (gate == 0 ? "none" : std::to_string(gate) + "ms") +
           ", so that an event whose time is further ahead is not refused: " + topics);
  }

  static std::string acks_of(const rd_kafka_conf_t& conf) {
    const std::string value = kafka_conf_value(conf, "acks");
    return value.empty() ? kAcksAll : value;  // the configuration has no options of topics
  }

  /// Compares acks and the options of topics with the table of docs/deploying.md.
  void check_durability(const std::string& guaranteed, const std::string& hasty) {
    if (guaranteed != kAcksAll) warn_of_acks("guaranteed", guaranteed, "201");
    if (hasty != kAcksAll) warn_of_acks("hasty", hasty, "202");
    if (guaranteed != kAcksAll && hasty != kAcksAll) return;  // without acks=all the options of topics do not matter
    const auto replicas = [](const Topic& topic) { return topic.replicas; };
    const auto in_sync = [](const Topic& topic) { return topic.config.number("min.insync.replicas"); };
    for (const auto& [count, topics] :
         by_value(replicas, [&](const Topic& topic) { return topic.replicas > 0 && topic.replicas < 3; }))
      warn("the replication factor is " + std::to_string(count) +
           ": expected at least 3, so that events are kept and taken while one broker is away: " + topics);
    for (const auto& [count, topics] : by_value(in_sync, [&](const Topic& topic) { return in_sync(topic) == 1; }))
      warn("min.insync.replicas is " + std::to_string(count) +
           ": expected at least 2, so that a 201 survives the loss of one broker: " + topics);
    for (const auto& [count, topics] : by_value(in_sync, [&](const Topic& topic) {
           return topic.replicas >= 3 && in_sync(topic) >= static_cast<std::size_t>(topic.replicas);
         }))
      warn("min.insync.replicas is " + std::to_string(count) +
           ": expected less than the replication factor, so that events are taken while one broker is away: " + topics);
    const auto unclean = [](const Topic& topic) { return topic.option("unclean.leader.election.enable"); };
    for (const auto& [value, topics] : by_value(unclean, [&](const Topic& topic) { return unclean(topic) == "true"; }))
      warn("unclean.leader.election.enable is " + value +
           ": expected false, so that no broker leads that lacks what was acknowledged: " + topics);
  }

  void warn_of_unknown_options() {
    for (const auto& [problem, topics] : by_value([](const Topic& topic) { return topic.config.problem; },
                                                  [](const Topic& topic) { return !topic.config.problem.empty(); }))
      warn("options of topics are not known (" + problem +
           "): expected an answer, and the right to DescribeConfigs, to check max.message.bytes, min.insync.replicas "
           "and unclean.leader.election.enable: " +
           topics);
  }

  void warn_of_acks(const std::string& label, const std::string& acks, const std::string& status) {
    found_.warnings.push_back("kafka." + label + ": acks is " + acks + ": expected -1 (all), so that a " + status +
                              " survives the loss of one broker");
  }
  void warn(const std::string& text) { found_.warnings.push_back("kafka: " + text); }

  const KafkaSinkOptions& options_;
  const KafkaExpectations& expected_;
  std::vector<Topic> existing_topics_;
  KafkaFindings found_;
};

}  // namespace

KafkaFindings kafka_findings(const KafkaSinkOptions& options, const KafkaExpectations& expected) {
  return KafkaCheck(options, expected).run();
}

KafkaFindings kafka_source_findings(const KafkaSourceOptions& options, const std::vector<std::string>& topics) {
  KafkaFindings found;
  const KafkaConf conf = make_consumer_conf(options, ConsumerPurpose::look_up, found.problems);
  if (!found.problems.empty()) return found;
  const std::optional<BrokerAnswer> answer = ask_brokers(*conf, options.conf, "kafka.streams", found.problems);
  if (!answer) return found;
  std::vector<std::string> missing;
  for (const std::string& topic : topics)
    if (!answer->topics->contains(topic)) missing.push_back(topic);
  if (!missing.empty())
    found.warnings.push_back("kafka.streams: " + std::string(missing.size() > 1 ? "the topics " : "the topic ") +
                             listed(missing) + (missing.size() > 1 ? " are" : " is") +
                             " not there: expected topics with the events of streams; they are read once they are "
                             "there");
  return found;
}

}  // namespace eventgate

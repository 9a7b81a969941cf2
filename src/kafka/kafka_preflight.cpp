#include "eventgate/kafka/kafka_preflight.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "kafka_conf.hpp"
#include "topic_limits.hpp"

namespace eventgate {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAnswerTimeout{5000};
/// Listed by name where more than these have the same problem.
constexpr std::size_t kNamed = 10;

constexpr std::array<const char*, 2> kBrokerLists{"metadata.broker.list", "bootstrap.servers"};

/// Whether an option decides how brokers are reached.
bool is_about_connections(std::string_view name) {
  for (const std::string_view start : {"bootstrap.", "metadata.broker", "broker.", "security.", "ssl.", "sasl.",
                                       "socket.", "enable.ssl", "api.version", "client.dns"})
    if (name.starts_with(start)) return true;
  return false;
}

std::map<std::string, std::string> connection_options(const KafkaProducerOptions& options) {
  std::map<std::string, std::string> found;
  for (const auto& [name, value] : options.conf)
    if (is_about_connections(name)) found.emplace(name, value);
  return found;
}

std::vector<std::string> parts(const std::string& list) {
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
  for (std::size_t i = 0; i < std::min(names.size(), kNamed); ++i) text += (i > 0 ? ", '" : "'") + names[i] + "'";
  if (names.size() > kNamed) text += " and " + std::to_string(names.size() - kNamed) + " more";
  return text;
}

/// A client of its own for a question or two. One strand.
class Client {
 public:
  /// What keeps it from being made is in `problem()`.
  explicit Client(const rd_kafka_conf_t& conf) {
    KafkaConf own(rd_kafka_conf_dup(&conf));
    std::array<char, 512> reason{};
    rd_kafka_conf_set(own.get(), "statistics.interval.ms", "0", reason.data(), reason.size());
    rd_kafka_conf_set_log_cb(own.get(), [](const rd_kafka_t*, int, const char*, const char*) {});
    rd_kafka_conf_set_error_cb(own.get(), [](rd_kafka_t*, int code, const char* text, void* self) {
      if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
      static_cast<Client*>(self)->error_ = text;
    });
    rd_kafka_conf_set_opaque(own.get(), this);
    reason = {};
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, own.get(), reason.data(), reason.size());
    if (handle_ == nullptr) {
      error_ = reason.data();
    } else {
      own.release();
    }
  }
  ~Client() {
    if (handle_ != nullptr) rd_kafka_destroy(handle_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  rd_kafka_t* handle() const { return handle_; }

  /// The topics there are; nothing if no broker answers.
  std::optional<std::set<std::string>> topics() {
    const struct rd_kafka_metadata* metadata = nullptr;
    // All of them: asking for one by name could make it.
    const rd_kafka_resp_err_t code =
        rd_kafka_metadata(handle_, 1, nullptr, &metadata, static_cast<int>(kAnswerTimeout.count()));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      while (rd_kafka_poll(handle_, 0) > 0) continue;
      if (error_.empty()) error_ = rd_kafka_err2str(code);
      return std::nullopt;
    }
    std::set<std::string> names;
    for (int i = 0; i < metadata->topic_cnt; ++i) names.insert(metadata->topics[i].topic);
    rd_kafka_metadata_destroy(metadata);
    return names;
  }

  const std::string& problem() const { return error_; }

 private:
  rd_kafka_t* handle_ = nullptr;
  std::string error_;
};

class KafkaCheck {
 public:
  KafkaCheck(const KafkaSinkOptions& options, const std::vector<std::string>& topics)
      : options_(options), topics_(topics) {}

  std::vector<std::string> problems() {
    std::vector<std::string> guaranteed_problems;
    std::vector<std::string> hasty_problems;
    const KafkaConf guaranteed = made("guaranteed", guaranteed_problems);
    const KafkaConf hasty = made("hasty", hasty_problems);
    add_of_both(guaranteed_problems, hasty_problems);
    if (!problems_.empty()) return std::move(problems_);

    const bool same = connection_options(options_.guaranteed) == connection_options(options_.hasty);
    ask(*guaranteed, options_.guaranteed, same ? "kafka" : "kafka.guaranteed", true);
    if (!same) ask(*hasty, options_.hasty, "kafka.hasty", false);
    check_sizes(kafka_conf_value(*guaranteed, "message.max.bytes"), kafka_conf_value(*hasty, "message.max.bytes"));
    return std::move(problems_);
  }

 private:
  /// A conf that a client can be made of, or problems.
  KafkaConf made(const char* label, std::vector<std::string>& problems) const {
    KafkaConf conf = make_kafka_conf(options_, label, problems);
    if (!problems.empty()) return conf;
    const Client client(*conf);
    if (client.handle() == nullptr) problems.push_back("kafka." + std::string(label) + ": " + client.problem());
    return conf;
  }

  /// What is wrong with the general options is told once.
  void add_of_both(const std::vector<std::string>& guaranteed, const std::vector<std::string>& hasty) {
    const auto general = [](std::string text) {
      for (const std::string_view name : {".guaranteed", ".hasty"})
        if (text.starts_with("kafka" + std::string(name))) text.erase(5, name.size());
      return text;
    };
    std::set<std::string> of_hasty;
    for (const std::string& problem : hasty) of_hasty.insert(general(problem));
    std::set<std::string> told;
    for (const std::string& problem : guaranteed) {
      const bool both = of_hasty.contains(general(problem));
      problems_.push_back(both ? general(problem) : problem);
      if (both) told.insert(general(problem));
    }
    for (const std::string& problem : hasty)
      if (!told.contains(general(problem))) problems_.push_back(problem);
  }

  /// Asks each broker of the list by itself, all at once.
  void ask(const rd_kafka_conf_t& conf, const KafkaProducerOptions& options, const std::string& where, bool topics) {
    std::string list;
    for (const char* name : kBrokerLists)
      if (const auto found = options.conf.find(name); found != options.conf.end()) list = found->second;
    struct Answer {
      std::unique_ptr<Client> client;
      std::optional<std::set<std::string>> topics;
    };
    std::vector<std::pair<std::string, std::future<Answer>>> answers;
    for (const std::string& broker : parts(list)) {
      KafkaConf one(rd_kafka_conf_dup(&conf));
      set_kafka_conf(*one, where, "metadata.broker.list", broker);
      answers.emplace_back(broker, std::async(std::launch::async, [own = std::move(one)] {
                             Answer answer{std::make_unique<Client>(*own), std::nullopt};
                             if (answer.client->handle() != nullptr) answer.topics = answer.client->topics();
                             return answer;
                           }));
    }
    std::optional<Answer> good;
    for (auto& [broker, future] : answers) {
      Answer answer = future.get();
      if (!answer.topics) {
        problems_.push_back(where + ": broker '" + broker + "': expected an answer: " + answer.client->problem());
      } else if (!good) {
        good = std::move(answer);
      }
    }
    if (!topics || !good) return;
    std::vector<std::string> missing;
    for (const std::string& topic : topics_) (good->topics->contains(topic) ? there_ : missing).push_back(topic);
    for (const std::string& topic : missing)
      problems_.push_back("kafka: expected the topic '" + topic + "', which is not there");
    if (!there_.empty()) limits_.read(good->client->handle(), there_, kAnswerTimeout);
  }

  void check_sizes(const std::string& guaranteed, const std::string& hasty) {
    check_size(guaranteed == hasty ? "kafka" : "kafka.guaranteed", guaranteed);
    if (guaranteed != hasty) check_size("kafka.hasty", hasty);
  }

  void check_size(const std::string& where, const std::string& value) {
    std::size_t bytes = 0;
    std::from_chars(value.data(), value.data() + value.size(), bytes);
    std::map<std::size_t, std::vector<std::string>> too_small;
    for (const std::string& topic : there_)
      if (const std::size_t limit = limits_.of(topic); limit > 0 && limit < bytes) too_small[limit].push_back(topic);
    for (const auto& [limit, topics] : too_small)
      problems_.push_back(where + ": message.max.bytes is " + value + ": expected at most " + std::to_string(limit) +
                          ", the max.message.bytes of " + (topics.size() > 1 ? "the topics " : "the topic ") +
                          listed(topics));
  }

  const KafkaSinkOptions& options_;
  const std::vector<std::string>& topics_;
  std::vector<std::string> there_;
  TopicLimits limits_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> kafka_problems(const KafkaSinkOptions& options, const std::vector<std::string>& topics) {
  return KafkaCheck(options, topics).problems();
}

}  // namespace eventgate

#pragma once

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "becomes.hpp"
#include "paths.hpp"
#include "temporary_folder.hpp"

namespace eventgate {

/// A record as a consumer reads it.
struct ConsumedRecord {
  std::optional<std::string> key;
  std::string value;
  std::int64_t timestamp = 0;
  int partition = 0;
  bool operator==(const ConsumedRecord&) const = default;
};

inline void PrintTo(const ConsumedRecord& record, std::ostream* out) {
  *out << record.key.value_or("(no key)") << ' ' << record.value << " at " << record.timestamp << " in "
       << record.partition;
}

inline ConsumedRecord consumed_record(const rd_kafka_message_t& message) {
  ConsumedRecord record;
  if (message.key != nullptr) record.key.emplace(static_cast<const char*>(message.key), message.key_len);
  record.value.assign(static_cast<const char*>(message.payload), message.len);
  rd_kafka_timestamp_type_t ignored;
  record.timestamp = rd_kafka_message_timestamp(&message, &ignored);
  record.partition = message.partition;
  return record;
}

/// A real Apache Kafka broker: the one of the run, or one of a test's own, to be frozen and killed.
class KafkaBroker {
 public:
  /// Options of one that asks who may do what, and lets all do what no rule is about (`allow_only`).
  static constexpr std::array<const char*, 2> kAcls{
      "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      "allow.everyone.if.no.acl.found=true"};

  /// Why there is no Kafka here, or nothing. Whoever uses a broker skips with it.
  static std::optional<std::string> unavailable() {
    static const std::optional<std::string> reason = [] {
      if (std::getenv("EVENTGATE_TEST_KAFKA") != nullptr) return std::optional<std::string>();
      const std::string told = text_of(kafka_folder() + "/unavailable");
      if (!told.empty()) return std::optional(told);
      const auto [status, output] = run("fetch");
      return status == 77 ? std::optional(output) : std::nullopt;
    }();
    return reason;
  }

  /// The broker of the run: that of EVENTGATE_TEST_KAFKA (host:port), else that of the ctest fixture, else one for this
  /// process. To be left running; topics are to have names of their own.
  static KafkaBroker& shared() {
    static const std::unique_ptr<KafkaBroker> broker = [] {
      const char* given = std::getenv("EVENTGATE_TEST_KAFKA");
      const std::string address = given != nullptr ? given : text_of(kafka_folder() + "/address");
      return address.empty() ? std::make_unique<KafkaBroker>()
                             : std::unique_ptr<KafkaBroker>(new KafkaBroker(Attached(), address));
    }();
    return *broker;
  }

  /// Starts one. `options`: the starter's (`--tls`), and broker settings as key=value.
  explicit KafkaBroker(const std::vector<std::string>& options = {}) : folder_(std::make_unique<TemporaryFolder>()) {
    std::string arguments = "start " + directory() + " --watch " + std::to_string(::getpid());
    for (const std::string& option : options) arguments += " '" + option + "'";
    command(arguments);
    address_ = text_of(directory() + "/address");
  }
  ~KafkaBroker() {
    if (folder_) run("kill " + directory());
  }
  KafkaBroker(const KafkaBroker&) = delete;
  KafkaBroker& operator=(const KafkaBroker&) = delete;

  const std::string& address() const { return address_; }
  /// Of a broker of one's own, with `--tls`: where it speaks TLS, and who says that it is itself.
  std::string tls_address() const { return text_of(directory() + "/bootstrap.tls"); }
  std::string ca_file() const { return directory() + "/ca.pem"; }

  void freeze() { command("freeze " + directory()); }
  void thaw() { command("thaw " + directory()); }
  void kill() { command("kill " + directory()); }
  void stop() { command("stop " + directory()); }
  void restart() { command("restart " + directory()); }

  /// Returns once the topic can be produced to.
  void create_topic(const std::string& name, int partitions = 1,
                    const std::map<std::string, std::string>& config = {}) {
    const Client client(RD_KAFKA_PRODUCER, address_);
    until_not_fenced("topic " + name, [&] { return try_create_topic(client.handle, name, partitions, config); });
    for (int i = 0; i < 300 && partition_count(client.handle, name) < partitions; ++i) ::usleep(20000);
  }

 protected:
  /// Calls `attempt`, which returns an error or nothing, again while the error is one of a busy machine: a broker that
  /// missed a heartbeat is fenced for a moment. Throws std::runtime_error with any other error, or after two minutes.
  static void until_not_fenced(const std::string& what, const std::function<std::string()>& attempt) {
    std::string error;
    const bool done = becomes(
        [&] {
          error = attempt();
          return error.find("fenced") == std::string::npos && error.find("timed out") == std::string::npos;
        },
        std::chrono::seconds(120));
    if (error.find("already exists") != std::string::npos) error.clear();  // by an attempt before that timed out
    if (!done || !error.empty()) throw std::runtime_error(what + ": " + error);
  }

 private:
  static std::string try_create_topic(rd_kafka_t* handle, const std::string& name, int partitions,
                                      const std::map<std::string, std::string>& config) {
    std::array<char, 512> reason{};
    rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(name.c_str(), partitions, 1, reason.data(), reason.size());
    for (const auto& [key, value] : config) rd_kafka_NewTopic_set_config(topic, key.c_str(), value.c_str());
    rd_kafka_queue_t* queue = rd_kafka_queue_new(handle);
    rd_kafka_CreateTopics(handle, &topic, 1, nullptr, queue);
    std::string error = "no answer";
    if (rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 30000)) {
      std::size_t count = 0;
      const auto* result = rd_kafka_event_CreateTopics_result(event);
      const rd_kafka_topic_result_t** topics =
          result == nullptr ? nullptr : rd_kafka_CreateTopics_result_topics(result, &count);
      if (count == 1) {
        const char* text = rd_kafka_topic_result_error_string(topics[0]);
        error = rd_kafka_topic_result_error(topics[0]) == 0 ? "" : text == nullptr ? "error" : text;
      }
      rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
    return error;
  }

 public:
  /// Of a broker with kAcls: whoever it is may do `operations` with the topic, and nothing else from now on.
  void allow_only(const std::string& topic, const std::vector<rd_kafka_AclOperation_t>& operations) {
    const Client client(RD_KAFKA_PRODUCER, address_);
    std::array<char, 512> reason{};
    std::vector<rd_kafka_AclBinding_t*> rules;
    for (const rd_kafka_AclOperation_t operation : operations)
      rules.push_back(rd_kafka_AclBinding_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str(), RD_KAFKA_RESOURCE_PATTERN_LITERAL,
                                              "User:ANONYMOUS", "*", operation, RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW,
                                              reason.data(), reason.size()));
    rd_kafka_queue_t* queue = rd_kafka_queue_new(client.handle);
    rd_kafka_CreateAcls(client.handle, rules.data(), rules.size(), nullptr, queue);
    std::size_t made = 0;
    if (rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 30000)) {
      const auto* result = rd_kafka_event_CreateAcls_result(event);
      std::size_t count = 0;
      const rd_kafka_acl_result_t** results =
          result == nullptr ? nullptr : rd_kafka_CreateAcls_result_acls(result, &count);
      for (std::size_t i = 0; i < count; ++i) made += rd_kafka_acl_result_error(results[i]) == nullptr ? 1 : 0;
      rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_AclBinding_destroy_array(rules.data(), rules.size());
    if (made != operations.size()) throw std::runtime_error("the rules of topic " + topic + " could not be made");
  }

  bool has_topic(const std::string& name) const {
    const Client client(RD_KAFKA_PRODUCER, address_);
    return partition_count(client.handle, name) > 0;
  }

  /// All records of `topic`, by partition and then in order. None if there is no such topic.
  std::vector<ConsumedRecord> records(const std::string& topic) const {
    const Client client(RD_KAFKA_CONSUMER, address_);
    const int partitions = partition_count(client.handle, topic);
    std::vector<ConsumedRecord> found;
    for (int partition = 0; partition < partitions; ++partition) {
      rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
      rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset = RD_KAFKA_OFFSET_BEGINNING;
      rd_kafka_assign(client.handle, list);
      rd_kafka_topic_partition_list_destroy(list);
      for (bool end = false; !end;) {
        rd_kafka_message_t* message = rd_kafka_consumer_poll(client.handle, 30000);
        if (message == nullptr) throw std::runtime_error("topic " + topic + " cannot be read to its end");
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
          end = true;
        } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
          found.push_back(consumed_record(*message));
        }
        rd_kafka_message_destroy(message);
      }
    }
    rd_kafka_consumer_close(client.handle);
    return found;
  }

  std::vector<std::string> values(const std::string& topic) const {
    std::vector<std::string> found;
    for (ConsumedRecord& record : records(topic)) found.push_back(std::move(record.value));
    return found;
  }

 private:
  struct Attached {
    explicit Attached() = default;
  };
  KafkaBroker(Attached, std::string address) : address_(std::move(address)) {}

 protected:
  struct Client {
    Client(rd_kafka_type_t type, const std::string& address) {
      rd_kafka_conf_t* conf = rd_kafka_conf_new();
      std::array<char, 512> reason{};
      std::vector<std::pair<const char*, const char*>> options{{"bootstrap.servers", address.c_str()},
                                                               {"log_level", "0"}};
      if (type == RD_KAFKA_CONSUMER)
        options.insert(options.end(), {{"group.id", "tests"},
                                       {"enable.partition.eof", "true"},
                                       {"enable.auto.commit", "false"},
                                       {"auto.offset.reset", "earliest"},
                                       {"allow.auto.create.topics", "false"}});
      for (const auto& [name, value] : options) rd_kafka_conf_set(conf, name, value, reason.data(), reason.size());
      handle = rd_kafka_new(type, conf, reason.data(), reason.size());
      if (handle == nullptr) throw std::runtime_error(reason.data());
    }
    ~Client() { rd_kafka_destroy(handle); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    rd_kafka_t* handle;
  };

  /// Of the topic's partitions, those that have a leader. A list of all topics creates none.
  static int partition_count(rd_kafka_t* handle, const std::string& name) {
    const struct rd_kafka_metadata* metadata = nullptr;
    const auto error = rd_kafka_metadata(handle, 1, nullptr, &metadata, 30000);
    if (error != 0) throw std::runtime_error(rd_kafka_err2str(error));
    int partitions = 0;
    for (int i = 0; i < metadata->topic_cnt; ++i)
      if (name == metadata->topics[i].topic)
        for (int p = 0; p < metadata->topics[i].partition_cnt; ++p)
          partitions += metadata->topics[i].partitions[p].leader >= 0 ? 1 : 0;
    rd_kafka_metadata_destroy(metadata);
    return partitions;
  }

  static std::string text_of(const std::string& path) {
    std::ifstream in(path);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }

  /// The starter's exit status and output.
  static std::pair<int, std::string> run(const std::string& arguments) {
    const std::string line = std::string("'") + source_dir() + "/tests/support/kafka/kafka' " + arguments + " 2>&1";
    FILE* pipe = ::popen(line.c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("cannot run " + line);
    std::string output;
    std::array<char, 4096> bytes;
    while (const std::size_t got = std::fread(bytes.data(), 1, bytes.size(), pipe)) output.append(bytes.data(), got);
    const int status = ::pclose(pipe);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
  }

  static void command(const std::string& arguments) {
    const auto [status, output] = run(arguments);
    if (status != 0) throw std::runtime_error("kafka " + arguments + ": " + output);
  }

  std::string directory() const { return folder_->path() + "/kafka"; }

 private:
  std::unique_ptr<TemporaryFolder> folder_;  // null: not ours
  std::string address_;
};

/// A topic name that no other test has.
inline std::string fresh_topic() {
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  return std::string(test->name()) + "." + std::to_string(::getpid());
}

}  // namespace eventgate

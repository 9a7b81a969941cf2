#pragma once

#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "becomes.hpp"

namespace eventgate {

/// Writes to Kafka what a test needs there, and changes topics. Each call returns once it is done.
///
/// One thread. Throws std::runtime_error if Kafka does not do it.
class TopicWriter {
 public:
  struct Written {
    std::string topic;
    std::optional<std::string> value;  ///< Nullopt: a tombstone.
    std::int64_t timestamp = 0;
    std::optional<std::string> key;
    std::int32_t partition = 0;
  };

  /// `transactional_id`: empty for a writer without transactions.
  explicit TopicWriter(const std::string& address, const std::string& transactional_id = "") {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    std::array<char, 512> reason{};
    for (const auto& [name, value] : std::map<std::string, std::string>{{"bootstrap.servers", address},
                                                                        {"log_level", "0"},
                                                                        {"linger.ms", "0"},
                                                                        {"enable.idempotence", "true"},
                                                                        // A broker takes the second request to a new
                                                                        // topic without the first.
                                                                        {"max.in.flight", "1"},
                                                                        {"reconnect.backoff.max.ms", "200"}})
      rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason.data(), reason.size());
    if (!transactional_id.empty())
      rd_kafka_conf_set(conf, "transactional.id", transactional_id.c_str(), reason.data(), reason.size());
    rd_kafka_conf_set_dr_msg_cb(conf, [](rd_kafka_t*, const rd_kafka_message_t* message, void*) {
      Report* report = static_cast<Report*>(message->_private);
      report->error = message->err;
      report->offset = message->offset;
      report->done = true;
    });
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason.data(), reason.size());
    if (handle_ == nullptr) throw std::runtime_error(reason.data());
    if (!transactional_id.empty()) check(rd_kafka_init_transactions(handle_, 60000));
  }
  ~TopicWriter() { rd_kafka_destroy(handle_); }
  TopicWriter(const TopicWriter&) = delete;
  TopicWriter& operator=(const TopicWriter&) = delete;

  /// Returns the offsets, in order.
  std::vector<std::int64_t> write(const std::vector<Written>& records) {
    std::vector<Report> reports(records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
      const Written& record = records[i];
      const void* value = record.value ? record.value->data() : nullptr;
      const void* key = record.key ? record.key->data() : nullptr;
      const std::size_t value_size = record.value ? record.value->size() : 0;
      const std::size_t key_size = record.key ? record.key->size() : 0;
      const auto send = [&] {
        return rd_kafka_producev(handle_, RD_KAFKA_V_TOPIC(record.topic.c_str()),
                                 RD_KAFKA_V_PARTITION(record.partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                 RD_KAFKA_V_VALUE(const_cast<void*>(value), value_size), RD_KAFKA_V_KEY(key, key_size),
                                 RD_KAFKA_V_TIMESTAMP(record.timestamp), RD_KAFKA_V_OPAQUE(&reports[i]),
                                 RD_KAFKA_V_END);
      };
      rd_kafka_resp_err_t error = send();
      while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_poll(handle_, 100);
        error = send();
      }
      if (error != 0) throw std::runtime_error(record.topic + ": " + rd_kafka_err2str(error));
    }
    std::vector<std::int64_t> offsets;
    for (Report& report : reports) {
      while (!report.done) rd_kafka_poll(handle_, 100);
      if (report.error != 0) throw std::runtime_error(std::string("a record: ") + rd_kafka_err2str(report.error));
      if (report.offset < 0) throw std::runtime_error("a record has no offset");
      offsets.push_back(report.offset);
    }
    return offsets;
  }

  void begin() { check(rd_kafka_begin_transaction(handle_)); }
  void commit() { check(rd_kafka_commit_transaction(handle_, 60000)); }
  void abort() { check(rd_kafka_abort_transaction(handle_, 60000)); }

  void create_topic(const std::string& name, int partitions = 1,
                    const std::map<std::string, std::string>& config = {}) {
    std::array<char, 512> reason{};
    rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(name.c_str(), partitions, 1, reason.data(), reason.size());
    for (const auto& [key, value] : config) rd_kafka_NewTopic_set_config(topic, key.c_str(), value.c_str());
    admin("creation of " + name,
          [&](rd_kafka_queue_t* queue) { rd_kafka_CreateTopics(handle_, &topic, 1, nullptr, queue); });
    rd_kafka_NewTopic_destroy(topic);
    wait_for_leaders(name, partitions);
  }

  /// Returns once no broker knows the topic.
  void delete_topic(const std::string& name) {
    rd_kafka_DeleteTopic_t* topic = rd_kafka_DeleteTopic_new(name.c_str());
    admin("deletion of " + name,
          [&](rd_kafka_queue_t* queue) { rd_kafka_DeleteTopics(handle_, &topic, 1, nullptr, queue); });
    rd_kafka_DeleteTopic_destroy(topic);
    if (!becomes([&] { return leaders(name) == 0; }, std::chrono::seconds(120)))
      throw std::runtime_error("the topic " + name + " is not deleted");
  }

  void add_partitions(const std::string& name, int count) {
    std::array<char, 512> reason{};
    rd_kafka_NewPartitions_t* more =
        rd_kafka_NewPartitions_new(name.c_str(), static_cast<std::size_t>(count), reason.data(), reason.size());
    admin("partitions of " + name,
          [&](rd_kafka_queue_t* queue) { rd_kafka_CreatePartitions(handle_, &more, 1, nullptr, queue); });
    rd_kafka_NewPartitions_destroy(more);
    wait_for_leaders(name, count);
  }

  /// Deletes the records of a partition before `offset`, as retention does.
  void delete_records(const std::string& topic, std::int32_t partition, std::int64_t offset) {
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset = offset;
    rd_kafka_DeleteRecords_t* records = rd_kafka_DeleteRecords_new(list);
    admin("records of " + topic,
          [&](rd_kafka_queue_t* queue) { rd_kafka_DeleteRecords(handle_, &records, 1, nullptr, queue); });
    rd_kafka_DeleteRecords_destroy(records);
    rd_kafka_topic_partition_list_destroy(list);
  }

  /// Returns the names of all consumer groups that the brokers know.
  std::vector<std::string> groups() {
    const struct rd_kafka_group_list* list = nullptr;
    const auto error = rd_kafka_list_groups(handle_, nullptr, &list, 30000);
    if (error != 0) throw std::runtime_error(rd_kafka_err2str(error));
    std::vector<std::string> names;
    for (int i = 0; i < list->group_cnt; ++i) names.emplace_back(list->groups[i].group);
    rd_kafka_group_list_destroy(list);
    return names;
  }

  /// Returns the number of partitions of `topic` that have a leader.
  int leaders(const std::string& topic) {
    const struct rd_kafka_metadata* metadata = nullptr;
    if (const auto error = rd_kafka_metadata(handle_, 1, nullptr, &metadata, 30000))
      throw std::runtime_error(rd_kafka_err2str(error));
    int count = 0;
    for (int i = 0; i < metadata->topic_cnt; ++i)
      if (topic == metadata->topics[i].topic)
        for (int p = 0; p < metadata->topics[i].partition_cnt; ++p)
          count += metadata->topics[i].partitions[p].leader >= 0 ? 1 : 0;
    rd_kafka_metadata_destroy(metadata);
    return count;
  }

 private:
  struct Report {
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    std::int64_t offset = -1;
    bool done = false;
  };

  static void check(rd_kafka_error_t* error) {
    if (error == nullptr) return;
    const std::string text = rd_kafka_error_string(error);
    rd_kafka_error_destroy(error);
    throw std::runtime_error(text);
  }

  void wait_for_leaders(const std::string& topic, int count) {
    if (!becomes([&] { return leaders(topic) == count; }, std::chrono::seconds(120)))
      throw std::runtime_error("the partitions of " + topic + " have no leaders");
  }

  /// Sends an admin request until it succeeds: a broker on a busy machine is fenced for a moment.
  template <typename Request>
  void admin(const std::string& what, Request&& request) {
    std::string error;
    const bool done = becomes(
        [&] {
          rd_kafka_queue_t* queue = rd_kafka_queue_new(handle_);
          request(queue);
          error = result(rd_kafka_queue_poll(queue, 60000));
          rd_kafka_queue_destroy(queue);
          return error.empty() || error.find("already exists") != std::string::npos;
        },
        std::chrono::seconds(120));
    if (!done) throw std::runtime_error(what + ": " + error);
  }

  static std::string result(rd_kafka_event_t* event) {
    if (event == nullptr) return "no answer";
    std::string error = rd_kafka_event_error(event) == 0 ? "" : rd_kafka_event_error_string(event);
    std::size_t count = 0;
    const rd_kafka_topic_result_t** topics = nullptr;
    if (const auto* created = rd_kafka_event_CreateTopics_result(event))
      topics = rd_kafka_CreateTopics_result_topics(created, &count);
    if (const auto* deleted = rd_kafka_event_DeleteTopics_result(event))
      topics = rd_kafka_DeleteTopics_result_topics(deleted, &count);
    if (const auto* grown = rd_kafka_event_CreatePartitions_result(event))
      topics = rd_kafka_CreatePartitions_result_topics(grown, &count);
    for (std::size_t i = 0; i < count; ++i)
      if (rd_kafka_topic_result_error(topics[i]) != 0) error = rd_kafka_err2str(rd_kafka_topic_result_error(topics[i]));
    if (const auto* records = rd_kafka_event_DeleteRecords_result(event))
      if (const auto* offsets = rd_kafka_DeleteRecords_result_offsets(records); offsets->elems[0].err != 0)
        error = rd_kafka_err2str(offsets->elems[0].err);
    rd_kafka_event_destroy(event);
    return error;
  }

  rd_kafka_t* handle_;
};

}  // namespace eventgate

#pragma once

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/kafka_broker.hpp"

namespace eventgate {

/// Reads all records of some topics, each once, over outages of the broker.
///
/// One thread.
class TopicReader {
 public:
  /// `partitions`: of each topic, how many. The topics are there.
  TopicReader(const std::string& address, const std::map<std::string, int>& partitions) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    std::array<char, 512> reason{};
    for (const auto& [name, value] :
         {std::pair("bootstrap.servers", address.c_str()), std::pair("group.id", "oracle"),
          std::pair("enable.auto.commit", "false"), std::pair("log_level", "0"),
          std::pair("reconnect.backoff.max.ms", "200"), std::pair("fetch.wait.max.ms", "50"),
          std::pair("auto.offset.reset", "earliest"), std::pair("allow.auto.create.topics", "false")})
      rd_kafka_conf_set(conf, name, value, reason.data(), reason.size());
    handle_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason.data(), reason.size());
    if (handle_ == nullptr) throw std::runtime_error(reason.data());
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    for (const auto& [topic, count] : partitions) {
      for (int partition = 0; partition < count; ++partition) {
        rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset = 0;
        next_[{topic, partition}] = 0;
      }
    }
    rd_kafka_assign(handle_, list);
    rd_kafka_topic_partition_list_destroy(list);
  }
  ~TopicReader() {
    rd_kafka_consumer_close(handle_);
    rd_kafka_destroy(handle_);
  }
  TopicReader(const TopicReader&) = delete;
  TopicReader& operator=(const TopicReader&) = delete;

  /// Calls `take` with every record that is there now and was not read before, in the order of each partition. Throws
  /// std::runtime_error if that cannot be done within five minutes, or a topic became shorter.
  void read(const std::function<void(const std::string& topic, const ConsumedRecord&)>& take) {
    const auto until = Clock::now() + std::chrono::minutes(5);
    const auto in_time = [&] {
      if (Clock::now() > until) throw std::runtime_error("the topics cannot be read");
    };
    std::map<std::pair<std::string, int>, std::int64_t> ends;
    for (const auto& [place, next] : next_) {
      std::int64_t start = 0, end = 0;
      // A new leader may learn late of what the one before it knew to be on all replicas.
      while (rd_kafka_query_watermark_offsets(handle_, place.first.c_str(), place.second, &start, &end, 1000) != 0 ||
             end < next) {
        if (Clock::now() > until && end < next) throw std::runtime_error("Kafka lost records of " + place.first);
        in_time();
      }
      ends[place] = end;
    }
    while (std::any_of(ends.begin(), ends.end(), [&](const auto& end) { return next_[end.first] < end.second; })) {
      in_time();
      rd_kafka_message_t* message = rd_kafka_consumer_poll(handle_, 1000);
      if (message == nullptr) continue;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const std::string topic = rd_kafka_topic_name(message->rkt);
        const ConsumedRecord record = consumed_record(*message);
        std::int64_t& next = next_[{topic, record.partition}];
        if (message->offset >= next) {  // not again, where a new leader made the reader begin anew
          next = message->offset + 1;
          take(topic, record);
        }
      }
      rd_kafka_message_destroy(message);
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  rd_kafka_t* handle_;
  std::map<std::pair<std::string, int>, std::int64_t> next_;  // offset to be read
};

}  // namespace eventgate

#pragma once

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace eventgate {

// Numbers of requests in Kafka's protocol.
constexpr std::int16_t kProduceRequest = 0;
constexpr std::int16_t kFetchRequest = 1;
constexpr std::int16_t kListOffsetsRequest = 2;

constexpr std::int32_t kMockPartitions = 4;  // partitions of each topic of the mock

/// librdkafka's mock of a cluster with one broker. Its topics have kMockPartitions partitions, unless they are created.
class MockKafka {
 public:
  MockKafka() {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    std::array<char, 512> reason{};
    rd_kafka_conf_set(conf, "log_level", "0", reason.data(), reason.size());
    owner_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason.data(), reason.size());
    if (owner_ == nullptr) throw std::runtime_error(reason.data());
    cluster_ = rd_kafka_mock_cluster_new(owner_, 1);
  }
  ~MockKafka() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(owner_);
  }
  MockKafka(const MockKafka&) = delete;
  MockKafka& operator=(const MockKafka&) = delete;

  std::string address() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }

  rd_kafka_mock_cluster_t* cluster() const { return cluster_; }

  /// Sets the answers to the next requests, of produce requests unless `request` is another.
  void answer(std::vector<rd_kafka_resp_err_t> errors, std::int16_t request = kProduceRequest) {
    rd_kafka_mock_push_request_errors_array(cluster_, request, errors.size(), errors.data());
  }
  /// Returns the number of records in `topic`.
  std::int64_t records(const std::string& topic) const {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    std::array<char, 512> reason{};
    rd_kafka_conf_set(conf, "bootstrap.servers", address().c_str(), reason.data(), reason.size());
    rd_kafka_t* reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason.data(), reason.size());
    std::int64_t count = 0;
    for (std::int32_t partition = 0; partition < kMockPartitions; ++partition) {
      std::int64_t low = 0, high = 0;
      const auto error = rd_kafka_query_watermark_offsets(reader, topic.c_str(), partition, &low, &high, 10000);
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) ADD_FAILURE() << rd_kafka_err2str(error);
      count += high - low;
    }
    rd_kafka_destroy(reader);
    return count;
  }
  void answer_after(std::chrono::milliseconds time) {
    rd_kafka_mock_broker_set_rtt(cluster_, 1, static_cast<int>(time.count()));
  }

 private:
  rd_kafka_t* owner_;
  rd_kafka_mock_cluster_t* cluster_;
};

}  // namespace eventgate

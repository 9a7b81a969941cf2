#include "topic_limits.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kTopicsPerDescription = 100;
constexpr std::chrono::seconds kLimitAge{30};

}  // namespace

std::size_t TopicLimits::of(const std::string& topic) const {
  const std::lock_guard lock(mutex_);
  const auto found = limits_.find(topic);
  return found == limits_.end() ? 0 : found->second.bytes;
}

bool TopicLimits::due(const std::string& topic) const {
  const std::lock_guard lock(mutex_);
  const auto found = limits_.find(topic);
  return found == limits_.end() || Clock::now() - found->second.asked > kLimitAge;
}

void TopicLimits::read(rd_kafka_t* client, const std::vector<std::string>& topics, std::chrono::milliseconds timeout) {
  for (std::size_t first = 0; first < topics.size(); first += kTopicsPerDescription) {
    std::vector<rd_kafka_ConfigResource_t*> resources;
    for (std::size_t i = first; i < std::min(topics.size(), first + kTopicsPerDescription); ++i) {
      resources.push_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topics[i].c_str()));
      const std::lock_guard lock(mutex_);
      if (limits_.size() > 10000) limits_.clear();
      limits_[topics[i]].asked = Clock::now();
    }
    rd_kafka_AdminOptions_t* options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    std::array<char, 256> ignored{};
    rd_kafka_AdminOptions_set_request_timeout(options, static_cast<int>(timeout.count()), ignored.data(),
                                              ignored.size());
    rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
    rd_kafka_DescribeConfigs(client, resources.data(), resources.size(), options, queue);
    if (rd_kafka_event_t* event = rd_kafka_queue_poll(queue, static_cast<int>(timeout.count()))) {
      note(*event);
      rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy_array(resources.data(), resources.size());
  }
}

void TopicLimits::note(rd_kafka_event_t& event) {
  const rd_kafka_DescribeConfigs_result_t* result = rd_kafka_event_DescribeConfigs_result(&event);
  if (result == nullptr) return;
  std::size_t count = 0;
  const rd_kafka_ConfigResource_t** resources = rd_kafka_DescribeConfigs_result_resources(result, &count);
  for (std::size_t i = 0; i < count; ++i) {
    if (rd_kafka_ConfigResource_error(resources[i]) != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    std::size_t entry_count = 0;
    const rd_kafka_ConfigEntry_t** entries = rd_kafka_ConfigResource_configs(resources[i], &entry_count);
    for (std::size_t j = 0; j < entry_count; ++j) {
      const char* value = rd_kafka_ConfigEntry_value(entries[j]);
      if (value == nullptr || rd_kafka_ConfigEntry_name(entries[j]) != std::string_view("max.message.bytes")) continue;
      std::size_t bytes = 0;
      std::from_chars(value, value + std::string_view(value).size(), bytes);
      const std::lock_guard lock(mutex_);
      limits_[rd_kafka_ConfigResource_name(resources[i])].bytes = bytes;
    }
  }
}

}  // namespace eventgate

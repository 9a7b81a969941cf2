#include "topic_limits.hpp"

#include <algorithm>
#include <span>

#include "topic_configs.hpp"

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kMaxLimitAge{30};  // then Kafka is asked again
constexpr std::size_t kMaxTopics = 10000;         // bounds the memory

}  // namespace

std::size_t TopicLimits::max_bytes(const std::string& topic) const {
  const std::lock_guard lock(mutex_);
  const auto found = limits_.find(topic);
  return found == limits_.end() ? 0 : found->second.bytes;
}

bool TopicLimits::is_due(const std::string& topic) const {
  const std::lock_guard lock(mutex_);
  const auto found = limits_.find(topic);
  return found == limits_.end() || Clock::now() - found->second.asked_at > kMaxLimitAge;
}

void TopicLimits::read(rd_kafka_t* client, const std::vector<std::string>& topics, std::chrono::milliseconds timeout) {
  for (std::size_t first = 0; first < topics.size(); first += kTopicsPerDescription) {
    const std::span<const std::string> group =
        std::span(topics).subspan(first, std::min(kTopicsPerDescription, topics.size() - first));
    {
      const std::lock_guard lock(mutex_);
      if (limits_.size() > kMaxTopics) limits_.clear();
      for (const std::string& topic : group) limits_[topic].asked_at = Clock::now();
    }
    for (const auto& [topic, config] : read_topic_configs(client, group, timeout)) {
      const std::lock_guard lock(mutex_);
      if (const std::size_t bytes = config.number("max.message.bytes")) limits_[topic].bytes = bytes;
    }
  }
}

}  // namespace eventgate

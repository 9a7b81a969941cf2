#include "topic_limits.hpp"

#include <algorithm>
#include <span>

#include "topic_configs.hpp"

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;

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
    const std::span<const std::string> some =
        std::span(topics).subspan(first, std::min(kTopicsPerDescription, topics.size() - first));
    {
      const std::lock_guard lock(mutex_);
      if (limits_.size() > 10000) limits_.clear();
      for (const std::string& topic : some) limits_[topic].asked = Clock::now();
    }
    for (const auto& [topic, config] : read_topic_configs(client, some, timeout)) {
      const std::lock_guard lock(mutex_);
      if (const std::size_t bytes = config.number("max.message.bytes")) limits_[topic].bytes = bytes;
    }
  }
}

}  // namespace eventgate

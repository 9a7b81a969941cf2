#include "topic_configs.hpp"

#include <array>
#include <charconv>
#include <vector>

namespace eventgate {
namespace {

TopicConfig topic_config(const rd_kafka_ConfigResource_t& resource) {
  TopicConfig config;
  if (const rd_kafka_resp_err_t error = rd_kafka_ConfigResource_error(&resource)) {
    config.problem = rd_kafka_err2str(error);
    return config;
  }
  std::size_t count = 0;
  const rd_kafka_ConfigEntry_t** entries = rd_kafka_ConfigResource_configs(&resource, &count);
  for (std::size_t i = 0; i < count; ++i)
    if (const char* value = rd_kafka_ConfigEntry_value(entries[i]))
      config.options.emplace(rd_kafka_ConfigEntry_name(entries[i]), value);
  return config;
}

/// Asks for the options of `names`. The result has an entry for each.
std::map<std::string, TopicConfig> read_configs(rd_kafka_t* client, rd_kafka_ResourceType_t type,
                                                std::span<const std::string> names, std::chrono::milliseconds timeout) {
  std::vector<rd_kafka_ConfigResource_t*> resources;
  for (const std::string& name : names) resources.push_back(rd_kafka_ConfigResource_new(type, name.c_str()));
  rd_kafka_AdminOptions_t* options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  std::array<char, 256> ignored{};
  rd_kafka_AdminOptions_set_request_timeout(options, static_cast<int>(timeout.count()), ignored.data(), ignored.size());
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
  rd_kafka_DescribeConfigs(client, resources.data(), resources.size(), options, queue);

  std::map<std::string, TopicConfig> found;
  std::string problem = rd_kafka_err2str(RD_KAFKA_RESP_ERR__TIMED_OUT);
  if (rd_kafka_event_t* event = rd_kafka_queue_poll(queue, static_cast<int>(timeout.count()))) {
    if (const rd_kafka_resp_err_t error = rd_kafka_event_error(event)) problem = rd_kafka_err2str(error);
    if (const rd_kafka_DescribeConfigs_result_t* result = rd_kafka_event_DescribeConfigs_result(event)) {
      std::size_t count = 0;
      const rd_kafka_ConfigResource_t** described = rd_kafka_DescribeConfigs_result_resources(result, &count);
      for (std::size_t i = 0; i < count; ++i)
        found.emplace(rd_kafka_ConfigResource_name(described[i]), topic_config(*described[i]));
    }
    rd_kafka_event_destroy(event);
  }
  for (const std::string& name : names) found.try_emplace(name, TopicConfig{{}, problem});
  rd_kafka_queue_destroy(queue);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_ConfigResource_destroy_array(resources.data(), resources.size());
  return found;
}

}  // namespace

std::size_t TopicConfig::number(std::string_view option) const {
  const auto found = options.find(option);
  std::size_t value = 0;
  if (found != options.end()) std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  return value;
}

std::map<std::string, TopicConfig> read_topic_configs(rd_kafka_t* client, std::span<const std::string> topics,
                                                      std::chrono::milliseconds timeout) {
  return read_configs(client, RD_KAFKA_RESOURCE_TOPIC, topics, timeout);
}

TopicConfig read_broker_config(rd_kafka_t* client, std::int32_t broker, std::chrono::milliseconds timeout) {
  const std::string name = std::to_string(broker);
  return read_configs(client, RD_KAFKA_RESOURCE_BROKER, {&name, 1}, timeout).at(name);
}

}  // namespace eventgate

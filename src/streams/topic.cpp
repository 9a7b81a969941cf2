#include "eventgate/streams/topic.hpp"

#include "eventgate/base/topic_name.hpp"

namespace eventgate {

std::string topic_name(std::string_view topic_prefix, std::string_view stream, const StreamConfig* config) {
  if (stream.starts_with("eventlogging_") || (config && config->without_topic_prefix)) return std::string(stream);
  std::string topic;
  topic.reserve(topic_prefix.size() + stream.size());
  topic += topic_prefix;
  topic += stream;
  return topic;
}

std::optional<std::string> legal_topic(std::string_view topic_prefix, std::string_view stream,
                                       const StreamConfig* config) {
  std::string topic = topic_name(topic_prefix, stream, config);
  if (!is_topic_name(topic)) return std::nullopt;
  return topic;
}

const StreamConfig* config_of_topic(const StreamConfigs& configs, std::string_view topic_prefix,
                                    std::string_view topic) {
  const std::size_t dot = topic.find('.');
  const std::string_view names[] = {topic.starts_with(topic_prefix) ? topic.substr(topic_prefix.size()) : topic, topic,
                                    dot == std::string_view::npos ? topic : topic.substr(dot + 1)};
  for (const std::string_view name : names)
    if (const StreamConfig* const config = configs.find(name)) return config;
  return nullptr;
}

std::optional<std::chrono::hours> retention_of_topic(const StreamConfigs* configs, std::string_view topic_prefix,
                                                     std::chrono::hours output_retention, std::string_view topic) {
  const StreamConfig* const config = configs ? config_of_topic(*configs, topic_prefix, topic) : nullptr;
  // What a wrong setting means is not known, so the files stay.
  if (config && !config->unusable_reason.empty()) return std::nullopt;
  const std::chrono::hours kept_for = config && config->retention ? *config->retention : output_retention;
  if (kept_for.count() == 0 || kept_for == std::chrono::hours::max()) return std::nullopt;
  return kept_for;
}

std::string stream_of_schema_uri(std::string_view schema_uri) {
  std::string stream;
  stream.reserve(schema_uri.size());
  for (const char c : schema_uri) stream += is_topic_character(c) ? c : '_';
  stream.erase(0, stream.find_first_not_of('_'));
  return stream;
}

}  // namespace eventgate

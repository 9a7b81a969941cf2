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

std::string stream_of_schema_uri(std::string_view schema_uri) {
  std::string stream;
  stream.reserve(schema_uri.size());
  for (const char c : schema_uri) stream += is_topic_character(c) ? c : '_';
  stream.erase(0, stream.find_first_not_of('_'));
  return stream;
}

}  // namespace eventgate

#include "restart_options.hpp"

#include <map>
#include <string_view>

namespace eventgate {

namespace {

/// Returns true for options that decide which streams clients read, and what of their events.
bool is_exposure(std::string_view path) {
  for (const std::string_view name : {"allowed_streams", "mediawiki_redacted_pages", "schema_latest_version",
                                      "stream_config_defaults", "stream_config_overrides"})
    if (path == name || (path.starts_with(name) && path[name.size()] == '.')) return true;
  return false;
}

}  // namespace

std::string options_for_restart(const Config& in_use, const Config& fresh) {
  std::string differing;
  const auto add = [&differing](std::string_view path) {
    differing.append(differing.empty() ? "" : ", ").append(path);
  };
  const std::map<std::string, std::string> before(in_use.options.begin(), in_use.options.end());
  for (const auto& [path, value] : fresh.options) {
    const auto found = before.find(path);
    if (path.starts_with("logging.") || is_exposure(path) || (found != before.end() && found->second == value))
      continue;
    add(path);
  }
  // Secrets are not among the options.
  const auto conf = [](const Config& config, KafkaProducerOptions KafkaSinkOptions::*producer) {
    return config.kafka ? (*config.kafka.*producer).conf : std::map<std::string, std::string>();
  };
  const bool differs = conf(in_use, &KafkaSinkOptions::guaranteed) != conf(fresh, &KafkaSinkOptions::guaranteed) ||
                       conf(in_use, &KafkaSinkOptions::hasty) != conf(fresh, &KafkaSinkOptions::hasty);
  if (differs && differing.find("kafka.") == std::string::npos) add("kafka (a secret)");
  return differing;
}

}  // namespace eventgate

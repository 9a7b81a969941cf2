#include "config_files.hpp"

#include <stdexcept>
#include <utility>

namespace eventgate {

Config config_of(const std::vector<std::string>& files) {
  auto config = read_config(files);
  if (config) return std::move(*config);
  std::string all;
  for (const std::string& problem : config.error().problems) all += (all.empty() ? "" : "\n") + problem;
  throw std::runtime_error(all);
}

void log_nothing(LoggingOptions options) {
  options.output = "/dev/null";
  start_logging(options);
}

}  // namespace eventgate

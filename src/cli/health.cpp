#include "health.hpp"

#include <nlohmann/json.hpp>

#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {

std::optional<std::string> health_problem(const HttpOptions& options) {
  if (options.port == 0) return "expected a `port` other than 0: a gate on any free one cannot be found";
  std::string host = options.interface;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = '[' + host + ']';
  UriReaderOptions reader;
  reader.fetch_connect_timeout = reader.fetch_timeout = std::chrono::seconds(2);
  const std::string uri = "http://" + host + ':' + std::to_string(options.port) + "/healthz";
  const auto answer = make_uri_reader(reader)->read(uri);
  if (answer) return std::nullopt;
  return "not healthy: " + uri + ": " + answer.error().message;
}

}  // namespace eventgate

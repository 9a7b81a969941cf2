#include "stream_configs_endpoint.hpp"

#include "eventgate/streams/stream_config_source.hpp"
#include "json_response.hpp"

namespace eventgate {

std::vector<std::string> split_stream_names(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t end = list.find_first_of(",|");
    if (const std::string_view name = list.substr(0, end); !name.empty()) names.emplace_back(name);
    if (end == std::string_view::npos) break;
    list.remove_prefix(end + 1);
  }
  return names;
}

Response StreamConfigsEndpoint::respond(const Exchange& exchange) const {
  const auto configs = streams_.current();
  if (exchange.path_parameter().empty()) return json_response(configs->json());
  std::vector<std::string> names = split_stream_names(exchange.path_parameter());
  if (names.empty()) names.emplace_back();  // only separators name no stream, not all
  return json_response(configs->json(names));
}

}  // namespace eventgate

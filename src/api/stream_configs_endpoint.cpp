#include "stream_configs_endpoint.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>

#include "entity_tag.hpp"
#include "eventgate/base/ascii.hpp"
#include "eventgate/base/utf8.hpp"
#include "eventgate/json/json_text.hpp"
#include "eventgate/streams/stream_config_source.hpp"
#include "json_response.hpp"
#include "stream_query.hpp"

namespace eventgate {

namespace {

/// Seconds that clients may keep a reply, as in the original.
constexpr std::string_view kCacheControl = "cache-control: public, max-age=600\r\n";

/// Unknown names in a warning, and bytes of each.
constexpr std::size_t kMaxNamed = 10;
constexpr std::size_t kMaxName = 100;

Response error_response(const StreamQueryError& error) {
  Response response = json_response(error_json(error));
  response.extra_headers.append("cache-control: private, must-revalidate, max-age=0\r\nmediawiki-api-error: ");
  response.extra_headers.append(error.code).append("\r\n");
  return response;
}

std::string unknown_streams_warning(const std::vector<std::string>& unknown) {
  std::string names;
  for (std::size_t i = 0; i < std::min(unknown.size(), kMaxNamed); ++i) {
    if (i > 0) names += ", ";
    names += utf8_prefix(unknown[i], kMaxName);
  }
  if (unknown.size() > kMaxNamed) names += " and " + std::to_string(unknown.size() - kMaxNamed) + " more";
  return "Unknown streams: " + names;
}

/// Returns a weak entity tag of `body`: the body may be sent compressed.
std::string entity_tag(std::string_view body) {
  std::size_t hash = std::hash<std::string_view>{}(body);
  std::array<char, 2 * sizeof(hash)> digits;
  for (std::size_t i = digits.size(); i-- > 0; hash >>= 4) digits[i] = kLowerHexDigits[hash & 15];
  return "W/\"" + std::string(digits.data(), digits.size()) + '"';
}

}  // namespace

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

/// Without the option, no Host has a wiki, and the configs are those that the gate holds events to.
std::string StreamConfigService::wiki_of_host(const Request& request) const {
  if (options_.path.empty()) return options_.own_wiki;
  std::string host = to_ascii_lower(request.field("host").value_or(""));
  auto found = options_.wikis.find(host);
  if (const std::size_t colon = host.rfind(':'); found == options_.wikis.end() && colon != std::string::npos) {
    host.resize(colon);
    found = options_.wikis.find(host);
  }
  return found == options_.wikis.end() ? std::string() : found->second;
}

Response StreamConfigService::respond(const Exchange& exchange) const {
  const auto query = parse_stream_query(exchange.query());
  if (!query) return error_response(query.error());
  std::vector<std::string> unknown;
  const auto catalog = streams_.catalog();
  std::string body = "{\"streams\":";
  body += catalog->of(query->wiki ? *query->wiki : wiki_of_host(exchange.request())).json(query->selection, unknown);
  if (!unknown.empty()) {
    body += ",\"warnings\":{\"streamconfigs\":{\"warnings\":";
    append_json_string(body, unknown_streams_warning(unknown));
    body += "}}";
  }
  body += '}';
  const std::string tag = entity_tag(body);
  Response response = json_response(std::move(body));
  response.extra_headers.append(kCacheControl).append("etag: ").append(tag).append("\r\n");
  return unless_known(std::move(response), tag, exchange.request());
}

Response StreamConfigsEndpoint::respond(const Exchange& exchange) const {
  const Query& query = exchange.query();
  const auto configs = streams_.current();
  if (exchange.path_parameter().empty()) {
    if (has_parameter(query, "streams") || has_parameter(query, "constraints") || has_parameter(query, "wiki"))
      return service_.respond(exchange);
    return json_response(configs->json());
  }
  std::vector<std::string> names = split_stream_names(exchange.path_parameter());
  if (names.empty()) names.emplace_back();  // only separators name no stream, not all
  return json_response(configs->json(names));
}

Response StreamConfigsActionEndpoint::respond(const Exchange& exchange) const {
  if (const auto error = action_error(exchange.query())) return error_response(*error);
  return service_.respond(exchange);
}

}  // namespace eventgate

#include "info_endpoints.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

#include "eventgate/json/json_text.hpp"
#include "eventgate/readers/exposed_streams.hpp"
#include "eventgate/readers/stream_readers.hpp"
#include "json_response.hpp"
#include "pages.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kDescription =
    "Event gate: POST JSON events; they are completed, validated against their JSON Schemas, and produced to Kafka.";
constexpr std::string_view kHome = "https://wikitech.wikimedia.org/wiki/Event_Platform/EventGate";

}  // namespace

Response InfoEndpoint::respond(const Exchange& /*exchange*/) const {
  return json_response("{\"name\":" + json_string(service_name_) + ",\"version\":" + json_string(kVersion) +
                       ",\"description\":" + json_string(kDescription) + ",\"home\":" + json_string(kHome) + "}");
}

Response NameEndpoint::respond(const Exchange& /*exchange*/) const {
  return json_response("{\"name\":" + json_string(service_name_) + "}");
}

Response VersionEndpoint::respond(const Exchange& /*exchange*/) const {
  return json_response("{\"version\":" + json_string(kVersion) + "}");
}

Response HomeEndpoint::respond(const Exchange& /*exchange*/) const {
  Response response = text_response("Moved Permanently. Redirecting to " + std::string(kHome));
  response.status = 301;
  response.extra_headers.append("location: ").append(kHome).append("\r\n");
  return response;
}

Response DocumentationEndpoint::respond(const Exchange& exchange) const {
  const Query& query = exchange.query();
  if (has_parameter(query, "spec")) return json_response(specification());
  if (has_parameter(query, "doc") && !has_parameter(query, "path")) {
    Response response;
    response.content_type = kHtmlType;
    response.body = kDocPage;
    response.inline_page = true;
    return response;
  }
  return problem(404, "Nothing is here. Expected /?spec (OpenAPI, JSON) or /?doc (a page).", exchange.request());
}

/// Returns the OpenAPI document, with a path for each stream that can be read.
std::string DocumentationEndpoint::specification() const {
  std::string document(kOpenApi);
  if (!readers_) return document;
  const StreamPaths described = describe_streams(*readers_->streams(), [](const std::string&) { return std::nullopt; });
  constexpr std::string_view kPaths = "\"paths\": {";
  if (const std::size_t at = document.find(kPaths); at != std::string::npos && described.paths.size() > 2) {
    const std::string members = described.paths.substr(1, described.paths.size() - 2);
    document.insert(at + kPaths.size(), members + ",");
  }
  constexpr std::string_view kNames = "[\"NAMES_OF_STREAMS\"]";
  if (const std::size_t at = document.find(kNames); at != std::string::npos && described.names.size() > 2)
    document.replace(at, kNames.size(), described.names);
  return document;
}

Response RobotsEndpoint::respond(const Exchange& /*exchange*/) const {
  return text_response("User-agent: *\nDisallow: /\n");
}

}  // namespace eventgate

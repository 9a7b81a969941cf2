#include "info_handler.hpp"

#include <algorithm>

#include "eventgate/json/json_text.hpp"
#include "eventgate/streams/stream_config_source.hpp"
#include "pages.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kDescription =
    "Event gate: POST JSON events; they are completed, validated against their JSON Schemas, and produced to Kafka.";
constexpr std::string_view kHome = "https://wikitech.wikimedia.org/wiki/Event_Platform/EventGate";

Response json(std::string body) {
  Response response;
  response.content_type = kJsonType;
  response.body = std::move(body);
  return response;
}

Response text(std::string body) {
  Response response;
  response.content_type = kTextType;
  response.body = std::move(body);
  return response;
}

/// An answer that is true at this moment only, so that no cache on the way may keep it.
Response not_stored(Response response) {
  response.fields += "cache-control: no-store\r\n";
  return response;
}

bool has(const Query& query, std::string_view name) {
  return std::any_of(query.begin(), query.end(), [&](const auto& parameter) { return parameter.first == name; });
}

}  // namespace

InfoHandler::InfoHandler(const HttpOptions& options, const HttpServices& services)
    : name_(options.service_name), services_(services) {}

Response InfoHandler::ready(const Request& request, bool draining) const {
  std::optional<std::string> reason;
  if (services_.not_ready_reason) reason = services_.not_ready_reason();
  if (!reason && draining) reason = "The service is stopping.";
  if (!reason) {
    std::string list;
    for (const std::string& what : services_.stale ? services_.stale() : std::vector<std::string>()) {
      list += (list.empty() ? "" : ",") + json_string(what);
    }
    return json(list.empty() ? "{\"status\":\"ready\"}" : "{\"status\":\"ready\",\"stale\":[" + list + "]}");
  }
  return problem(503, *reason, request);
}

Response InfoHandler::answer(const Request& request, const Target& target, const Query& query, bool draining) const {
  switch (target.route) {
    case Route::info:
      return json("{\"name\":" + json_string(name_) + ",\"version\":" + json_string(kVersion) +
                  ",\"description\":" + json_string(kDescription) + ",\"home\":" + json_string(kHome) + "}");
    case Route::info_name:
      return json("{\"name\":" + json_string(name_) + "}");
    case Route::info_version:
      return json("{\"version\":" + json_string(kVersion) + "}");
    case Route::info_home: {
      Response response = text("Moved Permanently. Redirecting to " + std::string(kHome));
      response.status = 301;
      response.fields = "location: " + std::string(kHome) + "\r\n";
      return response;
    }
    case Route::root: {
      if (has(query, "spec")) return json(std::string(kOpenApi));
      if (has(query, "doc") && !has(query, "path")) {
        Response response;
        response.content_type = kHtmlType;
        response.body = kDocPage;
        response.inline_page = true;
        return response;
      }
      return problem(404, "Nothing is here. Expected /?spec (OpenAPI, JSON) or /?doc (a page).", request);
    }
    case Route::robots:
      return text("User-agent: *\nDisallow: /\n");
    case Route::healthz:
      return not_stored(json("{\"status\":\"up\"}"));
    case Route::readyz:
      return not_stored(ready(request, draining));
    case Route::stream_configs: {
      const auto configs = services_.streams->current();
      return json(target.streams.empty() ? configs->json() : configs->json(target.streams));
    }
    case Route::unknown:
    case Route::events:
    case Route::test_events:
    case Route::live_page:
    case Route::live_feed:
    case Route::live_schema:
      break;
  }
  return problem(404, "Nothing is at this path. /?spec lists what there is.", request);
}

}  // namespace eventgate

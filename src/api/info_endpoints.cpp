#include "info_endpoints.hpp"

#include <string_view>

#include "eventgate/json/json_text.hpp"
#include "json_response.hpp"
#include "page_policy.hpp"
#include "pages.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kDescription =
    "Event gate: POST JSON events; they are completed, validated against their JSON Schemas, and produced to Kafka.";
constexpr std::string_view kHome = "https://wikitech.wikimedia.org/wiki/Event_Platform/EventGate";

/// Returns the page of `/`: the attributes of its body say what there is.
std::string index_page(bool has_live_page, std::optional<std::uint16_t> metrics_port) {
  std::string page(kIndexPage);
  constexpr std::string_view kBody = "<body>";
  const std::string live = has_live_page ? " data-live=\"yes\"" : "";
  const std::string metrics =
      metrics_port && *metrics_port != 0 ? " data-metrics-port=\"" + std::to_string(*metrics_port) + "\"" : "";
  return page.replace(page.find(kBody), kBody.size(),
                      "<body data-version=\"" + std::string(kVersion) + "\"" + live + metrics + ">");
}

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

DocumentationEndpoint::DocumentationEndpoint(bool has_live_page, std::optional<std::uint16_t> metrics_port)
    : index_page_(index_page(has_live_page, metrics_port)), index_policy_(page_policy(index_page_)) {}

Response DocumentationEndpoint::respond(const Exchange& exchange) const {
  const Query& query = exchange.query();
  if (has_parameter(query, "spec")) return json_response(std::string(kOpenApi));
  if (has_parameter(query, "doc") && !has_parameter(query, "path")) {
    Response response;
    response.content_type = kHtmlType;
    response.body = kDocPage;
    response.inline_page = true;
    return response;
  }
  if (query.empty() && accepts_html(exchange.request())) {
    Response response;
    response.content_type = kHtmlType;
    response.policy = index_policy_;
    response.extra_headers = "vary: Accept\r\n";
    response.body = index_page_;
    return response;
  }
  return problem(404, "Nothing is here. Expected /?spec (OpenAPI, JSON) or /?doc (a page).", exchange.request());
}

Response RobotsEndpoint::respond(const Exchange& /*exchange*/) const {
  return text_response("User-agent: *\nDisallow: /\n");
}

}  // namespace eventgate

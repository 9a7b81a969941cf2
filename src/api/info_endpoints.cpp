#include "info_endpoints.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "eventgate/json/json_text.hpp"
#include "json_response.hpp"
#include "page_policy.hpp"
#include "pages.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kDescription =
    "Event gate: POST JSON events; they are completed, validated against their JSON Schemas, and produced to Kafka.";
/// The longest wait for the schemas of streams.
constexpr std::chrono::seconds kDescribingTime{5};

constexpr std::string_view kHome = "https://wikitech.wikimedia.org/wiki/Event_Platform/EventGate";

/// Returns the page of `/`: the attributes of its body say what there is.
std::string index_page(const DocumentationEndpoint::Links& links) {
  std::string page(kIndexPage);
  constexpr std::string_view kBody = "<body>";
  std::string body = "<body data-version=\"" + std::string(kVersion) + "\"";
  if (links.has_live_page) body += " data-live=\"yes\"";
  if (links.has_stream_page) body += " data-streams=\"yes\"";
  if (links.metrics_port.value_or(0) != 0) body += " data-metrics-port=\"" + std::to_string(*links.metrics_port) + "\"";
  return page.replace(page.find(kBody), kBody.size(), body + ">");
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

DocumentationEndpoint::DocumentationEndpoint(std::unique_ptr<OpenApiDocument> document, const Links& links)
    : document_(std::move(document)), index_page_(index_page(links)), index_policy_(page_policy(index_page_)) {}

Task<Reply> DocumentationEndpoint::handle(Exchange& exchange) {
  const Query& query = exchange.query();
  if (has_parameter(query, "spec")) co_return co_await specification(exchange);
  Response response;
  if (has_parameter(query, "doc") && !has_parameter(query, "path")) {
    response.content_type = kHtmlType;
    response.body = kDocPage;
    response.inline_page = true;
    co_return response;
  }
  if (query.empty() && accepts_html(exchange.request())) {
    response.content_type = kHtmlType;
    response.policy = index_policy_;
    response.extra_headers = "vary: Accept\r\n";
    response.body = index_page_;
    co_return response;
  }
  co_return problem(404, "Nothing is here. Expected /?spec (OpenAPI, JSON) or /?doc (a page).", exchange.request());
}

/// Replies with the OpenAPI document. Where the schemas of streams are not read in time, with what there is.
Task<Reply> DocumentationEndpoint::specification(Exchange& exchange) const {
  std::shared_ptr<const std::string> text = document_->current();
  if (!text) {
    const Waker waker = exchange.waker();
    document_->renew([waker] { waker.wake([] {}); });
    co_await exchange.wait(kDescribingTime);
    text = document_->latest();
  }
  co_return json_response(*text);
}

Response RobotsEndpoint::respond(const Exchange& /*exchange*/) const {
  return text_response("User-agent: *\nDisallow: /\n");
}

}  // namespace eventgate

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "immediate_endpoint.hpp"
#include "openapi_document.hpp"

// The endpoints that describe the service. Each is thread-safe.

namespace eventgate {

/// `GET /_info`: name, version, description and home page.
class InfoEndpoint final : public ImmediateEndpoint {
 public:
  explicit InfoEndpoint(std::string service_name) : service_name_(std::move(service_name)) {}

 private:
  Response respond(const Exchange& exchange) const override;
  const std::string service_name_;
};

/// `GET /_info/name`.
class NameEndpoint final : public ImmediateEndpoint {
 public:
  explicit NameEndpoint(std::string service_name) : service_name_(std::move(service_name)) {}

 private:
  Response respond(const Exchange& exchange) const override;
  const std::string service_name_;
};

/// `GET /_info/version`.
class VersionEndpoint final : public ImmediateEndpoint {
  Response respond(const Exchange& exchange) const override;
};

/// `GET /_info/home`: a redirect to the home page.
class HomeEndpoint final : public ImmediateEndpoint {
  Response respond(const Exchange& exchange) const override;
};

/// `GET /?spec`: the OpenAPI document. `GET /?doc`: a page that shows it. `GET /` of a browser: a page of links.
class DocumentationEndpoint final : public Endpoint {
 public:
  /// The pages that the page of links has a link to.
  struct Links {
    bool has_live_page = false;
    bool has_stream_page = false;
    std::optional<std::uint16_t> metrics_port;  ///< The option. 0: none.
  };

  DocumentationEndpoint(std::unique_ptr<OpenApiDocument> document, const Links& links);

  Task<Reply> handle(Exchange& exchange) override;

 private:
  Task<Reply> specification(Exchange& exchange) const;

  const std::unique_ptr<OpenApiDocument> document_;
  const std::string index_page_;
  const std::string index_policy_;
};

/// `GET /robots.txt`: no robot may visit any page.
class RobotsEndpoint final : public ImmediateEndpoint {
  Response respond(const Exchange& exchange) const override;
};

}  // namespace eventgate

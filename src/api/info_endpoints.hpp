#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "immediate_endpoint.hpp"

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
class DocumentationEndpoint final : public ImmediateEndpoint {
 public:
  /// `metrics_port` is the option: the page has a link to it, unless it is absent or 0.
  DocumentationEndpoint(bool has_live_page, std::optional<std::uint16_t> metrics_port);

 private:
  Response respond(const Exchange& exchange) const override;
  const std::string index_page_;
  const std::string index_policy_;
};

/// `GET /robots.txt`: no robot may visit any page.
class RobotsEndpoint final : public ImmediateEndpoint {
  Response respond(const Exchange& exchange) const override;
};

}  // namespace eventgate

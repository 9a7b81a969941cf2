#pragma once

#include <string>
#include <utility>

#include "immediate_endpoint.hpp"

// The endpoints that describe the service. Each is thread-safe.

namespace eventgate {

class StreamReaders;

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

/// `GET /?spec`: the OpenAPI document. `GET /?doc`: a page that shows it.
class DocumentationEndpoint final : public ImmediateEndpoint {
 public:
  /// `readers` may be null; otherwise the document has a path for each stream. It must outlive this.
  explicit DocumentationEndpoint(const StreamReaders* readers) : readers_(readers) {}

 private:
  Response respond(const Exchange& exchange) const override;
  std::string specification() const;

  const StreamReaders* const readers_;
};

/// `GET /robots.txt`: no robot may visit any page.
class RobotsEndpoint final : public ImmediateEndpoint {
  Response respond(const Exchange& exchange) const override;
};

}  // namespace eventgate

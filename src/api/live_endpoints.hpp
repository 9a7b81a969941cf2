#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "eventgate/gate/live_feed.hpp"
#include "eventgate/http/endpoint.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/streams/stream_config_source.hpp"
#include "immediate_endpoint.hpp"
#include "live_access.hpp"

// The endpoints of the live page (docs/live.md). Each is thread-safe.

namespace eventgate {

/// `GET /live`: the page. A browser that may not see it gets a page that says how to get in.
class LivePageEndpoint final : public ImmediateEndpoint {
 public:
  explicit LivePageEndpoint(std::shared_ptr<const LiveAccess> access);

 private:
  Response respond(const Exchange& exchange) const override;

  const std::shared_ptr<const LiveAccess> access_;
  const std::string policy_;  // Content-Security-Policy with the hashes of the page's script and styles
  const std::string denied_policy_;
};

/// `GET /v1/live`: a stream of the events that the gate processes (LiveStream).
class LiveEventsEndpoint final : public Endpoint {
 public:
  /// Streams at the same time. Further clients get 503.
  static constexpr std::size_t kMaxViewers = 16;

  /// `feed` must outlive this.
  LiveEventsEndpoint(std::shared_ptr<const LiveAccess> access, LiveFeed& feed, std::chrono::milliseconds heartbeat)
      : access_(std::move(access)), feed_(feed), heartbeat_(heartbeat) {}

  Task<Reply> handle(Exchange& exchange) override;

 private:
  const std::shared_ptr<const LiveAccess> access_;
  LiveFeed& feed_;
  const std::chrono::milliseconds heartbeat_;
  /// Shared with the streams, because a stream may end after this.
  const std::shared_ptr<std::atomic<std::size_t>> viewers_ = std::make_shared<std::atomic<std::size_t>>(0);
};

/// `GET /v1/live/schema?uri=...`: the document of a schema in use, with every `$ref` replaced.
/// `/TITLE/latest` need not be in use if a declared stream has that schema_title.
class LiveSchemaEndpoint final : public Endpoint {
 public:
  /// `schemas` must outlive this, and so must `streams`, which may be null. `timeout` bounds the wait for a document.
  LiveSchemaEndpoint(std::shared_ptr<const LiveAccess> access, SchemaRepository& schemas,
                     const StreamConfigSource* streams, std::chrono::milliseconds timeout)
      : access_(std::move(access)), schemas_(schemas), streams_(streams), timeout_(timeout) {}

  Task<Reply> handle(Exchange& exchange) override;

 private:
  bool is_newest_of_declared_stream(std::string_view schema_uri) const;

  const std::shared_ptr<const LiveAccess> access_;
  SchemaRepository& schemas_;
  const StreamConfigSource* const streams_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace eventgate

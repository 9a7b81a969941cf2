#pragma once

#include <memory>
#include <utility>

#include "eventgate/gate/live_feed.hpp"
#include "eventgate/streams/stream_config_source.hpp"
#include "immediate_endpoint.hpp"
#include "live_access.hpp"

// The endpoints of what the live feed counts (docs/live.md). Each is thread-safe.

namespace eventgate {

/// `GET /v1/live/count`: the outcomes of events since the start or the last reset.
///
///     {"accepted": 3, "invalid": 1, "error": 0, "rejected": 0, "in_flight": 0}
class LiveCountEndpoint final : public ImmediateEndpoint {
 public:
  /// `feed` must outlive this.
  LiveCountEndpoint(std::shared_ptr<const LiveAccess> access, const LiveFeed& feed)
      : access_(std::move(access)), feed_(feed) {}

 private:
  Response respond(const Exchange& exchange) const override;

  const std::shared_ptr<const LiveAccess> access_;
  const LiveFeed& feed_;
};

/// `POST /v1/live/reset`: empties the live feed and its counts.
class LiveResetEndpoint final : public ImmediateEndpoint {
 public:
  /// `feed` must outlive this.
  LiveResetEndpoint(std::shared_ptr<const LiveAccess> access, LiveFeed& feed)
      : access_(std::move(access)), feed_(feed) {}

 private:
  Response respond(const Exchange& exchange) const override;

  const std::shared_ptr<const LiveAccess> access_;
  LiveFeed& feed_;
};

/// `GET /v1/live/summary`: what the page shows beside the events: totals, the last five minutes, streams and reasons.
class LiveSummaryEndpoint final : public ImmediateEndpoint {
 public:
  /// `feed` must outlive this, and so must `streams`, which may be null: streams are not configured.
  LiveSummaryEndpoint(std::shared_ptr<const LiveAccess> access, const LiveFeed& feed, const StreamConfigSource* streams)
      : access_(std::move(access)), feed_(feed), streams_(streams) {}

 private:
  Response respond(const Exchange& exchange) const override;

  const std::shared_ptr<const LiveAccess> access_;
  const LiveFeed& feed_;
  const StreamConfigSource* const streams_;
};

}  // namespace eventgate

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "eventgate/http/endpoint.hpp"

namespace eventgate {

class Beacons;
struct BeaconOutcome;

/// The routes of legacy beacons: `GET` and `POST`, whose body is not read. Replies 204, whatever becomes of the event;
/// HEAD takes nothing.
///
/// Thread-safe.
class BeaconEndpoint final : public Endpoint {
 public:
  using OverloadReason = std::function<std::optional<std::string>()>;

  /// `beacons` must outlive this.
  BeaconEndpoint(Beacons& beacons, OverloadReason overload_reason)
      : beacons_(beacons), overload_reason_(std::move(overload_reason)) {}

  Task<Reply> handle(Exchange& exchange) override;

 private:
  std::optional<Response> turn_away(Exchange& exchange, std::size_t query) const;

  Beacons& beacons_;
  const OverloadReason overload_reason_;
};

/// Appends the headers that say what became of a beacon: `Requested-Event-Valid`, and `Validation-Error-1` and so on.
void append_outcome_headers(std::string& out, const BeaconOutcome& outcome);

/// Returns what follows the first `?` of a request target, as sent.
std::string_view beacon_query(std::string_view target);

}  // namespace eventgate

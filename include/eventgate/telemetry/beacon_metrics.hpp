#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "eventgate/telemetry/metrics.hpp"

namespace eventgate {

/// Records what becomes of legacy beacons as metrics.
///
/// Thread-safe.
class BeaconMetrics {
 public:
  /// The metrics exist from now on. `metrics` must outlive this.
  explicit BeaconMetrics(Metrics& metrics);
  ~BeaconMetrics();

  /// The outcome of one beacon, of which `query` bytes came. `cause` is one of a fixed set of names, empty for success.
  void beacon(std::string_view outcome, std::string_view cause, std::size_t query);
  /// A user agent was asked for. `result` is `kept`, `parsed` or `too_long`.
  void user_agent(std::string_view result);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate

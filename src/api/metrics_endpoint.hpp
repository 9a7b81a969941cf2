#pragma once

#include "immediate_endpoint.hpp"

namespace eventgate {

class Metrics;

/// `GET /metrics` on `metrics_port`: the metrics as Prometheus text. Other paths get 404. The route table has no row
/// for it, because that port has its own endpoint.
///
/// Thread-safe.
class MetricsEndpoint final : public ImmediateEndpoint {
 public:
  /// `metrics` must outlive this.
  explicit MetricsEndpoint(const Metrics& metrics) : metrics_(metrics) {}

 private:
  Response respond(const Exchange& exchange) const override;

  const Metrics& metrics_;
};

}  // namespace eventgate

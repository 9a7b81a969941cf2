#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "immediate_endpoint.hpp"

namespace eventgate {

/// `GET /healthz`: 200 while the process serves.
///
/// Thread-safe.
class HealthEndpoint final : public ImmediateEndpoint {
  Response respond(const Exchange& exchange) const override;
};

/// `GET /readyz`: 200 while events can be produced, else 503 with the reason.
///
/// Thread-safe.
class ReadinessEndpoint final : public ImmediateEndpoint {
 public:
  /// `not_ready_reason` and `stale` are those of ApiServices.
  ReadinessEndpoint(std::function<std::optional<std::string>()> not_ready_reason,
                    std::function<std::vector<std::string>()> stale)
      : not_ready_reason_(std::move(not_ready_reason)), stale_(std::move(stale)) {}

 private:
  Response respond(const Exchange& exchange) const override;

  const std::function<std::optional<std::string>()> not_ready_reason_;
  const std::function<std::vector<std::string>()> stale_;
};

}  // namespace eventgate

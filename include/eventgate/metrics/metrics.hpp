#pragma once

#include <memory>
#include <string>

namespace prometheus {
class Registry;
}

namespace eventgate {

/// The registry of all metrics, and their text.
///
/// Thread-safe.
class Metrics {
 public:
  /// `service` is the value of the label `service` that every metric has.
  explicit Metrics(std::string service);
  ~Metrics();

  /// Prometheus text format 0.0.4 of all metrics.
  std::string text() const;

  const std::string& service() const;
  prometheus::Registry& registry();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate

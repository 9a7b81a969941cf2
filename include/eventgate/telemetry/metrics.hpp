#pragma once

#include <functional>
#include <memory>
#include <string>

namespace prometheus {
class Collectable;
class Registry;
}  // namespace prometheus

namespace eventgate {

/// The registry of all metrics, and their text for Prometheus.
///
/// Thread-safe.
class Metrics {
 public:
  /// Every metric gets the label `service` with this value.
  explicit Metrics(std::string service);
  ~Metrics();

  /// Returns all metrics in the Prometheus text format 0.0.4.
  std::string text() const;

  /// Adds a gauge. `text` calls `value` each time, so what `value` refers to must outlive the last `text`. A second
  /// `value` for the same name replaces the first. `value` must not call `observe`.
  void observe(const std::string& name, const std::string& help, std::function<double()> value);

  /// Adds a counter likewise. `value` must never decrease.
  void observe_total(const std::string& name, const std::string& help, std::function<double()> value);

  /// Adds metrics that `text` collects each time, until `metrics` is destroyed.
  void add(std::weak_ptr<prometheus::Collectable> metrics);

  const std::string& service() const;
  prometheus::Registry& registry();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate

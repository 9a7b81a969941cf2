#pragma once

#include <functional>
#include <memory>
#include <string>

namespace prometheus {
class Collectable;
class Registry;
}  // namespace prometheus

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

  /// A gauge whose value is read each time the text is made. A second `value` for the same name replaces the first. It
  /// must outlive the last `text`, and must not call `observe`.
  void observe(const std::string& name, const std::string& help, std::function<double()> value);

  /// The same for a counter: `value` never gets less.
  void observe_total(const std::string& name, const std::string& help, std::function<double()> value);

  /// Metrics that are collected together each time the text is made, for as long as `metrics` lives.
  void add(std::weak_ptr<prometheus::Collectable> metrics);

  const std::string& service() const;
  prometheus::Registry& registry();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate

#pragma once

#include <memory>

namespace eventgate {

class Metrics;

/// Metrics of this process from /proc/self, under the names of Prometheus's own clients: `process_start_time_seconds`,
/// `process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_open_fds` and `process_max_fds`.
///
/// Reads them for each text of the metrics, and leaves out those that cannot be read. Thread-safe.
class ProcessMetrics {
 public:
  /// `metrics` shows them until this is destroyed.
  explicit ProcessMetrics(Metrics& metrics);
  ~ProcessMetrics();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace eventgate

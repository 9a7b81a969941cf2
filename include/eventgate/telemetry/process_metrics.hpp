#pragma once

#include <memory>

namespace eventgate {

class Metrics;

/// What the kernel (/proc/self) says of this process, under the names that Prometheus's own clients use:
/// `process_start_time_seconds`, `process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_open_fds` and
/// `process_max_fds`. Read each time the text of metrics is made; what cannot be read is left out.
class ProcessMetrics {
 public:
  /// `metrics` shows them for as long as this lives.
  explicit ProcessMetrics(Metrics& metrics);
  ~ProcessMetrics();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace eventgate

#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/logging/log_limit.hpp"
#include "eventgate/telemetry/metrics.hpp"

namespace eventgate {

/// The metrics of canary events, and the log line of one that fails.
///
/// Thread-safe.
class CanaryMetrics {
 public:
  /// `metrics` must outlive this.
  explicit CanaryMetrics(Metrics& metrics);

  /// Sets the streams that canaries are made for. Each has a gauge of its own, and others have none.
  void set_streams(const std::vector<std::string>& streams);
  void produced(std::string_view stream);
  void failed(std::string_view stream, std::string_view reason);

 private:
  void set_failing(std::string_view stream, bool is_failing);

  prometheus::Counter& produced_;
  prometheus::Counter& failed_;
  prometheus::Gauge& streams_;
  prometheus::Family<prometheus::Gauge>& failing_;
  std::mutex mutex_;
  std::map<std::string, prometheus::Gauge*, std::less<>> gauges_;  ///< By stream. Protected by `mutex_`.
  LogLimit limit_{10};
};

}  // namespace eventgate

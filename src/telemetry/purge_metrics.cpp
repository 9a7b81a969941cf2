#include "purge_metrics.hpp"

#include <prometheus/registry.h>

#include "eventgate/logging/log.hpp"
#include "families.hpp"

namespace eventgate {

PurgeMetrics::PurgeMetrics(Metrics& metrics)
    : purged_(Families(metrics)
                  .counters("eventgate_purged_partitions_total", "Partitions of output_path deleted by retention.")
                  .Add({})),
      stopped_(Families(metrics)
                   .gauges("eventgate_purge_stopped",
                           "1 while retention deletes nothing, because more than 7 days' worth is due at once, else 0.")
                   .Add({})) {}

void PurgeMetrics::partition_purged(std::string_view path) {
  purged_.Increment();
  log(LogLevel::info, "A partition is past its retention and deleted", {{"path", path}});
}

void PurgeMetrics::checked(std::string_view suspicion) {
  stopped_.Set(suspicion.empty() ? 0 : 1);
  if (!suspicion.empty()) log(LogLevel::error, "Retention deletes nothing", {{"message", suspicion}});
}

}  // namespace eventgate

#include "eventgate/telemetry/beacon_metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include <vector>

#include "families.hpp"
#include "series.hpp"

namespace eventgate {
namespace {

using prometheus::Counter;
using prometheus::Histogram;

/// Upper bounds in bytes: the bounds of senders and intermediaries that are known, and of the option's default.
const std::vector<double> kQueryBytes{250, 500, 900, 1014, 1500, 2000, 2048, 3000, 4000, 4096, 8000, 8192, 16384};
constexpr std::string_view kNoCause = "none";

}  // namespace

struct BeaconMetrics::Impl : Families {
  explicit Impl(Metrics& registry) : Families(registry) {}

  Series<Counter, 2> beacons{counters("eventgate_legacy_beacons_total", "Legacy beacons, by outcome and cause."),
                             {"outcome", "cause"}};
  Series<Histogram, 1> query_bytes{
      histograms("eventgate_legacy_query_bytes", "Bytes of the queries of legacy beacons, as sent, by cause."),
      {"cause"},
      kQueryBytes};
  Series<Counter, 1> user_agents{
      counters("eventgate_legacy_user_agents_total", "User agents of legacy beacons: kept, parsed or too long for it."),
      {"result"}};
};

BeaconMetrics::BeaconMetrics(Metrics& metrics) : impl_(std::make_unique<Impl>(metrics)) {}
BeaconMetrics::~BeaconMetrics() = default;

void BeaconMetrics::beacon(std::string_view outcome, std::string_view cause, std::size_t query) {
  if (cause.empty()) cause = kNoCause;
  impl_->beacons.of({outcome, cause}).Increment();
  impl_->query_bytes.of({cause}).Observe(static_cast<double>(query));
}

void BeaconMetrics::user_agent(std::string_view result) { impl_->user_agents.of({result}).Increment(); }

}  // namespace eventgate

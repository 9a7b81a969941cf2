#include "eventgate/telemetry/ledger.hpp"

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <numeric>
#include <shared_mutex>
#include <unordered_map>

namespace eventgate {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using std::chrono::system_clock;

constexpr std::string_view kUnknown = "unknown";

/// Topics remembered as nobody's. More of them can only be made up, while the spool is in use.
constexpr std::size_t kMaxTopics = 100'000;

std::int64_t milliseconds_of(system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

struct TextHash : std::hash<std::string_view> {
  using is_transparent = void;
};
template <typename Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

/// A family of metrics in the making.
class Family {
 public:
  Family(const char* name, const char* help, MetricType type, std::string service) : service_(std::move(service)) {
    family_.name = name;
    family_.help = help;
    family_.type = type;
  }

  prometheus::ClientMetric& add(double value) {
    prometheus::ClientMetric& metric = family_.metric.emplace_back();
    metric.label = {{"service", service_}};
    if (family_.type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    return metric;
  }
  void add(const std::string& stream, std::uint64_t value) {
    add(static_cast<double>(value)).label.push_back({"stream", stream});
  }

  MetricFamily& family() { return family_; }

 private:
  const std::string service_;
  MetricFamily family_;
};

}  // namespace

std::string_view failure_cause_name(FailureCause cause) {
  switch (cause) {
    case FailureCause::invalid:
      return "invalid";
    case FailureCause::malformed_json:
      return "malformed_json";
    case FailureCause::field:
      return "field";
    case FailureCause::schema:
      return "schema";
    case FailureCause::stream:
      return "stream";
    case FailureCause::title:
      return "title";
    case FailureCause::topic:
      return "topic";
    case FailureCause::key:
      return "key";
    case FailureCause::record:
      return "record";
    case FailureCause::not_produced:
      return "not_produced";
  }
  return {};
}

std::uint64_t LedgerCounts::all_refused() const {
  return std::accumulate(refused.begin(), refused.end(), std::uint64_t{0});
}

LedgerCounts LedgerCounts::operator-(const LedgerCounts& earlier) const {
  LedgerCounts difference = *this;
  for (std::size_t i = 0; i < kFailureCauseCount; ++i) difference.refused[i] -= earlier.refused[i];
  for (const auto count :
       {&LedgerCounts::received, &LedgerCounts::produced, &LedgerCounts::spooled, &LedgerCounts::delivery_unknown,
        &LedgerCounts::lost, &LedgerCounts::spool_found, &LedgerCounts::spool_stored, &LedgerCounts::spool_replayed,
        &LedgerCounts::spool_acknowledged_late, &LedgerCounts::spool_dropped})
    difference.*count -= earlier.*count;
  return difference;
}

/// What is last in an event's way is read first: whoever sees an outcome then sees its event, too.
LedgerCounts LedgerAccount::counts() const noexcept {
  const auto read = [](const Count& count) { return count.load(std::memory_order_acquire); };
  LedgerCounts counts;
  counts.spool_dropped = read(spool_dropped_);
  counts.spool_acknowledged_late = read(spool_acknowledged_late_);
  counts.spool_replayed = read(spool_replayed_);
  counts.spool_stored = read(spool_stored_);
  counts.spool_found = read(spool_found_);
  counts.lost = read(lost_);
  counts.delivery_unknown = read(delivery_unknown_);
  counts.spooled = read(spooled_);
  counts.produced = read(produced_);
  for (std::size_t i = 0; i < kFailureCauseCount; ++i) counts.refused[i] = read(refused_[i]);
  counts.received = read(received_);
  return counts;
}

struct Ledger::Impl final : prometheus::Collectable {
  Impl(std::string of, system_clock::time_point started) : service(std::move(of)), taken_at(started) {
    unknown = accounts.emplace(kUnknown, std::make_unique<LedgerAccount>(std::string(kUnknown))).first->second.get();
  }

  std::vector<MetricFamily> Collect() const override { return families(system_clock::now()); }
  std::vector<MetricFamily> families(system_clock::time_point now) const;

  /// By name, so that texts are in order. They live as long as this.
  std::vector<LedgerAccount*> sorted() const {
    std::vector<LedgerAccount*> all;
    {
      const std::shared_lock lock(mutex);
      for (const auto& [name, account] : accounts) all.push_back(account.get());
    }
    std::sort(all.begin(), all.end(), [](const auto* a, const auto* b) { return a->stream() < b->stream(); });
    return all;
  }

  /// Under the lock.
  LedgerAccount& account_of(const std::string& stream) {
    auto& account = accounts[stream];
    if (!account) account = std::make_unique<LedgerAccount>(stream);
    return *account;
  }

  LedgerAccount& account_of_topic(std::string_view topic) {
    {
      const std::shared_lock lock(mutex);
      if (const auto found = topics.find(topic); found != topics.end()) return *found->second;
    }
    const std::unique_lock lock(mutex);
    if (topics.size() >= kMaxTopics) return *unknown;
    return *topics.emplace(topic, unknown).first->second;
  }

  const std::string service;
  LedgerAccount* unknown;
  std::atomic<std::uint64_t> arrived{0};

  mutable std::shared_mutex mutex;
  TextMap<std::unique_ptr<LedgerAccount>> accounts;
  TextMap<LedgerAccount*> topics;
  std::size_t undeclared = 0;

  std::mutex rows_mutex;
  system_clock::time_point taken_at;
};

std::vector<MetricFamily> Ledger::Impl::families(system_clock::time_point now) const {
  const auto counter = [this](const char* name, const char* help) {
    return Family(name, help, MetricType::Counter, service);
  };
  const auto gauge = [this](const char* name, const char* help) {
    return Family(name, help, MetricType::Gauge, service);
  };
  Family received = counter("eventgate_ledger_received_total", "events received, by stream");
  Family refused = counter("eventgate_ledger_refused_total", "events refused, by stream and cause");
  Family produced = counter("eventgate_ledger_produced_total", "events that every output acknowledged, by stream");
  Family spooled = counter("eventgate_ledger_spooled_total", "events accepted into the spool, by stream");
  Family delivery_unknown = counter("eventgate_ledger_delivery_unknown_total",
                                    "events sent and not answered in time, which may appear, by stream");
  Family lost = counter("eventgate_ledger_lost_total", "events answered 202 that no output took, by stream");
  Family in_flight =
      gauge("eventgate_ledger_in_flight", "events received of which it is not known yet what becomes of them");
  Family found = counter("eventgate_ledger_spool_found_total", "records that a start found in the spool, by stream");
  Family stored = counter("eventgate_ledger_spool_stored_total", "records put into the spool, by stream");
  Family replayed = counter("eventgate_ledger_spool_replayed_total", "records produced from the spool, by stream");
  Family late = counter("eventgate_ledger_spool_acknowledged_late_total",
                        "records in the spool whose first attempt was acknowledged after all, by stream");
  Family dropped =
      counter("eventgate_ledger_spool_dropped_total", "records that left the spool without being produced, by stream");
  Family in_spool = gauge("eventgate_ledger_spool_records", "records in the spool, by stream");
  Family age = gauge("eventgate_stream_event_age_seconds",
                     "time since a declared stream's last event was received, or since it was declared");
  Family unjudged = gauge("eventgate_ledger_unjudged", "events at the gate whose schemas are being loaded");

  std::uint64_t judged = 0;
  for (const LedgerAccount* account : sorted()) {
    const std::string& stream = account->stream();
    const LedgerCounts counts = account->counts();
    judged += counts.received;
    received.add(stream, counts.received);
    produced.add(stream, counts.produced);
    spooled.add(stream, counts.spooled);
    delivery_unknown.add(stream, counts.delivery_unknown);
    lost.add(stream, counts.lost);
    in_flight.add(stream, counts.in_flight());
    for (std::size_t i = 0; i < kFailureCauseCount; ++i) {
      if (counts.refused[i] == 0) continue;
      auto& labels = refused.add(static_cast<double>(counts.refused[i])).label;
      labels.push_back({"cause", std::string(failure_cause_name(static_cast<FailureCause>(i)))});
      labels.push_back({"stream", stream});
    }
    if (counts.spool_found + counts.spool_stored > 0) {
      found.add(stream, counts.spool_found);
      stored.add(stream, counts.spool_stored);
      replayed.add(stream, counts.spool_replayed);
      late.add(stream, counts.spool_acknowledged_late);
      dropped.add(stream, counts.spool_dropped);
      in_spool.add(stream, counts.in_spool());
    }
    const std::int64_t since = account->declared_since_.load(std::memory_order_relaxed);
    if (since > 0) {
      const std::int64_t last = std::max(since, account->last_event_.load(std::memory_order_relaxed));
      const std::int64_t silent = std::max<std::int64_t>(0, milliseconds_of(now) - last);
      age.add(static_cast<double>(silent) / 1000).label.push_back({"stream", stream});
    }
  }
  unjudged.add(static_cast<double>(arrived.load(std::memory_order_relaxed) - judged));

  std::vector<MetricFamily> all;
  for (Family* family : {&received, &refused, &produced, &spooled, &delivery_unknown, &lost, &in_flight, &unjudged,
                         &found, &stored, &replayed, &late, &dropped, &in_spool, &age})
    if (!family->family().metric.empty()) all.push_back(std::move(family->family()));
  return all;
}

Ledger::Ledger(Metrics& metrics, system_clock::time_point started)
    : impl_(std::make_shared<Impl>(metrics.service(), started)) {
  metrics.add(impl_);
}

Ledger::~Ledger() = default;

void Ledger::declare(const std::vector<Declared>& streams, system_clock::time_point now) {
  const std::unique_lock lock(impl_->mutex);
  TextMap<bool> declared;
  for (const Declared& of : streams) {
    LedgerAccount& account = impl_->account_of(of.stream);
    if (account.declared_since_ == 0) account.declared_since_ = milliseconds_of(now);
    if (!of.topic.empty()) {
      impl_->topics.emplace(of.topic, &account);
      account.has_topic_ = true;
    }
    declared.emplace(of.stream, true);
  }
  for (const auto& [name, account] : impl_->accounts)
    if (!declared.contains(name)) account->declared_since_ = 0;
}

LedgerAccount& Ledger::account(std::string_view stream) {
  {
    const std::shared_lock lock(impl_->mutex);
    if (const auto found = impl_->accounts.find(stream); found != impl_->accounts.end()) return *found->second;
    if (impl_->undeclared >= kMaxUndeclared) return *impl_->unknown;
  }
  const std::unique_lock lock(impl_->mutex);
  if (const auto found = impl_->accounts.find(stream); found != impl_->accounts.end()) return *found->second;
  if (impl_->undeclared >= kMaxUndeclared) return *impl_->unknown;
  ++impl_->undeclared;
  return impl_->account_of(std::string(stream));
}

LedgerAccount& Ledger::unknown() noexcept { return *impl_->unknown; }

void Ledger::arrived(std::size_t count) noexcept { impl_->arrived.fetch_add(count, std::memory_order_relaxed); }

void Ledger::set_topic(LedgerAccount& account, std::string_view topic) {
  const std::unique_lock lock(impl_->mutex);
  // `unknown` has as many as clients make up.
  if (&account != impl_->unknown) impl_->topics.emplace(topic, &account);
  account.has_topic_ = true;
}

void Ledger::spool_found(std::string_view topic, std::size_t count) {
  LedgerAccount::add(impl_->account_of_topic(topic).spool_found_, count);
}

void Ledger::spool_stored(std::string_view topic, std::size_t count) {
  LedgerAccount::add(impl_->account_of_topic(topic).spool_stored_, count);
}

void Ledger::spool_replayed(std::string_view topic, std::size_t count) {
  LedgerAccount::add(impl_->account_of_topic(topic).spool_replayed_, count);
}

void Ledger::spool_acknowledged_late(std::string_view topic, std::size_t count) {
  LedgerAccount::add(impl_->account_of_topic(topic).spool_acknowledged_late_, count);
}

void Ledger::spool_dropped(std::string_view topic, std::size_t count) {
  LedgerAccount::add(impl_->account_of_topic(topic).spool_dropped_, count);
}

std::vector<LedgerRow> Ledger::take_rows(system_clock::time_point now) {
  const std::lock_guard lock(impl_->rows_mutex);
  std::vector<LedgerRow> rows;
  for (LedgerAccount* account : impl_->sorted()) {
    const LedgerCounts counts = account->counts();
    if (counts == account->taken_) continue;
    rows.push_back({account->stream(), impl_->taken_at, now, counts - account->taken_, account->taken_.in_flight(),
                    counts.in_flight(), account->taken_.in_spool(), counts.in_spool()});
    account->taken_ = counts;
  }
  impl_->taken_at = now;
  return rows;
}

std::vector<MetricFamily> Ledger::families(system_clock::time_point now) const { return impl_->families(now); }

}  // namespace eventgate

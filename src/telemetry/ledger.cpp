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
constexpr std::string_view kCanary = "canary";

/// Topics that the ledger remembers, so that made-up streams cannot fill the memory. Further topics count as `unknown`.
constexpr std::size_t kMaxTopics = 100'000;

std::int64_t milliseconds_of(system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

struct TextHash : std::hash<std::string_view> {
  using is_transparent = void;
};
template <typename Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

/// Collects the metrics of one family.
class FamilyBuilder {
 public:
  FamilyBuilder(const char* name, const char* help, MetricType type, std::string service)
      : service_(std::move(service)) {
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
    case FailureCause::legacy_empty:
      return "legacy_empty";
    case FailureCause::legacy_truncated:
      return "legacy_truncated";
    case FailureCause::legacy_malformed:
      return "legacy_malformed";
    case FailureCause::legacy_not_object:
      return "legacy_not_object";
    case FailureCause::legacy_no_schema:
      return "legacy_no_schema";
    case FailureCause::legacy_unknown_schema:
      return "legacy_unknown_schema";
    case FailureCause::legacy_unknown_revision:
      return "legacy_unknown_revision";
    case FailureCause::legacy_web_host:
      return "legacy_web_host";
    case FailureCause::legacy_bot:
      return "legacy_bot";
    case FailureCause::legacy_too_long:
      return "legacy_too_long";
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

/// Reads the counts in the reverse order of an event's way. A reader that sees an outcome then also sees the event.
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
  Impl(std::string service_name, system_clock::time_point started)
      : service(std::move(service_name)), rows_end(started) {
    unknown = accounts.emplace(kUnknown, std::make_unique<LedgerAccount>(std::string(kUnknown))).first->second.get();
  }

  std::vector<MetricFamily> Collect() const override { return families(system_clock::now()); }
  std::vector<MetricFamily> families(system_clock::time_point now) const;

  /// Returns all accounts by name. They are valid as long as this.
  std::vector<LedgerAccount*> sorted() const {
    std::vector<LedgerAccount*> all;
    {
      const std::shared_lock lock(mutex);
      for (const auto& [name, account] : accounts) all.push_back(account.get());
    }
    std::sort(all.begin(), all.end(), [](const auto* a, const auto* b) { return a->stream() < b->stream(); });
    return all;
  }

  /// Hold `mutex` exclusively.
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
  system_clock::time_point rows_end;  ///< The end of the last rows.
};

std::vector<MetricFamily> Ledger::Impl::families(system_clock::time_point now) const {
  const auto counter = [this](const char* name, const char* help) {
    return FamilyBuilder(name, help, MetricType::Counter, service);
  };
  const auto gauge = [this](const char* name, const char* help) {
    return FamilyBuilder(name, help, MetricType::Gauge, service);
  };
  FamilyBuilder received = counter("eventgate_ledger_received_total", "Events received, by stream.");
  FamilyBuilder refused =
      counter("eventgate_ledger_refused_total", "Events certainly not produced, by stream and cause.");
  FamilyBuilder produced =
      counter("eventgate_ledger_produced_total", "Events that every sink acknowledged, by stream.");
  FamilyBuilder spooled =
      counter("eventgate_ledger_spooled_total", "Events accepted because the spool has them, by stream.");
  FamilyBuilder delivery_unknown =
      counter("eventgate_ledger_delivery_unknown_total",
              "Events that were sent and not answered in time, and may appear, by stream.");
  FamilyBuilder lost =
      counter("eventgate_ledger_lost_total", "Events answered with 202 that were not produced, by stream.");
  FamilyBuilder in_flight =
      gauge("eventgate_ledger_in_flight", "Events received whose outcome is not known yet, by stream.");
  FamilyBuilder found =
      counter("eventgate_ledger_spool_found_total", "Records that were in the spool at start, by stream.");
  FamilyBuilder stored = counter("eventgate_ledger_spool_stored_total", "Records stored in the spool, by stream.");
  FamilyBuilder replayed =
      counter("eventgate_ledger_spool_replayed_total", "Records produced from the spool, by stream.");
  FamilyBuilder late =
      counter("eventgate_ledger_spool_acknowledged_late_total",
              "Records in the spool that Kafka acknowledged for their first attempt after all, by stream.");
  FamilyBuilder dropped =
      counter("eventgate_ledger_spool_dropped_total", "Records that left the spool without being produced, by stream.");
  FamilyBuilder in_spool = gauge("eventgate_ledger_spool_records", "Records in the spool, by stream.");
  FamilyBuilder age = gauge("eventgate_stream_event_age_seconds",
                            "Seconds since the last event of a declared stream, or since its declaration.");
  FamilyBuilder unjudged = gauge("eventgate_ledger_unjudged", "Events at the gate whose schemas are being loaded.");

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
  for (FamilyBuilder* family : {&received, &refused, &produced, &spooled, &delivery_unknown, &lost, &in_flight,
                                &unjudged, &found, &stored, &replayed, &late, &dropped, &in_spool, &age})
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
  for (const Declared& stream : streams) {
    LedgerAccount& account = impl_->account_of(stream.stream);
    if (account.declared_since_ == 0) account.declared_since_ = milliseconds_of(now);
    if (!stream.topic.empty()) {
      impl_->topics.emplace(stream.topic, &account);
      account.has_topic_ = true;
    }
    declared.emplace(stream.stream, true);
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

LedgerAccount& Ledger::canary() {
  {
    const std::shared_lock lock(impl_->mutex);
    if (const auto found = impl_->accounts.find(kCanary); found != impl_->accounts.end()) return *found->second;
  }
  const std::unique_lock lock(impl_->mutex);
  return impl_->account_of(std::string(kCanary));
}

void Ledger::arrived(std::size_t count) noexcept { impl_->arrived.fetch_add(count, std::memory_order_relaxed); }

void Ledger::set_topic(LedgerAccount& account, std::string_view topic) {
  const std::unique_lock lock(impl_->mutex);
  // Clients give `unknown` any number of topics.
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
    if (counts == account->last_row_) continue;
    rows.push_back({account->stream(), impl_->rows_end, now, counts - account->last_row_,
                    account->last_row_.in_flight(), counts.in_flight(), account->last_row_.in_spool(),
                    counts.in_spool()});
    account->last_row_ = counts;
  }
  impl_->rows_end = now;
  return rows;
}

std::vector<MetricFamily> Ledger::families(system_clock::time_point now) const { return impl_->families(now); }

}  // namespace eventgate

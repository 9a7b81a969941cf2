#include "eventgate/telemetry/stream_metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <atomic>
#include <mutex>
#include <set>

#include "eventgate/logging/log.hpp"
#include "eventgate/logging/log_limit.hpp"
#include "families.hpp"
#include "series.hpp"

namespace eventgate {
namespace {

using prometheus::Counter;
using prometheus::Gauge;

/// Combinations of streams that have a label of their own. Clients make up the others.
constexpr std::size_t kMaxCombinations = 100;

}  // namespace

struct StreamMetrics::Impl : Families {
  explicit Impl(Metrics& registry) : Families(registry) {}

  std::string combination(const std::vector<std::string>& streams) {
    std::string name;
    for (const std::string& stream : streams) name.append(name.empty() ? "" : ",").append(stream);
    const std::lock_guard lock(mutex);
    if (combinations.contains(name)) return name;
    if (combinations.size() >= kMaxCombinations) return "other";
    combinations.insert(name);
    return name;
  }

  // Metrics of the original.
  Series<Gauge, 1> connected{gauges("eventstreams_connected_clients", "Clients that read a stream now."), {"stream"}};
  Series<Counter, 1> connections{
      counters("eventstreams_client_connections_total", "Streams begun, by the streams asked for."), {"streams"}};

  Series<Counter, 1> disconnects{counters("eventgate_stream_disconnects_total", "Streams ended, by cause."), {"cause"}};
  Series<Counter, 1> refused{counters("eventgate_stream_refused_total", "Requests for streams refused, by cause."),
                             {"cause"}};
  Series<Counter, 2> skipped{
      counters("eventgate_stream_records_skipped_total", "Records that are sent to no client, by topic and cause."),
      {"topic", "cause"}};
  Counter& filtered =
      counters("eventgate_stream_events_filtered_total", "Events that a filter has held back, once a filter.").Add({});
  Counter& events = counters("eventgate_stream_events_sent_total", "Events sent to clients.").Add({});
  Counter& bytes = counters("eventgate_stream_bytes_sent_total", "Bytes of streams sent to clients.").Add({});
  Series<Counter, 1> gaps{counters("eventgate_stream_gaps_total", "Times that records of a topic were missing."),
                          {"topic"}};
  Gauge& replays = gauges("eventgate_stream_replays", "Readers that replay old records now.").Add({});
  Gauge& waiting_replays = gauges("eventgate_stream_replays_waiting", "Readers that wait for a replay.").Add({});
  Gauge& clients = gauges("eventgate_stream_clients", "Streams open now.").Add({});
  Gauge& max_clients = gauges("eventgate_max_stream_clients", "Option max_stream_clients.").Add({});
  Series<Gauge, 1> lag{gauges("eventgate_stream_lag_records", "Records of a topic that are not read yet."), {"topic"}};
  Series<Gauge, 1> ring{gauges("eventgate_stream_buffer_bytes", "Bytes of a topic's newest events in memory."),
                        {"topic"}};
  Counter& outages =
      counters("eventgate_stream_source_failures_total", "Failed calls of the source of streams.").Add({});

  LogLimit limit{5};
  std::mutex mutex;
  std::set<std::string> combinations;
  std::atomic<bool> away{false};
};

StreamMetrics::StreamMetrics(Metrics& metrics) : impl_(std::make_unique<Impl>(metrics)) {}
StreamMetrics::~StreamMetrics() = default;

void StreamMetrics::limited_to(std::size_t max_stream_clients) {
  impl_->max_clients.Set(static_cast<double>(max_stream_clients));
}

void StreamMetrics::reader_connected(const std::vector<std::string>& streams) {
  impl_->clients.Increment();
  for (const std::string& stream : streams) impl_->connected.of({stream}).Increment();
  impl_->connections.of({impl_->combination(streams)}).Increment();
}

void StreamMetrics::reader_disconnected(const std::vector<std::string>& streams, std::string_view cause) {
  impl_->clients.Decrement();
  for (const std::string& stream : streams) impl_->connected.of({stream}).Decrement();
  impl_->disconnects.of({cause}).Increment();
}

void StreamMetrics::reader_refused(std::string_view cause) { impl_->refused.of({cause}).Increment(); }

void StreamMetrics::sent(std::size_t events, std::size_t bytes) {
  if (events > 0) impl_->events.Increment(static_cast<double>(events));
  impl_->bytes.Increment(static_cast<double>(bytes));
}

void StreamMetrics::record_skipped(std::string_view topic, std::int64_t offset, std::string_view cause) {
  impl_->skipped.of({topic, cause}).Increment();
  if (!log_enabled(LogLevel::warn)) return;
  const auto left_out = impl_->limit.admit(cause);
  if (!left_out) return;
  log(LogLevel::warn, "A record is not sent to readers",
      {{"topic", topic},
       {"offset", static_cast<long long>(offset)},
       {"cause", cause},
       {"left_out", static_cast<long long>(*left_out)}});
}

void StreamMetrics::filtered(std::size_t events) { impl_->filtered.Increment(static_cast<double>(events)); }

void StreamMetrics::gap_found(std::string_view topic, std::int32_t partition, std::int64_t from, std::int64_t to) {
  impl_->gaps.of({topic}).Increment();
  if (!impl_->limit.admit("gap")) return;
  log(LogLevel::warn, "Records of a topic are missing",
      {{"topic", topic},
       {"partition", static_cast<long long>(partition)},
       {"from", static_cast<long long>(from)},
       {"to", static_cast<long long>(to)}});
}

void StreamMetrics::replays_changed(int change) { impl_->replays.Increment(change); }

void StreamMetrics::waiting_replays_changed(int change) { impl_->waiting_replays.Increment(change); }

void StreamMetrics::lag_changed(std::string_view topic, std::int64_t records) {
  impl_->lag.of({topic}).Set(static_cast<double>(records));
}

void StreamMetrics::ring_changed(std::string_view topic, std::size_t bytes) {
  impl_->ring.of({topic}).Set(static_cast<double>(bytes));
}

void StreamMetrics::topic_left(std::string_view topic) {
  impl_->lag.of({topic}).Set(0);
  impl_->ring.of({topic}).Set(0);
}

void StreamMetrics::source_away(std::string_view source, std::string_view reason) {
  impl_->outages.Increment();
  if (impl_->away.exchange(true)) return;
  log(LogLevel::warn, "The source of streams does not answer", {{"source", source}, {"message", reason}});
}

void StreamMetrics::source_back(std::string_view source) {
  if (!impl_->away.load(std::memory_order_relaxed) || !impl_->away.exchange(false)) return;
  log(LogLevel::info, "The source of streams answers again", {{"source", source}});
}

}  // namespace eventgate

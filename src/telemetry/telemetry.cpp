#include "eventgate/telemetry/telemetry.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "canary_metrics.hpp"
#include "eventgate/base/timestamp.hpp"
#include "eventgate/logging/log.hpp"
#include "eventgate/logging/log_limit.hpp"
#include "families.hpp"
#include "kafka_statistics.hpp"
#include "purge_metrics.hpp"
#include "refusal_log.hpp"
#include "series.hpp"

namespace eventgate {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;

// Upper bounds of histogram buckets, in seconds. The original has 0.01, 0.05, 0.1, 0.3 and 1 for requests.
const std::vector<double> kRequestSeconds{0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.3, 1, 3, 10};
const std::vector<double> kDeliverySeconds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
const std::vector<double> kLoadSeconds{0.001, 0.01, 0.1, 1, 10};

constexpr std::array<std::string_view, 9> kMethods{"POST",   "GET",     "OPTIONS", "HEAD", "PUT",
                                                   "DELETE", "CONNECT", "TRACE",   "PATCH"};

/// Returns the label `error_type` of an invalid event, which the original names.
std::string_view error_type_of(FailureCause cause) {
  return cause == FailureCause::invalid ? "validation" : failure_cause_name(cause);
}

double seconds_of(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

/// Returns the level of a line of librdkafka. syslog(3): 0 emergency to 3 error, 4 warning, 5 notice, 6 information, 7
/// debug.
LogLevel level_of_syslog(int level) {
  return level <= 3 ? LogLevel::error : level == 4 ? LogLevel::warn : level <= 6 ? LogLevel::info : LogLevel::debug;
}

/// Logs a failure of `cause`, unless that cause has had its lines for this second. `name` and `value` are one field.
void log_limited(LogLimit& limit, std::string_view cause, LogLevel level, std::string_view msg, std::string_view name,
                 std::string_view value, std::string_view message) {
  if (!log_enabled(level)) return;
  const auto left_out = limit.admit(cause);
  if (!left_out) return;
  if (*left_out == 0) {
    log(level, msg, {{name, value}, {"cause", cause}, {"message", message}});
  } else {
    log(level, msg,
        {{name, value}, {"cause", cause}, {"message", message}, {"left_out", static_cast<long long>(*left_out)}});
  }
}

}  // namespace

struct Telemetry::Impl : Families {
  explicit Impl(Metrics& registry) : Families(registry), metrics(registry) {}

  Counter& counter(const char* name, const char* help) { return counters(name, help).Add({}); }
  Gauge& gauge(const char* name, const char* help) { return gauges(name, help).Add({}); }

  Metrics& metrics;

  // Metrics of the original.
  Series<Histogram, 3> requests{
      histograms("express_router_request_duration_seconds", "request duration buckets in seconds"),
      {"path", "method", "status"},
      kRequestSeconds};
  Series<Counter, 2> produced{counters("eventgate_events_produced_total", "Events produced, by stream and schema."),
                              {"stream", "schema_uri"}};
  Series<Counter, 3> validation_errors{
      counters("eventgate_validation_errors_total", "Invalid events, by stream, schema and type of error."),
      {"stream", "schema_uri", "error_type"}};

  // Metrics that the original does not have.
  prometheus::Family<Counter>& events = counters("eventgate_events_total", "Events, by outcome.");
  Counter& received = events.Add({{"outcome", "received"}});
  Counter& success = events.Add({{"outcome", "produced"}});
  Counter& invalid = events.Add({{"outcome", "invalid"}});
  Counter& error = events.Add({{"outcome", "error"}});
  Counter& hasty_lost = events.Add({{"outcome", "hasty_lost"}});
  Series<Counter, 3> errors{
      counters("eventgate_event_errors_total", "Events that failed although they are not invalid, by cause."),
      {"stream", "schema_uri", "cause"}};
  Series<Counter, 2> lost{
      counters("eventgate_hasty_events_lost_total",
               "Events answered with 202 that no output took. Those that the gate refused are not among them."),
      {"stream", "schema_uri"}};
  Counter& error_events_failed =
      counter("eventgate_error_events_failed_total", "Error events that could not be produced.");
  Counter& ledger_events_failed =
      counter("eventgate_ledger_events_failed_total", "Ledger events that could not be produced.");
  Counter& ledger_deferrals = counter("eventgate_ledger_deferrals_total",
                                      "Times that ledger events were deferred because max_inflight_bytes had no room.");
  Ledger ledger{metrics};

  Counter& bytes = counter("eventgate_received_bytes_total", "Bytes of request bodies, as sent.");
  Counter& connections_opened = counter("eventgate_connections_total", "Connections accepted.");
  Gauge& connections = gauge("eventgate_connections", "Connections open now.");
  Counter& accept_pauses = counter("eventgate_accept_pauses_total",
                                   "Times that the server stopped accepting connections because of max_connections.");
  Series<Counter, 1> rejected{
      counters("eventgate_rejected_requests_total", "Requests rejected before their events were processed, by cause."),
      {"cause"}};

  Counter& schema_hits = counter("eventgate_schema_cache_hits_total", "Schemas found in the cache.");
  Counter& schema_misses = counter("eventgate_schema_cache_misses_total", "Schemas not found in the cache.");
  Series<Counter, 1> schema_failures{
      counters("eventgate_schema_failures_total", "Failures to load or read a schema, by cause."), {"cause"}};
  Counter& schema_changes = counter("eventgate_schema_changes_total", "Schemas in use whose documents changed.");
  Counter& schema_documents_kept_used = counter("eventgate_schema_cache_dir_uses_total",
                                                "Schema documents taken from cache_dir because no base had them.");
  Histogram& schema_loads =
      histograms("eventgate_schema_load_duration_seconds", "Seconds to read and compile a schema.")
          .Add({}, kLoadSeconds);

  Counter& config_reads = counter("eventgate_stream_config_reads_total", "Times that the stream configs were read.");
  Counter& config_failures =
      counter("eventgate_stream_config_failures_total", "Times that the stream configs could not be read.");
  Gauge& streams = gauge("eventgate_streams", "Streams that the stream configs declare.");
  Gauge& unusable_streams =
      gauge("eventgate_stream_config_unusable_entries", "Unusable entries of the stream configs last read.");
  Counter& streams_without_schema =
      counter("eventgate_streams_without_schema_total", "Declared streams whose schema_title no schema has.");
  std::mutex configs_mutex;
  bool configs_known = false;                          ///< Protected by `configs_mutex`, as the next.
  std::set<std::string, std::less<>> configs_failing;  ///< URIs whose last read failed.
  Counter& streams_taken_out = counter("eventgate_streams_taken_out_total",
                                       "Streams that the stream configs declared by name and no longer do.");
  Counter& taken_out_events = counter("eventgate_taken_out_stream_events_total",
                                      "Events of streams that were declared until less than an hour ago.");

  CanaryMetrics canaries{metrics};
  PurgeMetrics purge{metrics};

  Series<Counter, 1> reloads{counters("eventgate_reloads_total", "Reloads of the configuration, by outcome."),
                             {"outcome"}};

  Series<Counter, 1> records{counters("eventgate_records_total", "Records handed to a producer."), {"producer"}};
  Series<Gauge, 1> in_flight{
      gauges("eventgate_records_in_flight", "Records that are neither delivered nor failed yet."), {"producer"}};
  Series<Histogram, 1> latency{
      histograms("eventgate_delivery_duration_seconds", "Seconds from handing over a record to its delivery."),
      {"producer"},
      kDeliverySeconds};
  Series<Counter, 2> record_failures{counters("eventgate_record_failures_total", "Records not delivered, by cause."),
                                     {"producer", "cause"}};
  Series<Counter, 2> late{counters("eventgate_late_deliveries_total",
                                   "Delivery reports that came after the client got the answer unknown."),
                          {"producer", "outcome"}};
  Series<Counter, 2> producer_errors{
      counters("eventgate_producer_errors_total", "Errors of a Kafka producer, by cause."), {"producer", "cause"}};
  Series<Counter, 2> consumer_errors{
      counters("eventgate_consumer_errors_total", "Errors of a Kafka consumer of the read side, by cause."),
      {"consumer", "cause"}};
  Counter& statistics_failures =
      counter("eventgate_statistics_failures_total", "Statistics of librdkafka that could not be read.");
  Series<Counter, 1> sink_warnings{counters("eventgate_sink_warnings_total", "Warnings of a sink."), {"sink"}};

  Series<Counter, 1> reopened{
      counters("eventgate_output_reopened_total", "Output files that were opened again, by cause."), {"cause"}};

  Series<Counter, 1> spool{
      counters("eventgate_spool_records_total", "Records that entered or left the spool, by outcome."), {"outcome"}};

  /// Writes the log lines of an event that is not produced: one for each at the level debug, and a warning a minute.
  void log_refusal(const RefusedEvent& event, std::string_view msg, std::string_view cause) {
    if (log_enabled(LogLevel::debug))
      log(LogLevel::debug, "An event is refused",
          {{"stream", event.stream}, {"schema_uri", event.schema_uri}, {"cause", cause}, {"message", event.message}});
    if (!log_enabled(LogLevel::warn)) return;
    refusals.add({.msg = msg,
                  .cause = cause,
                  .stream = event.is_declared ? event.stream : std::string_view(),
                  .schema_uri = event.schema_uri == kUnknown ? std::string_view() : event.schema_uri,
                  .example_stream = event.sent_stream,
                  .example_schema_uri = event.sent_schema_uri,
                  .message = event.message});
  }

  KafkaStatistics statistics{metrics};
  RefusalLog refusals;
  LogLimit lost_limit{10};
  LogLimit schema_limit{10};
  LogLimit config_limit{10};
  LogLimit record_limit{10};
  LogLimit producer_limit{10};
  LogLimit producer_log_limit{50};
  LogLimit consumer_limit{10};
  LogLimit consumer_log_limit{50};
  LogLimit sink_limit{10};
  LogLimit accept_limit{1};
  LogLimit reopened_limit{10};
  LogLimit spooling_limit{1};
  LogLimit delivered_limit{1};
  LogLimit taken_out_limit{1, std::chrono::minutes(1)};
};

Telemetry::Telemetry(Metrics& metrics) : impl_(std::make_unique<Impl>(metrics)) {
  // There from the start, so that `increase` sees the first one.
  for (const char* const outcome : {"done", "refused"}) impl_->reloads.of({outcome});
}

Telemetry::~Telemetry() = default;

void Telemetry::events_received(std::size_t count) { impl_->received.Increment(static_cast<double>(count)); }

void Telemetry::event_produced(std::string_view stream, std::string_view schema_uri, std::size_t count) {
  const auto number = static_cast<double>(count);
  impl_->produced.of({stream, schema_uri}).Increment(number);
  impl_->success.Increment(number);
}

void Telemetry::event_refused(const RefusedEvent& event) {
  if (is_invalid(event.cause)) {
    impl_->validation_errors.of({event.stream, event.schema_uri, error_type_of(event.cause)}).Increment();
    impl_->invalid.Increment();
  } else {
    impl_->errors.of({event.stream, event.schema_uri, failure_cause_name(event.cause)}).Increment();
    impl_->error.Increment();
  }
  const bool is_of_delivery = event.cause == FailureCause::not_produced || event.cause == FailureCause::record;
  impl_->log_refusal(event, is_of_delivery ? "Events could not be produced" : "Events are refused",
                     failure_cause_name(event.cause));
}

void Telemetry::event_delivery_unknown(const RefusedEvent& event) {
  constexpr std::string_view kCause = "delivery_unknown";
  impl_->errors.of({event.stream, event.schema_uri, kCause}).Increment();
  impl_->error.Increment();
  impl_->log_refusal(event, "Events could not be produced", kCause);
}

void Telemetry::write_refusals(bool all) {
  if (all) return impl_->refusals.write_all();
  impl_->refusals.write_due();
}

void Telemetry::hasty_event_lost(std::string_view stream, std::string_view schema_uri, std::string_view message) {
  impl_->lost.of({stream, schema_uri}).Increment();
  impl_->hasty_lost.Increment();
  log_limited(impl_->lost_limit, "hasty", LogLevel::error, "A hasty event is lost", "stream", stream, message);
}

std::size_t Telemetry::hasty_events_lost() const { return static_cast<std::size_t>(impl_->hasty_lost.Value()); }

void Telemetry::error_event_failed(std::string_view message) {
  impl_->error_events_failed.Increment();
  log_limited(impl_->lost_limit, "error_event", LogLevel::error, "An error event is lost", "option", "error_stream",
              message);
}

void Telemetry::ledger_event_failed(std::string_view message) {
  impl_->ledger_events_failed.Increment();
  log_limited(impl_->lost_limit, "ledger_event", LogLevel::error, "A ledger event is lost", "option", "ledger_stream",
              message);
}

void Telemetry::ledger_events_deferred(std::size_t max_inflight_bytes) {
  impl_->ledger_deferrals.Increment();
  log_limited(impl_->lost_limit, "ledger_deferred", LogLevel::warn, "Ledger events are deferred", "max_inflight_bytes",
              std::to_string(max_inflight_bytes),
              "more than half of max_inflight_bytes is in use; the next ledger events cover this minute too");
}

Ledger& Telemetry::ledger() { return impl_->ledger; }

void Telemetry::request_answered(std::string_view path, std::string_view method, unsigned status,
                                 std::chrono::nanoseconds duration) {
  if (path.empty()) path = "root";
  if (std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end()) method = kUnknown;
  std::array<char, 12> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), status).ptr;
  const std::string_view status_text(digits.data(), static_cast<std::size_t>(end - digits.data()));
  impl_->requests.of({path, method, status_text}).Observe(seconds_of(duration));
}

void Telemetry::request_rejected(std::string_view cause, std::string_view detail) {
  impl_->rejected.of({cause}).Increment();
  impl_->refusals.add({.msg = "Requests are rejected", .cause = cause, .message = detail});
}

void Telemetry::body_received(std::size_t bytes) { impl_->bytes.Increment(static_cast<double>(bytes)); }

void Telemetry::connection_opened() {
  impl_->connections_opened.Increment();
  impl_->connections.Increment();
}

void Telemetry::connection_closed() { impl_->connections.Decrement(); }

void Telemetry::accept_paused(std::size_t connections) {
  impl_->accept_pauses.Increment();
  log_limited(impl_->accept_limit, "max_connections", LogLevel::warn, "Accepting no connections until one closes",
              "connections", std::to_string(connections),
              "new connections wait in the kernel; raise `max_connections`");
}

void Telemetry::schema_hit() { impl_->schema_hits.Increment(); }

void Telemetry::schema_miss() { impl_->schema_misses.Increment(); }

void Telemetry::schema_loaded(std::string_view uri, std::chrono::nanoseconds duration) {
  impl_->schema_loads.Observe(seconds_of(duration));
  log(LogLevel::info, "A schema is loaded", {{"uri", uri}, {"seconds", seconds_of(duration)}});
}

void Telemetry::schema_failed(std::string_view uri, std::string_view reason) {
  if (reason.empty()) {
    impl_->schema_failures.of({"not_found"}).Increment();
    log(LogLevel::debug, "No base of `schema_base_uris` has the schema", {{"uri", uri}});
    return;
  }
  impl_->schema_failures.of({"unusable"}).Increment();
  log_limited(impl_->schema_limit, "unusable", LogLevel::warn, "A schema cannot be used", "uri", uri, reason);
}

void Telemetry::schema_changed(std::string_view uri) {
  impl_->schema_changes.Increment();
  log(LogLevel::warn, "A schema in use has changed: the new one validates events from now on", {{"uri", uri}});
}

void Telemetry::schema_not_read_again(std::string_view uri, std::string_view reason) {
  impl_->schema_failures.of({"not_read_again"}).Increment();
  log_limited(impl_->schema_limit, "not_read_again", LogLevel::warn,
              "A schema cannot be read again: the one in use stays in use", "uri", uri,
              reason.empty() ? "no base of `schema_base_uris` has it any more" : reason);
}

void Telemetry::schema_document_kept_used(std::string_view uri, std::string_view reason) {
  impl_->schema_documents_kept_used.Increment();
  log_limited(impl_->schema_limit, "cache_dir", LogLevel::warn,
              "A schema document cannot be read: the one kept in `cache_dir` is used", "uri", uri, reason);
}

void Telemetry::schema_document_unreadable(std::string_view uri, std::string_view reason) {
  impl_->schema_failures.of({"unreadable"}).Increment();
  log_limited(impl_->schema_limit, "unreadable", LogLevel::warn,
              "A schema base answered without a JSON or YAML object: asking the next base", "uri", uri, reason);
}

void Telemetry::schema_document_not_kept(std::string_view uri, std::string_view reason) {
  log_limited(impl_->schema_limit, "not_kept", LogLevel::warn, "A schema document cannot be written to `cache_dir`",
              "uri", uri, reason);
}

void Telemetry::stream_configs_read(std::string_view uri, std::size_t streams) {
  impl_->config_reads.Increment();
  impl_->streams.Set(static_cast<double>(streams));
  bool again = false;
  bool first = false;
  {
    const std::lock_guard lock(impl_->configs_mutex);
    if (const auto failing = impl_->configs_failing.find(uri); failing != impl_->configs_failing.end()) {
      impl_->configs_failing.erase(failing);
      again = true;
    }
    first = !std::exchange(impl_->configs_known, true);
  }
  log(first || again ? LogLevel::info : LogLevel::debug,
      again && !first ? "Stream configs are read again" : "Stream configs are read",
      {{"uri", uri}, {"streams", static_cast<long long>(streams)}});
}

void Telemetry::stream_configs_failed(std::string_view uri, std::string_view reason) {
  impl_->config_failures.Increment();
  bool known = false;
  {
    const std::lock_guard lock(impl_->configs_mutex);
    if (!impl_->configs_failing.emplace(uri).second) return;
    known = impl_->configs_known;
  }
  log(LogLevel::warn,
      known ? "Stream configs cannot be read: the last good ones stay in use" : "Stream configs cannot be read",
      {{"uri", uri}, {"message", reason}});
}

void Telemetry::stream_configs_warning(std::string_view uri, std::string_view warning) {
  log_limited(impl_->config_limit, "warning", LogLevel::warn, "Warning about the stream configs", "uri", uri, warning);
}

void Telemetry::stream_config_entries_unusable(std::string_view uri, std::size_t count, std::string_view reasons) {
  impl_->unusable_streams.Set(static_cast<double>(count));
  if (reasons.empty()) return;
  log(LogLevel::warn, "Entries of the stream configs cannot be used: events of their streams fail",
      {{"uri", uri}, {"entries", static_cast<long long>(count)}, {"message", reasons}});
}

void Telemetry::stream_taken_out(std::string_view stream) {
  impl_->streams_taken_out.Increment();
  log(LogLevel::info, "A stream is taken out of the stream configs: its events are refused from now on",
      {{"stream", stream}});
}

void Telemetry::event_of_stream_taken_out(std::string_view stream, std::string_view schema_uri) {
  impl_->taken_out_events.Increment();
  log_limited(impl_->taken_out_limit, stream, LogLevel::warn,
              "Events still come for a stream that is taken out of the stream configs", "stream", stream,
              "refused; schema_uri " + std::string(schema_uri));
}

void Telemetry::canary_streams(const std::vector<std::string>& streams) { impl_->canaries.set_streams(streams); }

void Telemetry::canary_produced(std::string_view stream) { impl_->canaries.produced(stream); }

void Telemetry::canary_failed(std::string_view stream, std::string_view reason) {
  impl_->canaries.failed(stream, reason);
}

void Telemetry::stream_without_schema(std::string_view stream, std::string_view schema_title) {
  impl_->streams_without_schema.Increment();
  log(LogLevel::warn, "No schema in `schema_base_uris` has the schema_title of a declared stream",
      {{"stream", stream}, {"schema_title", schema_title}});
}

void Telemetry::reloaded(std::string_view restart) {
  impl_->reloads.of({"done"}).Increment();
  log(LogLevel::info, "reloaded");
  if (!restart.empty())
    log(LogLevel::warn, "Options that differ from those in use need a restart", {{"options", restart}});
}

void Telemetry::reload_refused(std::string_view reason) {
  impl_->reloads.of({"refused"}).Increment();
  log(LogLevel::error, "The reload is refused: everything stays as it was", {{"reason", reason}});
}

void Telemetry::record_handed_over(std::string_view producer, std::size_t count) {
  const auto number = static_cast<double>(count);
  impl_->records.of({producer}).Increment(number);
  impl_->in_flight.of({producer}).Increment(number);
}

void Telemetry::record_delivered(std::string_view producer, std::chrono::nanoseconds latency, std::size_t count) {
  const auto number = static_cast<double>(count);
  const double seconds = seconds_of(latency);
  impl_->in_flight.of({producer}).Decrement(number);
  Histogram& histogram = impl_->latency.of({producer});
  if (count == 1) return histogram.Observe(seconds);
  std::vector<double> observed(kDeliverySeconds.size() + 1);
  const auto bucket = std::lower_bound(kDeliverySeconds.begin(), kDeliverySeconds.end(), seconds);
  observed[static_cast<std::size_t>(bucket - kDeliverySeconds.begin())] = number;
  histogram.ObserveMultiple(observed, number * seconds);
}

void Telemetry::record_failed(std::string_view producer, std::string_view topic, std::string_view cause,
                              std::string_view message) {
  impl_->in_flight.of({producer}).Decrement();
  impl_->record_failures.of({producer, cause}).Increment();
  log_limited(impl_->record_limit, cause, LogLevel::warn, "A record is not delivered", "topic", topic, message);
}

void Telemetry::late_delivery(std::string_view producer, bool delivered) {
  impl_->late.of({producer, delivered ? "delivered" : "failed"}).Increment();
}

void Telemetry::producer_error(std::string_view producer, std::string_view cause, std::string_view message) {
  impl_->producer_errors.of({producer, cause}).Increment();
  log_limited(impl_->producer_limit, cause, LogLevel::warn, "A Kafka producer has an error", "producer", producer,
              message);
}

void Telemetry::producer_log(std::string_view producer, int syslog_level, std::string_view facility,
                             std::string_view message) {
  log_limited(impl_->producer_log_limit, facility, level_of_syslog(syslog_level), "Log line of librdkafka", "producer",
              producer, message);
}

void Telemetry::consumer_error(std::string_view consumer, std::string_view cause, std::string_view message) {
  impl_->consumer_errors.of({consumer, cause}).Increment();
  log_limited(impl_->consumer_limit, cause, LogLevel::warn, "A Kafka consumer has an error", "consumer", consumer,
              message);
}

void Telemetry::consumer_log(std::string_view consumer, int syslog_level, std::string_view facility,
                             std::string_view message) {
  log_limited(impl_->consumer_log_limit, facility, level_of_syslog(syslog_level), "Log line of librdkafka", "consumer",
              consumer, message);
}

void Telemetry::producer_statistics(std::string_view producer_type, std::string_view json) {
  if (impl_->statistics.set(producer_type, json)) return;
  impl_->statistics_failures.Increment();
  log_limited(impl_->producer_limit, "statistics", LogLevel::warn, "librdkafka's statistics cannot be read", "producer",
              producer_type, "expected a JSON object");
}

void Telemetry::sink_warning(std::string_view sink, std::string_view message) {
  impl_->sink_warnings.of({sink}).Increment();
  log_limited(impl_->sink_limit, sink, LogLevel::warn, "Warning of a sink", "sink", sink, message);
}

void Telemetry::output_reopened(std::string_view sink, std::string_view path, std::string_view cause) {
  impl_->reopened.of({cause}).Increment();
  log_limited(impl_->reopened_limit, cause, cause == "removed" ? LogLevel::warn : LogLevel::info,
              "An output file was opened again", "sink", sink, path);
}

void Telemetry::partition_purged(std::string_view path) { impl_->purge.partition_purged(path); }

void Telemetry::purge_checked(std::string_view suspicion) { impl_->purge.checked(suspicion); }

void Telemetry::record_spooled(std::string_view topic) {
  impl_->spool.of({"spooled"}).Increment();
  impl_->ledger.spool_stored(topic);
}

void Telemetry::record_unspooled(std::string_view topic, bool late) {
  impl_->spool.of({late ? "acknowledged_late" : "replayed"}).Increment();
  if (late) {
    impl_->ledger.spool_acknowledged_late(topic);
  } else {
    impl_->ledger.spool_replayed(topic);
  }
}

void Telemetry::spooling_started(std::string_view topic, std::string_view cause) {
  const auto left_out = impl_->spooling_limit.admit(topic);
  if (!left_out) return;
  const std::string since = format_timestamp(std::chrono::system_clock::now());
  log(LogLevel::warn, "Records of a topic go to the spool",
      {{"topic", topic}, {"since", since}, {"cause", cause}, {"left_out", static_cast<long long>(*left_out)}});
}

void Telemetry::spooled_records_delivered(std::string_view topic, std::size_t records,
                                          std::chrono::nanoseconds duration, std::int64_t oldest) {
  const auto left_out = impl_->delivered_limit.admit(topic);
  if (!left_out) return;
  const std::string spooled_at =
      oldest == 0 ? std::string(kUnknown) : format_timestamp(TimeMilliseconds(std::chrono::milliseconds(oldest)));
  log(LogLevel::info, "Records of a topic have left the spool for Kafka",
      {{"topic", topic},
       {"records", static_cast<long long>(records)},
       {"seconds", seconds_of(duration)},
       {"oldest", spooled_at},
       {"left_out", static_cast<long long>(*left_out)}});
}

void Telemetry::spool_found(std::string_view topic, std::size_t count) { impl_->ledger.spool_found(topic, count); }

void Telemetry::spool_dropped(std::string_view topic, std::size_t count) {
  impl_->spool.of({"dropped"}).Increment(static_cast<double>(count));
  impl_->ledger.spool_dropped(topic, count);
}

void Telemetry::spooled_record_set_aside(std::string_view topic, std::int64_t id, std::string_view reason) {
  impl_->spool.of({"set_aside"}).Increment();
  impl_->ledger.spool_dropped(topic);
  log_limited(impl_->sink_limit, "set_aside", LogLevel::error,
              "A spooled record is set aside: see `eventgate spool list`", "topic", topic,
              "record " + std::to_string(id) + ": " + std::string(reason));
}

void Telemetry::observe_stream_config_age(std::function<double()> seconds) {
  impl_->metrics.observe("eventgate_stream_config_age_seconds", "Seconds since the stream configs in use were read.",
                         std::move(seconds));
}

void Telemetry::observe_inflight_bytes(std::function<double()> bytes) {
  impl_->metrics.observe(
      "eventgate_inflight_bytes",
      "Bytes counted by max_inflight_bytes: requests, unsent replies, undelivered events of the gate itself.",
      std::move(bytes));
}

void Telemetry::observe_cached_schemas(std::function<double()> count) {
  impl_->metrics.observe("eventgate_cached_schemas", "Schemas in the cache.", std::move(count));
}

void Telemetry::observe_spool(std::function<double()> records, std::function<double()> bytes,
                              std::function<double()> oldest_seconds, std::function<double()> set_aside) {
  impl_->metrics.observe("eventgate_spool_records", "Records in the spool that wait for their replay.",
                         std::move(records));
  impl_->metrics.observe("eventgate_spool_bytes", "Bytes of the spool on disk.", std::move(bytes));
  impl_->metrics.observe("eventgate_spool_oldest_seconds", "Seconds since the oldest record of the spool was stored.",
                         std::move(oldest_seconds));
  impl_->metrics.observe("eventgate_spool_records_set_aside",
                         "Records in the spool that are set aside and not replayed.", std::move(set_aside));
}

}  // namespace eventgate

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/telemetry/ledger.hpp"
#include "eventgate/telemetry/metrics.hpp"

// Metrics and log lines of the whole service. Every module reports here what happens, by one function for each
// happening, which writes the metric and, if it deserves one, the log line.

namespace eventgate {

/// An event that is not produced, and its client is told or could be.
struct RefusedEvent {
  std::string_view stream;      ///< Label of the stream: that of its ledger account.
  std::string_view schema_uri;  ///< Label of the schema: `unknown` if none is loaded.
  FailureCause cause = FailureCause::invalid;
  std::string_view message = {};
  bool is_declared = false;               ///< `stream` is declared by name, so that it gets log lines of its own.
  std::string_view sent_stream = {};      ///< As the client sent it, or empty.
  std::string_view sent_schema_uri = {};  ///< As the client sent it, or empty.
};

/// Records happenings as metrics and log lines.
///
/// Labels have a bounded number of values. Callers pass `kUnknown` in place of a stream that is not declared or a
/// schema that is not loaded, because clients make up any number of both. Log lines are limited to some each second and
/// cause; those of refusals to one a minute for each stream, schema and cause (`write_refusals`).
///
/// Thread-safe. Functions for an event that succeeds only add to counters that the thread knows already.
class Telemetry {
 public:
  static constexpr std::string_view kUnknown = "unknown";

  /// `metrics` must outlive this.
  explicit Telemetry(Metrics& metrics);
  ~Telemetry();

  // Events (gate). Only `event_produced` counts the events that the gate makes, too.
  /// Events were found in a body, and nothing else is known of them yet.
  void events_received(std::size_t count);
  /// Events were delivered or spooled.
  void event_produced(std::string_view stream, std::string_view schema_uri, std::size_t count = 1);
  /// An event is not produced, and its client is told, or was answered 202 before.
  void event_refused(const RefusedEvent& event);
  /// An event was sent to Kafka and not answered in time, and its client is told so. `event.cause` has no meaning.
  void event_delivery_unknown(const RefusedEvent& event);
  /// An event whose client got a 202 was not delivered.
  void hasty_event_lost(std::string_view stream, std::string_view schema_uri, std::string_view message);
  /// Returns how many hasty events were lost.
  std::size_t hasty_events_lost() const;
  void error_event_failed(std::string_view message);
  void ledger_event_failed(std::string_view message);
  /// Ledger events wait for the next minute, because `max_inflight_bytes` leaves them no room.
  void ledger_events_deferred(std::size_t max_inflight_bytes);
  /// The counts of every event's outcome, by stream.
  Ledger& ledger();

  // Requests (http).
  /// `path` is the route without its first slash, which is empty for the root.
  void request_answered(std::string_view path, std::string_view method, unsigned status,
                        std::chrono::nanoseconds duration);
  /// A request was rejected before its events were processed. `cause` is one of a fixed set of names, such as
  /// `headers_too_large` or `inflight_bytes`. `detail` is what its client is told.
  void request_rejected(std::string_view cause, std::string_view detail = {});
  /// Writes the log lines about refused events and rejected requests that are due. Call it every few seconds; with
  /// `all` once at the end, for those that wait for their minute to be over.
  void write_refusals(bool all = false);
  void body_received(std::size_t bytes);
  void connection_opened();
  void connection_closed();
  /// The server accepts no connection until one closes: `max_connections`.
  void accept_paused(std::size_t connections);

  // Schemas (repository).
  /// A schema was found compiled.
  void schema_hit();
  /// A schema must be loaded.
  void schema_miss();
  void schema_loaded(std::string_view uri, std::chrono::nanoseconds duration);
  /// An empty `reason` means that no base has the schema, which is the client's mistake.
  void schema_failed(std::string_view uri, std::string_view reason);
  /// A document of a schema in use has changed, and the new schema replaces the old one.
  void schema_changed(std::string_view uri);
  /// A schema in use could not be read again and stays in use. `reason` as for `schema_failed`.
  void schema_not_read_again(std::string_view uri, std::string_view reason);
  /// A document could not be read at `uri`, so its copy in `cache_dir` is used.
  void schema_document_kept_used(std::string_view uri, std::string_view reason);
  /// A base answered at `uri` with something else than a JSON or YAML object. The next base is asked.
  void schema_document_unreadable(std::string_view uri, std::string_view reason);
  /// A document could not be written to `cache_dir`.
  void schema_document_not_kept(std::string_view uri, std::string_view reason);

  // Stream configs (streams).
  void stream_configs_read(std::string_view uri, std::size_t streams);
  /// Logs the first failure of `uri` in a row, and counts each.
  void stream_configs_failed(std::string_view uri, std::string_view reason);
  void stream_configs_warning(std::string_view uri, std::string_view warning);
  /// `count` entries of the stream configs last read are unusable. Logs `reasons` unless it is empty.
  void stream_config_entries_unusable(std::string_view uri, std::size_t count, std::string_view reasons);
  /// A stream that was declared by name no longer is.
  void stream_taken_out(std::string_view stream);
  /// An event came for a stream that was declared by name until less than an hour ago. Logs one line a minute and
  /// stream. The ledger counts the event under the stream's name.
  void event_of_stream_taken_out(std::string_view stream, std::string_view schema_uri);
  /// No schema has the schema_title of a declared stream.
  void stream_without_schema(std::string_view stream, std::string_view schema_title);

  // Canaries (gate). The streams are declared by name.
  /// `streams` are those that canaries are made for. Sets the gauges of others to 0.
  void canary_streams(const std::vector<std::string>& streams);
  void canary_produced(std::string_view stream);
  void canary_failed(std::string_view stream, std::string_view reason);

  // SIGHUP (cli).
  /// `restart` lists the options that differ in the files and apply only after a restart.
  void reloaded(std::string_view restart);
  void reload_refused(std::string_view reason);

  // Sinks (delivery, kafka, files). `producer` is `guaranteed`, `hasty` or `file`. Each record that was handed over is
  // reported once more, as delivered or as failed.
  void record_handed_over(std::string_view producer, std::size_t count = 1);
  /// `count` records that were handed over together were delivered together.
  void record_delivered(std::string_view producer, std::chrono::nanoseconds latency, std::size_t count = 1);
  /// `cause` is librdkafka's name of the error, or `file`.
  void record_failed(std::string_view producer, std::string_view topic, std::string_view cause,
                     std::string_view message);
  /// Kafka reported a delivery after its client had got the answer `unknown`.
  void late_delivery(std::string_view producer, bool delivered);
  void producer_error(std::string_view producer, std::string_view cause, std::string_view message);
  /// A line of librdkafka's own log. `syslog_level` is that of syslog(3).
  void producer_log(std::string_view producer, int syslog_level, std::string_view facility, std::string_view message);
  /// Sets the eventgate_rdkafka_* gauges of a producer from librdkafka's statistics, a JSON text.
  void producer_statistics(std::string_view producer_type, std::string_view json);
  /// An error of a Kafka client of the read side. `consumer` is `live`, `replay` or `look_up`.
  void consumer_error(std::string_view consumer, std::string_view cause, std::string_view message);
  /// As `producer_log`, for a client of the read side.
  void consumer_log(std::string_view consumer, int syslog_level, std::string_view facility, std::string_view message);
  void sink_warning(std::string_view sink, std::string_view message);
  /// `cause` is `removed`, `moved` or `sighup`.
  void output_reopened(std::string_view sink, std::string_view path, std::string_view cause);

  /// Retention has deleted the partition at `path`.
  void partition_purged(std::string_view path);
  /// Retention has looked for partitions, each hour. `suspicion` says why it deletes none; empty: it deletes those due.
  void purge_checked(std::string_view suspicion);

  // Spool. Functions about records also count in the ledger.
  void record_spooled(std::string_view topic);
  /// Kafka has a record of the spool: by its first attempt if `late`, else by a replay.
  void record_unspooled(std::string_view topic, bool late);
  /// A record of a topic is spooled, and no other one of it was in the spool. `cause` says why Kafka does not have it.
  void spooling_started(std::string_view topic, std::string_view cause);
  /// Kafka has all `records` of a topic that were in the spool. `duration` is that of the replay; `oldest` is when the
  /// first of them was spooled, in milliseconds since the epoch, or 0 if that is not known.
  void spooled_records_delivered(std::string_view topic, std::size_t records, std::chrono::nanoseconds duration,
                                 std::int64_t oldest);
  /// The spool holds records that this process did not put there.
  void spool_found(std::string_view topic, std::size_t count);
  /// Records left the spool without being produced.
  void spool_dropped(std::string_view topic, std::size_t count);
  /// A record stays in the spool and is not replayed.
  void spooled_record_set_aside(std::string_view topic, std::int64_t id, std::string_view reason);

  // Values read each time the metrics are written. The functions must outlive the last `Metrics::text`.
  void observe_stream_config_age(std::function<double()> seconds);
  void observe_inflight_bytes(std::function<double()> bytes);
  void observe_cached_schemas(std::function<double()> count);
  void observe_spool(std::function<double()> records, std::function<double()> bytes,
                     std::function<double()> oldest_seconds, std::function<double()> set_aside);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate

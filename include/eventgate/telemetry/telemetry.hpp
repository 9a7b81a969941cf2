#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "eventgate/telemetry/ledger.hpp"
#include "eventgate/telemetry/metrics.hpp"

namespace eventgate {

/// What happens in the gate: one function for each happening, which writes both its log line (if it deserves one) and
/// its metric. Labels taken from clients are bounded by the caller: an undeclared stream or unknown schema is
/// `kUnknown`.
///
/// Thread-safe. The functions on the path of a good event only add to counters already looked up.
class Telemetry {
 public:
  static constexpr std::string_view kUnknown = "unknown";

  explicit Telemetry(Metrics& metrics);
  ~Telemetry();

  // Events (gate).
  /// Events found in a body, before anything is known of them.
  void events_received(std::size_t count);
  void event_produced(std::string_view stream, std::string_view schema_uri, std::size_t count = 1);
  /// An event is refused. `message` may be empty for an invalid event.
  void event_refused(std::string_view stream, std::string_view schema_uri, FailureCause cause,
                     std::string_view message);
  /// The delivery of an event is not known in time.
  void event_delivery_unknown(std::string_view stream, std::string_view schema_uri, std::string_view message);
  /// An event answered 202 that was not produced after all.
  void hasty_event_lost(std::string_view stream, std::string_view schema_uri, std::string_view message);
  /// How many were.
  std::size_t hasty_events_lost() const;
  void error_event_failed(std::string_view message);
  void ledger_event_failed(std::string_view message);
  /// Ledger events are made later, because the bytes in flight (`max_inflight_bytes`) have no room for them now.
  void ledger_events_deferred(std::size_t max_inflight_bytes);
  /// What became of every event, by stream.
  Ledger& ledger();

  // Requests (http).
  /// `path` is the route without its first slash, as in golden metrics (the root may be empty); `status` ours.
  void request_answered(std::string_view path, std::string_view method, unsigned status,
                        std::chrono::nanoseconds duration);
  /// `cause`: `headers_too_large`, `body_too_large`, `timeout`, `malformed_http`, `inflight_bytes`, `too_many_events`,
  /// ...
  void request_rejected(std::string_view cause);
  void body_received(std::size_t bytes);
  void connection_opened();
  void connection_closed();
  void accept_paused(std::size_t connections);

  // Schemas.
  void schema_hit();
  void schema_miss();
  void schema_loaded(std::string_view uri, std::chrono::nanoseconds duration);
  /// `reason` empty: no base has it, which is the client's mistake.
  void schema_failed(std::string_view uri, std::string_view reason);
  /// A schema in use is no longer what was read: the new one is used from now on.
  void schema_changed(std::string_view uri);
  /// A schema in use could not be looked at again, and stays in use. `reason` as for `schema_failed`.
  void schema_not_read_again(std::string_view uri, std::string_view reason);
  /// A document could not be had at `uri`, so that the one kept in `cache_dir` is used.
  void schema_document_kept_used(std::string_view uri, std::string_view reason);
  /// What a base gave at `uri` is no document: no JSON or YAML object. The next base is asked.
  void schema_document_unreadable(std::string_view uri, std::string_view reason);
  /// A document cannot be kept in `cache_dir`.
  void schema_document_not_kept(std::string_view uri, std::string_view reason);

  // Stream configs.
  void stream_configs_read(std::string_view uri, std::size_t streams);
  /// A refresh failed: warns the first time in a row, then counts only.
  void stream_configs_failed(std::string_view uri, std::string_view reason);
  void stream_configs_warning(std::string_view uri, std::string_view warning);
  /// `count` entries of the stream configs that were read cannot be used. `reasons` is logged unless it is empty.
  void stream_config_entries_unusable(std::string_view uri, std::size_t count, std::string_view reasons);
  /// A declared stream's schema_title is that of no schema.
  void stream_without_schema(std::string_view stream, std::string_view schema_title);

  // SIGHUP. `restart`: the options that differ in the files and count after a restart only.
  void reloaded(std::string_view restart);
  void reload_refused(std::string_view reason);

  // Sinks. `producer`: `guaranteed`, `hasty` or `file`. Each record handed over ends as delivered or failed, once.
  void record_handed_over(std::string_view producer, std::size_t count = 1);
  /// `count` records that were handed over together.
  void record_delivered(std::string_view producer, std::chrono::nanoseconds latency, std::size_t count = 1);
  /// `cause`: librdkafka's name of the error, or `file`.
  void record_failed(std::string_view producer, std::string_view topic, std::string_view cause,
                     std::string_view message);
  /// A report came after its client had been answered `unknown`.
  void late_delivery(std::string_view producer, bool delivered);
  void producer_error(std::string_view producer, std::string_view cause, std::string_view message);
  void producer_log(std::string_view producer, int syslog_level, std::string_view facility, std::string_view message);
  /// librdkafka's statistics (JSON): sets the eventgate_rdkafka_* gauges. `producer_type`: `guaranteed` or `hasty`.
  void producer_statistics(std::string_view producer_type, std::string_view json);
  void sink_warning(std::string_view sink, std::string_view message);
  /// `cause`: `removed`, `moved` or `sighup`.
  void output_reopened(std::string_view sink, std::string_view path, std::string_view cause);

  // Spool.
  // Those of a record tell the ledger, too.
  void record_spooled(std::string_view topic);
  /// A record left the spool because Kafka has it: `late`, by its first attempt after all, else replayed.
  void record_unspooled(std::string_view topic, bool late);
  /// Records were found in the spool that this process did not put there, or are gone that it did not take out.
  void spool_found(std::string_view topic, std::size_t count);
  void spool_dropped(std::string_view topic, std::size_t count);
  /// A record stays in the spool and will not be replayed.
  void spooled_record_set_aside(std::string_view topic, std::int64_t id, std::string_view reason);

  /// Values read when metrics are written. The functions must outlive the last `Metrics::text`.
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

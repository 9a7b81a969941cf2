#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/telemetry/metrics.hpp"

// The ledger counts the outcome of every event, stream by stream, so that no event can go missing unnoticed. The gate
// and the spool write to it. It shows as the metrics eventgate_ledger_... and, once a minute, as ledger events.

namespace prometheus {
struct MetricFamily;
}

namespace eventgate {

/// Why an event is certainly not produced: a label of metrics, and a key of ledger events.
enum class FailureCause : std::uint8_t {
  invalid,         ///< Its schema does not admit it.
  malformed_json,  ///< The body is no JSON. Counts as one event of the stream `unknown`.
  field,           ///< Its schema_uri or stream is missing or no string.
  schema,          ///< Its schema cannot be found or is unusable.
  stream,          ///< Its stream is not configured, or admits no event.
  title,           ///< Its stream admits events of another schema_title.
  topic,           ///< Its stream makes no legal topic name.
  key,             ///< It lacks a field of the message_key.
  record,          ///< Kafka will never take its record, because of the size, timestamp or form.
  not_produced,    ///< No sink took its record.
  // A legacy beacon that makes no event. Counts under the stream that its text names, if that can be told.
  legacy_empty,             ///< It has no text.
  legacy_truncated,         ///< Its text was cut on the way.
  legacy_malformed,         ///< Its text is no JSON, or no UTF-8.
  legacy_not_object,        ///< Its text is JSON, but no object.
  legacy_no_schema,         ///< It names no schema.
  legacy_unknown_schema,    ///< `legacy.schemas` does not have its schema.
  legacy_unknown_revision,  ///< `legacy.schemas` does not have this revision of its schema.
  legacy_web_host,          ///< It comes from none of `legacy.web_hosts`.
  legacy_bot,               ///< A bot sent it, and `legacy.bots` is `drop`.
  legacy_too_long           ///< Its query is longer than `legacy.max_query`.
};
inline constexpr std::size_t kFailureCauseCount = 20;

/// Returns true for the causes of a legacy beacon that makes no event.
constexpr bool is_of_beacon(FailureCause cause) { return cause >= FailureCause::legacy_empty; }

/// Returns the name of a cause in metrics, logs and ledger events: that of the enumerator.
std::string_view failure_cause_name(FailureCause cause);

/// Returns true for the causes of an event with the status `invalid`. All others have the status `error`.
constexpr bool is_invalid(FailureCause cause) {
  return cause == FailureCause::invalid || cause == FailureCause::malformed_json;
}

/// The outcomes of one stream's events at one moment. Two sums always balance, and their last terms are never negative:
///
///     received = refused (all causes) + produced + spooled + delivery_unknown + lost + in flight
///     spool_found + spool_stored = spool_replayed + spool_acknowledged_late + spool_dropped + in the spool
///
/// The first sum is about events. Each has exactly one outcome: the one its client is told, or would be told. The
/// second is about records in the spool, which may outlive the process. The sums are independent: an event that reaches
/// the spool too late for its reply is both `delivery_unknown` and stored.
struct LedgerCounts {
  std::uint64_t received = 0;
  std::array<std::uint64_t, kFailureCauseCount> refused{};  ///< By FailureCause.
  std::uint64_t produced = 0;                               ///< Every sink acknowledged it.
  std::uint64_t spooled = 0;                                ///< Accepted because the spool has it.
  std::uint64_t delivery_unknown = 0;                       ///< Sent and not answered in time: it may appear.
  std::uint64_t lost = 0;  ///< Answered with 202 or made by the gate, and not produced.

  std::uint64_t spool_found = 0;              ///< In the spool at start.
  std::uint64_t spool_stored = 0;             ///< Stored since then.
  std::uint64_t spool_replayed = 0;           ///< Produced from the spool.
  std::uint64_t spool_acknowledged_late = 0;  ///< Acknowledged after all for the first attempt.
  std::uint64_t spool_dropped = 0;            ///< Removed without being produced.

  std::uint64_t all_refused() const;
  std::uint64_t in_flight() const { return received - all_refused() - produced - spooled - delivery_unknown - lost; }
  std::uint64_t in_spool() const {
    return spool_found + spool_stored - spool_replayed - spool_acknowledged_late - spool_dropped;
  }
  LedgerCounts operator-(const LedgerCounts& earlier) const;
  bool operator==(const LedgerCounts&) const = default;
};

/// The counts of one stream. Call `received` for an event before its outcome, so that no reader sees more outcomes than
/// events.
///
/// Thread-safe, without locks.
class LedgerAccount {
 public:
  explicit LedgerAccount(std::string stream) : stream_(std::move(stream)) {}

  const std::string& stream() const noexcept { return stream_; }
  /// Returns true while the stream is declared by its name.
  bool is_declared() const noexcept { return declared_since_.load(std::memory_order_relaxed) != 0; }

  /// `at` is in milliseconds since the epoch.
  void received(std::size_t count, std::int64_t at) noexcept {
    add(received_, count);
    last_event_.store(at, std::memory_order_relaxed);
  }
  void refused(FailureCause cause, std::size_t count = 1) noexcept {
    add(refused_[static_cast<std::size_t>(cause)], count);
  }
  void produced(std::size_t count) noexcept { add(produced_, count); }
  /// Counts events that the client is told are accepted because the spool has them. They are not `produced`.
  void spooled(std::size_t count) noexcept { add(spooled_, count); }
  void delivery_unknown(std::size_t count = 1) noexcept { add(delivery_unknown_, count); }
  void lost(std::size_t count = 1) noexcept { add(lost_, count); }

  LedgerCounts counts() const noexcept;

 private:
  friend class Ledger;
  using Count = std::atomic<std::uint64_t>;
  static void add(Count& count, std::size_t more) noexcept { count.fetch_add(more, std::memory_order_release); }

  alignas(64) Count received_{0};
  Count produced_{0};
  std::atomic<std::int64_t> last_event_{0};      // milliseconds since the epoch; 0: no event
  std::atomic<std::int64_t> declared_since_{0};  // milliseconds since the epoch; 0: not declared by name
  std::atomic<bool> has_topic_{false};
  Count spooled_{0};
  Count delivery_unknown_{0};
  Count lost_{0};
  std::array<Count, kFailureCauseCount> refused_{};
  Count spool_found_{0};
  Count spool_stored_{0};
  Count spool_replayed_{0};
  Count spool_acknowledged_late_{0};
  Count spool_dropped_{0};
  const std::string stream_;
  LedgerCounts last_row_;  // the counts at the last row; guarded by the ledger's lock for rows
};

/// The outcomes of a stream's events in a period, usually a minute.
struct LedgerRow {
  std::string stream;
  std::chrono::system_clock::time_point begin;
  std::chrono::system_clock::time_point end;
  LedgerCounts counts;  ///< Of this period. Events in flight at its begin are not among `received`.
  std::uint64_t in_flight_before = 0;
  std::uint64_t in_flight_after = 0;
  std::uint64_t in_spool_before = 0;
  std::uint64_t in_spool_after = 0;
};

/// The accounts of all streams. Each scrape of the metrics is one snapshot in which the sums balance.
///
/// Declared streams have an account each. So do the first kMaxUndeclared streams that only a /regex/ declares, or that
/// events name while streams are not configured. All others share the account `unknown`.
///
/// Thread-safe.
class Ledger {
 public:
  /// Accounts of streams not declared by name. Clients make such names up, so there must be a bound.
  static constexpr std::size_t kMaxUndeclared = 1000;

  /// A stream declared by its name.
  struct Declared {
    std::string stream;
    std::string topic;  ///< Empty: the stream makes no legal topic name.
  };

  /// `metrics` shows this ledger until it is destroyed.
  explicit Ledger(Metrics& metrics, std::chrono::system_clock::time_point started = std::chrono::system_clock::now());
  ~Ledger();

  /// Sets the streams that are declared now. The age of a stream counts from its first declaration, and shows only
  /// while it is declared. The counts of streams no longer declared stay.
  void declare(const std::vector<Declared>& streams, std::chrono::system_clock::time_point now);

  /// Returns the account of `stream`, or `unknown` beyond kMaxUndeclared. It is valid as long as the ledger.
  LedgerAccount& account(std::string_view stream);
  LedgerAccount& unknown() noexcept;
  /// Returns the account of canaries, whatever their streams: they are no events of clients.
  LedgerAccount& canary();

  /// Counts events whose streams are not known yet. An account must count each as received soon.
  void arrived(std::size_t count) noexcept;

  /// Sets the topic of `account`, unless it has one. Cheap then.
  void set_topic_once(LedgerAccount& account, std::string_view topic) {
    if (!account.has_topic_.load(std::memory_order_relaxed)) set_topic(account, topic);
  }

  // Records in the spool. A topic belongs to the stream that had it when the spool first named the topic, else to
  // `unknown`. It keeps that account, so a record leaves the account that it entered.
  /// Counts records that were in the spool at start, or that another process gave back to be replayed.
  void spool_found(std::string_view topic, std::size_t count = 1);
  /// Counts records that are synced to the spool. Call it before any function for records that leave the spool.
  void spool_stored(std::string_view topic, std::size_t count = 1);
  /// Counts records that Kafka acknowledged for a replay.
  void spool_replayed(std::string_view topic, std::size_t count = 1);
  /// Counts records that Kafka acknowledged for their first attempt after all.
  void spool_acknowledged_late(std::string_view topic, std::size_t count = 1);
  /// Counts records that an operator dropped, or that were set aside because Kafka will never take them.
  void spool_dropped(std::string_view topic, std::size_t count = 1);

  /// Returns a row for each stream whose counts changed since the last call or the start. Each event is received in
  /// exactly one row, and has its outcome in exactly one row.
  std::vector<LedgerRow> take_rows(std::chrono::system_clock::time_point now);

  /// Returns the metrics, from one snapshot.
  std::vector<prometheus::MetricFamily> families(std::chrono::system_clock::time_point now) const;

 private:
  void set_topic(LedgerAccount& account, std::string_view topic);
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace eventgate

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

namespace prometheus {
struct MetricFamily;
}

namespace eventgate {

/// Why an event was refused, so that it is certain that it is not produced: a label of metrics, and a key of ledger
/// events.
enum class FailureCause : std::uint8_t {
  invalid,         ///< By its schema.
  malformed_json,  ///< A body that is no JSON: counts as one event, of the stream `unknown`.
  field,           ///< schema_uri or stream is missing, or no string.
  schema,          ///< Its schema is not to be had, or cannot be used.
  stream,          ///< The stream is not configured, or admits no event at all.
  title,           ///< The stream admits events of another schema_title.
  topic,           ///< The stream makes no legal topic name.
  key,             ///< A field of the message_key is missing.
  record,          ///< Kafka will never take the record: its size, timestamp or form. Its client was told so.
  not_produced     ///< Its client was told that no sink took it.
};
inline constexpr std::size_t kFailureCauseCount = 10;

/// Returns the name of a cause in metrics, logs and ledger events: that of the enumerator.
std::string_view failure_cause_name(FailureCause cause);

/// Returns true for the causes of an event with the status `invalid`. All others have the status `error`.
constexpr bool is_invalid(FailureCause cause) {
  return cause == FailureCause::invalid || cause == FailureCause::malformed_json;
}

/// What became of the events of one stream, at one moment. Two equations hold, always, as the last member of each is
/// what the others leave; and it is never less than 0.
///
///     received = refused (all causes) + produced + spooled + delivery_unknown + lost + in flight
///     spool_found + spool_stored = spool_replayed + spool_acknowledged_late + spool_dropped + in the spool
///
/// The first is about events, each of which ends in exactly one place: what its client was told, or would have been.
/// The second is about records in the spool, which may outlive the process. They are not joined: an event that is in
/// the spool too late for its reply is `delivery_unknown` and was stored all the same.
struct LedgerCounts {
  std::uint64_t received = 0;
  std::array<std::uint64_t, kFailureCauseCount> refused{};  ///< By FailureCause.
  std::uint64_t produced = 0;                               ///< Every sink acknowledged it.
  std::uint64_t spooled = 0;                                ///< Accepted on the strength of being in the spool.
  std::uint64_t delivery_unknown = 0;                       ///< It was sent and not answered: it may appear.
  std::uint64_t lost = 0;                                   ///< Answered 202 (or the gate's own), and no sink took it.

  std::uint64_t spool_found = 0;   ///< Were in the spool at start.
  std::uint64_t spool_stored = 0;  ///< Were put into it since.
  std::uint64_t spool_replayed = 0;
  std::uint64_t spool_acknowledged_late = 0;  ///< Their first attempt was acknowledged after all.
  std::uint64_t spool_dropped = 0;            ///< Left it without being produced.

  std::uint64_t all_refused() const;
  std::uint64_t in_flight() const { return received - all_refused() - produced - spooled - delivery_unknown - lost; }
  std::uint64_t in_spool() const {
    return spool_found + spool_stored - spool_replayed - spool_acknowledged_late - spool_dropped;
  }
  LedgerCounts operator-(const LedgerCounts& earlier) const;
  bool operator==(const LedgerCounts&) const = default;
};

/// The counts of one stream. `received` comes before what became of it: then no reader sees more outcomes than events.
///
/// Thread-safe, without locks.
class LedgerAccount {
 public:
  explicit LedgerAccount(std::string stream) : stream_(std::move(stream)) {}

  const std::string& stream() const noexcept { return stream_; }

  /// `at`: milliseconds since the epoch.
  void received(std::size_t count, std::int64_t at) noexcept {
    add(received_, count);
    last_event_.store(at, std::memory_order_relaxed);
  }
  void refused(FailureCause cause, std::size_t count = 1) noexcept {
    add(refused_[static_cast<std::size_t>(cause)], count);
  }
  void produced(std::size_t count) noexcept { add(produced_, count); }
  /// Of events accepted because they are in the spool, in place of `produced`. By who answers the client.
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
  std::atomic<std::int64_t> last_event_{0};      // milliseconds since the epoch; 0: none
  std::atomic<std::int64_t> declared_since_{0};  // the same; 0: not declared by name
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
  LedgerCounts taken_;  // of the last row; under the ledger's lock for rows
};

/// What became of a stream's events in a part of time, that is mostly a minute.
struct LedgerRow {
  std::string stream;
  std::chrono::system_clock::time_point begin;
  std::chrono::system_clock::time_point end;
  LedgerCounts counts;  ///< Those of this time only. What was in flight before is not among `received`.
  std::uint64_t in_flight_before = 0;
  std::uint64_t in_flight_after = 0;
  std::uint64_t in_spool_before = 0;
  std::uint64_t in_spool_after = 0;
};

/// The ledger: what became of every event, stream by stream, so that nothing can be missing unseen. It is in the
/// metrics eventgate_ledger_..., each scrape of them being one snapshot in which the sums balance.
///
/// Streams are those declared; of others (a /regex/ admits them, or streams are not configured) the first
/// kMaxUndeclared, since clients make them up. The rest counts as `unknown`.
///
/// Thread-safe.
class Ledger {
 public:
  static constexpr std::size_t kMaxUndeclared = 1000;

  /// A stream declared by its name.
  struct Declared {
    std::string stream;
    std::string topic;  ///< Empty: it can have none.
  };

  /// `metrics` shows it for as long as it lives.
  explicit Ledger(Metrics& metrics, std::chrono::system_clock::time_point started = std::chrono::system_clock::now());
  ~Ledger();

  /// Says which streams are declared now: all that are. The age of a stream counts from its first declaration on, and
  /// is shown as long as it is declared. Counts stay.
  void declare(const std::vector<Declared>& streams, std::chrono::system_clock::time_point now);

  /// The account of a stream that is declared, or may be told apart as said above. It lives as long as the ledger.
  LedgerAccount& account(std::string_view stream);
  LedgerAccount& unknown() noexcept;

  /// Events at the gate, before their streams are known: each is to be `received` by an account soon.
  void arrived(std::size_t count) noexcept;

  /// Makes `topic` known as that of `account`, once; cheap after that.
  void set_topic_once(LedgerAccount& account, std::string_view topic) {
    if (!account.has_topic_.load(std::memory_order_relaxed)) set_topic(account, topic);
  }

  // The records in the spool, by their topic (for the spool). A topic counts for the stream whose it was when it was
  // first named here, else for `unknown`: so a record leaves the account that it entered.
  /// Records that a start finds in the spool, or that another process made such as are to be replayed.
  void spool_found(std::string_view topic, std::size_t count = 1);
  /// Records put into it and synced; before it can be told that they left it.
  void spool_stored(std::string_view topic, std::size_t count = 1);
  /// Records produced from the spool and acknowledged.
  void spool_replayed(std::string_view topic, std::size_t count = 1);
  /// Records whose first attempt was acknowledged after all.
  void spool_acknowledged_late(std::string_view topic, std::size_t count = 1);
  /// Records that left it unproduced: dropped by an operator, or set aside since Kafka will never take them.
  void spool_dropped(std::string_view topic, std::size_t count = 1);

  /// What happened since the last `take_rows` (or the start), a row for each stream of which something is to be told.
  /// Each event is in exactly one row as received, and in exactly one as what became of it.
  std::vector<LedgerRow> take_rows(std::chrono::system_clock::time_point now);

  /// The metrics, from one snapshot.
  std::vector<prometheus::MetricFamily> families(std::chrono::system_clock::time_point now) const;

 private:
  void set_topic(LedgerAccount& account, std::string_view topic);
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace eventgate

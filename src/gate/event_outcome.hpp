#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "eventgate/delivery/delivery_failure.hpp"
#include "eventgate/delivery/sink.hpp"
#include "eventgate/gate/gate_types.hpp"
#include "eventgate/gate/live_feed.hpp"
#include "eventgate/schema/compiled_schema.hpp"
#include "eventgate/telemetry/ledger.hpp"
#include "eventgate/telemetry/telemetry.hpp"

// The one place that reports what became of an event: to the ledger, the metrics, the log and the live feed.

namespace eventgate {

/// The outcome of one event, or of several that share stream, schema and outcome.
struct EventOutcome {
  enum class Kind : std::uint8_t {
    produced,          ///< Every sink has it.
    spooled,           ///< The spool has it, and Kafka gets it later.
    refused,           ///< It is certain that it is not produced, and its client is told: `cause`.
    delivery_unknown,  ///< It was sent and not answered in time: it may appear.
    lost,              ///< It is not produced, although its client got a 202 before.
  };
  Kind kind;
  LedgerAccount& account;         ///< Of the event's stream.
  std::string_view schema_label;  ///< See `schema_label`.
  /// The gate's own events count in the ledger only, and if they are produced. Canaries have metrics of their own.
  Origin origin = Origin::client;
  Assurance assurance = Assurance::guaranteed;
  FailureCause cause = FailureCause::invalid;  ///< Of a refused event.
  std::string_view message = {};               ///< Why it was not produced.
  std::string_view sent_stream = {};           ///< As the client sent it, for the log. May be empty, as the next one.
  std::string_view sent_schema_uri = {};
  std::size_t count = 1;
  LiveEvent* live = nullptr;  ///< The live feed's view of a single event, or null.
};

/// Records the outcome of each event once.
///
/// Thread-safe.
class OutcomeRecorder {
 public:
  /// `telemetry` must outlive this.
  explicit OutcomeRecorder(Telemetry& telemetry) : telemetry_(telemetry) {}

  /// Writes `outcome` to the ledger, the metrics and the log, and marks `live`. The account must have counted the
  /// events as received before.
  void record(const EventOutcome& outcome);

  /// Reports an event of a stream that was taken out of the stream configs less than an hour ago. It is refused, too.
  void record_taken_out(std::string_view stream, std::string_view schema_uri) {
    telemetry_.event_of_stream_taken_out(stream, schema_uri);
  }

 private:
  Telemetry& telemetry_;
};

/// Returns the name of the outcome of an event that is not produced: that of `cause` if it is refused.
std::string_view outcome_name(EventOutcome::Kind kind, FailureCause cause);

/// Returns the label of `schema` in metrics: its path, or `unknown` for an absolute URI, of which clients can name any
/// number.
std::string_view schema_label(const CompiledSchema& schema);

/// Returns the cause of a record that was certainly not produced.
FailureCause failure_cause(const DeliveryFailure& failure);

/// Returns milliseconds since the epoch.
std::int64_t to_milliseconds(std::chrono::system_clock::time_point time);

}  // namespace eventgate

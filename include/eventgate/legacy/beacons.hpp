#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "eventgate/gate/gate_types.hpp"
#include "eventgate/gate/request_context.hpp"
#include "eventgate/io/task.hpp"
#include "eventgate/json/json_nodes.hpp"
#include "eventgate/legacy/capsule.hpp"
#include "eventgate/legacy/legacy_options.hpp"
#include "eventgate/repository/schema_repository.hpp"

// Legacy EventLogging beacons: an event as a URL, `GET /beacon/event?<percent-encoded JSON>;`. A beacon becomes a batch
// of one event of today's Event Platform; from there on it goes the way of every event. One that makes no event is
// refused with a cause.

namespace eventgate {

class BeaconMetrics;
class EventGate;
class UserAgents;

/// A beacon as it came.
struct BeaconRequest {
  /// A subclass owns the objects that `context` refers to.
  virtual ~BeaconRequest() = default;

  std::string query;       ///< What follows the first `?` of the URL, as sent.
  RequestContext context;  ///< Its `query` is empty: a beacon has no parameters.
  /// Released when the outcome of the beacon is known.
  std::shared_ptr<const void> held;
};

/// What became of a beacon.
struct BeaconOutcome {
  std::optional<BeaconRefusal> refusal;  ///< Set if it makes no event.
  ProcessResult result;                  ///< Of its event, if it makes one.
};

/// The options of the gate that count for beacons, too.
struct BeaconLimits {
  JsonLimits json;
  std::chrono::milliseconds schema_load_timeout{60000};
};

/// Takes beacons: decodes each, makes its event and hands that to the gate.
///
/// Thread-safe. Each coroutine runs on the I/O thread that starts it.
class Beacons {
 public:
  /// All references must outlive this and the beacons in flight. `user_agents` may be null: user agents are not parsed,
  /// and no bot is known.
  Beacons(LegacyOptions options, BeaconLimits limits, EventGate& gate, SchemaRepository& schemas,
          BeaconMetrics& metrics, UserAgents* user_agents);
  ~Beacons();

  const LegacyOptions& options() const { return options_; }

  /// Takes `request`, whose client has its answer.
  Task<void> take(std::unique_ptr<BeaconRequest> request);

  /// Takes `request`, and returns when its event is delivered or refused. `request` must outlive the task.
  Task<BeaconOutcome> process(const BeaconRequest& request);

  /// Refuses a beacon whose query is longer than `max_query`. Returns what was expected.
  std::string refuse_too_long(std::string_view query, const RequestContext& context, const IoExecutor& executor);

  /// Counts a beacon that is turned away because `max_inflight_bytes`, or the spool, leaves it no room.
  void count_turned_away(std::string_view cause, std::size_t query);

 private:
  struct Prepared;
  struct Events;

  Task<Prepared> prepare(const BeaconRequest& request, std::uint64_t number);
  bool try_prepare(const BeaconRequest& request, std::uint64_t number, std::optional<SchemaResult>& schema,
                   Prepared& prepared) const;
  std::optional<BeaconRefusal> check_sender(JsonValue capsule, const RequestContext& context, Prepared& prepared) const;
  void refuse(const BeaconRefusal& refusal, const LegacyTarget* target, const RequestContext& context,
              const IoExecutor& executor) const;
  void count(const BeaconOutcome& outcome, std::size_t query) const;

  const LegacyOptions options_;
  const BeaconLimits limits_;
  EventGate& gate_;
  SchemaRepository& schemas_;
  BeaconMetrics& metrics_;
  UserAgents* const user_agents_;
  const std::string host_json_;
  std::atomic<std::uint64_t> count_{0};  // beacons since the start, refused ones too
};

/// Returns the outcome of a beacon: `success`, `invalid`, `error` or `refused`.
std::string_view beacon_outcome_name(const BeaconOutcome& outcome);

}  // namespace eventgate

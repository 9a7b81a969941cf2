#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>

#include "eventgate/delivery/fan_out.hpp"
#include "eventgate/gate/event_batch.hpp"
#include "eventgate/gate/gate_types.hpp"
#include "eventgate/gate/request_context.hpp"
#include "eventgate/io/inflight_bytes.hpp"
#include "eventgate/io/task.hpp"
#include "eventgate/json/json_nodes.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/streams/stream_config_source.hpp"

// The gate takes the parsed events of a request from http and returns what http tells the client about each.
//
// In between, each event passes these steps: find its schema, find its stream, add missing fields, check that the
// stream admits the schema, fill in defaults, validate, make the Kafka record. The records of the request then go to
// delivery together. An invalid event also makes an error event, which takes the same way.

namespace eventgate {

class Telemetry;
class Ledger;
class LiveFeed;

/// Completes, validates and produces the events of requests.
///
/// Thread-safe. Each coroutine runs on the I/O thread that starts it.
class EventGate {
 public:
  /// `streams` may be null: streams are not configured, and every stream is allowed. `live` may be null; otherwise it
  /// gets every event of a client once its outcome is known. Error events and ledger events reserve bytes of `inflight`
  /// until they are delivered, and only while at most half of its bound is in use. A null `inflight` sets no bound.
  /// All references and pointers must outlive this and everything in flight.
  EventGate(GateOptions options, SchemaRepository& schemas, StreamConfigSource* streams, FanOut& producer,
            Telemetry& telemetry, LiveFeed* live = nullptr, std::shared_ptr<InflightBytes> inflight = nullptr);
  ~EventGate();

  /// Processes the events of `batch`, guaranteed: returns when each is delivered, refused or timed out. Never throws.
  /// `batch` and `context` must outlive the task.
  Task<ProcessResult> process(const EventBatch& batch, const RequestContext& context);

  /// As above, and releases the parsed values of `batch` before it waits for the deliveries. Only the texts of `batch`
  /// stay.
  Task<ProcessResult> process(EventBatch&& batch, const RequestContext& context);

  /// Processes the events of `request`, hasty: returns when each is refused or handed to delivery. Destroys the request
  /// then, unless a sink or the live feed still reads its texts (`Sink::borrows_record_text`).
  Task<void> process_hasty(std::unique_ptr<HastyRequest> request);

  /// Records a body that is no JSON, under the stream that the query names if that is declared. Makes its error event
  /// if the options want one. Returns without waiting for that event. An error event that finds no room in `inflight`
  /// is dropped, counted and logged.
  void malformed(std::string_view body, const JsonError& error, const RequestContext& context,
                 const IoExecutor& executor);

  /// Records a text that makes no event for another reason, under `refused.stream` if that is declared. Makes its error
  /// event likewise.
  void refuse(const RefusedText& refused, const RequestContext& context, const IoExecutor& executor);

  /// Makes one ledger event for each stream that had events since the last call, if `ledger_stream` is set. Returns
  /// without waiting for them. Ledger events count in the ledger as events of `ledger_stream`, which itself gets no
  /// ledger event, so none causes another. Without room in `inflight` no event is made, and the next call covers the
  /// time of both.
  void produce_ledger(std::chrono::system_clock::time_point now, const IoExecutor& executor);

  /// Makes the canaries that fell due since the last call, if `canary_interval` is set and streams are configured.
  /// Returns without waiting for them. The first call makes none. Call it about once a second, on one I/O thread.
  /// Canaries count in the ledger under `canary`, and one that fails is logged and counted.
  void make_canaries(std::chrono::system_clock::time_point now, const IoExecutor& executor);

  /// Batches of error events, ledger events and canaries in flight. Wait for 0 before you stop the producers.
  std::size_t in_flight() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Tells the ledger the streams that `configs` declares by name, and their topics.
void declare_streams(const StreamConfigs& configs, std::string_view topic_prefix, Ledger& ledger);

}  // namespace eventgate

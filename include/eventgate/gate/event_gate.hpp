#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/delivery/fan_out.hpp"
#include "eventgate/gate/event_batch.hpp"
#include "eventgate/gate/event_status.hpp"
#include "eventgate/gate/request_context.hpp"
#include "eventgate/io/inflight_bytes.hpp"
#include "eventgate/json/field_path.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/streams/stream_config_source.hpp"

namespace eventgate {

class Telemetry;
class Ledger;
class LiveFeed;

struct GateOptions {
  /// The Wikimedia set-up (spec events).
  bool wikimedia = false;
  std::vector<FieldPath> schema_uri_field{FieldPath("$schema")};
  std::string schema_uri_query_param;
  bool allow_absolute_schema_uris = false;
  /// Empty in the default set-up means: none.
  std::vector<FieldPath> stream_field;
  /// In the default set-up, with `stream_field` set: an event that lacks it gets a stream made from its schema_uri. If
  /// false, it is an error. The config sets this to true if there is no Kafka, because the original does so with files.
  bool stream_from_schema_uri = false;
  std::string stream_query_param;
  std::string topic_prefix;
  FieldPath id_field;
  FieldPath dt_field;
  /// An event whose time is further ahead of its receipt gets the time of receipt as its record's timestamp. 0: none
  /// is.
  std::chrono::milliseconds max_future_dt{0};
  std::string error_stream;  ///< Empty: no error events.
  std::string error_schema_uri = "/error/2.1.0";
  std::string ledger_stream;  ///< Empty: no ledger events.
  std::string ledger_schema_uri = "/eventgate/ledger/1.0.0";
  std::string user_agent = "eventgate";
  std::size_t max_raw_event = 64 * 1024;
  /// Time for the schema loads of one request together: `request_timeout`.
  std::chrono::milliseconds schema_load_timeout{60000};
  /// Header to field.
  std::vector<std::pair<std::string, FieldPath>> http_request_headers_to_fields{
      {"x-request-id", FieldPath("meta.request_id")}, {"user-agent", FieldPath("http.request_headers.user-agent")}};
  JsonLimits json;
};

/// What became of a request's events.
struct ProcessResult {
  std::size_t events = 0;
  std::vector<EventStatus> invalid;  ///< In the order posted.
  std::vector<EventStatus> error;
  std::size_t spooled = 0;  ///< Of those produced, those that are in the spool, from where Kafka gets them later.
  std::size_t no_room = 0;  ///< Of those in `error`, those that nothing had room for.

  std::size_t produced() const { return events - invalid.size() - error.size(); }
};

/// A request whose client was answered before its events are judged.
struct HastyRequest {
  HastyRequest(EventBatch events, RequestContext request) : batch(std::move(events)), context(std::move(request)) {}
  /// Who has what the context refers to, derives from this.
  virtual ~HastyRequest() = default;

  EventBatch batch;
  RequestContext context;
  std::shared_ptr<const void> held;  ///< Until it is known what became of the last event.
};

/// The gate: the steps of spec "events", in order, for a request's events.
///
/// Thread-safe; its coroutines run on the I/O thread that starts them.
class EventGate {
 public:
  /// `streams` may be null: streams are not configured. What is referred to must outlive the gate and everything in
  /// flight. `live`, if it is not null, is shown every event of clients, when it is known what became of it. Error
  /// events and ledger events hold shares of `inflight` until their delivery is known, and get none while more than
  /// half of the bound is in use. Null: they have no bound.
  EventGate(GateOptions options, SchemaRepository& schemas, StreamConfigSource* streams, FanOut& producer,
            Telemetry& events, LiveFeed* live = nullptr, std::shared_ptr<InflightBytes> inflight = nullptr);
  ~EventGate();

  /// Completes, validates and produces the events of `batch`, guaranteed. Returns when each is delivered or refused.
  /// `batch` and `context` must live until then. Never throws.
  Task<ProcessResult> process(const EventBatch& batch, const RequestContext& context);

  /// The same, but of the batch only its texts stay while the deliveries are waited for.
  Task<ProcessResult> process_and_consume(EventBatch& batch, const RequestContext& context);

  /// The same, hasty: returns when the events are refused or handed over. The request is kept no longer than that
  /// unless somebody still reads its texts (Sink::borrows_record_text, the live feed).
  Task<void> process_hasty(std::unique_ptr<HastyRequest> request);

  /// Makes the error event of a body that is no JSON (http.md 5), if `error_stream` is set. Does not wait for it. An
  /// error event for which the bytes in flight have no room is dropped, counted and logged.
  void malformed(std::string_view body, const JsonError& error, const RequestContext& context, IoExecutor executor);

  /// Makes ledger events of what happened since the last call (or the start), if `ledger_stream` is set: one for each
  /// stream of which there is something to tell. They pass the gate as error events do, and nobody waits for them. They
  /// count in the ledger as events of `ledger_stream`, about which none is made: so none causes another.
  /// If the bytes in flight have no room for as much as the last time, none is made now: what happened stands in the
  /// ledger events of a later call.
  void produce_ledger(std::chrono::system_clock::time_point now, IoExecutor executor);

  /// Error events and ledger events on their way, by batch: 0 before the producers may be stopped.
  std::size_t in_flight() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Tells the ledger which streams are declared by name, and their topics.
void declare_streams(const StreamConfigs& configs, std::string_view topic_prefix, Ledger& ledger);

}  // namespace eventgate

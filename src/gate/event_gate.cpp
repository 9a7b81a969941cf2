#include "eventgate/gate/event_gate.hpp"

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "canaries.hpp"
#include "error_event.hpp"
#include "event_outcome.hpp"
#include "event_pipeline.hpp"
#include "eventgate/gate/live_feed.hpp"
#include "eventgate/gate/schema_loads.hpp"
#include "eventgate/json/json_error_text.hpp"
#include "eventgate/streams/topic.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "live_report.hpp"
#include "request_scratch.hpp"
#include "self_events.hpp"
#include "settlement.hpp"

namespace eventgate {

namespace {

/// Drops the creator's reference of a batch that was waited for.
struct BatchRelease {
  void operator()(DeliveryBatch* batch) const noexcept { batch->release(); }
};

FieldPath default_stream_field_of(const GateOptions& options) {
  return options.stream_field.empty() ? FieldPath("meta.stream") : options.stream_field.front();
}

std::shared_ptr<InflightBytes> unbounded() {
  return std::make_shared<InflightBytes>(std::numeric_limits<std::size_t>::max());
}

}  // namespace

struct EventGate::Impl {
  Impl(GateOptions gate_options, SchemaRepository& repository, StreamConfigSource* source, FanOut& to,
       Telemetry& reports, LiveFeed* feed, std::shared_ptr<InflightBytes> bytes)
      : options(std::move(gate_options)),
        default_stream_field(default_stream_field_of(options)),
        schemas(repository),
        producer(to),
        telemetry(reports),
        ledger(reports.ledger()),
        live(feed),
        inflight(bytes ? std::move(bytes) : unbounded()),
        outcomes(reports),
        self_events(options, reports, *inflight,
                    [this](EventBatch& batch, const RequestContext& context, Origin origin) {
                      return process(batch, context, Assurance::hasty, origin, &batch);
                    }),
        canaries(options, repository, source, reports, *inflight,
                 [this](EventBatch& batch, const RequestContext& context) {
                   return process(batch, context, Assurance::guaranteed, Origin::canary, &batch);
                 }),
        settlement(options, producer, outcomes, self_events, feed),
        pipeline{options, default_stream_field, repository, source, ledger, outcomes, self_events, feed != nullptr} {}

  /// Counts the events of a client. The live feed ends what it began once it has them (`report_live_events`).
  void events_received(std::size_t count) {
    telemetry.events_received(count);
    if (live) live->begin(count);
  }
  /// `consumed` is the batch if its parsed values are not needed once the records are made, else null.
  Task<ProcessResult> process(const EventBatch& batch, const RequestContext& context, Assurance assurance,
                              Origin origin, EventBatch* consumed);
  Task<void> process_hasty(std::unique_ptr<HastyRequest> request);
  bool run_if_schemas_cached(const EventBatch& batch, const RequestContext& context, Origin origin,
                             RequestMemory& memory, ProcessResult& result);
  void run(const EventBatch& batch, const RequestContext& context, Origin origin, RequestMemory& memory,
           ProcessResult& result);
  Task<void> load(RequestSchemas& wanted);
  void malformed(std::string_view body, const JsonError& error, const RequestContext& context,
                 const IoExecutor& executor);
  void refuse(const RefusedText& refused, const RequestContext& context, const IoExecutor& executor);

  const GateOptions options;
  const FieldPath default_stream_field;
  SchemaRepository& schemas;
  FanOut& producer;
  Telemetry& telemetry;
  Ledger& ledger;
  LiveFeed* const live;
  const std::shared_ptr<InflightBytes> inflight;
  OutcomeRecorder outcomes;
  SelfEvents self_events;
  Canaries canaries;
  Settlement settlement;
  const PipelineServices pipeline;
};

/// Runs the events through the pipeline if all their schemas are cached. Returns false if some must be loaded first.
bool EventGate::Impl::run_if_schemas_cached(const EventBatch& batch, const RequestContext& context, Origin origin,
                                            RequestMemory& memory, ProcessResult& result) {
  result.event_count = batch.size();
  ledger.arrived(batch.size());
  EventPipeline events(pipeline, batch, context, origin, memory, result);
  if (!events.resolve_schemas()) return false;
  events.run();
  return true;
}

/// Runs the events through the pipeline once their schemas are loaded.
void EventGate::Impl::run(const EventBatch& batch, const RequestContext& context, Origin origin, RequestMemory& memory,
                          ProcessResult& result) {
  EventPipeline(pipeline, batch, context, origin, memory, result).run();
}

Task<ProcessResult> EventGate::Impl::process(const EventBatch& batch, const RequestContext& context,
                                             Assurance assurance, Origin origin, EventBatch* consumed) {
  MemoryLease memory;
  ProcessResult result;
  const IoExecutor executor = co_await ThisExecutor();
  if (!run_if_schemas_cached(batch, context, origin, *memory, result)) {
    co_await load(memory->schemas);
    run(batch, context, origin, *memory, result);
  }
  self_events.produce_error_events(*memory, context.received_at, executor);
  if (!memory->records.empty()) {
    if (consumed) consumed->release_values();
    DeliveryBatch& deliveries = settlement.hand_over(*memory, context.received_at, assurance, origin, executor);
    co_await producer.wait(deliveries, assurance);
    const std::unique_ptr<DeliveryBatch, BatchRelease> waited_for(&deliveries);
    settlement.settle(*memory, deliveries, assurance, origin, executor, result);
  }
  if (live) report_live_events(*live, context, assurance, *memory, result);
  co_return result;
}

Task<void> EventGate::Impl::process_hasty(std::unique_ptr<HastyRequest> request) {
  MemoryLease memory;
  ProcessResult result;
  const IoExecutor executor = co_await ThisExecutor();
  if (!run_if_schemas_cached(request->batch, request->context, Origin::client, *memory, result)) {
    co_await load(memory->schemas);
    run(request->batch, request->context, Origin::client, *memory, result);
  }
  const auto received_at = request->context.received_at;
  self_events.produce_error_events(*memory, received_at, executor);
  if (memory->records.empty()) {
    if (live) report_live_events(*live, request->context, Assurance::hasty, *memory, result);
    if (request->on_outcome) request->on_outcome(result.failure_cause);
    co_return;
  }
  DeliveryBatch& deliveries = settlement.hand_over(*memory, received_at, Assurance::hasty, Origin::client, executor);
  settlement.settle_on_completion(deliveries, std::move(request), std::move(memory), std::move(result));
}

/// Loads the schemas of `wanted` that have no result yet.
Task<void> EventGate::Impl::load(RequestSchemas& wanted) {
  const IoExecutor executor = co_await ThisExecutor();
  std::vector<std::string> missing;
  std::vector<std::uint32_t> entries;
  for (std::uint32_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].result) continue;
    missing.emplace_back(wanted[i].schema_uri);
    entries.push_back(i);
  }
  co_await suspend_with([&](ResumeHandle suspended) {
    load_schemas(
        schemas, std::move(missing), options.schema_load_timeout, executor,
        [&wanted, entries = std::move(entries)](std::size_t i, SchemaResult loaded) {
          wanted[entries[i]].result.emplace(std::move(loaded));
        },
        std::move(suspended));
  });
}

/// Records a body that is no JSON. The query may name the stream of its events.
void EventGate::Impl::malformed(std::string_view body, const JsonError& error, const RequestContext& context,
                                const IoExecutor& executor) {
  const std::string message = "Malformed JSON: " + json_error_text(body, error);
  const DefaultRouting routing(options, context, Origin::client);
  refuse({body, FailureCause::malformed_json, message, routing.stream, routing.schema_uri}, context, executor);
}

void EventGate::Impl::refuse(const RefusedText& refused, const RequestContext& context, const IoExecutor& executor) {
  const std::int64_t received_at = to_milliseconds(context.received_at);
  const std::shared_ptr<const StreamConfigs> streams = pipeline.streams ? pipeline.streams->current() : nullptr;
  const StreamConfig* const config = streams && !refused.stream.empty() ? streams->find(refused.stream) : nullptr;
  LedgerAccount& account = config ? ledger.account(refused.stream) : ledger.unknown();
  LiveEvent live_event;
  ledger.arrived(1);
  account.received(1, received_at);
  outcomes.record({.kind = EventOutcome::Kind::refused,
                   .account = account,
                   .schema_label = Telemetry::kUnknown,
                   .cause = refused.cause,
                   .message = refused.message,
                   .sent_stream = refused.stream,
                   .sent_schema_uri = refused.schema_uri,
                   .live = &live_event});
  if (live) {
    EventStatus status;
    status.message = refused.message;
    std::string query;
    append_live_query(query, context);
    live_event.received_at = received_at;
    live_event.query = query;
    live_event.text = refused.text;
    live_event.status = &status;
    live_event.stream = refused.stream;
    live_event.schema_uri = refused.schema_uri;
    live->add({&live_event, 1});
  }
  if (!options.makes_error_event(refused.cause)) return;
  MemoryLease memory;
  FailedEvent failed{refused.text, refused.message,    error_type(refused.cause),
                     std::nullopt, refused.schema_uri, refused.stream};
  std::string http;
  std::string query;
  failed.has_details = self_events.has_error_details();
  if (options.wikimedia) {
    FieldEnricher& enricher = workspace().enricher;
    enricher.begin(options, context, memory->texts);
    failed.request_id = enricher.request_id_json(config, false);
    enricher.append_http(http, config);
  }
  append_routing_query(query, options, context);
  failed.http = http;
  failed.query = query;
  self_events.add_error_event(*memory, failed, context.received_at);
  self_events.produce_error_events(*memory, context.received_at, executor);
}

EventGate::EventGate(GateOptions options, SchemaRepository& schemas, StreamConfigSource* streams, FanOut& producer,
                     Telemetry& telemetry, LiveFeed* live, std::shared_ptr<InflightBytes> inflight)
    : impl_(std::make_unique<Impl>(std::move(options), schemas, streams, producer, telemetry, live,
                                   std::move(inflight))) {
  if (streams) declare_streams(*streams->current(), impl_->options.topic_prefix, impl_->ledger);
}

EventGate::~EventGate() = default;

Task<ProcessResult> EventGate::process(const EventBatch& batch, const RequestContext& context) {
  impl_->events_received(batch.size());
  return impl_->process(batch, context, Assurance::guaranteed, Origin::client, nullptr);
}

Task<ProcessResult> EventGate::process(EventBatch&& batch, const RequestContext& context) {
  impl_->events_received(batch.size());
  return impl_->process(batch, context, Assurance::guaranteed, Origin::client, &batch);
}

Task<void> EventGate::process_hasty(std::unique_ptr<HastyRequest> request) {
  impl_->events_received(request->batch.size());
  return impl_->process_hasty(std::move(request));
}

void EventGate::malformed(std::string_view body, const JsonError& error, const RequestContext& context,
                          const IoExecutor& executor) {
  impl_->malformed(body, error, context, executor);
}

void EventGate::refuse(const RefusedText& refused, const RequestContext& context, const IoExecutor& executor) {
  impl_->refuse(refused, context, executor);
}

void EventGate::produce_ledger(std::chrono::system_clock::time_point now, const IoExecutor& executor) {
  impl_->self_events.produce_ledger(now, executor);
}

void EventGate::make_canaries(std::chrono::system_clock::time_point now, const IoExecutor& executor) {
  impl_->canaries.make_due(now, executor);
}

std::size_t EventGate::in_flight() const { return impl_->self_events.in_flight() + impl_->canaries.in_flight(); }

void declare_streams(const StreamConfigs& configs, std::string_view topic_prefix, Ledger& ledger) {
  std::vector<Ledger::Declared> declared;
  for (std::string& stream : configs.stream_names()) {
    std::string topic = legal_topic(topic_prefix, stream, configs.find(stream)).value_or("");
    declared.push_back({std::move(stream), std::move(topic)});
  }
  ledger.declare(declared, std::chrono::system_clock::now());
}

}  // namespace eventgate

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "error_text_budget.hpp"
#include "event_outcome.hpp"
#include "eventgate/gate/gate_types.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/schema/compiled_schema.hpp"
#include "eventgate/streams/stream_config_source.hpp"
#include "eventgate/telemetry/ledger.hpp"
#include "request_scratch.hpp"
#include "self_events.hpp"

// The steps between the parsed events of a request and their Kafka records:
//
//     resolve_schemas   the schema that each event names         (then missing schemas are loaded)
//     find_schema       fails for an event without a usable schema
//     add_fields        stream, id, time and header fields that the event lacks
//     find_stream       fails for an event without a stream
//     check_stream      fails unless the stream's config admits the schema's title
//     fill_defaults     the schema's `default`s
//     validate          fails with the schema's errors
//     make_record       topic, message key, timestamp, value
//
// An event that fails gets a status in the ProcessResult, and its outcome is recorded at once.

namespace eventgate {

/// What the pipeline uses of the gate. All of it must outlive the pipeline.
struct PipelineServices {
  const GateOptions& options;
  /// The field that gets a stream which the event does not name itself.
  const FieldPath& default_stream_field;
  SchemaRepository& schemas;
  StreamConfigSource* streams;  ///< Null: streams are not configured.
  Ledger& ledger;
  OutcomeRecorder& outcomes;
  SelfEvents& self_events;
  bool has_live_feed;
};

/// The schema_uri and stream of events that name none: the query parameters of a client's request, or the options for
/// the gate's own events. Empty: there is no default.
struct DefaultRouting {
  std::string_view schema_uri;
  std::string_view stream;

  /// Views into `options` and `context`, which must outlive this.
  DefaultRouting(const GateOptions& options, const RequestContext& context, Origin origin);
};

/// Takes the events of one request through the steps above. Never suspends.
///
/// Use on one I/O thread. Only one pipeline of a thread may exist at a time, because they share the workspace.
class EventPipeline {
 public:
  /// All references must outlive this. `memory` receives the records, their groups and the error events.
  EventPipeline(const PipelineServices& services, const EventBatch& batch, const RequestContext& context, Origin origin,
                RequestMemory& memory, ProcessResult& result);

  /// Finds the schema of each event, once. Returns false if some schemas must be loaded first: their entries in
  /// `memory.schemas` have no result yet.
  bool resolve_schemas();

  /// Runs every event through the steps. Call after `resolve_schemas` of this or an earlier pipeline on `memory`, when
  /// every entry of `memory.schemas` has a result.
  void run();

 private:
  /// A stream and what the ledger and the stream configs know of it. Events of a request mostly share it.
  struct Stream {
    std::string_view name;
    const StreamConfig* config = nullptr;
    LedgerAccount* account = nullptr;
    std::string_view topic;     ///< Empty: the stream makes no legal topic name.
    bool has_topic = false;     ///< `topic` is set: with the stream's first record.
    bool is_taken_out = false;  ///< `config` is null, and the stream was declared less than an hour ago.
  };

  EventSchema resolve_schema(JsonValue event, bool& is_cached);
  void run_event();
  void refuse_flawed(std::span<const JsonInteropIssue> flaws);
  bool find_schema();
  bool add_fields();
  bool find_stream();
  bool check_stream();
  bool fill_defaults();
  bool validate();
  void make_record();
  std::int64_t record_timestamp();
  bool write_integers_as_literals();
  void add_record(const Record& record);

  void refuse(FailureCause cause, std::string message);
  void refuse_invalid(std::vector<ValidationError> errors);
  void record_refusal(FailureCause cause, std::string_view message);
  void note_live_event();
  bool use_schema(std::uint32_t entry);
  void set_stream(std::string_view name, bool is_from_event);
  bool apply_patch();
  bool replace_inadmissible_copies();
  std::string event_description() const;
  std::string_view keep_string(JsonValue value);
  std::string reply_text() const;
  LedgerAccount& account() const { return has_stream_ ? *stream_.account : no_account(); }
  /// The account of events without a stream of their own: canaries have theirs.
  LedgerAccount& no_account() const {
    return origin_ == Origin::canary ? services_.ledger.canary() : services_.ledger.unknown();
  }
  LiveEvent* live_event() const { return has_live_feed_ ? &memory_.live.events[index_] : nullptr; }

  const PipelineServices& services_;
  const GateOptions& options_;
  const EventBatch& batch_;
  const RequestContext& context_;
  const DefaultRouting defaults_;
  const Origin origin_;
  RequestMemory& memory_;
  ProcessResult& result_;
  Workspace& workspace_;
  const std::int64_t received_at_;  // milliseconds since the epoch
  const bool has_live_feed_;
  ErrorTextBudget error_texts_;
  std::shared_ptr<const StreamConfigs> streams_;
  JsonLimits limits_;
  std::string_view default_schema_uri_json_;
  std::string_view default_stream_json_;
  Stream stream_;  // the last one found

  // The event that runs now.
  std::size_t index_ = 0;
  JsonValue event_;  // as completed so far
  bool is_flawed_ = false;
  std::string_view schema_uri_;
  std::uint32_t schema_entry_ = RequestSchemas::kNone;
  const CompiledSchema* schema_ = nullptr;
  bool has_stream_ = false;
};

/// Returns the limits for events as completed, which are deeper than those of clients.
JsonLimits completed_event_limits(const GateOptions& options);

}  // namespace eventgate

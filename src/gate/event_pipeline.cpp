#include "event_pipeline.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "error_event.hpp"
#include "eventgate/base/timestamp.hpp"
#include "eventgate/base/topic_name.hpp"
#include "eventgate/base/utf8.hpp"
#include "eventgate/gate/canary_event.hpp"
#include "eventgate/json/decimal.hpp"
#include "eventgate/json/json_text.hpp"
#include "eventgate/streams/topic.hpp"
#include "flaw_errors.hpp"
#include "message_key.hpp"

namespace eventgate {

namespace {

/// Passes over an event that fill in defaults, because a default may bring others. More would need a schema deeper than
/// a schema may be.
constexpr int kMaxDefaultPasses = 64;
const FieldPath kDomain("meta.domain");
/// Levels of nesting that added fields and defaults may have inside the deepest object of the client.
constexpr std::size_t kAddedDepth = 128;

struct FieldValue {
  const FieldPath* path;
  JsonValue value;
};

/// Returns the first of `fields` that the event has.
std::optional<FieldValue> first_present(const std::vector<FieldPath>& fields, FieldIndex& event) {
  for (const FieldPath& field : fields)
    if (const auto value = event.find(field)) return FieldValue{&field, *value};
  return std::nullopt;
}

std::string missing_message(const std::vector<FieldPath>& fields) {
  std::string names;
  for (const FieldPath& field : fields) {
    if (!names.empty()) names += ',';
    names += field.dotted();
  }
  return "Field(s) " + names + " were missing from event and could not be extracted.";
}

std::string not_a_string_message(const FieldValue& field) {
  const JsonType type = field.value.type();
  std::string message = "Field " + field.path->dotted() + " must be a string but is ";
  if (type != JsonType::null) message += type == JsonType::array || type == JsonType::object ? "an " : "a ";
  message += json_type_name(type);
  return message + '.';
}

}  // namespace

JsonLimits completed_event_limits(const GateOptions& options) {
  JsonLimits limits = options.json;
  limits.depth += kAddedDepth;
  return limits;
}

DefaultRouting::DefaultRouting(const GateOptions& options, const RequestContext& context, Origin origin) {
  switch (origin) {
    case Origin::client:
      if (!options.schema_uri_query_param.empty())
        schema_uri = context.query_parameter(options.schema_uri_query_param).value_or("");
      if (!options.stream_query_param.empty())
        stream = context.query_parameter(options.stream_query_param).value_or("");
      break;
    case Origin::error_events:
      schema_uri = options.error_schema_uri;
      stream = options.error_stream;
      break;
    case Origin::ledger:
      schema_uri = options.ledger_schema_uri;
      stream = options.ledger_stream;
      break;
    case Origin::canary:  // it names both itself
      break;
  }
}

EventPipeline::EventPipeline(const PipelineServices& services, const EventBatch& batch, const RequestContext& context,
                             Origin origin, RequestMemory& memory, ProcessResult& result)
    : services_(services),
      options_(services.options),
      batch_(batch),
      context_(context),
      defaults_(options_, context, origin),
      origin_(origin),
      memory_(memory),
      result_(result),
      workspace_(workspace()),
      received_at_(to_milliseconds(context.received_at)),
      has_live_feed_(services.has_live_feed && (origin == Origin::client || origin == Origin::canary)),
      error_texts_(batch.body().size(), result),
      limits_(completed_event_limits(options_)) {
  if (services.streams) streams_ = services.streams->current();
  workspace_.enricher.begin(options_, context, memory.texts);
  workspace_.fields.begin_request();
}

bool EventPipeline::resolve_schemas() {
  bool are_cached = true;
  memory_.event_schemas.reserve(batch_.size());
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const JsonValue event = batch_[i];
    // A schema is never loaded for an event that cannot be valid.
    const bool can_be_valid = event.is_object() && batch_.flaws(i).empty();
    memory_.event_schemas.push_back(can_be_valid ? resolve_schema(event, are_cached) : EventSchema());
  }
  return are_cached;
}

/// Sets `is_cached` to false if the schema is still to be loaded.
EventSchema EventPipeline::resolve_schema(JsonValue event, bool& is_cached) {
  EventSchema schema;
  std::optional<JsonValue> field;
  for (const FieldPath& path : options_.schema_uri_field)
    if ((field = path.find(event))) break;
  if (field) {
    if (!field->is_string()) return schema;
    schema.source = EventSchema::Source::event;
    schema.schema_uri = keep_string(*field);
  } else {
    if (defaults_.schema_uri.empty()) return schema;
    schema.source = EventSchema::Source::request;
    schema.schema_uri = defaults_.schema_uri;
  }
  schema.entry = memory_.schemas.find(schema.schema_uri);
  if (schema.entry != RequestSchemas::kNone) return schema;
  const SchemaUriForm form = schema_uri_form(schema.schema_uri);
  if (form == SchemaUriForm::illegal || (form == SchemaUriForm::absolute && !options_.allow_absolute_schema_uris))
    return schema;
  std::optional<SchemaResult> cached = services_.schemas.find(schema.schema_uri);
  if (!cached) is_cached = false;
  schema.entry = memory_.schemas.add(schema.schema_uri, std::move(cached));
  return schema;
}

void EventPipeline::run() {
  for (index_ = 0; index_ < batch_.size(); ++index_) {
    if (has_live_feed_) memory_.live.events.emplace_back();
    run_event();
    if (has_live_feed_) note_live_event();
  }
}

void EventPipeline::run_event() {
  event_ = batch_[index_];
  workspace_.fields.begin(event_);
  const auto flaws = batch_.flaws(index_);
  is_flawed_ = !flaws.empty();
  schema_uri_ = {};
  schema_entry_ = RequestSchemas::kNone;
  schema_ = nullptr;
  has_stream_ = false;
  workspace_.patch.clear();
  if (has_live_feed_) workspace_.added.clear();

  if (!event_.is_object()) return refuse(FailureCause::field, missing_message(options_.schema_uri_field));
  if (is_flawed_) return refuse_flawed(flaws);
  if (find_schema() && add_fields() && find_stream() && check_stream() && fill_defaults() && validate()) make_record();
}

/// Reports the event with its stream and schema as far as they are known, so that its status is under their labels.
void EventPipeline::refuse_flawed(std::span<const JsonInteropIssue> flaws) {
  if (const auto field = first_present(options_.schema_uri_field, workspace_.fields);
      field && field->value.is_string()) {
    schema_uri_ = keep_string(field->value);
    std::uint32_t entry = memory_.schemas.find(schema_uri_);
    if (entry == RequestSchemas::kNone && schema_uri_form(schema_uri_) == SchemaUriForm::path)
      if (auto cached = services_.schemas.find(schema_uri_))
        entry = memory_.schemas.add(schema_uri_, std::move(cached));
    use_schema(entry);
  }
  if (const auto field = first_present(options_.stream_field, workspace_.fields); field && field->value.is_string())
    set_stream(keep_string(field->value), true);
  refuse_invalid(flaw_errors(event_, flaws));
}

bool EventPipeline::find_schema() {
  const EventSchema& found = memory_.event_schemas[index_];
  switch (found.source) {
    case EventSchema::Source::event:
      break;
    case EventSchema::Source::request:
      if (default_schema_uri_json_.empty())
        default_schema_uri_json_ = memory_.texts.keep(json_string(defaults_.schema_uri));
      if (workspace_.patch.add(event_, options_.schema_uri_field.front(), default_schema_uri_json_)) break;
      [[fallthrough]];
    case EventSchema::Source::none: {
      const auto field = first_present(options_.schema_uri_field, workspace_.fields);
      refuse(FailureCause::field, field ? not_a_string_message(*field) : missing_message(options_.schema_uri_field));
      return false;
    }
  }
  schema_uri_ = found.schema_uri;
  if (use_schema(found.entry)) return true;

  std::string message;
  if (found.entry == RequestSchemas::kNone && schema_uri_form(schema_uri_) == SchemaUriForm::absolute) {
    message = "Absolute schema URIs are not allowed but event schema_uri is ";
    message += schema_uri_;
  } else {
    message = "Failed loading schema at ";
    message += schema_uri_;
    if (found.entry != RequestSchemas::kNone) {
      const std::optional<SchemaResult>& result = memory_.schemas[found.entry].result;
      if (result && !result->error().reason.empty()) message += ": " + result->error().reason;
    }
  }
  refuse(FailureCause::schema, std::move(message));
  return false;
}

bool EventPipeline::add_fields() {
  const auto field = first_present(options_.stream_field, workspace_.fields);
  if (field) {
    if (field->value.is_string()) set_stream(keep_string(field->value), true);
  } else if (!defaults_.stream.empty()) {
    if (default_stream_json_.empty()) default_stream_json_ = memory_.texts.keep(json_string(defaults_.stream));
    if (workspace_.patch.add(event_, services_.default_stream_field, default_stream_json_))
      set_stream(defaults_.stream, true);
  }
  if (options_.wikimedia && (origin_ == Origin::client || origin_ == Origin::canary))
    workspace_.enricher.add_fields(*schema_, has_stream_ ? stream_.config : nullptr, workspace_.fields,
                                   workspace_.patch);
  return workspace_.patch.empty() || apply_patch();
}

bool EventPipeline::find_stream() {
  if (has_stream_) return true;
  // The added fields may include the stream field, if the config fills it from a header.
  const auto field = first_present(options_.stream_field, workspace_.fields);
  if (!field && !options_.wikimedia && (options_.stream_field.empty() || options_.stream_from_schema_uri)) {
    set_stream(memory_.texts.keep(stream_of_schema_uri(schema_uri_)), false);
    return true;
  }
  if (!field || !field->value.is_string()) {
    refuse(FailureCause::field, field ? not_a_string_message(*field) : missing_message(options_.stream_field));
    return false;
  }
  set_stream(keep_string(field->value), true);
  return true;
}

bool EventPipeline::check_stream() {
  if (!streams_) return true;
  const StreamConfig* const config = stream_.config;
  if (config && !config->empty && config->schema_title && schema_->title() &&
      *schema_->title() == *config->schema_title)
    return true;

  const std::string stream(stream_.name);
  FailureCause cause = FailureCause::stream;
  std::string reason;
  if (!config) {
    reason = stream + " is not configured.";
    if (stream_.is_taken_out) {
      reason += " It was taken out of the stream configs less than an hour ago.";
      if (origin_ == Origin::client) services_.outcomes.record_taken_out(stream, schema_uri_);
    }
    if (const std::string& bad = streams_->bad_regex_reason(); !bad.empty()) reason += ' ' + bad;
  } else if (config->empty) {
    reason = stream + " is configured but does not have any settings.";
  } else if (!config->schema_title) {
    reason = config->unusable_reason.empty() ? stream + " does not have a schema_title setting."
                                             : "its stream config cannot be used: " + config->unusable_reason + '.';
  } else if (!schema_->title()) {
    refuse(FailureCause::title,
           "Schema at " + std::string(schema_uri_) + " must define a 'title' field. From " + event_description());
    return false;
  } else {
    cause = FailureCause::title;
    reason = "schema title must be " + *config->schema_title + '.';
  }
  refuse(cause, event_description() + " is not allowed in stream; " + reason);
  return false;
}

bool EventPipeline::fill_defaults() {
  for (int pass = 0; pass < kMaxDefaultPasses; ++pass) {
    workspace_.patch.clear();
    if (!schema_->add_defaults(event_, workspace_.patch)) break;
    if (!apply_patch()) return false;
  }
  return true;
}

bool EventPipeline::validate() {
  Validation& validation = workspace_.validation;
  validation.clear();
  if (schema_->validate(event_, validation)) return true;
  if (origin_ != Origin::client && replace_inadmissible_copies()) return true;
  refuse_invalid(std::move(validation.errors));
  return false;
}

void EventPipeline::make_record() {
  if (!stream_.has_topic) {
    const std::string topic = topic_name(options_.topic_prefix, stream_.name, stream_.config);
    stream_.topic = is_topic_name(topic) ? memory_.texts.keep(topic) : std::string_view();
    stream_.has_topic = true;
    if (!stream_.topic.empty() && origin_ != Origin::canary) services_.ledger.set_topic_once(*stream_.account, topic);
  }
  if (stream_.topic.empty())
    return refuse(FailureCause::topic,
                  "Stream name " + json_string(stream_.name) +
                      " is no Kafka topic name: expected, with topic_prefix, 1 to 249 of [a-zA-Z0-9._-].");
  Record record;
  record.topic = stream_.topic;
  if (stream_.config && !stream_.config->message_key_fields.empty()) {
    auto key = message_key(*stream_.config, event_);
    if (!key) return refuse(FailureCause::key, key.error());
    if (*key) record.message_key = memory_.texts.keep(**key);
  }
  record.timestamp = record_timestamp();
  if (!workspace_.validation.integers.empty() && !write_integers_as_literals()) return;
  record.value = event_.source();
  add_record(record);
}

/// Returns the time at `dt_field`, or the time of receipt if there is none that Kafka and `max_future_dt` allow.
std::int64_t EventPipeline::record_timestamp() {
  if (options_.dt_field.empty()) return received_at_;
  const auto dt = workspace_.fields.find(options_.dt_field);
  if (!dt || !dt->is_string()) return received_at_;
  const auto timestamp = parse_timestamp(dt->string(workspace_.buffer));
  if (!timestamp || *timestamp <= 0) return received_at_;  // Kafka knows no time before 1970
  const bool is_bounded = options_.max_future_dt.count() != 0;
  if (is_bounded && *timestamp > received_at_ + options_.max_future_dt.count()) return received_at_;
  return *timestamp;
}

/// Writes numbers such as `1.0` as `1` where the schema wants an integer, because readers of typed tables do.
bool EventPipeline::write_integers_as_literals() {
  std::vector<std::uint32_t>& integers = workspace_.validation.integers;
  // Several subschemas may have accepted the same number.
  std::sort(integers.begin(), integers.end());
  integers.erase(std::unique(integers.begin(), integers.end()), integers.end());
  workspace_.patch.clear();
  for (const std::uint32_t node : integers) {
    const JsonValue number(event_.base(), event_.nodes(), node);
    if (const auto literal = integer_literal(number.source()))
      workspace_.patch.replace(number, std::to_string(*literal));
  }
  return workspace_.patch.empty() || apply_patch();
}

void EventPipeline::add_record(const Record& record) {
  memory_.records.push_back(record);
  memory_.event_indexes.push_back(index_);
  RecordGroups& groups = memory_.groups;
  if (groups.empty() || groups.back().account != stream_.account || groups.back().schema.get() != schema_)
    groups.push_back({stream_.account, **memory_.schemas[schema_entry_].result, 0});
  ++groups.back().count;
}

void EventPipeline::record_refusal(FailureCause cause, std::string_view message) {
  account().received(1, received_at_);
  services_.outcomes.record({.kind = EventOutcome::Kind::refused,
                             .account = account(),
                             .schema_label = schema_ ? schema_label(*schema_) : Telemetry::kUnknown,
                             .origin = origin_,
                             .cause = cause,
                             .message = message,
                             .live = live_event()});
}

void EventPipeline::refuse(FailureCause cause, std::string message) {
  record_refusal(cause, message);
  error_texts_.limit_message(message);
  EventStatus& status = result_.error.emplace_back();
  status.kind = EventStatus::Kind::error;
  status.index = index_;
  if (workspace_.patch.empty() || is_flawed_) {
    status.event = reply_text();
  } else {
    workspace_.patch.apply(event_, status.event, has_live_feed_ ? &workspace_.added : nullptr);
    // A long text of the request may have been added to each of its events, which the reply must not repeat unbounded.
    const std::string_view without_patch = event_.source();
    if (status.event.size() > without_patch.size() && !error_texts_.spend(status.event.size() - without_patch.size())) {
      status.event = std::string(without_patch);
      workspace_.added.clear();
    }
  }
  status.message = std::move(message);
}

void EventPipeline::refuse_invalid(std::vector<ValidationError> errors) {
  error_texts_.limit_errors(errors);
  EventStatus& status = result_.invalid.emplace_back();
  status.kind = EventStatus::Kind::invalid;
  status.index = index_;
  status.event = reply_text();
  status.errors = std::move(errors);
  const bool has_error_event = origin_ == Origin::client && !options_.error_stream.empty();
  const std::string message = has_error_event ? errors_text(status.errors) : std::string();
  record_refusal(FailureCause::invalid, message);
  if (!has_error_event) return;
  const FailedEvent failed{batch_[index_].source(),
                           message,
                           kValidationErrorType,
                           event_,
                           schema_uri_,
                           has_stream_ ? stream_.name : std::string_view()};
  services_.self_events.add_error_event(memory_, failed, context_.received_at);
}

/// Notes what the live feed shows of the event besides its outcome.
void EventPipeline::note_live_event() {
  LiveNotes& notes = memory_.live;
  LiveEvent& event = notes.events[index_];
  if (has_stream_) {
    event.stream = stream_.name;
  } else if (const auto field = first_present(options_.stream_field, workspace_.fields);
             field && field->value.is_string()) {
    event.stream = keep_string(field->value);  // the event failed before its stream was looked at
  }
  if (is_flawed_) event.text = event_.source();  // the status has it as a JSON string
  event.schema_uri = schema_ ? std::string_view(schema_->uri()) : schema_uri_;
  const auto domain = is_flawed_ ? std::nullopt : kDomain.find(event_);
  event.canary = domain && domain->is_string() && domain->string(workspace_.buffer) == kCanaryDomain;
  notes.added.insert(notes.added.end(), workspace_.added.begin(), workspace_.added.end());
  notes.added_ends.push_back(notes.added.size());
}

/// Makes the schema of an entry that of the event. Returns false if there is none.
bool EventPipeline::use_schema(std::uint32_t entry) {
  if (entry == RequestSchemas::kNone) return false;
  const std::optional<SchemaResult>& result = memory_.schemas[entry].result;
  if (!result || !result->has_value()) return false;
  schema_entry_ = entry;
  schema_ = (**result).get();
  return true;
}

void EventPipeline::set_stream(std::string_view name, bool is_from_event) {
  has_stream_ = true;
  if (stream_.name.data() && stream_.name == name) return;
  stream_ = {};
  stream_.name = name;
  stream_.account = &no_account();
  if (streams_) {
    stream_.config = streams_->find(name);
    if (origin_ == Origin::canary) return;
    if (!stream_.config && !(stream_.is_taken_out = streams_->is_taken_out(name, context_.received_at))) return;
    stream_.account = &services_.ledger.account(name);
  } else if (!is_from_event || origin_ != Origin::client) {
    stream_.account = &services_.ledger.account(name);
  }
}

/// Applies the patch to `event_`. Refuses the event and returns false if the result is no JSON.
bool EventPipeline::apply_patch() {
  const bool has_nodes = workspace_.patch.apply_with_nodes(event_, workspace_.text, workspace_.next_nodes,
                                                           has_live_feed_ ? &workspace_.added : nullptr);
  workspace_.patch.clear();
  const std::string_view text = memory_.texts.keep(workspace_.text);
  if (has_nodes) {
    workspace_.next_nodes.text = text;
  } else if (const auto error = parse_json(text, workspace_.next_nodes, limits_)) {
    workspace_.added.clear();
    refuse(FailureCause::schema, "Event as completed by schema at " + std::string(schema_uri_) +
                                     " is not JSON: expected " + error->expected + " at byte " +
                                     std::to_string(error->offset));
    return false;
  }
  std::swap(workspace_.nodes, workspace_.next_nodes);
  event_ = workspace_.nodes.root();
  workspace_.fields.begin(event_);
  return true;
}

/// Replaces fields of an error event that it copied from a client's event and that its schema does not admit. Returns
/// true if the error event is valid then.
bool EventPipeline::replace_inadmissible_copies() {
  Validation& validation = workspace_.validation;
  workspace_.patch.clear();
  for (const std::string_view key : kCopiedMetaFields) {
    const std::string path = ".meta." + std::string(key);
    const bool is_inadmissible =
        std::any_of(validation.errors.begin(), validation.errors.end(),
                    [&](const ValidationError& error) { return error.data_path.starts_with(path); });
    if (!is_inadmissible) continue;
    if (const auto value = FieldPath(path.substr(1)).find(event_)) workspace_.patch.replace(*value, "\"unknown\"");
  }
  if (workspace_.patch.empty()) return false;
  validation.clear();
  return apply_patch() && schema_->validate(event_, validation);
}

/// Returns `event ID of schema at URI destined to stream X`.
std::string EventPipeline::event_description() const {
  std::string description = "event";
  if (const auto id = options_.id_field.empty() ? std::nullopt : options_.id_field.find(event_)) {
    const std::string text = id->is_string() ? id->string() : std::string(id->source());
    const bool is_falsy = id->is_string() ? text.empty() : text == "null" || text == "false" || text == "0";
    if (!is_falsy) description += ' ' + text;
  }
  description += " of schema at ";
  description += schema_uri_;
  description += " destined to stream ";
  description += stream_.name;
  return description;
}

/// Returns a string's content, valid as long as the request. For a flawed event it is made valid UTF-8, which metrics
/// and logs need.
std::string_view EventPipeline::keep_string(JsonValue value) {
  if (is_flawed_) return memory_.texts.keep(to_valid_utf8(value.string(workspace_.buffer)));
  return value.escaped() ? memory_.texts.keep(value.string(workspace_.buffer)) : value.raw_string();
}

/// Returns the event as a reply shows it. Flawed text is no JSON that every reader takes, so it becomes a string.
std::string EventPipeline::reply_text() const {
  const std::string_view text = event_.source();
  return is_flawed_ ? json_string(text) : std::string(text);
}

}  // namespace eventgate

// The end of an event that is refused: its status, its outcome and its error event; and error events that are not valid
// themselves.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "error_event.hpp"
#include "event_pipeline.hpp"
#include "eventgate/logging/log.hpp"

namespace eventgate {

namespace {

const FieldPath kMetaId("meta.id");
const FieldPath kMetaDt("meta.dt");
const FieldPath kDt("dt");

}  // namespace

void EventPipeline::record_refusal(FailureCause cause, std::string_view message) {
  result_.failure_cause = failure_cause_name(cause);
  account().received(1, received_at_);
  services_.outcomes.record({.kind = EventOutcome::Kind::refused,
                             .account = account(),
                             .schema_label = schema_ ? schema_label(*schema_) : Telemetry::kUnknown,
                             .origin = origin_,
                             .cause = cause,
                             .message = message,
                             .sent_stream = has_stream_ ? stream_.name : std::string_view(),
                             .sent_schema_uri = schema_uri_,
                             .live = live_event()});
}

void EventPipeline::refuse(FailureCause cause, std::string message) {
  record_refusal(cause, message);
  error_texts_.limit_message(message);
  add_error_event(cause, message, {});
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
  record_refusal(FailureCause::invalid, log_enabled(LogLevel::warn) ? first_error_text(status.errors) : std::string());
  if (origin_ == Origin::client && options_.makes_error_event(FailureCause::invalid))
    add_error_event(FailureCause::invalid, errors_text(status.errors), status.errors);
}

/// Adds the error event of a client's event if the options want one for `cause`.
void EventPipeline::add_error_event(FailureCause cause, std::string_view message,
                                    std::span<const ValidationError> errors) {
  if (origin_ != Origin::client || !options_.makes_error_event(cause)) return;
  FailedEvent failed{batch_.sent_text(index_),
                     message,
                     error_type(cause),
                     event_,
                     schema_uri_,
                     has_stream_ ? stream_.name : std::string_view()};
  const StreamConfig* const config = has_stream_ ? stream_.config : nullptr;
  if (options_.wikimedia) failed.request_id = workspace_.enricher.request_id_json(config, true);
  failed.has_details = services_.self_events.has_error_details();
  std::string http;
  std::string query;
  if (failed.has_details) {
    if (options_.wikimedia) workspace_.enricher.append_http(http, config);
    append_routing_query(query, options_, context_);
    failed.http = http;
    failed.query = query;
    failed.errors = errors;
    const JsonValue sent = batch_[index_];
    const auto given = [&](const FieldPath& field) {
      const auto value = field.find(sent) ? std::nullopt : field.find(event_);
      return value ? value->source() : std::string_view();
    };
    failed.errored_event_id = given(kMetaId);
    failed.errored_event_dt = given(kMetaDt);
    if (failed.errored_event_dt.empty()) failed.errored_event_dt = given(kDt);
  }
  services_.self_events.add_error_event(memory_, failed, context_.received_at);
}

/// Leaves out the details of an error event that its schema does not declare. If it declares none, later error events
/// are made without them. Returns false if the event is refused.
bool EventPipeline::fit_error_details() {
  if (workspace_.error_schema.get() != schema_) {
    workspace_.error_schema = **memory_.schemas[schema_entry_].result;
    workspace_.error_schema_has_details = declares_error_details(*schema_);
  }
  services_.self_events.set_has_error_details(workspace_.error_schema_has_details);
  return leave_out_details(schema_);
}

/// Leaves out the details of an error event that `schema` does not declare; all if it is null. Returns false if the
/// event is refused.
bool EventPipeline::leave_out_details(const CompiledSchema* schema) {
  workspace_.text.clear();
  return !append_without_details(workspace_.text, event_, schema) || use_text(memory_.texts.keep(workspace_.text));
}

/// Makes an error event valid that is not, because of what it holds of a client's event or because its schema means
/// something else by a detail. Returns false if that does not help.
bool EventPipeline::mend_error_event() {
  if (replace_inadmissible_copies()) return true;
  workspace_.validation.clear();
  if (!leave_out_details(nullptr)) return false;
  return schema_->validate(event_, workspace_.validation) || replace_inadmissible_copies();
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

}  // namespace eventgate

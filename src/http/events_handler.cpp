#include "events_handler.hpp"

#include "eventgate/events/json_text.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// White space as JSON has it, behind a byte order mark or not.
bool blank(std::string_view body) {
  if (body.substr(0, kByteOrderMark.size()) == kByteOrderMark) body.remove_prefix(kByteOrderMark.size());
  return body.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

void append_error(std::string& out, const ValidationError& error) {
  out += "{\"keyword\":";
  append_json_string(out, error.keyword);
  out += ",\"dataPath\":";
  append_json_string(out, error.data_path);
  out += ",\"schemaPath\":";
  append_json_string(out, error.schema_path);
  out += ",\"params\":";
  out += error.params.empty() ? std::string_view("{}") : std::string_view(error.params);
  out += ",\"message\":";
  append_json_string(out, error.message);
  if (error.property_name) {
    out += ",\"propertyName\":";
    append_json_string(out, *error.property_name);
  }
  out += '}';
}

void append_status(std::string& out, const EventStatus& status) {
  out += status.kind == EventStatus::Kind::invalid ? "{\"status\":\"invalid\",\"event\":"
                                                   : "{\"status\":\"error\",\"event\":";
  out += status.event;
  out += ",\"context\":{";
  switch (status.kind) {
    case EventStatus::Kind::invalid: {
      out += "\"errors\":[";
      bool first = true;
      for (const ValidationError& error : status.errors) {
        if (!first) out += ',';
        first = false;
        append_error(out, error);
      }
      out += "],\"errorsText\":";
      append_json_string(out, errors_text(status.errors));
      break;
    }
    case EventStatus::Kind::error:
      out += "\"message\":";
      append_json_string(out, status.message);
      if (status.has_delivery)
        out += status.delivery == Delivery::unknown ? ",\"delivery\":\"unknown\"" : ",\"delivery\":\"not_produced\"";
      break;
  }
  out += "},\"index\":";
  out += std::to_string(status.index);
  out += '}';
}

void append_statuses(std::string& out, const std::vector<EventStatus>& statuses) {
  out += '[';
  bool first = true;
  for (const EventStatus& status : statuses) {
    if (!first) out += ',';
    first = false;
    append_status(out, status);
  }
  out += ']';
}

}  // namespace

MediaType media_type(std::string_view content_type) {
  const std::size_t semicolon = content_type.find(';');
  const std::string_view type = trimmed(content_type.substr(0, semicolon));
  if (!equals_ignoring_case(type, "application/json") && !equals_ignoring_case(type, "text/plain") &&
      !equals_ignoring_case(type, "application/reports+json"))
    return MediaType::other;
  if (semicolon == std::string_view::npos) return MediaType::json;
  std::string_view parameters = content_type.substr(semicolon + 1);
  while (!parameters.empty()) {
    const std::size_t end = parameters.find(';');
    const std::string_view parameter = parameters.substr(0, end);
    parameters.remove_prefix(end == std::string_view::npos ? parameters.size() : end + 1);
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos || !equals_ignoring_case(trimmed(parameter.substr(0, equals)), "charset"))
      continue;
    std::string_view charset = trimmed(parameter.substr(equals + 1));
    if (charset.size() >= 2 && charset.front() == '"' && charset.back() == '"')
      charset = charset.substr(1, charset.size() - 2);
    if (!equals_ignoring_case(charset, "utf-8") && !equals_ignoring_case(charset, "utf8")) return MediaType::not_utf8;
  }
  return MediaType::json;
}

bool is_hasty(const RequestContext& context) {
  const auto hasty = context.query_parameter("hasty");
  return hasty && !hasty->empty() && *hasty != "false" && *hasty != "0";
}

Response empty_answer() {
  Response response;
  response.status = 400;
  response.reason = "Request body was empty. Must provide JSON encoded events.";
  return response;
}

Response hasty_answer(std::size_t events) {
  Response response;
  response.status = 202;
  response.reason = std::to_string(events) + " events hastily received.";
  return response;
}

Response processed_answer(const ProcessResult& result) {
  const std::size_t failed = result.invalid.size() + result.error.size();
  const std::string all = std::to_string(result.events);
  Response response;
  if (failed == 0) {
    response.status = 201;
    response.reason.reserve(64);
    response.reason.append("All ").append(all).append(" out of ").append(all).append(" events were accepted.");
    return response;
  }
  const auto number = [](std::size_t count) { return std::to_string(count); };
  const std::string kinds = number(result.invalid.size()) + " invalid and " + number(result.error.size()) + " errored";
  response.content_type = kJsonType;
  response.body = "{\"invalid\":";
  append_statuses(response.body, result.invalid);
  if (failed == result.events && result.error.empty()) {
    response.status = 400;
    response.reason = number(failed) + " out of " + all + " events were invalid and not accepted.";
  } else {
    response.body += ",\"error\":";
    append_statuses(response.body, result.error);
    if (failed == result.events) {
      response.status = 500;
      response.reason =
          number(failed) + " out of " + all + " events had failures and were not accepted. (" + kinds + ").";
    } else {
      response.status = 207;
      response.reason = number(result.produced()) + " out of " + all + " events were accepted, but " + number(failed) +
                        " failed (" + kinds + ").";
    }
  }
  response.body += '}';
  return response;
}

Intake read_events(std::string body, const HttpOptions& options, EventGate& gate, const RequestContext& context,
                   IoExecutor executor) {
  Intake intake;
  if (blank(body)) return intake;
  auto batch = EventBatch::parse(std::move(body), options.json);
  if (!batch) {
    const JsonError& error = batch.error();
    // A body that is refused stays where it was (EventBatch::parse).
    gate.malformed(body, error, context, executor);
    intake.refusal = Refusal{400,
                             "The body is not JSON that we take: expected " + error.expected + " at byte " +
                                 std::to_string(error.offset) + ".",
                             {}};
    return intake;
  }
  const std::size_t events = batch->size();
  if (events == 0) return intake;
  const JsonValue first = (*batch)[0];
  const bool lone = first.index() == 0;
  if (lone && first.node().next == 1) return intake;  // {}
  if (events > options.max_events) {
    intake.refusal = Refusal{413,
                             "The body has " + std::to_string(events) + " events: expected at most " +
                                 std::to_string(options.max_events) + " (max_events).",
                             "too_many_events"};
    return intake;
  }
  intake.batch = std::move(*batch);
  return intake;
}

}  // namespace eventgate

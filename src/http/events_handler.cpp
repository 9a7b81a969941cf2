#include "events_handler.hpp"

#include <algorithm>

namespace eventgate {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
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

/// The end of the first parameter of `parameters`: a semicolon outside quotes (RFC 9110, section 5.6.6), or the end.
std::size_t parameter_end(std::string_view parameters) {
  bool quoted = false;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i] == '"') {
      quoted = !quoted;
    } else if (quoted && parameters[i] == '\\') {
      ++i;
    } else if (!quoted && parameters[i] == ';') {
      return i;
    }
  }
  return parameters.size();
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
    const std::size_t end = parameter_end(parameters);
    const std::string_view parameter = parameters.substr(0, end);
    parameters.remove_prefix(std::min(parameters.size(), end + 1));
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos || !equals_ignoring_case(trimmed(parameter.substr(0, equals)), "charset"))
      continue;
    std::string_view charset = trimmed(parameter.substr(equals + 1));
    if (charset.size() >= 2 && charset.front() == '"' && charset.back() == '"')
      charset = charset.substr(1, charset.size() - 2);
    // US-ASCII is part of UTF-8.
    const bool read = equals_ignoring_case(charset, "utf-8") || equals_ignoring_case(charset, "utf8") ||
                      equals_ignoring_case(charset, "us-ascii");
    if (!read) return MediaType::not_utf8;
  }
  return MediaType::json;
}

bool begins_as_json(std::string_view body) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (body.starts_with(kByteOrderMark)) body.remove_prefix(kByteOrderMark.size());
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (body[first] == '{' || body[first] == '[');
}

bool is_hasty(const RequestContext& context) {
  const auto hasty = context.query_parameter("hasty");
  return hasty && !hasty->empty() && *hasty != "false" && *hasty != "0";
}

Response empty_answer() {
  Response response;
  response.status = 400;
  response.reason = kEmptyBody;
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
  const std::string all = std::to_string(result.event_count);
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
  if (failed == result.event_count && result.error.empty()) {
    response.status = 400;
    response.reason = number(failed) + " out of " + all + " events were invalid and not accepted.";
  } else {
    response.body += ",\"error\":";
    append_statuses(response.body, result.error);
    if (failed == result.event_count) {
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

}  // namespace eventgate

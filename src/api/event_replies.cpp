#include "event_replies.hpp"

#include "eventgate/api/parse_body.hpp"

namespace eventgate {

namespace {

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

Response empty_body_response() {
  Response response;
  response.status = 400;
  response.reason = kEmptyBody;
  response.rejection_cause = "empty";
  return response;
}

Response hasty_response(std::size_t events) {
  Response response;
  response.status = 202;
  response.reason = std::to_string(events) + " events hastily received.";
  return response;
}

Response processed_response(const ProcessResult& result) {
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

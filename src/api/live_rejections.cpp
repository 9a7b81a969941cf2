#include <cstdint>
#include <string>
#include <string_view>

#include "eventgate/api/routes.hpp"
#include "eventgate/gate/live_feed.hpp"
#include "eventgate/json/field_path.hpp"
#include "eventgate/json/json_nodes.hpp"

namespace eventgate {

namespace {

/// Returns the `detail` of a problem, or an empty text.
std::string detail_of(std::string_view problem) {
  if (problem.empty()) return {};
  std::string padded(problem);
  padded.append(kJsonPadding, ' ');
  JsonNodes nodes;
  if (parse_json(std::string_view(padded).substr(0, problem.size()), nodes, JsonLimits())) return {};
  const auto detail = FieldPath("detail").find(nodes.root());
  return detail && detail->is_string() ? detail->string() : std::string();
}

/// Adds a request refused whole to `feed`: its text is the body of the reply.
void add_rejection(LiveFeed& feed, const RejectedRequest& rejected) {
  const Response& response = rejected.response;
  // Those who look on would see their own mistakes.
  if (response.rejection_cause.starts_with("live_")) return;
  EventStatus status;
  status.message = std::to_string(response.status) + ' ' +
                   (response.reason.empty() ? std::string(reason_phrase(response.status)) : response.reason);
  if (const std::string detail = detail_of(response.body); !detail.empty()) status.message += ": " + detail;
  LiveEvent event;
  event.outcome = LiveOutcome::rejected;
  event.received_at =
      std::chrono::duration_cast<std::chrono::milliseconds>(rejected.received_at.time_since_epoch()).count();
  event.cause = response.rejection_cause;
  event.text = response.body;
  event.status = &status;
  feed.add({&event, 1});
}

}  // namespace

std::function<void(const RejectedRequest&)> make_rejection_observer(LiveFeed& feed) {
  return [&feed](const RejectedRequest& rejected) { add_rejection(feed, rejected); };
}

}  // namespace eventgate

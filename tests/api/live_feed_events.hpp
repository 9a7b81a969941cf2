#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/gate/live_feed.hpp"

namespace eventgate {

/// Adds an event to `feed`.
inline void add_live_event(LiveFeed& feed, std::string_view text, LiveOutcome outcome = LiveOutcome::accepted,
                           std::string_view stream = "test.event") {
  LiveEvent event;
  event.received_at = 1795315146102;
  event.text = text;
  event.stream = stream;
  event.outcome = outcome;
  feed.add({&event, 1});
}

/// Returns the `data` of the Server-Sent Events in `sent`.
inline std::vector<nlohmann::json> live_data(const std::string& sent) {
  std::vector<nlohmann::json> all;
  for (std::size_t at = 0; (at = sent.find("\ndata: ", at)) != std::string::npos; ++at)
    all.push_back(nlohmann::json::parse(sent.substr(at + 7, sent.find('\n', at + 7) - at - 7)));
  return all;
}

/// Returns the texts of the events in `sent`.
inline std::vector<std::string> live_event_texts(const std::string& sent) {
  std::vector<std::string> all;
  for (const nlohmann::json& data : live_data(sent))
    if (data.contains("event")) all.push_back(data["event"]);
  return all;
}

}  // namespace eventgate

#pragma once

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/base/utf8.hpp"
#include "golden.hpp"

/// The recorded replies of EventStreams, and how one of ours is held against them (golden/eventstreams.md).
namespace eventgate::golden {

inline const std::string kEventStreams = kGolden + "/eventstreams.jsonl";

/// The recordings: the set-up, and the cases.
struct EventStreams {
  json setup;
  std::vector<json> cases;
};

/// Reads the recordings; nullopt if they are not here.
inline std::optional<EventStreams> read_event_streams() {
  if (!std::filesystem::exists(kEventStreams)) return std::nullopt;
  EventStreams recordings;
  recordings.cases = read_lines(kEventStreams);
  recordings.setup = recordings.cases.front();
  recordings.cases.erase(recordings.cases.begin());
  return recordings;
}

/// One reply of ours.
struct StreamReply {
  unsigned status = 0;
  std::string reason = {};
  std::map<std::string, std::string> headers = {};  ///< Names in lower case.
  std::string body = {};                            ///< Without chunking.
  bool head_only = false;                           ///< Only status, body and `content-type` were made.
};

/// An event of a stream.
struct StreamedEvent {
  std::string type = {};
  std::string id = {};
  std::string data = {};
};

/// The events of a `text/event-stream` (HTML, section 9.2.6). What has no data is no event.
inline std::vector<StreamedEvent> parse_event_stream(const std::string& body) {
  std::vector<StreamedEvent> events;
  StreamedEvent event;
  std::string id;
  bool has_data = false;
  std::size_t at = 0;
  while (at < body.size()) {
    const std::size_t end = body.find_first_of("\r\n", at);
    if (end == std::string::npos) break;
    const std::string line = body.substr(at, end - at);
    at = end + (body.compare(end, 2, "\r\n") == 0 ? 2 : 1);
    if (line.empty()) {
      if (has_data) {
        event.id = id;
        if (event.type.empty()) event.type = "message";
        events.push_back(event);
      }
      event = {};
      has_data = false;
      continue;
    }
    const std::size_t colon = line.find(':');
    const std::string field = line.substr(0, colon);
    std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) value.erase(0, 1);
    if (field == "event") event.type = value;
    if (field == "id") id = value;
    if (field == "data") {
      if (has_data) event.data += '\n';
      event.data += value;
      has_data = true;
    }
  }
  return events;
}

/// The events of JSON lines. Blank lines are none.
inline std::vector<StreamedEvent> parse_json_lines(const std::string& body) {
  std::vector<StreamedEvent> events;
  std::size_t at = 0;
  for (std::size_t end; (end = body.find('\n', at)) != std::string::npos; at = end + 1)
    if (end > at) events.push_back({"message", "", body.substr(at, end - at)});
  return events;
}

/// Events of type `message` in a body of one of the two formats.
inline std::vector<StreamedEvent> messages_of(const std::string& content_type, const std::string& body) {
  auto events = content_type.starts_with("text/event-stream") ? parse_event_stream(body) : parse_json_lines(body);
  std::erase_if(events, [](const StreamedEvent& event) { return event.type != "message"; });
  return events;
}

/// JSON of an event. Numbers are as JavaScript reads them, and infinite ones null.
inline json event_json(const std::string& text) {
  const json parsed = json::parse(without_lone_surrogates(to_valid_utf8(text)), nullptr, false);
  return parsed.is_discarded() ? json(nullptr) : by_form(parsed);
}

/// Where an event comes from, such as `eqiad.x/0` and its offset; nullopt if its `meta` does not say it.
inline std::optional<std::pair<std::string, std::int64_t>> place_of(const json& event) {
  const json meta = event.is_object() ? event.value("meta", json()) : json();
  if (!meta.is_object() || !meta.contains("topic") || !meta.contains("offset")) return std::nullopt;
  const auto partition = static_cast<int>(meta["partition"].get<double>());
  return std::pair(meta["topic"].get<std::string>() + '/' + std::to_string(partition),
                   static_cast<std::int64_t>(meta["offset"].get<double>()));
}

/// Compares offsets by partition, in their order. Events that do not say where they come from stand for any one that is
/// missing. Empty: they are the same.
inline std::string difference_of_delivered(const json& expected, const std::vector<StreamedEvent>& events) {
  std::map<std::string, std::vector<std::int64_t>> found;
  std::size_t unknown = 0;
  for (const StreamedEvent& event : events) {
    const auto place = place_of(event_json(event.data));
    if (place)
      found[place->first].push_back(place->second);
    else
      ++unknown;
  }
  std::size_t missing = 0;
  for (const auto& [partition, offsets] : expected.items()) {
    if (partition == "unknown") continue;
    std::size_t at = 0;
    const auto& of = found[partition];
    for (const json& offset : offsets) {
      if (at < of.size() && of[at] == offset.get<std::int64_t>())
        ++at;
      else
        ++missing;
    }
    if (at < of.size()) return "delivered " + json(found).dump();
  }
  for (const auto& [partition, offsets] : found)
    if (!offsets.empty() && !expected.contains(partition)) return "delivered " + json(found).dump();
  return missing == unknown ? "" : "delivered " + json(found).dump() + ", missing " + std::to_string(missing);
}

/// Topics that exist, and how many partitions each has.
using Subscription = std::map<std::string, std::size_t>;

/// Returns the topics of the streams of a request, or nullopt if one of the streams is not declared.
inline std::optional<Subscription> subscribed_topics(const json& setup, const std::string& request) {
  const std::size_t begin = request.find("/v2/stream/");
  if (begin == std::string::npos) return std::nullopt;
  std::string names = request.substr(begin + 11, request.find_first_of("? \r", begin) - begin - 11) + ',';
  std::set<std::string> topics;
  for (std::size_t at = 0, end; (end = names.find(',', at)) != std::string::npos; at = end + 1) {
    const std::string name = names.substr(at, end - at);
    bool is_declared = false;
    for (const auto& [stream, config] : setup["stream_config"].items()) {
      const json aliases = config.value("stream_aliases", json::array());
      if (stream != name && std::find(aliases.begin(), aliases.end(), json(name)) == aliases.end()) continue;
      is_declared = true;
      const json of_stream = config.value("topics", json::array());
      for (const json& topic : of_stream) topics.insert(topic);
    }
    if (!is_declared) return std::nullopt;
  }
  Subscription subscription;
  for (const json& topic : setup["topics"])
    if (topics.contains(topic["topic"])) subscription[topic["topic"]] = topic["partitions"].get<std::size_t>();
  return subscription;
}

/// Returns what differs between the data and ids of our events and those of the recording.
inline std::string difference_of_events(const json& recorded, const std::vector<StreamedEvent>& theirs,
                                        const std::vector<StreamedEvent>& ours) {
  // Number 12: numbers, key order and the key are as in Kafka, so their data says less than the record.
  const bool data_is_ours = recorded.contains("ours") && recorded["ours"]["because"] == 12;
  std::map<std::pair<std::string, std::int64_t>, StreamedEvent> by_place;
  for (const StreamedEvent& event : theirs)
    if (const auto place = place_of(event_json(event.data))) by_place[*place] = event;
  for (const StreamedEvent& event : ours) {
    const json data = event_json(event.data);
    const auto place = place_of(data);
    const auto found = place ? by_place.find(*place) : by_place.end();
    if (found == by_place.end()) continue;
    if (!data_is_ours && data != event_json(found->second.data)) return "data " + event.data;
    // JSON lines have no ids, in either.
    if (event.id.empty() || found->second.id.empty()) continue;
    const auto timestamp = [&place](const std::string& id) -> json {
      const json entries = json::parse(id, nullptr, false);
      if (!entries.is_array()) return "no array";
      for (const json& entry : entries)
        if (entry.value("topic", "") + '/' + std::to_string(entry.value("partition", -1)) == place->first)
          return entry.value("timestamp", json());
      return "no entry";
    };
    if (timestamp(event.id) != timestamp(found->second.id)) return "id " + event.id;
  }
  return {};
}

inline std::string difference_of_status(const json& recorded, const StreamReply& reply) {
  const json ours = recorded.value("ours", json::object());
  json statuses = json::array();
  if (ours.contains("status")) {
    statuses = ours["status"].is_array() ? ours["status"] : json::array({ours["status"]});
  } else if (recorded["response"].is_object()) {
    statuses.push_back(recorded["response"]["status"]);
  }
  if (std::find(statuses.begin(), statuses.end(), json(reply.status)) == statuses.end())
    return "status " + std::to_string(reply.status) + ": " + reply.body.substr(0, 200);
  const bool is_ours = ours.contains("status") || ours.contains("json");
  if (!is_ours && !reply.head_only && reply.reason != recorded["response"]["reason"]) return "reason " + reply.reason;
  return {};
}

inline std::string difference_of_headers(const json& recorded, const StreamReply& reply) {
  static const std::set<std::string> kAside{"date",
                                            "connection",
                                            "keep-alive",
                                            "content-length",
                                            "transfer-encoding",
                                            "vary",
                                            "etag",
                                            "last-modified",
                                            "accept-ranges",
                                            "x-xss-protection",
                                            "x-content-type-options",
                                            "x-frame-options",
                                            "content-security-policy",
                                            "x-content-security-policy",
                                            "x-webkit-csp",
                                            "referrer-policy",
                                            "access-control-allow-methods",
                                            "location"};
  const json ours = recorded.value("ours", json::object());
  const json our_headers = ours.value("headers", json::object());
  const json present = ours.value("headers_present", json::array());
  for (const auto& [name, value] : our_headers.items())
    if (!reply.headers.contains(name) || json(reply.headers.at(name)) != value)
      if (!reply.head_only || name == "content-type") return "header " + name;
  if (reply.head_only) return {};
  for (const json& name : present)
    if (!reply.headers.contains(name)) return "no header " + name.get<std::string>();
  if (ours.contains("status") || !recorded["response"].is_object()) return {};
  for (const auto& [name, value] : recorded["response"]["headers"].items()) {
    if (kAside.contains(name) || our_headers.contains(name)) continue;
    const auto found = reply.headers.find(name);
    // Number 9: `last-event-id` is allowed too.
    if (name == "access-control-allow-headers" && found != reply.headers.end()) continue;
    // Number 13: a body without Accept has the charset.
    if (name == "content-type" && ours.value("because", 0) == 13) continue;
    if (found == reply.headers.end() || json(found->second) != value) return "header " + name;
  }
  return {};
}

/// Returns what differs between our reply and the recording, or what its `ours` says instead. Empty: nothing.
inline std::string difference(const json& setup, const json& recorded, const StreamReply& reply) {
  const json ours = recorded.value("ours", json::object());
  // Number 22: routes that are the gate's own are tested with the gate.
  if (ours.value("because", 0) == 22 && !ours.contains("status"))
    return reply.status < 500 ? "" : "status " + std::to_string(reply.status);
  for (const auto part : {difference_of_status, difference_of_headers})
    if (std::string found = part(recorded, reply); !found.empty()) return found;
  if (ours.contains("body") && reply.body != ours["body"].get<std::string>()) return "body " + reply.body;
  const json body = json::parse(reply.body, nullptr, false);
  if (ours.contains("json")) {
    for (const auto& [name, value] : ours["json"].items())
      if (!body.is_object() || body.value(name, json()) != value) return "body " + reply.body;
  }
  const bool is_problem = reply.status >= 400 && recorded.contains("body");
  if (is_problem && !ours.contains("json") && !ours.contains("status")) {
    const json expected = json::parse(bytes_of_latin1(recorded["body"]), nullptr, false);
    if (!expected.is_discarded() && expected != body) return "body " + reply.body;
  }
  if (reply.status != 200 || !(recorded.contains("delivered") || ours.contains("delivered"))) return {};
  const auto content_type = reply.headers.find("content-type");
  if (content_type == reply.headers.end()) return "no content-type";
  const auto events = messages_of(content_type->second, reply.body);
  const json delivered = ours.contains("delivered") ? ours["delivered"] : recorded["delivered"];
  if (std::string found = difference_of_delivered(delivered, events); !found.empty()) return found;
  std::optional<std::size_t> partitions;
  if (const auto topics = subscribed_topics(setup, recorded.value("request", ""))) {
    partitions = 0;
    for (const auto& [topic, count] : *topics) *partitions += count;
  }
  for (const StreamedEvent& event : events) {
    const json id = event.id.empty() ? json() : json::parse(event.id, nullptr, false);
    // A topic that does not exist yet may have an entry too.
    if (partitions && !event.id.empty() && (!id.is_array() || id.size() < *partitions)) return "id " + event.id;
  }
  if (!recorded.contains("body") || !recorded["response"].is_object()) return {};
  const json headers = recorded["response"]["headers"];
  const auto theirs = messages_of(headers.value("content-type", ""), bytes_of_latin1(recorded["body"]));
  return difference_of_events(recorded, theirs, events);
}

}  // namespace eventgate::golden

#pragma once

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "support/http_client.hpp"

/// The original's recorded replies, and how one of ours is held against them (golden/README.md).
namespace eventgate::golden {

using nlohmann::json;

inline std::vector<json> read_lines(const std::string& path) {
  std::vector<json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
  return lines;
}

/// The bytes of a string whose characters stand for one byte each (latin-1).
inline std::string bytes_of_latin1(const std::string& utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = static_cast<unsigned char>(utf8[i]);
    bytes += c < 0x80 ? static_cast<char>(c) : static_cast<char>((c & 3) << 6 | (utf8[++i] & 0x3F));
  }
  return bytes;
}

inline bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < 36; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !std::isxdigit(static_cast<unsigned char>(text[i]))) return false;
  }
  return true;
}

/// A time that was made while recording or while testing: 2026 or later, `YYYY-MM-DDTHH:MM:SS.mmmZ`.
inline bool is_made_time(std::string_view text) {
  static constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd.dddZ";
  if (text.size() != kForm.size() || text < "2026") return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (kForm[i] == 'd' ? !std::isdigit(static_cast<unsigned char>(text[i])) : text[i] != kForm[i]) return false;
  return true;
}

/// Ids and times by form: every made one becomes the same word, also inside longer texts such as messages. Numbers by value.
inline std::string by_form(const std::string& text) {
  static constexpr std::string_view kGiven = "12345678-1234-5678-1234-567812345678";
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = std::string_view(text).substr(i);
    if (is_uuid(rest.substr(0, 36)) && rest.substr(0, 36) != kGiven) {
      out += "<id>";
      i += 36;
    } else if (is_made_time(rest.substr(0, 24))) {
      out += "<time>";
      i += 24;
    } else {
      out += text[i++];
    }
  }
  return out;
}

inline json by_form(const json& value) {
  if (value.is_string()) return by_form(value.get<std::string>());
  if (value.is_number()) return value.get<double>();  // as JavaScript reads both
  json out = value;
  if (value.is_structured())
    for (auto& item : out) item = by_form(item);
  return out;
}

/// Without what only our replies have.
inline json without_ours(json reply) {
  for (const char* kind : {"invalid", "error"})
    if (reply.is_object() && reply.contains(kind) && reply[kind].is_array())
      for (auto& element : reply[kind]) {
        element.erase("index");
        if (element.contains("context")) element["context"].erase("delivery");
      }
  return reply;
}

inline const std::set<std::string>& headers_aside() {
  static const std::set<std::string> names{"date", "connection", "keep-alive", "content-length", "vary", "transfer-encoding"};
  return names;
}

/// What differs between our `replies` and the recording; empty: nothing.
inline std::string difference_from_recording(const json& recorded, const std::vector<HttpReply>& replies) {
  if (replies.empty()) return "no reply";
  const json& response = recorded["response"];
  const HttpReply& reply = replies.front();
  if (reply.status != response["status"].get<unsigned>()) return "status " + std::to_string(reply.status);
  if (reply.reason != response["reason"]) return "reason '" + reply.reason + "'";
  std::map<std::string, std::string> ours, theirs;
  for (const auto& [name, value] : reply.headers)
    if (!headers_aside().contains(name)) ours[name] = value;
  for (const auto& [name, value] : response["headers"].items())
    if (!headers_aside().contains(name)) theirs[name] = value.get<std::string>();
  if (ours != theirs) return "headers " + json(ours).dump();
  if (response.contains("json")) {
    const json body = json::parse(reply.body, nullptr, false);
    const json expected = by_form(response["json"]);
    const json found = by_form(without_ours(body));
    if (found != expected) return "body " + found.dump();
  } else if (response["status"] == 100) {
    const std::string following = response["body"];
    if (replies.size() != 2) return "no reply after 100";
    if (following.rfind("HTTP/1.1 " + std::to_string(replies[1].status) + " " + replies[1].reason + "\r\n", 0) != 0)
      return "after 100: " + std::to_string(replies[1].status) + " " + replies[1].reason;
  } else if (response.contains("encoded")) {
    if (reply.body.size() < 20) return "body is empty";  // what it holds once decoded is tested with the routes
  } else if (reply.body != response.value("body", "")) {
    return "body '" + reply.body + "'";
  }
  return {};
}

/// What differs between our reply and what `expected.json` says instead of the recording; empty: nothing.
inline std::string difference_from_expected(const json& expected, const std::vector<HttpReply>& replies, std::size_t produced) {
  if (replies.empty()) return "no reply";
  const HttpReply& reply = replies.front();
  const json statuses = expected["status"].is_array() ? expected["status"] : json::array({expected["status"]});
  if (std::find(statuses.begin(), statuses.end(), json(reply.status)) == statuses.end())
    return "status " + std::to_string(reply.status);
  if (expected.contains("reason") && reply.reason != expected["reason"]) return "reason '" + reply.reason + "'";
  const json body = json::parse(reply.body, nullptr, false);
  std::vector<std::string> messages, texts, keys;
  if (body.is_object()) {
    for (const auto& [key, value] : body.items()) keys.push_back(key);
    for (const auto& error : body.value("error", json::array())) messages.push_back(error["context"]["message"]);
    for (const auto& invalid : body.value("invalid", json::array())) texts.push_back(invalid["context"]["errorsText"]);
  }
  if (expected.contains("messages") && json(messages) != expected["messages"]) return "messages " + json(messages).dump();
  if (expected.contains("messages_start")) {
    const json& starts = expected["messages_start"];
    bool same = starts.size() == messages.size();
    for (std::size_t i = 0; same && i < messages.size(); ++i) same = messages[i].rfind(starts[i].get<std::string>(), 0) == 0;
    if (!same) return "messages " + json(messages).dump();
  }
  if (expected.contains("errorsText") && json(texts) != expected["errorsText"]) return "errorsText " + json(texts).dump();
  if (expected.contains("keys")) {
    std::vector<std::string> wanted = expected["keys"];
    std::sort(wanted.begin(), wanted.end());
    std::sort(keys.begin(), keys.end());
    if (keys != wanted) return "keys " + json(keys).dump();
  }
  if (expected.contains("headers"))
    for (const auto& [name, value] : expected["headers"].items()) {
      const std::optional<std::string> found = reply.header(name);
      if (!found || *found != value) return "header " + name;
    }
  if (expected.contains("produced") && expected["produced"].get<std::size_t>() != produced)
    return std::to_string(produced) + " produced";
  return {};
}

}  // namespace eventgate::golden

#pragma once

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "support/http_client.hpp"
#include "support/paths.hpp"

/// The original's recorded replies, and how one of ours is held against them (golden/README.md).
namespace eventgate::golden {

using nlohmann::json;

inline const std::string kGolden = shared_dir() + "/golden";

/// How long a reply, or what was produced, may take to be seen.
constexpr std::chrono::seconds kPatience{30};

inline bool have_recordings() { return std::filesystem::exists(kGolden + "/default.jsonl"); }

inline std::vector<std::string> schema_base_uris() {
  const std::string repositories = shared_dir() + "/data/schema-repos";
  return {kGolden + "/test-schemas", kGolden + "/schemas", repositories + "/secondary/jsonschema",
          repositories + "/primary/jsonschema"};
}

/// What is expected instead of the recording, by the name of the case.
inline json expectations() {
  std::ifstream file(kGolden + "/expected.json");
  return json::parse(file);
}

/// A JSON text whose lone surrogates (JavaScript writes them) have become U+FFFD, for nlohmann's sake.
inline std::string without_lone_surrogates(std::string text) {
  const auto surrogate = [&](std::size_t at) -> char {  // 'h'igh, 'l'ow or 0, of the escape at `at`
    if (text.size() < at + 6 || text[at] != '\\' || text[at + 1] != 'u' || (text[at + 2] | 0x20) != 'd') return 0;
    const char c = static_cast<char>(text[at + 3] | 0x20);
    return c >= 'c' ? 'l' : c == '8' || c == '9' || c >= 'a' ? 'h' : 0;
  };
  for (std::size_t at = 0; (at = text.find('\\', at)) != std::string::npos; at += 2) {
    const char kind = surrogate(at);
    if (kind == 'h' && surrogate(at + 6) == 'l') {
      at += 10;
    } else if (kind != 0) {
      text.replace(at + 2, 4, "fffd");
    }
  }
  return text;
}

inline std::vector<json> read_lines(const std::string& path) {
  std::vector<json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(without_lone_surrogates(line)));
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

/// Ids and times by form: every made one becomes the same word, also inside longer texts such as messages. Numbers by
/// value.
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
        element.erase("hint");
        if (element.contains("context")) element["context"].erase("delivery");
      }
  return reply;
}

inline const std::set<std::string>& headers_aside() {
  static const std::set<std::string> names{"date",           "connection", "keep-alive",
                                           "content-length", "vary",       "transfer-encoding"};
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
inline std::string difference_from_expected(const json& expected, const std::vector<HttpReply>& replies,
                                            std::size_t produced) {
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
  if (expected.contains("messages") && json(messages) != expected["messages"])
    return "messages " + json(messages).dump();
  if (expected.contains("messages_start")) {
    const json& starts = expected["messages_start"];
    bool same = starts.size() == messages.size();
    for (std::size_t i = 0; same && i < messages.size(); ++i)
      same = messages[i].rfind(starts[i].get<std::string>(), 0) == 0;
    if (!same) return "messages " + json(messages).dump();
  }
  if (expected.contains("errorsText") && json(texts) != expected["errorsText"])
    return "errorsText " + json(texts).dump();
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

/// The bytes to send. One recording names a path that is not the one whose length it gives.
inline std::string request_bytes(const json& recorded) {
  std::string request = bytes_of_latin1(recorded["request"]);
  if (recorded["name"] == "schema_uri_file_abs_schema") {
    const std::size_t body = request.size() - request.find("\r\n\r\n") - 4;
    const std::size_t length = request.find("Content-Length: ") + 16;
    request.replace(length, request.find("\r\n", length) - length, std::to_string(body));
  }
  return request;
}

/// All replies to `request`, sent as it is; if none comes the client stops sending, as curl does when it ends.
inline std::vector<HttpReply> replies_to(std::uint16_t port, const std::string& request, std::size_t count) {
  std::vector<HttpReply> replies;
  HttpClient client(port, kPatience);
  client.send(request);
  client.shutdown_send();
  const bool head = request.starts_with("HEAD ");
  while (replies.size() < count) {
    std::optional<HttpReply> reply = client.reply(head);
    if (!reply) break;
    if (reply->status == 100) ++count;
    replies.push_back(std::move(*reply));
  }
  return replies;
}

/// How the cases of one set-up came out.
struct Tally {
  std::size_t cases = 0;
  std::size_t matches = 0;
  std::map<int, std::vector<std::string>> on_purpose;  // the number in spec http: cases
  std::vector<std::string> open;

  void add(const std::string& name, const std::string& difference, const json* expected) {
    ++cases;
    if (difference.empty()) {
      ++matches;
      if (expected) on_purpose[(*expected)["because"]].push_back(name);
    } else {
      open.push_back(name + ": " + difference.substr(0, 300));
    }
  }

  void print(const std::string& set_up) const {
    std::cout << "golden: " << matches << " of " << cases << " cases of the " << set_up << " set-up match\n";
    const auto print_cases = [](const std::string& what, const std::vector<std::string>& names) {
      std::cout << "  " << what << ":";
      for (const std::string& name : names) std::cout << ' ' << name;
      std::cout << '\n';
    };
    for (const auto& [number, names] : on_purpose)
      print_cases("differs on purpose, number " + std::to_string(number), names);
    for (const std::string& name : open) std::cout << "  open: " << name << '\n';
  }
};

}  // namespace eventgate::golden

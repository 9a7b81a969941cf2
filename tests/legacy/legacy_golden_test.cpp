// Holds beacons, user agents and replies to the recordings of the legacy back-end (golden/legacy.md).

#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "api/beacon_endpoint.hpp"
#include "beacon_harness.hpp"
#include "eventgate/schema/validation_error.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using nlohmann::json;

const std::string kRecordings = shared_dir() + "/golden/legacy.jsonl";
const std::string kRepository = shared_dir() + "/data/schema-repos/secondary/jsonschema";

std::vector<json> recordings(const std::string& kind) {
  std::vector<json> found;
  std::ifstream file(kRecordings);
  for (std::string line; std::getline(file, line);) {
    json recording = json::parse(line);
    if (recording["kind"] == kind) found.push_back(std::move(recording));
  }
  return found;
}

/// How the recordings of one kind came out.
struct Tally {
  std::size_t cases = 0;
  std::size_t matches = 0;

  void add(const std::string& name, const std::string& difference) {
    ++cases;
    if (difference.empty()) ++matches;
    EXPECT_EQ(difference, "") << name;
  }
  void print(const std::string& kind) const {
    std::cout << "golden: " << matches << " of " << cases << " " << kind << " of the legacy back-end match\n";
    EXPECT_GT(cases, 0u);
  }
};

BeaconHarness::Setup golden_setup() {
  BeaconHarness::Setup setup;
  setup.schema_base_uris = {kRepository, source_dir() + "/schemas"};
  setup.legacy.schemas.clear();
  setup.legacy.schemas["Test"].version = "1.3.0";
  setup.legacy.schemas["MediaWikiPingback"].version = "1.1.0";
  return setup;
}

bool is_placeholder_of(const json& wanted, const json& found) {
  if (!wanted.is_string()) return false;
  const std::string text = wanted;
  if (text == "<seq>") return found.is_number_unsigned();
  if (text == "<received>") return found == "2026-11-22T02:39:06.102Z";
  return (text == "<gate>" || text == "<meta.id>") && found.is_string() && !found.get<std::string>().empty();
}

/// Returns where `found` differs from `wanted`, or an empty text. Members that step 4 adds may be there besides.
std::string difference(const json& wanted, const json& found, const std::string& path) {
  if (is_placeholder_of(wanted, found)) return {};
  if (!wanted.is_object() || !found.is_object())
    return wanted == found ? "" : path + " is " + found.dump() + " in place of " + wanted.dump();
  for (const auto& [key, value] : wanted.items()) {
    if (!found.contains(key)) return path + "." + key + " is missing";
    if (std::string other = difference(value, found[key], path + "." + key); !other.empty()) return other;
  }
  static const std::vector<std::string> kAdded{".meta.id", ".meta.dt", ".meta.request_id", ".http"};
  for (const auto& [key, value] : found.items()) {
    const std::string member = path + "." + key;
    const bool is_added = member.starts_with(".http.") || std::ranges::find(kAdded, member) != kAdded.end();
    if (!wanted.contains(key) && !is_added) return member + " is too much";
  }
  return {};
}

std::string beacon_difference(const json& ours, const BeaconOutcome& outcome, BeaconHarness& harness) {
  const std::string name(beacon_outcome_name(outcome));
  const std::vector<json> events = harness.take_events();
  const std::vector<json> errors = harness.take_error_events();
  if (name != ours["outcome"]) return "the outcome is " + name;
  if (name == "success") {
    if (events.size() != 1 || !errors.empty()) return std::to_string(events.size()) + " events";
    const std::string stream = events[0]["meta"]["stream"];
    if (stream != ours["stream"]) return "the stream is " + stream;
    if (!ours["event"].contains("uuid") || ours["event"]["uuid"] != "<meta.id>")
      return difference(ours["event"], events[0], "");
    if (events[0]["uuid"] != events[0]["meta"]["id"]) return "uuid is not meta.id";
    return difference(ours["event"], events[0], "");
  }
  if (!events.empty()) return "it was produced";
  if (errors.size() != 1) return std::to_string(errors.size()) + " error events";
  if (name == "invalid") {
    const std::string text = errors_text(outcome.result.invalid[0].errors);
    if (errors[0]["error_type"] != "validation") return "error_type " + errors[0]["error_type"].dump();
    return text == ours["errorsText"] ? "" : "errorsText " + text;
  }
  const std::string cause(failure_cause_name(outcome.refusal->cause));
  if (cause != "legacy_" + ours["cause"].get<std::string>()) return "the cause is " + cause;
  if (errors[0]["error_type"] != cause) return "error_type " + errors[0]["error_type"].dump();
  if (errors[0]["errored_stream_name"] != ours.value("errored_stream_name", "unknown"))
    return "errored_stream_name " + errors[0]["errored_stream_name"].dump();
  return {};
}

TEST(LegacyGolden, Beacons) {
  const auto beacons = recordings("beacon");
  if (beacons.empty()) GTEST_SKIP() << "the recordings are not here: " << kRecordings;
  BeaconHarness harness(golden_setup());
  const std::vector<std::string> own{"wikipedia.org", "wikimedia.org", "mediawiki.org"};
  Tally tally;
  for (const json& recorded : beacons) {
    BeaconSender sender;
    sender.remote_address = recorded.value("client_ip", "192.0.2.1");
    if (const std::string text = recorded.value("user_agent", ""); !text.empty())
      sender.headers.emplace_back("user-agent", text);
    const json& ours = recorded["ours"];
    std::string other = beacon_difference(ours, harness.process(recorded["query"], sender), harness);
    if (other.empty() && ours["outcome"] == "success" && ours.contains("web_host")) {
      const std::string host = ours["event"]["webHost"];
      if (is_own_host(host, own) != (ours["web_host"] == "own")) other = "web_host of " + host;
    }
    tally.add(recorded["case"], other);
  }
  tally.print("beacons");
}

/// The lines of the processor are log lines. The URL in one is a beacon; without a `?` it is none.
TEST(LegacyGolden, Lines) {
  const auto lines = recordings("line");
  if (lines.empty()) GTEST_SKIP() << "the recordings are not here: " << kRecordings;
  BeaconHarness harness(golden_setup());
  Tally tally;
  for (const json& recorded : lines) {
    const std::string line = recorded["line"];
    // What a client would have to send for such a line: the text up to the first blank.
    const std::string target = "/beacon/event" + line.substr(0, line.find(' '));
    const BeaconOutcome outcome = harness.process(std::string(beacon_query(target)));
    const std::string name(beacon_outcome_name(outcome));
    // The processor refuses each line because of its form; of the form nothing is left, so the text decides.
    const std::string schema = recorded["processor"]["value"]["event"]["schema"];
    const bool has_query = line.starts_with('?');
    const std::string wanted = has_query && schema == "Test" ? "success" : "refused";
    tally.add(recorded["case"], name == wanted ? "" : "the outcome is " + name);
  }
  tally.print("lines");
}

TEST(LegacyGolden, UserAgents) {
  const auto user_agents = recordings("user_agent");
  if (user_agents.empty()) GTEST_SKIP() << "the recordings are not here: " << kRecordings;
  if (uap_core_folder().empty()) GTEST_SKIP() << "uap-core is not here: ./dev test unpacks it";
  UserAgents parser(uap_core_folder() + "/regexes.yaml");
  Tally tally;
  for (const json& recorded : user_agents) {
    bool was_kept = false;
    const auto parsed = parser.find(recorded["ua"].get<std::string>(), was_kept);
    if (!recorded.contains("value")) {
      tally.add(recorded["ua"], parsed ? "it was parsed" : "");
      continue;
    }
    json wanted = json::object();  // without nulls, which the schema does not admit
    for (const auto& [key, value] : recorded["value"].items())
      if (!value.is_null()) wanted[key] = value;
    const json found = parsed ? json::parse(parsed->json) : json();
    tally.add(recorded["ua"], found == wanted ? "" : found.dump() + " in place of " + wanted.dump());
  }
  tally.print("user agents");
}

TEST(LegacyGolden, Replies) {
  const auto replies = recordings("devserver");
  if (replies.empty()) GTEST_SKIP() << "the recordings are not here: " << kRecordings;
  std::map<std::string, std::string> queries;
  std::map<std::string, bool> is_valid_here;
  for (const json& recorded : recordings("beacon")) {
    queries[recorded["case"]] = recorded["query"];
    is_valid_here[recorded["case"]] = recorded["ours"]["outcome"] == "success";
  }
  // Some replies are of beacons that are not recorded themselves.
  const std::string valid_query = queries["valid_no_semicolon"];
  queries.emplace("valid", valid_query + ";");
  queries.emplace("non_object_array", "%5B" + valid_query + "%5D;");
  // The repository at hand has no schema of the one edit, so this one stands in its place.
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() + "/analytics/legacy/edit");
  std::ofstream(folder.path() + "/analytics/legacy/edit/1.0.0") << R"({"title": "analytics/legacy/edit",
      "type": "object", "properties": {"event": {"type": "object", "required": ["action", "editor"]}}})";
  BeaconHarness::Setup setup = golden_setup();
  setup.schema_base_uris.push_back(folder.path());
  setup.legacy.schemas["Edit"].version = "1.0.0";
  setup.legacy.answer = LegacyOptions::Answer::outcome;
  BeaconHarness harness(std::move(setup));
  Tally tally;
  for (const json& recorded : replies) {
    const std::string name = recorded["case"];
    if (!queries.contains(name)) {
      tally.add(name, "there is no beacon of the case");
      continue;
    }
    std::string headers;
    append_outcome_headers(headers, harness.process(queries[name]));
    json wanted = recorded["headers"];
    std::size_t errors = 0;
    std::size_t others = 0;
    for (const auto& [key, value] : wanted.items())
      if (key.starts_with("Validation-Error-")) {
        ++errors;
        if (value.get<std::string>().find("greater than max size (900)") != std::string::npos) ++others;
      }
    errors -= others;
    if (name == "schema_missing") errors = 1;  // a crash there
    if (const auto found = is_valid_here.find(name); found != is_valid_here.end() && found->second) errors = 0;
    std::size_t found = 0;
    for (std::size_t at = headers.find("validation-error-"); at != std::string::npos;
         at = headers.find("validation-error-", at + 1))
      ++found;
    const std::string valid = errors == 0 ? "1" : "0";
    std::string other;
    if (!headers.starts_with("requested-event-valid: " + valid + "\r\n")) other = headers;
    if (found != errors) other = std::to_string(found) + " errors: " + headers;
    tally.add(name + " " + recorded["method"].get<std::string>(), other);
  }
  tally.print("replies");
}

}  // namespace
}  // namespace eventgate

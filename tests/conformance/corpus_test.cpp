#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "support/gzip_lines.hpp"
#include "support/paths.hpp"
#include "support/validated_event.hpp"

// The original's verdicts, errors and produced events for events of Wikimedia's schemas and mutations of them, and for
// the recorded cases about keywords, formats and defaults: parsed, completed and validated here without the gate.

namespace eventgate {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

const std::string kShared = shared_dir();

/// Numbers as JavaScript reads them.
json by_value(const json& value) {
  if (value.is_number()) return value.get<double>();
  json copy = value;
  if (value.is_structured())
    for (json& item : copy) item = by_value(item);
  return copy;
}

json parse(const std::string& text) { return by_value(json::parse(text)); }

/// What differs between our reply to one event and the recorded one, which is its `invalid` element, or null.
std::string difference(const ValidatedEvent& ours, const json& invalid, const json& produced) {
  if (ours.valid() != invalid.is_null()) return ours.valid() ? "valid" : errors_json(ours.errors).dump();
  if (!ours.valid()) {
    const ordered_json errors = errors_json(ours.errors);
    if (by_value(json(errors)) != by_value(invalid["context"]["errors"])) return errors.dump();
    if (errors_text(ours.errors) != invalid["context"]["errorsText"]) return errors_text(ours.errors);
    if (parse(ours.event) != by_value(invalid["event"])) return ours.event;
  } else if (!produced.is_null() && parse(ours.event) != by_value(produced)) {
    return ours.event;
  }
  return {};
}

TEST(Corpus, EveryEventOfWikimediasSchemasIsJudgedAsTheOriginalDid) {
  const std::string path = kShared + "/golden/corpus.jsonl.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "the recorded corpus is not here: " << path;
  SchemaFolders folders({kShared + "/data/schema-repos/primary/jsonschema"});
  std::map<std::string, std::shared_ptr<const CompiledSchema>> schemas;
  int matched = 0, all = 0;
  for (const std::string& line : gzip_lines(path)) {
    const json recorded = json::parse(line);
    const std::string uri = recorded["schema"];
    ++all;
    auto& schema = schemas[uri];
    if (!schema) {
      auto compiled_now = folders.compile(uri);
      ASSERT_TRUE(compiled_now) << uri << ": " << compiled_now.error();
      schema = *std::move(compiled_now);
    }
    const json invalid = recorded["status"] == 400 ? recorded["response"]["invalid"][0] : json();
    const std::string found = difference(validated(*schema, recorded["request"].get<std::string>()), invalid,
                                         recorded.value("produced", json()));
    if (found.empty())
      ++matched;
    else
      ADD_FAILURE() << uri << ", " << recorded["mutation"] << ": " << found << "\nrecorded: " << line;
  }
  std::cout << "corpus: " << matched << " of " << all << " match" << std::endl;
  EXPECT_EQ(matched, 2075);
}

/// The bytes of a string whose characters stand for one byte each.
std::string latin1_bytes(const std::string& utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = static_cast<unsigned char>(utf8[i]);
    bytes += c < 0x80 ? static_cast<char>(c) : static_cast<char>((c & 3) << 6 | (utf8[++i] & 0x3F));
  }
  return bytes;
}

TEST(Corpus, RecordedCasesOfKeywordsFormatsAndDefaultsMatch) {
  const std::string path = kShared + "/golden/default.jsonl";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "the recorded replies are not here: " << path;
  SchemaFolders folders({kShared + "/golden/test-schemas", kShared + "/golden/schemas",
                         kShared + "/data/schema-repos/secondary/jsonschema",
                         kShared + "/data/schema-repos/primary/jsonschema"});
  std::ifstream expected_file(kShared + "/golden/expected.json");
  const json differing = json::parse(expected_file);
  std::ifstream file(path);
  int events_run = 0;
  for (std::string line; std::getline(file, line);) {
    const json recorded = json::parse(line, nullptr, false);
    if (recorded.is_discarded()) continue;  // a case about JSON itself
    const std::string name = recorded["name"];
    if (name.rfind("kw_", 0) != 0 && name.rfind("okkw_", 0) != 0 && name.rfind("format_", 0) != 0 &&
        name.rfind("def_", 0) != 0)
      continue;
    if (differing.contains(name)) continue;
    const std::string request = latin1_bytes(recorded["request"]);
    const std::string body = request.substr(request.find("\r\n\r\n") + 4);
    std::vector<std::string> events;
    const ParsedText parsed(body);
    if (parsed.value().is_array()) {
      for (const JsonValue event : parsed.value()) events.emplace_back(event.source());
    } else {
      events.emplace_back(parsed.value().source());
    }
    std::map<std::string, json> invalid;  // by the event, as a JSON value
    if (recorded["response"].contains("json"))
      for (const json& one : recorded["response"]["json"].value("invalid", json::array()))
        invalid[by_value(one["event"]).dump()] = one;
    std::size_t next_produced = 0;
    for (const std::string& event : events) {
      const std::string uri = json::parse(event)["$schema"];
      const auto schema = folders.compile(uri);
      ASSERT_TRUE(schema) << name << ": " << schema.error();
      const ValidatedEvent ours = validated(**schema, event);
      const auto refused = invalid.find(parse(ours.event).dump());
      json produced;
      if (refused == invalid.end() && recorded["produced"].is_array() && next_produced < recorded["produced"].size())
        produced = recorded["produced"][next_produced++];
      if (produced.is_string()) produced = json::parse(produced.get<std::string>());
      EXPECT_EQ(difference(ours, refused == invalid.end() ? json() : refused->second, produced), "")
          << name << ": " << event << "\nrecorded: " << (refused == invalid.end() ? produced : refused->second);
      ++events_run;
    }
  }
  EXPECT_GT(events_run, 150);
}

}  // namespace
}  // namespace eventgate

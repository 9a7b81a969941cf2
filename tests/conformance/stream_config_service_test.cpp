#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/stream_query.hpp"
#include "eventgate/streams/stream_catalog.hpp"
#include "eventgate/streams/wiki_declarations.hpp"
#include "support/paths.hpp"

// What MediaWiki's PHP merged for a wiki, and what its extension EventStreamConfig replied. What differs on purpose is
// listed with its reason.

namespace eventgate {
namespace {

using nlohmann::json;
using Ordered = nlohmann::ordered_json;

const std::string kRecordings = shared_dir() + "/golden/stream-config-service.jsonl";

/// Why a case may come out otherwise.
const std::map<std::string, std::string> kOtherwise = {
    {"a false is overridden by default", "1: false and null of an override count"},
    {"a null is overridden by default", "1: false and null of an override count"},
    {"null over a default object", "1: false and null of an override count"},
    {"lists are appended", "2: a list replaces a list"},
    {"list, shorter override", "2: a list replaces a list"},
    {"list setting over a default list: by index", "2: a list replaces a list"},
    {"boolean true as true", "3: booleans are true and 1, false, 0 and empty"},
    {"boolean false as 0", "3: booleans are true and 1, false, 0 and empty"},
    {"unknown", "4: warnings name unknown streams"},
    {"known and unknown", "4: warnings name unknown streams"},
    {"bad regex", "5: a bad regex is a problem of its entry alone"},
};

std::vector<Ordered> recordings(const std::string& kind) {
  std::vector<Ordered> found;
  std::ifstream in(kRecordings);
  for (std::string line; std::getline(in, line);)
    if (Ordered recording = Ordered::parse(line); recording["kind"] == kind) found.push_back(std::move(recording));
  return found;
}

/// Prints what matches and what differs on purpose, and fails for anything else.
class Tally {
 public:
  void add(const std::string& name, const json& ours, const json& recorded) {
    ++cases_;
    if (ours == recorded) {
      ++matches_;
    } else if (const auto known = kOtherwise.find(name); known != kOtherwise.end()) {
      std::cout << "on purpose: " << name << ": " << known->second << '\n';
    } else {
      ADD_FAILURE() << name << "\nours:     " << ours << "\nrecorded: " << recorded;
    }
  }
  void print(const char* what) const { std::cout << matches_ << " of " << cases_ << ' ' << what << " match\n"; }
  std::size_t cases() const { return cases_; }

 private:
  std::size_t cases_ = 0;
  std::size_t matches_ = 0;
};

/// The body of the reply, as the endpoint makes it.
json reply(const StreamCatalog& catalog, const Ordered& recording) {
  Query query;
  for (const char* const name : {"streams", "constraints"})
    if (recording.contains(name)) query.emplace_back(name, recording[name].get<std::string>());
  const auto parsed = parse_stream_query(query);
  if (!parsed) return json::parse(error_json(parsed.error()));
  std::vector<std::string> unknown;
  json body{{"streams", json::parse(catalog.of("metawiki").json(parsed->selection, unknown))}};
  if (!unknown.empty()) body["warnings"]["streamconfigs"]["warnings"] = unknown;
  return body;
}

class StreamConfigServiceGolden : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::ifstream(kRecordings)) GTEST_SKIP() << "there are no recordings at " << kRecordings;
  }
};

TEST_F(StreamConfigServiceGolden, Merges) {
  Tally tally;
  for (const Ordered& recording : recordings("merge")) {
    auto groups = recording["tags"].get<std::vector<std::string>>();
    if (recording.contains("suffix")) groups.push_back(recording["suffix"].get<std::string>());
    tally.add(recording["name"], setting_of_wiki(recording["setting"], recording["wiki"], groups), recording["merged"]);
  }
  tally.print("merges");
  EXPECT_GT(tally.cases(), 15u);
}

TEST_F(StreamConfigServiceGolden, Replies) {
  const auto configs = recordings("configs");
  ASSERT_EQ(configs.size(), 1u);
  Tally tally;
  for (const Ordered& recording : recordings("reply")) {
    const Ordered& declared = recording.contains("configs") ? recording["configs"] : configs.front()["configs"];
    const WikiDeclarations declarations(std::vector<Ordered>(1, declared), configs.front()["defaults"], {});
    const std::string name = recording["name"];
    const json ours = reply(StreamCatalog(declarations), recording);
    tally.add(name, ours, recording["reply"]);
    if (name == "bad regex") {
      EXPECT_EQ(ours, json::parse(R"({"streams": {}})"));
    }
  }
  tally.print("replies");
  EXPECT_GT(tally.cases(), 20u);
}

}  // namespace
}  // namespace eventgate

#include "eventgate/streams/stream_catalog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace eventgate {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Json = nlohmann::ordered_json;

StreamCatalog catalog(const std::string& document) {
  return StreamCatalog(WikiDeclarations(std::vector<Json>(1, Json::parse(document))));
}

json reply(const StreamCatalog& streams, const StreamSelection& selection, const std::string& wiki = "metawiki") {
  std::vector<std::string> unknown;
  return json::parse(streams.of(wiki).json(selection, unknown));
}

std::vector<std::string> names(const json& streams) {
  std::vector<std::string> result;
  for (const auto& [name, settings] : streams.items()) result.push_back(name);
  return result;
}

constexpr const char* kStreams = R"({
  "a": {"n": 5, "x": 0.5, "on": true, "off": false, "none": null, "list": ["u", "v"], "p": {"q": {"on": true}}},
  "/^job\\./": {"topic_prefixes": ["e.", "c."], "off": true}})";

std::vector<std::string> meeting(std::vector<std::string> path, const std::string& value) {
  StreamSelection selection;
  selection.constraints.push_back({std::move(path), value});
  return names(reply(catalog(kStreams), selection));
}

TEST(StreamCatalog, Constraint_IsMetByEqualTextsInObjectsAndLists) {
  EXPECT_THAT(meeting({"n"}, "5"), ElementsAre("a"));
  EXPECT_THAT(meeting({"n"}, "5.0"), IsEmpty());
  EXPECT_THAT(meeting({"x"}, "0.5"), ElementsAre("a"));
  EXPECT_THAT(meeting({"list"}, "v"), ElementsAre("a"));
  EXPECT_THAT(meeting({"list", "0"}, "v"), ElementsAre("a"));
  EXPECT_THAT(meeting({"list"}, "w"), IsEmpty());
  EXPECT_THAT(meeting({"p", "q", "on"}, "1"), ElementsAre("a"));
  EXPECT_THAT(meeting({"p", "q"}, "1"), IsEmpty());
  EXPECT_THAT(meeting({"p", "z"}, ""), IsEmpty());
  EXPECT_THAT(meeting({"n", "z"}, "5"), IsEmpty());
}

TEST(StreamCatalog, Constraint_BooleansAreTrueAndFalseOr1And0) {
  for (const char* const text : {"true", "1"}) EXPECT_THAT(meeting({"on"}, text), ElementsAre("a")) << text;
  for (const char* const text : {"false", "0", ""}) EXPECT_THAT(meeting({"off"}, text), ElementsAre("a")) << text;
  EXPECT_THAT(meeting({"on"}, "yes"), IsEmpty());
}

TEST(StreamCatalog, Constraint_NullAndMissingMeetNothing) {
  EXPECT_THAT(meeting({"none"}, ""), IsEmpty());
  EXPECT_THAT(meeting({"missing"}, ""), IsEmpty());
}

TEST(StreamCatalog, Constraint_StreamIsMatchedAsAName) {
  EXPECT_THAT(meeting({"stream"}, "job.1"), ElementsAre("/^job\\./"));
  EXPECT_THAT(meeting({"topics"}, "e.job.1"), IsEmpty());
  EXPECT_THAT(meeting({"topics"}, "a"), ElementsAre("a"));
}

TEST(StreamCatalog, AskedName_IsLookedForByRegexesToo) {
  const StreamCatalog streams = catalog(kStreams);
  StreamSelection selection;
  selection.streams = {"job.\"1", "job.\"1", "nope"};
  std::vector<std::string> unknown;
  const json found = json::parse(streams.of("metawiki").json(selection, unknown));
  EXPECT_EQ(found, json::parse(R"({"job.\"1": {"off": true, "topic_prefixes": ["e.", "c."], "stream": "/^job\\./",
                                               "topics": ["e.job.\"1", "c.job.\"1"]}})"));
  EXPECT_THAT(unknown, ElementsAre("nope"));
}

TEST(StreamCatalog, NameLongerThanATopic_IsUnknown) {
  StreamSelection selection;
  selection.streams = {"job." + std::string(246, 'a'), "job." + std::string(245, 'a')};
  EXPECT_EQ(reply(catalog(kStreams), selection).size(), 1u);
}

TEST(StreamCatalog, BadEntries_AreNamedAndTheRestIsServed) {
  const StreamCatalog streams = catalog(R"({"default": {"a": {}, "gone": null, "b": 5}, "+enwiki": {"/x(/": {}}})");
  EXPECT_THAT(names(reply(streams, {}, "enwiki")), ElementsAre("a"));
  ASSERT_EQ(streams.unusable_entries().size(), 2u);
  EXPECT_THAT(streams.unusable_entries()[0].reason, HasSubstr("'b' is of type number"));
  EXPECT_TRUE(streams.unusable_entries()[1].bad_regex);
}

TEST(StreamCatalog, WikiThatNoKeyNames_GetsDefault) {
  const StreamCatalog streams = catalog(R"({"default": {"a": {"n": 1}}, "+enwiki": {"a": {"n": 2}}})");
  EXPECT_EQ(reply(streams, {}, "dewiki")["a"]["n"], 1);
  EXPECT_EQ(reply(streams, {}, "enwiki")["a"]["n"], 2);
}

}  // namespace
}  // namespace eventgate

#include "eventgate/readers/exposed_streams.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace eventgate {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Json = nlohmann::ordered_json;

ExposedStreams exposed(const std::string& configs, const ExposedStreamOptions& options = {.intake = false}) {
  return ExposedStreams(Json::parse(configs), options);
}

std::vector<std::string> names(const ExposedStreams& streams) {
  std::vector<std::string> result;
  for (const ExposedStream& stream : streams.all()) result.push_back(stream.name);
  return result;
}

TEST(ExposedStreams, AreEntriesWithTopicsAndTheirAliases) {
  const auto streams = exposed(R"({"a":{"topics":["x","y","x"],"stream_aliases":["b","c"]},"/^r/":{"topics":["x"]},
      "no.topics":{},"empty":{"topics":[]},"null":{"topics":null},"d":{"topics":["z"]}})");
  EXPECT_THAT(names(streams), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(streams.find("a")->topics, ElementsAre("x", "y"));
  EXPECT_THAT(streams.find("a")->aliases, ElementsAre("b", "c"));
  EXPECT_THAT(streams.find("c")->topics, ElementsAre("x", "y"));
  EXPECT_EQ(streams.find("c")->alias_of, "a");
  EXPECT_EQ(streams.find("r1"), nullptr);
  EXPECT_EQ(streams.find(""), nullptr);
  EXPECT_THAT(streams.problems(), IsEmpty());
}

TEST(ExposedStreams, WithIntakeAStreamWithoutTopicsHasTheGatesTopic) {
  const auto streams = exposed(R"({"a":{},"b":{"topics":["x"]},"c":{"topic_prefixes":null},"/r/":{},"ü":{}})",
                               {.intake = true, .topic_prefix = "eqiad."});
  EXPECT_THAT(names(streams), ElementsAre("a", "b", "c"));
  EXPECT_THAT(streams.find("a")->topics, ElementsAre("eqiad.a"));
  EXPECT_THAT(streams.find("b")->topics, ElementsAre("x"));
  EXPECT_THAT(streams.find("c")->topics, ElementsAre("c"));
}

TEST(ExposedStreams, AllowedStreamsAreNamesOfEntries) {
  const auto streams = exposed(R"({"a":{"topics":["x"],"stream_aliases":["b"]},"c":{"topics":["y"]}})",
                               {.allowed_streams = std::vector<std::string>{"a", "nope"}, .intake = false});
  EXPECT_THAT(names(streams), ElementsAre("a", "b"));
}

TEST(ExposedStreams, OverridesWinOverConfigsOverDefaults) {
  const auto streams =
      exposed(R"({"a":{"topics":["x"],"stream_aliases":["fetched"]}})",
              {.stream_config_defaults =
                   R"({"a":{"stream_aliases":["default","second"],"description":"D"},"b":{"topics":["y"]}})",
               .stream_config_overrides = R"({"a":{"topics":["z"]}})",
               .intake = false});
  EXPECT_THAT(names(streams), testing::UnorderedElementsAre("a", "fetched", "b"));
  EXPECT_THAT(streams.find("a")->topics, ElementsAre("z"));
  EXPECT_EQ(streams.find("a")->description, "D");
}

TEST(MergedStreamConfigs, ObjectsMergeDeeplyAndArraysCountWhole) {
  EXPECT_EQ(
      merged_stream_configs(Json::parse(R"({"a":{"o":{"x":1,"y":[1,2]},"n":1}})"),
                            Json::parse(R"({"a":{"o":{"y":[3]},"n":{"z":1}}})"), Json::parse(R"({"a":{"n":null}})")),
      Json::parse(R"({"a":{"o":{"x":1,"y":[3]},"n":null}})"));
}

TEST(ExposedStreams, DescriptionAndSchemaHaveDefaults) {
  const auto streams = exposed(R"({"a":{"topics":["x"],"schema_title":"test/event"},
      "b":{"topics":["x"],"$schema":"/b/1.0.0","schema_title":"b","description":"B."},"c":{"topics":["x"]}})");
  EXPECT_EQ(streams.find("a")->description, "a events.");
  EXPECT_EQ(streams.find("a")->schema_uri, "/test/event/latest");
  EXPECT_EQ(streams.find("b")->schema_uri, "/b/1.0.0");
  EXPECT_EQ(streams.find("b")->description, "B.");
  EXPECT_EQ(streams.find("c")->schema_uri, "");
}

TEST(ExposedStreams, AnEntryThatCannotBeUsedIsNamed) {
  const auto streams = exposed(R"({"a":{"topics":"x"},"b":{"topics":["ü"]},"c":{"topics":[1]},"d":5,
      "e":{"topics":["x"],"stream_aliases":["a","/r/","p,q",""]},"f":{"topics":["x"],"private":"yes"}})");
  EXPECT_THAT(names(streams), ElementsAre("a", "e", "f"));
  EXPECT_THAT(streams.problems(), Contains(HasSubstr("Stream 'b': expected `topics`")));
  EXPECT_THAT(streams.problems(), Contains(HasSubstr("Stream 'c': expected `topics`")));
  EXPECT_THAT(streams.problems(), Contains(HasSubstr("its alias 'a' is the name of another stream")));
  EXPECT_THAT(streams.problems(), Contains(HasSubstr("without a comma")));
  EXPECT_TRUE(streams.find("f")->is_private);
}

TEST(ExposedStreams, TheListLeavesPrivateStreamsOut) {
  const auto streams = exposed(R"({"a":{"topics":["x"],"stream_aliases":["b"],"schema_title":"t","description":"D"},
      "p":{"topics":["y"],"private":true}})");
  EXPECT_EQ(streams.list_json(false),
            R"([{"name":"a","aliases":["b"],"description":"D","schema_title":"t","topics":["x"]}])");
  EXPECT_THAT(streams.list_json(true),
              HasSubstr(R"({"name":"p","aliases":[],"description":"p events.","schema_title":null)"));
}

TEST(ExposedStreams, RulesOfAllStreamsOfATopicCountTogether) {
  const auto streams = exposed(R"({"a":{"topics":["x"],"redact":[{"fields":["u"]}]},
      "hidden":{"topics":["x","y"],"redact":[{"fields":["v"]}]},"b":{"topics":["y","z"]}})",
                               {.allowed_streams = std::vector<std::string>{"a", "b"}, .intake = false});
  const auto x = streams.redaction("x");
  ASSERT_NE(x, nullptr);
  EXPECT_THAT(x->key(), testing::AllOf(HasSubstr("\"u\""), HasSubstr("\"v\"")));
  EXPECT_THAT(streams.redaction("y")->key(), HasSubstr("\"v\""));
  EXPECT_EQ(streams.redaction("z"), nullptr);
}

TEST(ExposedStreams, ARedactThatCannotBeUsedWithholdsItsTopics) {
  const auto streams = exposed(R"({"a":{"topics":["x"],"topics_allowed":["w"],"redact":{"fields":["u"]}}})");
  EXPECT_THAT(streams.problems(), ElementsAre(HasSubstr("its events are withheld")));
  for (const char* const topic : {"x", "w"})
    EXPECT_EQ(streams.redaction(topic)->key(), RedactionRules({}, {}, true).key()) << topic;
}

TEST(ExposedStreams, RedactedPagesCountForAllTopics) {
  const auto streams =
      exposed(R"({"a":{"topics":["x"]}})", {.mediawiki_redacted_pages = {{"ru.org", {"A"}}}, .intake = false});
  EXPECT_NE(streams.redaction("x"), nullptr);
  EXPECT_EQ(streams.redaction("y"), nullptr);
}

TEST(StreamPaths, HaveAPathForEachStreamAndAlias) {
  const auto streams =
      exposed(R"({"a":{"topics":["x"],"stream_aliases":["b"],"schema_title":"test/event","description":"D."},
      "p":{"topics":["y"],"private":true},"c":{"topics":["z"]}})");
  int asked = 0;
  const StreamPaths paths = describe_streams(streams, [&asked](const std::string& uri) -> std::optional<std::string> {
    ++asked;
    EXPECT_EQ(uri, "/test/event/latest");
    return R"({"$id":"/test/event/1.0.0","type":"object","title":"test/event","examples":[{"test":1}]})";
  });
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(paths.names, R"(["a","b","c"])");
  const Json json = Json::parse(paths.paths);
  EXPECT_THAT(json.size(), 3u);
  const Json& content = json["/v2/stream/b"]["get"]["responses"]["200"]["content"];
  for (const char* const type : {"text/event-stream", "application/json"}) {
    EXPECT_EQ(content[type]["example"], Json::parse(R"({"test":1})"));
    EXPECT_EQ(content[type]["schema"], Json::parse(R"({"type":"object","title":"test/event"})"));
  }
  EXPECT_THAT(json["/v2/stream/b"]["get"]["description"].get<std::string>(),
              testing::AllOf(HasSubstr("D."), HasSubstr("alias of a"), HasSubstr("test/event"), HasSubstr("- x")));
  EXPECT_FALSE(json["/v2/stream/c"]["get"]["responses"]["200"]["content"]["application/json"].contains("example"));
}

TEST(StreamPaths, ASchemaThatCannotBeReadIsLeftOut) {
  const auto streams = exposed(R"({"a":{"topics":["x"],"schema_title":"t"}})");
  for (const std::optional<std::string>& text : {std::optional<std::string>(), std::optional<std::string>("nope")}) {
    const StreamPaths paths = describe_streams(streams, [&text](const std::string&) { return text; });
    EXPECT_TRUE(Json::parse(paths.paths).contains("/v2/stream/a"));
  }
}

}  // namespace
}  // namespace eventgate

#include "eventgate/streams/wiki_declarations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace eventgate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Json = nlohmann::ordered_json;

WikiDeclarations declarations(const std::vector<std::string>& documents, const std::string& defaults = "{}",
                              WikiGroups groups = {}) {
  std::vector<Json> parsed;
  for (const std::string& document : documents) parsed.push_back(Json::parse(document));
  return {parsed, Json::parse(defaults), std::move(groups)};
}

/// Compares without the order of members.
void expect_streams(const Json& streams, const std::string& expected) {
  EXPECT_EQ(nlohmann::json(streams), nlohmann::json::parse(expected));
}

TEST(WikiDeclarations, ByName_AreForEveryWiki) {
  const auto by_name = declarations({R"({"a": {"t": 1}, "enwiki": {"t": 2}})"});
  expect_streams(by_name.of("enwiki"), R"({"a": {"t": 1}, "enwiki": {"t": 2}})");
  EXPECT_THAT(by_name.wikis(), IsEmpty());
}

TEST(WikiDeclarations, FalseNullAndListsOfAnOverrideCount) {
  const auto per_wiki = declarations({R"({"default": {"a": {"on": true, "p": ["x", "y"], "n": {"k": 1}}},
                                          "+enwiki": {"a": {"on": false, "p": ["z"], "n": null}}})"});
  expect_streams(per_wiki.of("enwiki"), R"({"a": {"on": false, "p": ["z"], "n": null}})");
  expect_streams(per_wiki.of("dewiki"), R"({"a": {"on": true, "p": ["x", "y"], "n": {"k": 1}}})");
}

TEST(WikiDeclarations, GroupWithoutPlusEndsTheSearch) {
  const auto per_wiki = declarations({R"({"default": {"a": {"d": 1}}, "+large": {"a": {"l": 1}},
                                          "small": {"a": {"s": 1}}, "+enwiki": {"a": {"e": 1}}})"},
                                     "{}", {{"enwiki", {"large", "small", "unused"}}});
  expect_streams(per_wiki.of("enwiki"), R"({"a": {"e": 1, "l": 1, "s": 1}})");
}

TEST(WikiDeclarations, SettingsOfAllStreams_AreLaidUnderEach) {
  const auto with_defaults =
      declarations({R"({"default": {"a": {"c": {"on": false}}, "gone": null}, "+enwiki": {}})"},
                   R"({"default": {"c": {"on": true, "job": "j"}, "p": ["x"]}, "+enwiki": {"p": ["y"]}})");
  expect_streams(with_defaults.of("dewiki"), R"({"a": {"c": {"on": false, "job": "j"}, "p": ["x"]}, "gone": null})");
  expect_streams(with_defaults.of("enwiki"), R"({"a": {"c": {"on": false, "job": "j"}, "p": ["y"]}, "gone": null})");
}

TEST(WikiDeclarations, SeveralDocuments_AreMergedKeyByKey) {
  const auto merged = declarations({R"({"default": {"a": {"t": 1}}, "+enwiki": {"a": {"e": 1}}})", R"({"b": {"t": 2}})",
                                    R"({"+enwiki": {"a": {"f": 1}}, "+dewiki": {"b": {"d": 1}}})"});
  expect_streams(merged.of("enwiki"), R"({"a": {"t": 1, "e": 1, "f": 1}, "b": {"t": 2}})");
  expect_streams(merged.of("dewiki"), R"({"a": {"t": 1}, "b": {"t": 2, "d": 1}})");
  EXPECT_THAT(merged.wikis(), ElementsAre("dewiki", "enwiki"));
}

TEST(WikiDeclarations, WikisOfTheSameLayers_HaveTheSameText) {
  const auto per_wiki = declarations({R"({"default": {}, "+large": {}, "+enwiki": {}})"}, "{}",
                                     {{"enwiki", {"large"}}, {"dewiki", {"large"}}, {"frwiki", {"large", "none"}}});
  EXPECT_EQ(per_wiki.layers_text("dewiki"), per_wiki.layers_text("frwiki"));
  EXPECT_NE(per_wiki.layers_text("dewiki"), per_wiki.layers_text("enwiki"));
}

TEST(WikiDeclarations, BadKeysAndListEntries_AreProblemsAndTheRestCounts) {
  const auto bad =
      declarations({R"({"default": [{"stream": "a", "t": 1}, {"t": 2}, 5, {"stream": "a"}], "+enwiki": 7})"});
  expect_streams(bad.of("enwiki"), R"({"a": {"stream": "a", "t": 1}})");
  ASSERT_EQ(bad.problems().size(), 4u);
  EXPECT_THAT(bad.problems()[0].reason, HasSubstr("entry 1 of the list"));
  EXPECT_THAT(bad.problems()[3].reason, HasSubstr("'+enwiki' are of type number"));
  EXPECT_THAT([] { declarations({"5"}); }, testing::ThrowsMessage<std::invalid_argument>(HasSubstr("of type number")));
}

TEST(WikiDeclarations, KeysOfADocument_AreBounded) {
  Json document{{"default", Json::object()}};
  for (std::size_t i = 0; i < WikiDeclarations::kMaxKeys; ++i) document["+w" + std::to_string(i)] = Json::object();
  EXPECT_THAT([&] { WikiDeclarations(std::vector<Json>(1, document)); },
              testing::ThrowsMessage<std::invalid_argument>(HasSubstr("expected at most 1000")));
}

TEST(WikiDeclarations, GroupThatNoWikiHas_IsAnOrphan) {
  const auto per_wiki =
      declarations({R"({"default": {}, "+large": {}, "smal": {}, "+enwiki": {}, "+enwikibooks": {}})"}, "{}",
                   {{"dewiki", {"large", "small"}}});
  EXPECT_THAT(per_wiki.orphan_keys({"enwikibooks"}), ElementsAre("smal"));
}

TEST(WikiName, IsHeldToItsCharactersAndLength) {
  for (const std::string name : {"enwiki", "zh_min_nanwiki", "a-b", "1"}) EXPECT_TRUE(is_wiki_name(name)) << name;
  EXPECT_TRUE(is_wiki_name(std::string(64, 'a')));
  for (const std::string& name : {std::string(), std::string("Enwiki"), std::string("a b"), std::string(65, 'a')})
    EXPECT_FALSE(is_wiki_name(name)) << name;
}

}  // namespace
}  // namespace eventgate

#include "eventgate/streams/stream_configs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/paths.hpp"

namespace eventgate {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using Json = nlohmann::ordered_json;

StreamConfigs stream_configs(const std::string& json) { return StreamConfigs(Json::parse(json)); }

/// The only entry is listed with a reason, and the entry beside it can be used.
void expect_refused(const std::string& json, const std::string& stream, const std::string& expected) {
  Json object = Json::parse(json);
  object["good"] = {{"schema_title", "good"}};
  const StreamConfigs configs(object);
  ASSERT_EQ(configs.unusable_entries().size(), 1u) << json;
  EXPECT_THAT(configs.unusable_entries()[0].reason, AllOf(HasSubstr(stream), HasSubstr(expected)));
  EXPECT_EQ(configs.unusable_reasons(), configs.unusable_entries()[0].reason);
  EXPECT_EQ(configs.find("good")->schema_title, "good");
  EXPECT_EQ(configs.find("good")->unusable_reason, "");
  EXPECT_EQ(Json::parse(configs.json()), object);
}

std::vector<std::pair<std::string, std::string>> dotted(const std::vector<std::pair<FieldPath, FieldPath>>& fields) {
  std::vector<std::pair<std::string, std::string>> result;
  for (const auto& [key, field] : fields) result.emplace_back(key.dotted(), field.dotted());
  return result;
}

TEST(StreamConfigs, OwnEntryWinsOverARegexThatAlsoMatches) {
  const auto configs =
      stream_configs(R"({"/^test/": {"schema_title": "any"}, "test.event": {"schema_title": "test"}})");
  EXPECT_EQ(configs.find("test.event")->schema_title, "test");
}

TEST(StreamConfigs, TheFirstRegexDeclaredThatIsFoundWins) {
  const auto configs = stream_configs(
      R"({"/job/": {"schema_title": "job"}, "/^mediawiki\\.job\\..+/": {"schema_title": "mediawiki/job"}})");
  EXPECT_EQ(configs.find("mediawiki.job.refresh")->schema_title, "job");
}

TEST(StreamConfigs, ARegexIsSearchedForAndNotMatchedWhole) {
  const auto configs = stream_configs(R"({"/^mediawiki\\.job\\..+/": {"schema_title": "mediawiki/job"}})");
  EXPECT_NE(configs.find("mediawiki.job.refresh.links"), nullptr);
  EXPECT_EQ(configs.find("mediawiki.job."), nullptr);
  EXPECT_EQ(configs.find("a.mediawiki.job.b"), nullptr);
}

TEST(StreamConfigs, Retention_IsHoursDaysOrNone) {
  const auto configs =
      stream_configs(R"({"a": {"retention": "48h"}, "b": {"retention": "30d"}, "c": {"retention": "none"},
    "d": {"retention": null, "schema_title": "d"}})");
  EXPECT_EQ(configs.find("a")->retention, std::chrono::hours(48));
  EXPECT_EQ(configs.find("b")->retention, std::chrono::hours(720));
  EXPECT_EQ(configs.find("c")->retention, std::chrono::hours::max());
  EXPECT_EQ(configs.find("d")->retention, std::nullopt);
  for (const char* const wrong :
       {"0", "\"0d\"", "\"0h\"", "\"-1d\"", "\"30\"", "\"30m\"", "\"1.5d\"", "\"99999d\"", "\"\"", "true"})
    expect_refused(std::string(R"({"a": {"retention": )") + wrong + "}}", "'a'", "expected whole hours or days");
}

TEST(StreamConfigs, NamesEveryObjectHasInJavaScriptAreNotDeclared) {
  const auto configs = stream_configs(R"({"test.event": {"schema_title": "test"}})");
  for (const std::string_view name : {"constructor", "__proto__", "toString", "test.event.schema_title", "", "/"}) {
    EXPECT_EQ(configs.find(name), nullptr) << name;
  }
}

TEST(StreamConfigs, ANameOfOneSlashIsNoRegex) { EXPECT_NE(stream_configs(R"({"/": {"a": 1}})").find("/"), nullptr); }

TEST(StreamConfigs, ADeclarationWithoutSettingsIsEmpty) {
  const auto configs = stream_configs(R"({"a": {}, "b": [], "c": null, "d": {"topics": ["d"]}})");
  EXPECT_TRUE(configs.find("a")->empty);
  EXPECT_TRUE(configs.find("b")->empty);
  EXPECT_TRUE(configs.find("c")->empty);
  EXPECT_FALSE(configs.find("d")->empty);
  EXPECT_EQ(configs.find("d")->schema_title, std::nullopt);
}

TEST(StreamConfigs, NoStreamsAreAnObjectOrPhpsEmptyArray) {
  EXPECT_EQ(stream_configs("{}").json(), "{}");
  EXPECT_EQ(stream_configs("[]").json(), "{}");
}

TEST(StreamConfigs, KeyFieldsKeepTheirOrder) {
  const auto configs = stream_configs(R"({"s": {"message_key_fields": {"wiki_id": "wiki_id", "a.b": "page.page_id"}},
                                          "t": {"schema_title": "t", "message_key_fields": []}})");
  EXPECT_THAT(dotted(configs.find("s")->message_key_fields),
              ElementsAre(Pair("wiki_id", "wiki_id"), Pair("a.b", "page.page_id")));
  EXPECT_TRUE(configs.find("t")->message_key_fields.empty());
}

TEST(StreamConfigs, OnlyANullTopicPrefixesMeansNone) {
  const auto configs = stream_configs(
      R"({"a": {"topic_prefixes": null}, "b": {"topic_prefixes": ["eqiad."]}, "c": {"schema_title": "c"}})");
  EXPECT_TRUE(configs.find("a")->without_topic_prefix);
  EXPECT_FALSE(configs.find("b")->without_topic_prefix);
  EXPECT_FALSE(configs.find("c")->without_topic_prefix);
}

TEST(StreamConfigs, HeaderFieldsAreHeadersOrFalse) {
  const auto configs = stream_configs(
      R"({"s": {"producers": {"eventgate": {"enrich_fields_from_http_headers":
           {"meta.request_id": "X-Request-Id", "http.request_headers.user-agent": false}}}}})");
  const auto& fields = *configs.find("s")->enrich_fields_from_http_headers;
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_EQ(fields[0].first.dotted(), "meta.request_id");
  EXPECT_EQ(fields[0].second, "x-request-id");
  EXPECT_EQ(fields[1].first.dotted(), "http.request_headers.user-agent");
  EXPECT_EQ(fields[1].second, std::nullopt);
}

TEST(StreamConfigs, HeaderFieldsDeclaredEmptyAreNotTheSameAsAbsentOnes) {
  const auto configs = stream_configs(
      R"({"a": {"producers": {"eventgate": {"enrich_fields_from_http_headers": []}}},
          "b": {"producers": {"eventgate": []}}, "c": {"producers": []}, "d": {"producers": {"canary": {}}}})");
  EXPECT_TRUE(configs.find("a")->enrich_fields_from_http_headers);
  for (const std::string_view name : {"b", "c", "d"}) {
    EXPECT_FALSE(configs.find(name)->enrich_fields_from_http_headers) << name;
  }
}

TEST(StreamConfigs, SettingsOfOthersAreTolerated) {
  const auto configs = stream_configs(
      R"({"s": {"stream": "s", "canary_events_enabled": true, "consumers": {"x": [1]}, "sample": {"rate": 0.1}}})");
  EXPECT_FALSE(configs.find("s")->empty);
}

TEST(StreamConfigs, ASettingOfAWrongTypeNamesTheStreamAndWhatIsExpected) {
  expect_refused(R"({"s.x": {"schema_title": 5}})", "'s.x': schema_title is of type number", "expected a string");
  expect_refused(R"({"s.x": {"message_key_fields": ["a"]}})", "'s.x': message_key_fields", "expected an object");
  expect_refused(R"({"s.x": {"message_key_fields": {"a": 1}}})", "'s.x': message_key_fields.a", "path");
  expect_refused(R"({"s.x": {"message_key_fields": {"a": ""}}})", "'s.x': message_key_fields.a is empty", "path");
  expect_refused(R"({"s.x": {"producers": 1}})", "'s.x': producers", "expected an object");
  expect_refused(R"({"s.x": {"producers": {"eventgate": "x"}}})", "'s.x': producers.eventgate", "an object");
  expect_refused(R"({"s.x": {"producers": {"eventgate": {"enrich_fields_from_http_headers": {"a": true}}}}})",
                 "'s.x': producers.eventgate.enrich_fields_from_http_headers.a", "the name of a header, or false");
}

TEST(StreamConfigs, AnEntryThatIsNoObjectIsRefusedAlone) {
  for (const std::string settings : {"5", "\"x\"", "[1]", "true"})
    expect_refused(R"({"s.x": )" + settings + R"(, "t": {"schema_title": "t"}})", "'s.x' is of type ", "an object");
  const auto configs = stream_configs(R"({"/^s/": 5, "t": {"schema_title": "t"}})");
  EXPECT_THAT(configs.find("s.y")->unusable_reason, HasSubstr("'/^s/' is of type number"));
  EXPECT_EQ(configs.find("t")->schema_title, "t");
}

TEST(StreamConfigs, ARegexThatRe2RefusesNamesTheStream) {
  expect_refused(R"({"/(/": {}})", "'/(/'", "RE2");
  expect_refused(R"({"/a(?=b)/": {}})", "'/a(?=b)/'", "no look-around");
  expect_refused(R"({"/((a{1000}){1000}){1000}/": {}})", "1000", "RE2");
}

TEST(StreamConfigs, WrongType_EntryIsKeptWithItsReason) {
  const auto configs = stream_configs(R"({"test.event": {"schema_title": 1}, "/^job/": {"producers": 7}})");
  EXPECT_THAT(configs.find("test.event")->unusable_reason, HasSubstr("schema_title"));
  EXPECT_EQ(configs.find("test.event")->schema_title, std::nullopt);
  EXPECT_THAT(configs.find("job.x")->unusable_reason, HasSubstr("'/^job/': producers"));
  EXPECT_EQ(configs.bad_regex_reason(), "");
}

TEST(StreamConfigs, BadRegex_MatchesNothingAndIsNamed) {
  const auto configs = stream_configs(R"({"/a(?=b)/": {"schema_title": "x"}, "/^a/": {"schema_title": "y"}})");
  EXPECT_EQ(configs.find("ab")->schema_title, "y");
  EXPECT_EQ(configs.find("bab"), nullptr);
  EXPECT_THAT(configs.bad_regex_reason(), HasSubstr("'/a(?=b)/'"));
}

TEST(StreamConfigs, WhatIsSaidOfUnusableEntriesHasABound) {
  Json object = Json::object();
  for (int i = 0; i < 1000; ++i) {
    object["/(" + std::to_string(i) + std::string(5000, 'x') + "/"] = Json::object();
    object[std::to_string(i) + std::string(5000, 'x')] = {{"message_key_fields", {{std::string(5000, 'y'), 1}}}};
  }
  const StreamConfigs configs(object);
  EXPECT_EQ(configs.unusable_entries().size(), 2000u);
  EXPECT_LT(configs.unusable_reasons().size(), 4096u);
  EXPECT_LT(configs.bad_regex_reason().size(), 600u);
  for (const UnusableEntry& entry : configs.unusable_entries()) ASSERT_LT(entry.reason.size(), 500u);
}

TEST(StreamConfigs, ADocumentThatIsNoObjectIsRefused) {
  for (const std::string json : {"1", "[1]", "\"x\"", "null"}) {
    EXPECT_THROW(stream_configs(json), std::invalid_argument) << json;
  }
}

TEST(StreamConfigs, ARegexThatBacktracksElsewhereEndsHere) {
  const auto configs = stream_configs(R"({"/^(a|b|ab)*c$/": {"schema_title": "x"}})");
  EXPECT_EQ(configs.find(std::string(100000, 'a')), nullptr);
}

TEST(StreamConfigs, JsonIsTheDeclaredObjectInItsOrder) {
  const std::string json = R"({"b":{"schema_title":"b","x":[1,{"y":null}]},"/a/":{"schema_title":"a"},"c":{}})";
  EXPECT_EQ(stream_configs(json).json(), json);
}

TEST(StreamConfigs, JsonOfNamesHasOnlyWhatIsDeclaredUnderThem) {
  const auto configs = stream_configs(R"({"b":{"schema_title":"b"},"/^a/":{"schema_title":"a"},"c":{}})");
  EXPECT_EQ(configs.json({"c", "abc", "b", "b", "nope\""}), R"({"b":{"schema_title":"b"},"c":{}})");
  EXPECT_EQ(configs.json({"/^a/"}), R"({"/^a/":{"schema_title":"a"}})");
  EXPECT_EQ(configs.json({}), "{}");
}

TEST(StreamConfigs, FindingDoesNotAddToTheJson) {
  const auto configs = stream_configs(R"({"/^a/":{"schema_title":"a"}})");
  configs.find("abc");
  EXPECT_EQ(configs.json(), R"({"/^a/":{"schema_title":"a"}})");
}

TEST(StreamConfigs, HostileNamesAreEscapedInJson) {
  const std::string json = R"({"a\"\\\u0000\n":{"schema_title":"x"}})";
  EXPECT_EQ(Json::parse(stream_configs(json).json()), Json::parse(json));
}

TEST(StreamConfigs, NamesAreThoseThatAreNoRegex) {
  EXPECT_THAT(stream_configs(R"({"b": {}, "/a/": {}, "a": {}})").stream_names(), ElementsAre("b", "a"));
}

TEST(StreamConfigs, TheOriginalsRealConfigsAreRead) {
  const std::vector<std::pair<std::string, std::size_t>> files{
      {"eventgate-main", 64}, {"eventgate-analytics", 17}, {"eventgate-logging-external", 5}};
  for (const auto& [name, count] : files) {
    std::ifstream file(shared_dir() + "/data/stream-configs/" + name + ".json");
    if (!file) GTEST_SKIP() << "the stream configs of Wikimedia are not there";
    const Json document = Json::parse(file);
    const StreamConfigs configs(document.at("streams"));
    EXPECT_EQ(document.at("streams").size(), count);
    EXPECT_EQ(Json::parse(configs.json()), document.at("streams"));
    for (const std::string& stream : configs.stream_names()) {
      EXPECT_EQ(configs.find(stream)->schema_title, document["streams"][stream]["schema_title"]);
    }
    EXPECT_EQ(configs.find("mediawiki.job.x") != nullptr, name == "eventgate-main");
  }
}

TEST(StreamConfigs, RegexWithTheFlagI_IgnoresCase) {
  const auto configs = stream_configs(R"({"/^job/i": {"schema_title": "job"}, "/x/g": {"schema_title": "x"}})");
  EXPECT_EQ(configs.find("JOB.1")->schema_title, "job");
  EXPECT_EQ(configs.find("x"), nullptr);
  EXPECT_THAT(configs.unusable_reasons(), HasSubstr("unknown flag `g`"));
}

TEST(StreamConfigs, StreamTakenOut_IsKnownForAnHour) {
  using std::chrono::minutes;
  const std::chrono::system_clock::time_point then{std::chrono::hours(1000)};
  const auto before = stream_configs(R"({"a": {"schema_title": "a"}, "b": {"schema_title": "b"}, "/c/": {}})");
  const Json only_b = Json::parse(R"({"b": {"schema_title": "b"}})");
  const StreamConfigs after(only_b, {}, before.taken_out_before(only_b, then));
  EXPECT_TRUE(after.is_taken_out("a", then + minutes(59)));
  EXPECT_FALSE(after.is_taken_out("a", then + minutes(60)));
  EXPECT_FALSE(after.is_taken_out("b", then));
  EXPECT_FALSE(after.is_taken_out("/c/", then));
  // The next refresh knows it still, unless it is declared again or the hour is over.
  EXPECT_TRUE(after.taken_out_before(only_b, then + minutes(30)).contains("a"));
  EXPECT_TRUE(after.taken_out_before(only_b, then + minutes(60)).empty());
  EXPECT_TRUE(after.taken_out_before(Json::parse(R"({"a": {}, "b": {}})"), then).empty());
}

TEST(StreamConfigs, StreamsTakenOut_AreBounded) {
  Json many = Json::object();
  for (std::size_t i = 0; i <= StreamConfigs::kMaxTakenOut; ++i) many["s" + std::to_string(i)] = Json::object();
  EXPECT_EQ(StreamConfigs(many).taken_out_before(Json::object(), {}).size(), StreamConfigs::kMaxTakenOut);
}

}  // namespace
}  // namespace eventgate

#include "eventgate/legacy/capsule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventgate/base/percent.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;

BeaconRefusal refusal_of(const std::string& query) {
  Capsule capsule;
  const auto refusal = read_capsule(query, JsonLimits(), capsule);
  EXPECT_TRUE(refusal) << query;
  return refusal.value_or(BeaconRefusal{});
}

LegacyOptions options() {
  LegacyOptions options;
  options.schemas["Test"].version = "1.3.0";
  options.schemas["Edit"].version = "1.1.0";
  options.schemas["Edit"].revisions = {{13457736, "1.0.0"}};
  options.schemas["Echo"].revisions = {{7, "2.0.0"}};
  return options;
}

/// Returns the schema_uri of a capsule, or the name of the cause without one.
std::string target_of(const std::string& text, const LegacyOptions& legacy = options()) {
  Capsule capsule;
  EXPECT_FALSE(read_capsule(percent_encode(text), JsonLimits(), capsule));
  const auto target = find_target(capsule.root(), legacy);
  return target ? target->schema_uri : std::string(failure_cause_name(target.error().cause));
}

TEST(Capsule, Text_IsDecodedAndParsed) {
  Capsule capsule;
  ASSERT_FALSE(read_capsule("%EF%BB%BF%7B%22schema%22%3A%22a+b%22%7D;", JsonLimits(), capsule));
  EXPECT_EQ(capsule.root().find("schema")->string(), "a b");
}

TEST(Capsule, NoText_IsEmpty) {
  for (const char* const query : {"", ";", "?;&"}) EXPECT_EQ(refusal_of(query).cause, FailureCause::legacy_empty);
}

TEST(Capsule, ObjectThatEndsBeforeItsEnd_IsTruncatedAndSaysHowMuchCame) {
  const BeaconRefusal refusal = refusal_of("%7B%22a%22%3A%22hello%2");
  EXPECT_EQ(refusal.cause, FailureCause::legacy_truncated);
  EXPECT_THAT(refusal.message, HasSubstr("23 bytes came and no ';' ended it"));
  EXPECT_EQ(refusal.text, R"({"a":"hello)");
  // A character that is cut is cut, too.
  EXPECT_EQ(refusal_of("%7B%22a%22%3A%22%E2%98").cause, FailureCause::legacy_truncated);
  EXPECT_EQ(refusal_of("%7B%22a%22%3A%22%E2%98").text, R"({"a":")");
}

TEST(Capsule, EndMark_SaysThatNothingIsCut) {
  EXPECT_EQ(refusal_of("%7B%22a%22%3A%22hello;").cause, FailureCause::legacy_malformed);
}

TEST(Capsule, OtherTexts_AreMalformedWithTheOffset) {
  for (const char* const query : {"event=%7B%7D;", "%7B%7D;&_=1", "%7B%7Dx;", "%257B%257D;", "%7B%22a%22%3ANaN%7D;",
                                  "+;", "%7B%7D;%7B%7D;", "%%7B%7D;"})
    EXPECT_EQ(refusal_of(query).cause, FailureCause::legacy_malformed) << query;
  EXPECT_THAT(refusal_of("%7B%7Dx;").message, HasSubstr("at byte 2, found 'x'"));
}

TEST(Capsule, NoUtf8_IsMalformedAndKeptAsSent) {
  const BeaconRefusal refusal = refusal_of("%7B%22a%22%3A%22%C0%AF%22%7D;");
  EXPECT_EQ(refusal.cause, FailureCause::legacy_malformed);
  EXPECT_THAT(refusal.message, HasSubstr("no UTF-8: expected UTF-8 at byte 6"));
  EXPECT_EQ(refusal.text, "%7B%22a%22%3A%22%C0%AF%22%7D;");
}

TEST(Capsule, OtherValues_AreNotObjects) {
  for (const char* const query : {"5;", "null;", "true", "%22a%22;", "%5B%7B%7D%5D;"})
    EXPECT_EQ(refusal_of(query).cause, FailureCause::legacy_not_object) << query;
}

TEST(Capsule, DepthIsBounded) {
  const auto nested = [](std::size_t levels) {
    return "{\"a\":" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "};";
  };
  Capsule capsule;
  EXPECT_FALSE(read_capsule(nested(128), JsonLimits(), capsule));
  EXPECT_EQ(refusal_of(nested(129)).cause, FailureCause::legacy_malformed);
  EXPECT_EQ(refusal_of("{\"a\":" + std::string(1'000'000, '[')).cause, FailureCause::legacy_malformed);
}

TEST(LegacySchemas, NameDecidesAndCaseCounts) {
  EXPECT_EQ(target_of(R"({"schema":"Test","revision":1})"), "/analytics/legacy/test/1.3.0");
  EXPECT_EQ(target_of(R"({"schema":"test"})"), "legacy_unknown_schema");
  EXPECT_EQ(target_of(R"({"schema":"../x"})"), "legacy_unknown_schema");
  EXPECT_EQ(target_of(R"({"schema":"*"})"), "legacy_unknown_schema");
  EXPECT_EQ(target_of(R"({"schema":5})"), "legacy_no_schema");
  EXPECT_EQ(target_of(R"({})"), "legacy_no_schema");
}

TEST(LegacySchemas, RevisionDecidesWhereItIsListed) {
  EXPECT_EQ(target_of(R"({"schema":"Edit","revision":13457736})"), "/analytics/legacy/edit/1.0.0");
  EXPECT_EQ(target_of(R"({"schema":"Edit","revision":1.3457736e7})"), "/analytics/legacy/edit/1.0.0");
  EXPECT_EQ(target_of(R"({"schema":"Edit","revision":1})"), "/analytics/legacy/edit/1.1.0");
  EXPECT_EQ(target_of(R"({"schema":"Echo","revision":7})"), "/analytics/legacy/echo/2.0.0");
  EXPECT_EQ(target_of(R"({"schema":"Echo","revision":8})"), "legacy_unknown_revision");
  EXPECT_EQ(target_of(R"({"schema":"Echo","revision":"7"})"), "legacy_unknown_revision");
  EXPECT_EQ(target_of(R"({"schema":"Echo"})"), "legacy_unknown_revision");
}

TEST(LegacySchemas, Star_IsForNamesThatTheWikiCanHave) {
  LegacyOptions legacy = options();
  legacy.schemas[kAnyLegacySchema].version = "1.0.0";
  EXPECT_EQ(target_of(R"({"schema":"NavigationTiming"})", legacy), "/analytics/legacy/navigationtiming/1.0.0");
  EXPECT_EQ(target_of(R"({"schema":"Test"})", legacy), "/analytics/legacy/test/1.3.0");
  EXPECT_EQ(target_of(R"({"schema":"a/b"})", legacy), "legacy_unknown_schema");
  EXPECT_EQ(target_of("{\"schema\":\"" + std::string(63, 'a') + "\"}", legacy),
            "/analytics/legacy/" + std::string(63, 'a') + "/1.0.0");
  EXPECT_EQ(target_of("{\"schema\":\"" + std::string(64, 'a') + "\"}", legacy), "legacy_unknown_schema");
}

TEST(LegacySchemas, NameInACutText_IsFound) {
  EXPECT_EQ(find_named_schema(R"({"x":"schema","schema" : "Test","rev)", options())->name, "Test");
  EXPECT_EQ(find_named_schema(R"({"schema":"Echo")", options())->schema_uri, "") << "the revision decides";
  EXPECT_FALSE(find_named_schema(R"({"schema":"Nope"})", options()));
  EXPECT_FALSE(find_named_schema(R"({"schema":"Tes)", options()));
  EXPECT_FALSE(find_named_schema(R"({"schema")", options()));
  EXPECT_FALSE(find_named_schema("{\"schema\":\"" + std::string(100'000, 'a'), options()));
}

TEST(WebHosts, OwnHostsAreEqualOrBelow) {
  const std::vector<std::string> own{"wikipedia.org", "www.mediawiki.org"};
  for (const char* const host : {"wikipedia.org", "en.wikipedia.org", "EN.Wikipedia.ORG:8080", "a.www.mediawiki.org"})
    EXPECT_TRUE(is_own_host(host, own)) << host;
  for (const char* const host :
       {"", "org", "mediawiki.org", "badwikipedia.org", "wikipedia.org.evil.example", "bad.wikipedia-withads.com"})
    EXPECT_FALSE(is_own_host(host, own)) << host;
}

}  // namespace
}  // namespace eventgate

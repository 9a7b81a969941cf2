#include "eventgate/readers/redaction.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "eventgate/readers/frame.hpp"
#include "readers/lower_case.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;
using Json = nlohmann::ordered_json;

RedactionRules rules(const std::string& redact) {
  ParsedRedaction parsed = parse_redaction(Json::parse(redact));
  EXPECT_EQ(parsed.problem, "");
  return RedactionRules(std::move(parsed.rules), {});
}

RedactionRules pages() {
  return RedactionRules({}, {{"ru.wikipedia.org", {"Secret page", "Тайная СТРАНИЦА"}}, {"de.org", {}}});
}

/// The event as it is sent, without what `meta` gets; `withheld` if it is not sent.
std::string redacted(const RedactionRules& rules, std::string event) {
  SourceRecord record;
  record.value = std::move(event);
  const Frame frame = make_frame("t", record, &rules);
  if (frame.skip == SkipCause::not_redacted) return "withheld";
  std::string text(frame.event());
  for (const std::string added :
       {R"(,"topic":"t","partition":0,"offset":0)", R"("topic":"t","partition":0,"offset":0)"})
    if (const std::size_t at = text.find(added); at != std::string::npos) text.erase(at, added.size());
  return text;
}

std::string page_event(const std::string& stream, const std::string& rest,
                       const std::string& domain = "ru.wikipedia.org") {
  return R"({"meta":{"stream":")" + stream + R"(","domain":")" + domain + R"("},)" + rest + "}";
}

TEST(RedactionTitle, IgnoresCaseAndKindsOfBlanks) {
  EXPECT_EQ(redaction_title("  Secret   Page "), "secret_page");
  EXPECT_EQ(redaction_title("Secret_page"), "secret_page");
  EXPECT_EQ(redaction_title("\u00A0Secret\u3000_\tpage_"), "secret_page");
  EXPECT_EQ(redaction_title("ТАЙНАЯ Страница"), "тайная_страница");
  EXPECT_EQ(redaction_title("ÄÖÜ ΑΣ Ǆ"), "äöü_ασ_ǆ");
  EXPECT_EQ(redaction_title("\xff"), "\uFFFD");
  EXPECT_EQ(redaction_title(" _ "), "");
}

TEST(LowerCase, KnowsRangesAndStepsOfUnicode) {
  EXPECT_EQ(to_unicode_lower('A'), unsigned{'a'});
  EXPECT_EQ(to_unicode_lower('['), unsigned{'['});
  EXPECT_EQ(to_unicode_lower(0xC0), 0xE0u);
  EXPECT_EQ(to_unicode_lower(0xD7), 0xD7u);
  EXPECT_EQ(to_unicode_lower(0x100), 0x101u);
  EXPECT_EQ(to_unicode_lower(0x101), 0x101u);
  EXPECT_EQ(to_unicode_lower(0x10400), 0x10428u);
  EXPECT_EQ(to_unicode_lower(0x10FFFF), 0x10FFFFu);
}

TEST(RedactedPages, RecentChangeLosesItsUser) {
  EXPECT_EQ(
      redacted(pages(), page_event("mediawiki.recentchange", R"("title":" SECRET  page","user":"U","bot":false)")),
      page_event("mediawiki.recentchange", R"("title":" SECRET  page","bot":false)"));
  EXPECT_EQ(redacted(pages(), page_event("mediawiki.recentchange", R"("title":"тайная_страница","user":"U")")),
            page_event("mediawiki.recentchange", R"("title":"тайная_страница")"));
}

TEST(RedactedPages, OtherTitlesAndDomainsStay) {
  for (const std::string& event :
       {page_event("mediawiki.recentchange", R"("title":"Open page","user":"U")"),
        page_event("mediawiki.recentchange", R"("title":"Secret page","user":"U")", "en.wikipedia.org"),
        page_event("mediawiki.recentchange", R"("page_title":"Secret page","user":"U")"),
        page_event("mediawiki.recentchange", R"("title":"Secret page","user":"U")", "de.org"),
        std::string(R"({"meta":{},"title":"Secret page","user":"U"})")})
    EXPECT_EQ(redacted(pages(), event), event);
}

TEST(RedactedPages, PageChangeLosesPerformerAndEditors) {
  EXPECT_EQ(redacted(pages(), page_event("mediawiki.page_change.v1",
                                         R"("page":{"page_title":"Secret page"},"performer":{"user_text":"x"},)"
                                         R"("revision":{"rev_id":1,"editor":{"user_text":"x"}},)"
                                         R"("prior_state":{"revision":{"editor":{"user_text":"y"}}})")),
            page_event("mediawiki.page_change.v1",
                       R"("page":{"page_title":"Secret page"},"performer":{},"revision":{"rev_id":1},)"
                       R"("prior_state":{"revision":{}})"));
  EXPECT_EQ(redacted(pages(), page_event("mediawiki.page_change.v1",
                                         R"("page":{"page_title":"Secret page"},"performer":{"user_text":"x"})")),
            page_event("mediawiki.page_change.v1", R"("page":{"page_title":"Secret page"},"performer":{})"));
}

TEST(RedactedPages, OthersLoseTheirPerformer) {
  EXPECT_EQ(redacted(pages(), page_event("mediawiki.page-move", R"("performer":{"a":1},"page_title":"Secret_page")")),
            page_event("mediawiki.page-move", R"("page_title":"Secret_page")"));
  EXPECT_EQ(redacted(pages(), page_event("other", R"("page":{"page_title":"Secret_page"},"performer":1)")),
            page_event("other", R"("page":{"page_title":"Secret_page"})"));
}

TEST(RedactedPages, ATitleThatCannotBeComparedWithholdsTheEvent) {
  EXPECT_EQ(redacted(pages(), page_event("other", R"("page_title":["Secret page"],"performer":1)")), "withheld");
  EXPECT_EQ(redacted(pages(), page_event("other", R"("page_title":{},"performer":1)", "en.org")),
            page_event("other", R"("page_title":{},"performer":1)", "en.org"));
}

TEST(RedactedPages, KeysThatOccurTwiceOrAreEscapedAreRedactedToo) {
  EXPECT_EQ(redacted(pages(), page_event("other", R"("performer":1,"page_title":"Secret page","page_title":"x",)"
                                                  R"("performer":2,"perf\u006frmer":3)")),
            page_event("other", R"("page_title":"Secret page","page_title":"x")"));
}

TEST(Redact, WithoutWhenItAlwaysHolds) {
  const RedactionRules always = rules(R"([{"fields":["performer","user.name"]}])");
  EXPECT_EQ(redacted(always, R"({"meta":{},"performer":1,"user":{"name":"x","id":2},"z":1})"),
            R"({"meta":{},"user":{"id":2},"z":1})");
}

TEST(Redact, CommasFitWhateverIsRemoved) {
  const RedactionRules ab = rules(R"([{"fields":["a","b","o.a","o.b"]}])");
  const std::pair<const char*, const char*> cases[] = {
      {R"({"a":1,"b":2,"meta":{}})", R"({"meta":{}})"},
      {R"({"meta":{},"a":1,"b":2})", R"({"meta":{}})"},
      {R"({"a":1,"meta":{},"b":2})", R"({"meta":{}})"},
      {R"({"a":1,"c":3,"b":2,"meta":{}})", R"({"c":3,"meta":{}})"},
      {R"({"c":3,"a":1,"b":2,"d":4,"meta":{}})", R"({"c":3,"d":4,"meta":{}})"},
      {R"({"o":{"a":1},"meta":{}})", R"({"o":{},"meta":{}})"},
      {R"({"o":{"a":{"b":1},"b":[1],"c":0},"meta":{}})", R"({"o":{"c":0},"meta":{}})"},
      {R"({"a":1})", R"({"meta":{}})"},
      {R"({"a":1,"b":2})", R"({"meta":{}})"},
      {R"({"c":0,"a":1})", R"({"c":0,"meta":{}})"}};
  for (const auto& [event, expected] : cases) EXPECT_EQ(redacted(ab, event), expected) << event;
}

TEST(Redact, MembersOfMetaCanBeRemoved) {
  EXPECT_EQ(redacted(rules(R"([{"fields":["meta.request_id"]}])"), R"({"meta":{"request_id":"x"},"a":1})"),
            R"({"meta":{},"a":1})");
  EXPECT_EQ(redacted(rules(R"([{"fields":["meta.request_id"]}])"), R"({"meta":{"id":"y","request_id":"x"}})"),
            R"({"meta":{"id":"y"}})");
}

TEST(Redact, ReplacePutsAValueInPlace) {
  EXPECT_EQ(redacted(rules(R"([{"fields":["a"],"replace":{"x":null}}])"), R"({"meta":{},"a":[1,2],"b":1})"),
            R"({"meta":{},"a":{"x":null},"b":1})");
  EXPECT_EQ(redacted(rules(R"([{"fields":["a"],"replace":"-"},{"fields":["a.b"]}])"), R"({"meta":{},"a":{"b":1}})"),
            R"({"meta":{},"a":"-"})");
}

TEST(Redact, EveryPathOfWhenMustHold) {
  const RedactionRules both =
      rules(R"([{"fields":["user"],"when":{"meta.domain":["ru.org","de.org"],"page.id":7},"remove":true}])");
  EXPECT_EQ(redacted(both, R"({"meta":{"domain":"de.org"},"page":{"id":7},"user":1})"),
            R"({"meta":{"domain":"de.org"},"page":{"id":7}})");
  for (const char* const event :
       {R"({"meta":{"domain":"de.org"},"page":{"id":8},"user":1})",
        R"({"meta":{"domain":"x"},"page":{"id":7},"user":1})", R"({"meta":{"domain":"de.org"},"user":1})"})
    EXPECT_EQ(redacted(both, event), event);
  EXPECT_EQ(redacted(both, R"({"meta":{"domain":"de.org"},"page":{"id":[7]},"user":1})"), "withheld");
  EXPECT_EQ(redacted(both, R"({"meta":{"domain":"x"},"page":{"id":[7]},"user":1})"),
            R"({"meta":{"domain":"x"},"page":{"id":[7]},"user":1})");
}

TEST(Redact, ARuleThatCannotBeUsedIsNamed) {
  for (const char* const redact :
       {"{}", "[1]", R"([{}])", R"([{"fields":[]}])", R"([{"fields":"a"}])", R"([{"fields":[""]}])",
        R"([{"fields":["meta"]}])", R"([{"fields":["a"],"when":{}}])", R"([{"fields":["a"],"when":{"b":{}}}])",
        R"([{"fields":["a"],"when":{"b":[[]]}}])", R"([{"fields":["a"],"remove":false}])",
        R"([{"fields":["a"],"remove":true,"replace":1}])", R"([{"fields":["a"],"unless":{"b":1}}])"})
    EXPECT_THAT(parse_redaction(Json::parse(redact)).problem, HasSubstr("expected")) << redact;
}

TEST(Redact, RulesThatWithholdSendNothing) {
  EXPECT_EQ(redacted(RedactionRules({}, {}, true), R"({"meta":{}})"), "withheld");
}

TEST(Redact, KeysOfRulesTellThemApart) {
  EXPECT_EQ(rules(R"([{"fields":["a"]}])").key(), rules(R"([{"fields":["a"],"remove":true}])").key());
  EXPECT_NE(rules(R"([{"fields":["a"]}])").key(), rules(R"([{"fields":["a"],"replace":null}])").key());
  EXPECT_NE(rules(R"([{"fields":["a"]}])").key(), rules(R"([{"fields":["a"],"when":{"b":1}}])").key());
  EXPECT_NE(pages().key(), RedactionRules({}, {}).key());
}

}  // namespace
}  // namespace eventgate

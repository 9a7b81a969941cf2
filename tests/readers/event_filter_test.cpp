#include "eventgate/readers/event_filter.hpp"

#include <gtest/gtest.h>

#include <string>

namespace eventgate {
namespace {

using Conditions = std::vector<EventFilter::Condition>;

bool matches(const Conditions& conditions, std::string event) {
  const std::size_t size = event.size();
  event.append(kJsonPadding, ' ');
  JsonNodes nodes;
  EXPECT_FALSE(parse_json(std::string_view(event).substr(0, size), nodes));
  return EventFilter(conditions).matches(nodes.root());
}

TEST(EventFilter, ValuesOfAPathAreAlternativesAndPathsAllHold) {
  const Conditions edits{{FieldPath("meta.domain"), {"de.wikipedia.org"}, false},
                         {FieldPath("type"), {"edit", "new"}, false}};
  EXPECT_TRUE(matches(edits, R"({"meta":{"domain":"de.wikipedia.org"},"type":"new"})"));
  EXPECT_FALSE(matches(edits, R"({"meta":{"domain":"de.wikipedia.org"},"type":"log"})"));
  EXPECT_FALSE(matches(edits, R"({"meta":{"domain":"en.wikipedia.org"},"type":"edit"})"));
}

TEST(EventFilter, StringsCompareByContentOthersByTheirText) {
  EXPECT_TRUE(matches({{FieldPath("a"), {"é\n"}, false}}, R"({"a":"\u00e9\n"})"));
  EXPECT_TRUE(matches({{FieldPath("a"), {"1.0"}, false}}, R"({"a":1.0})"));
  EXPECT_FALSE(matches({{FieldPath("a"), {"1"}, false}}, R"({"a":1.0})"));
  EXPECT_TRUE(matches({{FieldPath("a"), {"true"}, false}}, R"({"a":true})"));
  EXPECT_TRUE(matches({{FieldPath("a"), {"null"}, false}}, R"({"a":null})"));
  EXPECT_FALSE(matches({{FieldPath("a"), {"{}", "[]"}, false}}, R"({"a":{}})"));
}

TEST(EventFilter, AnAbsentFieldMatchesNoMatchAndEveryNot) {
  EXPECT_FALSE(matches({{FieldPath("a.b"), {""}, false}}, R"({"a":1})"));
  EXPECT_TRUE(matches({{FieldPath("a.b"), {""}, true}}, R"({"a":1})"));
  EXPECT_FALSE(matches({{FieldPath("bot"), {"true"}, true}}, R"({"bot":true})"));
  EXPECT_TRUE(matches({{FieldPath("bot"), {"true", "x"}, true}}, R"({"bot":false})"));
}

TEST(EventFilter, FiltersThatDecideAlikeHaveOneKey) {
  const EventFilter a({{FieldPath("a"), {"1", "2"}, false}, {FieldPath("b"), {"3"}, true}});
  const EventFilter b({{FieldPath("b"), {"3"}, true}, {FieldPath("a"), {"2", "1"}, false}});
  EXPECT_EQ(a.key(), b.key());
  EXPECT_NE(a.key(), EventFilter({{FieldPath("a"), {"1", "2"}, false}, {FieldPath("b"), {"3"}, false}}).key());
  EXPECT_NE(EventFilter({{FieldPath("a"), {"12"}, false}}).key(),
            EventFilter({{FieldPath("a"), {"1", "2"}, false}}).key());
  EXPECT_EQ(EventFilter().key(), "");
}

}  // namespace
}  // namespace eventgate

#include "eventgate/http/query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventgate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(Query, ParametersAreDecoded) {
  EXPECT_THAT(parse_query("a=b%20c+d&&hasty&e=&=f&g=h=i"),
              ElementsAre(Pair("a", "b c d"), Pair("hasty", ""), Pair("e", ""), Pair("", "f"), Pair("g", "h=i")));
  EXPECT_THAT(parse_query(""), IsEmpty());
}

TEST(Query, NameOrValueWithABadEscapeStaysAsItIs) {
  EXPECT_THAT(parse_query("a=%2&%xx=%4142%&b=%41+%2B&c=%41+%"),
              ElementsAre(Pair("a", "%2"), Pair("%xx", "%4142%"), Pair("b", "A +"), Pair("c", "%41 %")));
  EXPECT_THAT(parse_query("a=%ff%41&b=%C3%A9&c=%ED%A0%80&%C3=%EF%BF%BD"),
              ElementsAre(Pair("a", "%ff%41"), Pair("b", "\xC3\xA9"), Pair("c", "%ED%A0%80"), Pair("%C3", "\uFFFD")));
}

TEST(Query, HasParameterComparesExactly) {
  EXPECT_TRUE(has_parameter({{"spec", ""}}, "spec"));
  EXPECT_FALSE(has_parameter({{"SPEC", ""}, {"specs", ""}}, "spec"));
}

}  // namespace
}  // namespace eventgate

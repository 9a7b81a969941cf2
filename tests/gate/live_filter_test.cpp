#include "eventgate/gate/live_filter.hpp"

#include <gtest/gtest.h>

#include <string>

namespace eventgate {
namespace {

TEST(LiveFilter, NamesMatchExactlyOrByPattern) {
  EXPECT_TRUE(matches_name("a.b", "a.b"));
  EXPECT_FALSE(matches_name("a.b", "A.b"));
  EXPECT_FALSE(matches_name("a.b", "a.bc"));
  EXPECT_TRUE(matches_name("*", ""));
  EXPECT_TRUE(matches_name("a*", "ABC"));
  EXPECT_TRUE(matches_name("*b*d", "abcbd"));
  EXPECT_FALSE(matches_name("*b*d", "abcbde"));
  EXPECT_TRUE(matches_name("**a**", "xax"));
  EXPECT_FALSE(matches_name("a*b", "a"));
  EXPECT_FALSE(matches_name("", "a"));
  EXPECT_TRUE(matches_name("", ""));
}

TEST(LiveFilter, PatternOfManyStarsTakesLittleTime) {
  std::string pattern;
  for (int i = 0; i < 120; ++i) pattern += "a*";
  EXPECT_FALSE(matches_name(pattern + 'b', std::string(1024, 'a')));
}

TEST(LiveFilter, TextIsFoundInEveryPart) {
  EventStatus status;
  status.message = "No ROOM";
  LiveEvent event;
  event.outcome = LiveOutcome::error;
  event.text = "{\"a\":\"Text\"}";
  event.stream = "my.stream";
  event.topic = "dc1.my.stream";
  event.cause = "not_produced";
  event.status = &status;
  LiveFilter filter;
  for (const char* const text : {"text", "my.str", "dc1.", "not_prod", "no room"}) {
    filter.text = text;
    EXPECT_TRUE(filter.wants(event)) << text;
  }
  filter.text = "absent";
  EXPECT_FALSE(filter.wants(event));
}

}  // namespace
}  // namespace eventgate

#include "eventgate/api/parse_body.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace eventgate {
namespace {

ParsedBody parse(std::string body) { return parse_body(std::move(body), JsonLimits{}, 2); }

TEST(ParseBody, ObjectIsOneEventAndArrayIsItsElements) {
  const ParsedBody one = parse(R"({"a":1})");
  ASSERT_TRUE(std::holds_alternative<EventBatch>(one));
  EXPECT_EQ(std::get<EventBatch>(one).size(), 1u);
  const ParsedBody two = parse(R"([{}, 7])");
  ASSERT_TRUE(std::holds_alternative<EventBatch>(two));
  EXPECT_EQ(std::get<EventBatch>(two).size(), 2u);
}

TEST(ParseBody, NothingAnEmptyObjectAndAnEmptyArrayAreEmpty) {
  for (const char* const body : {"", " \r\n\t", "\xef\xbb\xbf", "\xef\xbb\xbf ", "{}", " [ ] "})
    EXPECT_TRUE(std::holds_alternative<EmptyBody>(parse(body))) << body;
  EXPECT_TRUE(std::holds_alternative<EventBatch>(parse("[{}]")));
}

TEST(ParseBody, MalformedBodyKeepsItsTextAndItsError) {
  const ParsedBody parsed = parse("[1,");
  ASSERT_TRUE(std::holds_alternative<MalformedBody>(parsed));
  const MalformedBody& malformed = std::get<MalformedBody>(parsed);
  EXPECT_EQ(malformed.body, "[1,");
  EXPECT_THAT(malformed.detail(), testing::StartsWith("The body is not JSON that we take: expected "));
  EXPECT_THAT(std::get<MalformedBody>(parse("7")).detail(),
              testing::HasSubstr("an object or an array at byte 0, found '7'."));
}

TEST(ParseBody, MoreEventsThanTheLimitAreTooMany) {
  const ParsedBody parsed = parse("[1,2,3]");
  ASSERT_TRUE(std::holds_alternative<TooManyEvents>(parsed));
  EXPECT_EQ(std::get<TooManyEvents>(parsed).detail(), "The body has 3 events: expected at most 2 (max_events).");
}

}  // namespace
}  // namespace eventgate

#include "readers/accept.hpp"

#include <gtest/gtest.h>

#include <string>

namespace eventgate {
namespace {

std::string_view type_of(std::string_view accept) { return accepted_format(accept).content_type; }

constexpr std::string_view kSse = "text/event-stream; charset=utf-8";
constexpr std::string_view kJson = "application/json; charset=utf-8";
constexpr std::string_view kLines = "application/x-ndjson";

TEST(Accept, WithoutAWishServerSentEventsAreSent) {
  for (const char* const accept :
       {"", "*/*", "text/event-stream", "text/*", "application/xml", "application/json-seq",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json;q=0", ",", ";q=1"})
    EXPECT_EQ(type_of(accept), kSse) << accept;
}

TEST(Accept, JsonTypesGiveLinesUnderTheirName) {
  for (const char* const accept :
       {"application/json", "Application/JSON", "application/json; charset=utf-8",
        "application/json, text/event-stream;q=0.5", "application/*", "application/json, text/plain, */*"})
    EXPECT_EQ(type_of(accept), kJson) << accept;
  EXPECT_EQ(type_of("application/x-ndjson"), kLines);
  EXPECT_EQ(accepted_format("application/x-ndjson").format, StreamFormat::lines);
}

TEST(Accept, TheHighestWeightWinsThenTheFirst) {
  EXPECT_EQ(type_of("application/json;q=0.5, text/event-stream"), kSse);
  EXPECT_EQ(type_of("application/json;q=0.5, text/event-stream;q=0.4"), kJson);
  EXPECT_EQ(type_of("text/event-stream, application/json"), kSse);
  EXPECT_EQ(type_of("application/json, text/event-stream"), kJson);
  EXPECT_EQ(type_of("application/x-ndjson, application/json"), kLines);
  EXPECT_EQ(type_of("application/json;q=0.123;level=1, */*;q=0.122"), kJson);
}

TEST(Accept, AWeightThatIsNoneCountsAsOne) {
  EXPECT_EQ(type_of("text/event-stream;q=0.9, application/json;q=x"), kJson);
}

}  // namespace
}  // namespace eventgate

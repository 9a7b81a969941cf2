#include "eventgate/base/timestamp.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace eventgate {
namespace {

TEST(ParseTimestamp, ReadsTheFormatsOfJavaScriptsDate) {
  const std::vector<std::pair<std::string, std::int64_t>> times{{"1970-01-01T00:00:00Z", 0},
                                                                {"2020-04-02T19:11:20.942Z", 1585854680942},
                                                                {"2020-04-02T19:11:20.9429999Z", 1585854680942},
                                                                {"2020-04-02T19:11:20.9Z", 1585854680900},
                                                                {"2020-04-02t19:11:20z", 1585854680000},
                                                                {"2020-04-02 19:11:20Z", 1585854680000},
                                                                {"2020-04-02T21:11:20+02:00", 1585854680000},
                                                                {"2020-04-02T15:41:20-0330", 1585854680000},
                                                                {"2020-04-02T21:11:20+02", 1585854680000},
                                                                {"2020-04-02T19:11Z", 1585854660000},
                                                                {"2020-04-02T19:11:20", 1585854680000},
                                                                {"2020-04-02", 1585785600000},
                                                                {"2020-04", 1585699200000},
                                                                {"2020", 1577836800000},
                                                                {"2020-04-02T24:00:00Z", 1585872000000},
                                                                {"2021-02-29T00:00:00Z", 1614556800000},
                                                                {"2000-02-29T12:00:00Z", 951825600000},
                                                                {"1969-12-31T23:59:59.999Z", -1},
                                                                {"0000-01-01T00:00:00Z", -62167219200000},
                                                                {"+275760-09-13T00:00:00.000Z", 8640000000000000},
                                                                {"-000001-01-01T00:00:00Z", -62198755200000}};
  for (const auto& [text, milliseconds] : times) EXPECT_EQ(parse_timestamp(text), milliseconds) << text;
}

TEST(ParseTimestamp, OtherTexts_AreRejected) {
  for (const char* text : {"",
                           "x",
                           "202",
                           "2020-13-01",
                           "2020-00-01",
                           "2020-01-32",
                           "2020-01-00",
                           "2020-1-1",
                           "2020-04-02T",
                           "2020-04-02T19",
                           "2020-04-02T19:60:00Z",
                           "2020-04-02T19:11:60Z",
                           "2020-04-02T25:00:00Z",
                           "2020-04-02T24:00:01Z",
                           "2020-04-02T19:11:20.Z",
                           "2020-04-02T19:11:20+2",
                           "2020-04-02T19:11:20+24:00",
                           "2020-04-02T19:11:20+02:60",
                           "2020-04-02T19:11:20Zx",
                           "2020-04-02T19:11:20 Z",
                           "-000000-01-01",
                           "+275760-09-13T00:00:00.001Z",
                           "+999999-01-01"})
    EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
}

TimeMilliseconds time(std::int64_t milliseconds) { return TimeMilliseconds(std::chrono::milliseconds(milliseconds)); }

TEST(FormatTimestamp, EqualsToIsoString) {
  EXPECT_EQ(format_timestamp(time(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_timestamp(time(1585854680942)), "2020-04-02T19:11:20.942Z");
  EXPECT_EQ(format_timestamp(time(951782400007)), "2000-02-29T00:00:00.007Z");
  EXPECT_EQ(format_timestamp(time(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format_timestamp(time(-62167219200000)), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(format_timestamp(time(253402300799999)), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(format_timestamp(time(8640000000000000)), "+275760-09-13T00:00:00.000Z");
  EXPECT_EQ(format_timestamp(time(-62198755200000)), "-000001-01-01T00:00:00.000Z");
}

TEST(FormatTimestamp, SecondsHaveNoFraction) {
  EXPECT_EQ(format_timestamp_seconds(time(1585854680942)), "2020-04-02T19:11:20Z");
}

TEST(FormatTimestamp, TimePointIsRoundedDown) {
  const std::chrono::system_clock::time_point before_epoch(std::chrono::nanoseconds(-1));
  EXPECT_EQ(format_timestamp(before_epoch), "1969-12-31T23:59:59.999Z");
  std::string text = "dt ";
  append_timestamp(text, before_epoch);
  EXPECT_EQ(text, "dt 1969-12-31T23:59:59.999Z");
}

TEST(FormatTimestamp, Formatted_IsParsedToTheSameTime) {
  for (std::int64_t milliseconds = -62167219200000; milliseconds < 253402300800000;
       milliseconds += 86400000LL * 31 + 12345)
    ASSERT_EQ(parse_timestamp(format_timestamp(time(milliseconds))), milliseconds);
}

TEST(FormatTimestamp, EveryNumber_IsFormatted) {
  for (const std::int64_t limit :
       {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    const UtcTime utc = to_utc_time(time(limit));
    EXPECT_TRUE(utc.month >= 1 && utc.month <= 12 && utc.hour < 24) << limit;
  }
}

TEST(UtcTime, ReturnsTheWeekday) {
  EXPECT_EQ(to_utc_time(time(0)).weekday, 4U);              // a Thursday
  EXPECT_EQ(to_utc_time(time(784111777000)).weekday, 0U);   // Sun, 06 Nov 1994
  EXPECT_EQ(to_utc_time(time(-86400000 * 5)).weekday, 6U);  // a Saturday
}

}  // namespace
}  // namespace eventgate

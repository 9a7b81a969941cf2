#include "readers/moment.hpp"

#include <gtest/gtest.h>

#include <string>

namespace eventgate {
namespace {

constexpr std::int64_t kNow = 1'795'910'400'000;

/// The moment of a text, or what is wrong with it.
std::string moment(std::string_view text) {
  const auto result = parse_moment(text, kNow);
  if (result) return std::to_string(*result);
  return result.error() == MomentError::number ? "number" : "unreadable";
}

TEST(Moment, Iso8601WithoutAZoneIsUtcAndADateIsItsMidnight) {
  EXPECT_EQ(moment("2026-11-01T00:20:00Z"), "1793492400000");
  EXPECT_EQ(moment("2026-11-01T00:20:00"), "1793492400000");
  EXPECT_EQ(moment("2026-11-01T02:20:00+02:00"), "1793492400000");
  EXPECT_EQ(moment("2026-11-01"), "1793491200000");
  EXPECT_EQ(moment("2026-11-01T00:00:00.123Z"), "1793491200123");
}

TEST(Moment, Rfc2822WithItsZonesAndOptionalParts) {
  EXPECT_EQ(moment("Sun, 01 Nov 2026 00:20:00 GMT"), "1793492400000");
  EXPECT_EQ(moment("1 Nov 2026 00:20 +0000"), "1793492400000");
  EXPECT_EQ(moment("sun, 1 nov 2026 02:20:00 +0200 (Central European Time)"), "1793492400000");
  EXPECT_EQ(moment("Sat, 31 Oct 2026 19:20:00 EST"), "1793492400000");
  EXPECT_EQ(moment("01 Nov 26 00:20:00 UT"), "1793492400000");
}

TEST(Moment, MillisecondsHaveTwelveDigitsOrMore) {
  EXPECT_EQ(moment("1793492400001"), "1793492400001");
  EXPECT_EQ(moment("100000000000"), "100000000000");
  EXPECT_EQ(moment("99999999999999999999999999"), "8640000000000000");
}

TEST(Moment, ZeroAndTimesBefore1970AreTheBeginning) {
  EXPECT_EQ(moment("0"), "0");
  EXPECT_EQ(moment("1969-12-31T00:00:00Z"), "0");
}

TEST(Moment, MinusWithAUnitCountsBackFromNow) {
  EXPECT_EQ(moment("-30s"), std::to_string(kNow - 30'000));
  EXPECT_EQ(moment("-15m"), std::to_string(kNow - 900'000));
  EXPECT_EQ(moment("-2h"), std::to_string(kNow - 7'200'000));
  EXPECT_EQ(moment("-1d"), std::to_string(kNow - 86'400'000));
  EXPECT_EQ(moment("-999999999d"), "0");
}

TEST(Moment, OtherNumbersOfJavaScriptAreNoMoments) {
  for (const char* const text : {"1793492400", "-5", "1793491200000.5", " ", "Infinity", "-Infinity", "1e13", "0x10",
                                 "00", "-1793491200000", "99999999999", "+5", ".5", "\t"})
    EXPECT_EQ(moment(text), "number") << text;
}

TEST(Moment, AllElseIsUnreadable) {
  for (const char* const text : {"yesterday",
                                 "'; --",
                                 "2026-11-01T02:20:00 02:00",
                                 "now",
                                 "-15y",
                                 "15m",
                                 "-m",
                                 "-1.5h",
                                 "--5m",
                                 "-9999999999m",
                                 "Sun, 32 Nov 2026 00:00:00 GMT",
                                 "Sun, 30 Feb 2026 00:00:00 GMT",
                                 "01 Nov 2026 24:00:00 GMT",
                                 "01 Nov 2026 00:20:00 XYZ",
                                 "01 Nov 2026 00:20:00 +9999",
                                 "Foo, 01 Nov 2026 00:20:00 GMT",
                                 "nan",
                                 "inf",
                                 "0x",
                                 "2026-13-01",
                                 "2026-11-01T25:00:00Z",
                                 "(",
                                 ")",
                                 "Sun,"})
    EXPECT_EQ(moment(text), "unreadable") << text;
  EXPECT_EQ(moment(std::string(100'000, 'a')), "unreadable");
}

}  // namespace
}  // namespace eventgate

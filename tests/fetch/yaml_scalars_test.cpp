#include "fetch/yaml_scalars.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

TEST(YamlScalars, PlainScalarsHaveTheTypesOfTheCoreSchema) {
  EXPECT_EQ(plain_scalar("~"), Json(nullptr));
  EXPECT_EQ(plain_scalar("True"), Json(true));
  EXPECT_EQ(plain_scalar("yes"), Json("yes"));
  EXPECT_EQ(plain_scalar("-12"), Json(-12));
  EXPECT_EQ(plain_scalar("0x1F"), Json(31));
  EXPECT_EQ(plain_scalar("0o17"), Json(15));
  EXPECT_EQ(plain_scalar("017"), Json(17));
  EXPECT_EQ(plain_scalar("1.5e3"), Json(1500.0));
  EXPECT_EQ(plain_scalar("1e999").get<double>(), HUGE_VAL);
  EXPECT_EQ(plain_scalar("-.inf").get<double>(), -HUGE_VAL);
  EXPECT_EQ(plain_scalar("2001-12-14"), Json("2001-12-14T00:00:00.000Z"));
  EXPECT_EQ(plain_scalar("1.2.3"), Json("1.2.3"));
}

TEST(YamlScalars, TimestampsAreWrittenInUtcWithMilliseconds) {
  EXPECT_EQ(yaml_timestamp("2001-12-14t21:59:43.10-05:00"), "2001-12-15T02:59:43.100Z");
  EXPECT_EQ(yaml_timestamp("2001-12-14 21:59:43.1234 -5"), "2001-12-15T02:59:43.123Z");
  EXPECT_EQ(yaml_timestamp("2001-1-2 3:04:05"), "2001-01-02T03:04:05.000Z");
  EXPECT_EQ(yaml_timestamp("2001-12-15 2:59:43.10  Z"), "2001-12-15T02:59:43.100Z");
  EXPECT_EQ(yaml_timestamp("9999-12-31T23:59:59-01:00"), "+010000-01-01T00:59:59.000Z");
}

TEST(YamlScalars, OtherTextsAreNoTimestamps) {
  for (const char* text :
       {"", "2001", "2001-1-2", "2001-12-1", "2001-02-29", "2001-12-14T", "2001-12-14T21:59", "2001-12-14T24:00:00",
        "2001-12-14T21:59:43 +", "2001-12-14T21:59:43 +05:0", "2001-12-14T21:59:43ZZ", "2001-12-14  "})
    EXPECT_EQ(yaml_timestamp(text), std::nullopt) << text;
}

}  // namespace
}  // namespace eventgate

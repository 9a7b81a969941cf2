#include "gate/flaw_errors.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "eventgate/gate/event_batch.hpp"
#include "eventgate/schema/compiled_schema.hpp"

namespace eventgate {
namespace {

/// The errors of the only event in `body`.
std::vector<ValidationError> errors_of(const std::string& body) {
  const auto batch = EventBatch::parse(std::string(body), JsonLimits());
  return flaw_errors((*batch)[0], batch->flaws(0));
}

TEST(DataPath, LeadsToTheValueThroughObjectsAndArrays) {
  const auto batch = EventBatch::parse(R"({"a":[1,{"b-c":[[],"x"]}],"d":2})", JsonLimits());
  const JsonValue event = (*batch)[0];
  const JsonValue inner = *(*++event.find("a")->begin()).find("b-c");
  EXPECT_EQ(data_path(event, event.index()), "");
  EXPECT_EQ(data_path(event, inner.index()), ".a[1]['b-c']");
  EXPECT_EQ(data_path(event, (*++inner.begin()).index()), ".a[1]['b-c'][1]");
  EXPECT_EQ(data_path(event, event.find("d")->index()), ".d");
}

TEST(DataPath, OfAKeyIsThePathOfItsObject) {
  const auto batch = EventBatch::parse(R"({"a":{"k":1,"l":2}})", JsonLimits());
  const JsonValue inner = *(*batch)[0].find("a");
  EXPECT_EQ(data_path((*batch)[0], inner.index() + 3), ".a");
}

TEST(FlawErrors, CountTheOffsetFromTheStartOfTheEvent) {
  const auto batch = EventBatch::parse(R"([{}, {"a": 1e999}])", JsonLimits());
  const auto errors = flaw_errors((*batch)[1], batch->flaws(1));
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].keyword, "json");
  EXPECT_EQ(errors[0].data_path, ".a");
  EXPECT_EQ(errors[0].schema_path, "#");
  EXPECT_EQ(errors[0].params, R"({"offset":6})");
  EXPECT_EQ(errors[0].message, "should be a number within a double");
}

TEST(FlawErrors, PointAtTheFirstByteThatIsNoUtf8) {
  const auto errors = errors_of("{\"a\":\"xy\xFFz\"}");
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].params, R"({"offset":8})");
  EXPECT_EQ(errors[0].message, "should be valid UTF-8");
}

TEST(FlawErrors, HavePathsThatAreValidUtf8) {
  EXPECT_EQ(errors_of("{\"\xFF\":{\"a\":\"\\ud800\"}}").back().data_path, "['\xEF\xBF\xBD'].a");
}

TEST(FlawErrors, BeyondTheMaximumEndWithOneThatSaysSo) {
  std::string body = R"({"a":[1e999)";
  for (std::size_t i = 0; i < kMaxErrors; ++i) body += ",1e999";
  const auto errors = errors_of(body + "]}");
  ASSERT_EQ(errors.size(), kMaxErrors + 1);
  EXPECT_EQ(errors.back().keyword, "maxErrors");
  EXPECT_EQ(errors.back().params, "{\"limit\":" + std::to_string(kMaxErrors) + "}");
}

}  // namespace
}  // namespace eventgate

#include "eventgate/gate/event_batch.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace eventgate {
namespace {

std::string sources(const EventBatch& batch) {
  std::string list;
  for (std::size_t i = 0; i < batch.size(); ++i) list += std::string(batch[i].source()) + ";";
  return list;
}

/// The events of `body`, or the error as "OFFSET: EXPECTED".
std::string events(std::string body, const JsonLimits& limits = {}) {
  const auto batch = EventBatch::parse(std::move(body), limits);
  if (batch.has_error()) return std::to_string(batch.error().offset) + ": " + batch.error().expected;
  return sources(*batch);
}

TEST(EventBatch, ObjectIsOneEvent) { EXPECT_EQ(events(R"( {"a":[{"b":1}]} )"), R"({"a":[{"b":1}]};)"); }

TEST(EventBatch, ElementsOfAnArrayAreEventsWhateverTheirType) {
  EXPECT_EQ(events(R"([{"a":1}, 2,"x",[{}],null, {}])"), R"({"a":1};2;"x";[{}];null;{};)");
}

TEST(EventBatch, EmptyArrayHasNoEvents) { EXPECT_EQ(events("[ ]"), ""); }

TEST(EventBatch, ScalarIsNoBody) {
  EXPECT_EQ(events("  12"), "2: an object or an array");
  EXPECT_EQ(events("\"{}\""), "0: an object or an array");
  EXPECT_EQ(events("null"), "0: an object or an array");
  EXPECT_EQ(events("\xEF\xBB\xBF"
                   "true"),
            "3: an object or an array");
}

TEST(EventBatch, BodyThatIsNotJsonIsAnError) {
  EXPECT_EQ(events(R"([{"a":1},{"a":}])"), "14: a value");
  EXPECT_EQ(events(""), "0: a value");
  EXPECT_EQ(events("[[[]]]", {2}), "2: at most 2 arrays and objects inside one another");
}

TEST(EventBatch, RefusedBodyIsWhatItWas) {
  std::string body = R"({"a":)";
  EXPECT_FALSE(EventBatch::parse(std::move(body)));
  EXPECT_EQ(body, R"({"a":)");
}

TEST(EventBatch, ByteOrderMarkIsNoPartOfAnEvent) { EXPECT_EQ(events("\xEF\xBB\xBF{}"), "{};"); }

TEST(EventBatch, FlawsAreThoseInsideTheEvent) {
  const auto batch = EventBatch::parse(R"([{"a":"\ud800","b":1e999},{"c":1},{"\udc00":1},1e999])");
  std::string listing;
  for (std::size_t i = 0; i < batch->size(); ++i) {
    for (const JsonInteropIssue& flaw : batch->flaws(i))
      listing += JsonValue((*batch)[i].base(), (*batch)[i].nodes(), flaw.node).source();
    listing += ';';
  }
  EXPECT_EQ(listing, R"("\ud800"1e999;;"\udc00";1e999;)");
}

TEST(EventBatch, TextsOfEventsOutliveTheirValues) {
  auto parsed = EventBatch::parse(R"([{"a":1},{"b":2}])");
  ASSERT_TRUE(parsed);
  const std::string_view second = (*parsed)[1].source();
  parsed->release_values();
  const auto next = EventBatch::parse(R"({"a":{"b":["takes","the","memory"]}})");
  EXPECT_EQ(second, R"({"b":2})");
  EXPECT_EQ(parsed->body(), R"([{"a":1},{"b":2}])");
}

TEST(EventBatch, MovedBatchKeepsItsValues) {
  auto parsed = EventBatch::parse(R"([{"a":1},2])");
  const JsonValue first = (*parsed)[0];
  const EventBatch moved = std::move(*parsed);
  EXPECT_EQ(first.source(), R"({"a":1})");
  EXPECT_EQ(sources(moved), R"({"a":1};2;)");
  EXPECT_EQ(moved.body(), R"([{"a":1},2])");
}

}  // namespace
}  // namespace eventgate

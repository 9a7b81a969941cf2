#include "gate/field_index.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "eventgate/gate/event_batch.hpp"

namespace eventgate {
namespace {

EventBatch batch_of(std::string body) { return *EventBatch::parse(std::move(body), JsonLimits()); }

std::string text_at(FieldIndex& index, const FieldPath& path) {
  const auto value = index.find(path);
  return value ? std::string(value->source()) : "none";
}

TEST(FieldIndex, FindsWhatFieldPathFinds) {
  const std::vector<FieldPath> paths{FieldPath("a"),   FieldPath("meta.stream"), FieldPath("meta.id"),
                                     FieldPath("a.b"), FieldPath("meta"),        FieldPath("long.key_of_more_than_8")};
  const EventBatch batch = batch_of(
      R"([{"a":1,"meta":{"stream":"s","id":"i"}},{"meta":{"id":"j","stream":"t"},"a":{"b":2}},{"meta":5,"a":null},{},)"
      R"({"meta":{"id":1,"id":2}},{"m\u0065ta":{"\u0069d":3}},{"long":{"key_of_more_than_9":0,"key_of_more_than_8":1}}])");
  FieldIndex index;
  index.begin_request();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    index.begin(batch[i]);
    for (const FieldPath& path : paths) {
      const auto expected = path.find(batch[i]);
      EXPECT_EQ(text_at(index, path), expected ? expected->source() : "none") << batch[i].source() << path.dotted();
    }
  }
}

TEST(FieldIndex, InsertionPointIsTheInnermostValueWithTheMissingKeys) {
  const EventBatch batch = batch_of(R"([{"meta":{"id":"i"}},{"meta":5},{}])");
  const FieldPath path("meta.request.id");
  FieldIndex index;
  index.begin_request();
  const auto point_of = [&](std::size_t event) {
    index.begin(batch[event]);
    const FieldIndex::InsertionPoint point = index.insertion_point(path);
    std::string text(point.value.source());
    for (const std::string& key : point.keys) text += "|" + key;
    return text;
  };
  EXPECT_EQ(point_of(0), R"({"id":"i"}|request|id)");
  EXPECT_EQ(point_of(1), "5|request|id");
  EXPECT_EQ(point_of(2), "{}|meta|request|id");
}

TEST(FieldIndex, ManyPaths_AreForgottenWithTheNextRequestAndFoundAgain) {
  std::vector<FieldPath> paths;
  for (int i = 0; i < 1000; ++i) paths.emplace_back("k" + std::to_string(i));
  const EventBatch batch = batch_of(R"({"k7":7,"k999":999})");
  FieldIndex index;
  for (int request = 0; request < 3; ++request) {
    index.begin_request();
    index.begin(batch[0]);
    for (const FieldPath& path : paths) text_at(index, path);
    EXPECT_EQ(text_at(index, paths[7]), "7");
    EXPECT_EQ(text_at(index, paths[999]), "999");
    EXPECT_EQ(text_at(index, paths[8]), "none");
  }
}

}  // namespace
}  // namespace eventgate

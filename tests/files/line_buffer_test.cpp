#include "files/line_buffer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventgate/delivery/delivery_handle.hpp"

namespace eventgate {
namespace {

using testing::ElementsAre;

std::vector<std::string> texts(const LineBuffer& buffer) {
  std::vector<std::string> found;
  for (const LineChunk& chunk : buffer.chunks()) found.push_back(chunk.topic + ": " + chunk.bytes);
  return found;
}

TEST(LineBuffer, LinesOfTwoTopics_EachTopicHasOneChunkInOrder) {
  LineBuffer buffer;
  buffer.append("a", "1", nullptr, {});
  buffer.append("b", "2", nullptr, {});
  buffer.append("a", "3", nullptr, {});
  EXPECT_THAT(texts(buffer), ElementsAre("a: 1\n3\n", "b: 2\n"));
  EXPECT_EQ(buffer.bytes(), 6u);
}

TEST(LineBuffer, EachLineKnowsItsEndAndItsHandle) {
  LineBuffer buffer;
  DeliveryHandle first, second;
  buffer.append("a", "{}", &first, {});
  buffer.append("a", "[1]", &second, {});
  const std::vector<BufferedLine>& lines = buffer.chunks()[0].lines;
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].handle, &first);
  EXPECT_EQ(lines[0].end, 3u);
  EXPECT_EQ(lines[1].handle, &second);
  EXPECT_EQ(lines[1].end, 7u);
}

TEST(LineBuffer, LineEndsInAValueBecomeSpaces) {
  LineBuffer buffer;
  buffer.append("a", "{\r\n\"x\":1\n}", nullptr, {});
  buffer.append("a", "\n", nullptr, {});
  EXPECT_THAT(texts(buffer), ElementsAre("a: {  \"x\":1 }\n \n"));
}

TEST(LineBuffer, Cleared_IsEmptyAndTakesLinesOfOtherTopics) {
  LineBuffer buffer;
  for (int topic = 0; topic < 100; ++topic) buffer.append(std::to_string(topic), "{}", nullptr, {});
  buffer.append("large", std::string(2u << 20, 'x'), nullptr, {});
  buffer.clear();
  EXPECT_TRUE(buffer.is_empty());
  EXPECT_EQ(buffer.bytes(), 0u);
  buffer.append("b", "1", nullptr, {});
  EXPECT_THAT(texts(buffer), ElementsAre("b: 1\n"));
}

}  // namespace
}  // namespace eventgate

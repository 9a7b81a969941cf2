#include "eventgate/base/similar_name.hpp"

#include <gtest/gtest.h>

#include <string>

namespace eventgate {
namespace {

constexpr std::size_t kTooMany = kMaxNameEdits + 1;

TEST(SimilarName, CountsEdits) {
  EXPECT_EQ(name_edits("stream", "stream"), 0u);
  EXPECT_EQ(name_edits("strem", "stream"), 1u);
  EXPECT_EQ(name_edits("streams", "stream"), 1u);
  EXPECT_EQ(name_edits("straem", "stream"), 1u);
  EXPECT_EQ(name_edits("xtreem", "stream"), 2u);
  EXPECT_EQ(name_edits("page_title", "pageTitle"), 1u);
}

TEST(SimilarName, MoreThanHalfOfTheNameIsAnotherName) {
  EXPECT_EQ(name_edits("id", "dt"), kTooMany);
  EXPECT_EQ(name_edits("colour", "stream"), kTooMany);
  EXPECT_EQ(name_edits("a", "b"), kTooMany);
  EXPECT_EQ(name_edits("", "stream"), kTooMany);
}

TEST(SimilarName, LongNamesAreNotCompared) {
  EXPECT_EQ(name_edits(std::string(65, 'x'), std::string(65, 'x')), kTooMany);
  EXPECT_EQ(name_edits(std::string(64, 'x'), std::string(64, 'x')), 0u);
}

}  // namespace
}  // namespace eventgate

#include "eventgate/base/edit_distance.hpp"

#include <gtest/gtest.h>

#include <string>

namespace eventgate {
namespace {

constexpr std::size_t kTooMany = kMaxNameEdits + 1;

TEST(EditDistance, CountsInsertedDeletedReplacedAndSwappedBytes) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("schema_title", "schema_title"), 0u);
  EXPECT_EQ(edit_distance("schema_titel", "schema_title"), 1u);
  EXPECT_EQ(edit_distance("schematitle", "schema_title"), 1u);
  EXPECT_EQ(edit_distance("producer", "producers"), 1u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(EditDistance, CaseDoesNotCount) { EXPECT_EQ(edit_distance("Schema_Title", "schema_title"), 0u); }

TEST(EditDistance, ComparesTheFirst64Bytes) {
  EXPECT_EQ(edit_distance(std::string(64, 'x') + "abc", std::string(64, 'x')), 0u);
  EXPECT_EQ(edit_distance("", std::string(100'000, 'x')), 64u);
}

TEST(NameEdits, AreThoseBetweenTwoNames) {
  EXPECT_EQ(name_edits("stream", "stream"), 0u);
  EXPECT_EQ(name_edits("strem", "stream"), 1u);
  EXPECT_EQ(name_edits("streams", "stream"), 1u);
  EXPECT_EQ(name_edits("straem", "stream"), 1u);
  EXPECT_EQ(name_edits("xtreem", "stream"), 2u);
  EXPECT_EQ(name_edits("page_title", "pageTitle"), 1u);
}

TEST(NameEdits, MoreThanHalfOfTheNameIsAnotherName) {
  EXPECT_EQ(name_edits("id", "dt"), kTooMany);
  EXPECT_EQ(name_edits("colour", "stream"), kTooMany);
  EXPECT_EQ(name_edits("a", "b"), kTooMany);
  EXPECT_EQ(name_edits("", "stream"), kTooMany);
}

TEST(NameEdits, LongNamesAreNotCompared) {
  EXPECT_EQ(name_edits(std::string(65, 'x'), std::string(65, 'x')), kTooMany);
  EXPECT_EQ(name_edits(std::string(64, 'x'), std::string(64, 'x')), 0u);
}

}  // namespace
}  // namespace eventgate

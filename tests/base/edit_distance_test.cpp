#include "eventgate/base/edit_distance.hpp"

#include <gtest/gtest.h>

namespace eventgate {
namespace {

TEST(EditDistance, CountsInsertedDeletedAndReplacedBytes) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("schema_title", "schema_title"), 0u);
  EXPECT_EQ(edit_distance("schema_titel", "schema_title"), 2u);
  EXPECT_EQ(edit_distance("schematitle", "schema_title"), 1u);
  EXPECT_EQ(edit_distance("producer", "producers"), 1u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

}  // namespace
}  // namespace eventgate

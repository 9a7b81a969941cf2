#include "eventgate/base/json_pointer.hpp"

#include <gtest/gtest.h>

namespace eventgate {
namespace {

TEST(JsonPointer, TokenIsEscapedAndReadBack) {
  EXPECT_EQ(escape_pointer_token("a/b~c"), "a~1b~0c");
  EXPECT_EQ(unescape_pointer_token("a~1b~0c"), "a/b~c");
  EXPECT_EQ(unescape_pointer_token("~01"), "~1");
}

TEST(JsonPointer, UnknownEscape_IsKept) {
  EXPECT_EQ(unescape_pointer_token("~"), "~");
  EXPECT_EQ(unescape_pointer_token("~2~~1"), "~2~/");
}

}  // namespace
}  // namespace eventgate

#include "eventgate/json/printable.hpp"

#include <gtest/gtest.h>

namespace eventgate {
namespace {

TEST(Printable, EscapesControlCharactersOfTerminals) {
  EXPECT_EQ(printable("a\n\x1b[31m\x7f\xc2\x9b"), R"(a\u000a\u001b[31m\u007f\u009b)");
}

TEST(Printable, LeavesOtherTextAsItIs) {
  EXPECT_EQ(printable("'.a' \"b\" \\ \xc3\xa9\xc2\xa0\xe2\x82\xac"), "'.a' \"b\" \\ \xc3\xa9\xc2\xa0\xe2\x82\xac");
  EXPECT_EQ(printable("\xff"
                      "\xc2"),
            "\xef\xbf\xbd\xef\xbf\xbd");
}

}  // namespace
}  // namespace eventgate

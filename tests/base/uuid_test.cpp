#include "eventgate/base/uuid.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "eventgate/base/ascii.hpp"

namespace eventgate {
namespace {

TEST(Uuid, IsVersion4InLowerCase) {
  for (int i = 0; i < 1000; ++i) {
    const std::string uuid = random_uuid();
    ASSERT_EQ(uuid.size(), kUuidSize);
    for (std::size_t at = 0; at < uuid.size(); ++at) {
      if (at == 8 || at == 13 || at == 18 || at == 23) {
        ASSERT_EQ(uuid[at], '-') << uuid;
      } else {
        ASSERT_NE(kLowerHexDigits.find(uuid[at]), std::string_view::npos) << uuid;
      }
    }
    ASSERT_EQ(uuid[14], '4') << uuid;
    ASSERT_NE(std::string_view("89ab").find(uuid[19]), std::string_view::npos) << uuid;
  }
}

TEST(Uuid, NoTwoAreEqual) {
  std::set<std::string> uuids;
  for (int i = 0; i < 10000; ++i) uuids.insert(random_uuid());
  EXPECT_EQ(uuids.size(), 10000U);
}

TEST(Uuid, WritesExactlyItsSize) {
  std::string buffer(kUuidSize + 1, '#');
  write_random_uuid(buffer.data());
  EXPECT_EQ(buffer.back(), '#');
}

}  // namespace
}  // namespace eventgate

#include "gate/text_arena.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace eventgate {
namespace {

TEST(TextArena, TextsStayWhereTheyAre) {
  TextArena arena;
  std::vector<std::string> texts;
  std::vector<std::string_view> kept;
  for (std::size_t i = 0; i < 2000; ++i) {
    texts.emplace_back(i, static_cast<char>('a' + i % 26));
    kept.push_back(arena.keep(texts.back()));
  }
  for (std::size_t i = 0; i < texts.size(); ++i) ASSERT_EQ(kept[i], texts[i]);
}

TEST(TextArena, BytesBehindATextAreReadable) {
  TextArena arena;
  // Sizes around those of the chunks; a sanitizer sees a read beyond one.
  for (const std::size_t size : {1u, 900u, 960u, 1023u, 1024u, 1025u, 300000u}) {
    const std::string_view text = arena.keep(std::string(size, 'x'));
    unsigned sum = 0;
    for (std::size_t i = 0; i < kJsonPadding; ++i) sum += static_cast<unsigned char>(text.data()[text.size() + i] & 0);
    EXPECT_EQ(sum, 0u);
  }
}

TEST(TextArena, IsUsedAgainAfterClear) {
  TextArena arena;
  const char* const first = arena.keep("first").data();
  arena.clear();
  EXPECT_EQ(arena.keep("second").data(), first);
}

}  // namespace
}  // namespace eventgate

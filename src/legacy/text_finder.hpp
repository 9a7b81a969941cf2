#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace eventgate {

/// Finds which of many texts occur in another, in one pass over it (Aho and Corasick, 1975).
///
/// Immutable, so any thread may use it.
class TextFinder {
 public:
  TextFinder() = default;
  /// Empty texts are never found.
  explicit TextFinder(const std::vector<std::string>& texts);

  /// Appends the indices of the texts that occur in `within` to `found`, each once, in no order. O(size of `within`,
  /// plus the occurrences). `seen` is memory for the caller to keep.
  void find(std::string_view within, std::vector<int>& found, std::vector<bool>& seen) const;

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// A state: the longest start of a text that ends where the search is.
  struct State {
    std::uint32_t text = kNone;    // the text that ends here
    std::uint32_t ending = kNone;  // the next shorter state where a text ends
  };

  std::uint32_t& next(std::uint32_t state, std::size_t byte_class) { return next_[state * class_count_ + byte_class]; }
  std::uint32_t next(std::uint32_t state, std::size_t byte_class) const {
    return next_[state * class_count_ + byte_class];
  }

  std::array<std::uint8_t, 256> classes_{};  // bytes that occur in no text share class 0
  std::size_t class_count_ = 1;
  std::size_t text_count_ = 0;
  std::vector<State> states_{1};
  std::vector<std::uint32_t> next_{0};
};

}  // namespace eventgate

#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace eventgate {

/// A hash table from keys, which never change, to their indexes. It compares the size and the first and last 8 bytes of
/// a key, which is all of most keys.
///
/// Immutable once built.
class KeyTable {
 public:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  KeyTable() = default;
  /// The keys must differ from each other.
  explicit KeyTable(const std::vector<std::string>& keys);

  bool empty() const { return slots_.empty(); }

  /// Returns the index of `key`, or kNone. Reads up to 8 bytes behind `key` if it has fewer than 8.
  [[gnu::always_inline]] std::uint32_t find(std::string_view key) const {
    if (slots_.empty()) [[unlikely]]
      return kNone;
    const Digest digest(key);
    for (std::size_t i = digest.hash(multiplier_) >> shift_;; i = (i + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[i];
      if (((slot.first ^ digest.first) | (slot.last ^ digest.last) | (slot.size ^ digest.size)) == 0 &&
          (key.size() <= 16 || same_middle(slot, key))) [[likely]]
        return slot.place;
      if (slot.place == kNone) return kNone;
    }
  }

 private:
  struct Digest {
    std::uint64_t first, last;
    std::uint32_t size;

    // Without a branch, because the processor cannot predict the sizes.
    explicit Digest(std::string_view key) : size(static_cast<std::uint32_t>(key.size())) {
      const bool is_short = key.size() < 8;
      const std::uint64_t mask = is_short ? (std::uint64_t{1} << (8 * (key.size() & 7))) - 1 : ~std::uint64_t{0};
      std::memcpy(&first, key.data(), 8);
      std::memcpy(&last, key.data() + (is_short ? 0 : key.size() - 8), 8);
      first &= mask;
      last &= mask;
    }
    std::uint64_t hash(std::uint64_t multiplier) const { return (first + std::rotl(last, 29) + size) * multiplier; }
  };
  struct Slot {
    std::uint64_t first = 0, last = 0;
    std::uint32_t size = 0;
    std::uint32_t place = kNone;
    std::uint32_t text = 0;  ///< Offset of the key in texts_.
  };

  /// Compares the middle of two keys with the same size above 16 and the same first and last 8 bytes.
  bool same_middle(const Slot& slot, std::string_view key) const {
    const char* own = texts_.data() + slot.text;
    for (std::size_t at = 8; at + 8 < key.size(); at += 8) {
      std::uint64_t a, b;
      std::memcpy(&a, own + at, 8);
      std::memcpy(&b, key.data() + at, 8);
      if (a != b) return false;
    }
    return true;
  }

  std::vector<Slot> slots_;  ///< Open addressing. The size is a power of two.
  std::uint64_t multiplier_ = 1;
  unsigned shift_ = 63;
  std::string texts_;
};

}  // namespace eventgate

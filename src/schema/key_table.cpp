#include "key_table.hpp"

namespace eventgate {

KeyTable::KeyTable(const std::vector<std::string>& keys) {
  if (keys.empty()) return;
  std::vector<std::uint32_t> texts;
  for (const std::string& key : keys) {
    texts.push_back(static_cast<std::uint32_t>(texts_.size()));
    texts_ += key;
  }
  texts_.append(8, '\0');
  std::vector<Digest> digests;
  for (std::size_t i = 0; i < keys.size(); ++i)
    digests.emplace_back(std::string_view(texts_).substr(texts[i], keys[i].size()));
  // Try multipliers and sizes until no two keys share a slot.
  std::size_t best = std::numeric_limits<std::size_t>::max(), best_size = 0;
  const std::size_t smallest = std::bit_ceil(keys.size() * 2);
  const std::size_t largest = keys.size() <= 64 ? smallest * 4 : smallest;
  std::uint64_t state = 0;
  std::vector<bool> taken;
  for (std::size_t size = smallest; size <= largest && best > 0; size *= 2)
    for (int attempt = 0; attempt < (keys.size() <= 64 ? 32 : 4) && best > 0; ++attempt) {
      // SplitMix64
      state += 0x9E3779B97F4A7C15u;
      std::uint64_t multiplier = (state ^ state >> 30) * 0xBF58476D1CE4E5B9u;
      multiplier = ((multiplier ^ multiplier >> 27) * 0x94D049BB133111EBu) | 1;
      const auto shift = static_cast<unsigned>(64 - std::countr_zero(size));
      taken.assign(size, false);
      std::size_t moves = 0;
      for (std::size_t i = 0; i < digests.size() && moves < best; ++i) {
        std::size_t at = digests[i].hash(multiplier) >> shift;
        for (; taken[at]; at = (at + 1) & (size - 1)) ++moves;
        taken[at] = true;
      }
      if (moves >= best) continue;
      best = moves;
      best_size = size;
      multiplier_ = multiplier;
      shift_ = shift;
    }
  slots_.resize(best_size);
  for (std::uint32_t i = 0; i < digests.size(); ++i) {
    std::size_t at = digests[i].hash(multiplier_) >> shift_;
    while (slots_[at].place != kNone) at = (at + 1) & (best_size - 1);
    slots_[at] = {digests[i].first, digests[i].last, digests[i].size, i, texts[i]};
  }
}

}  // namespace eventgate

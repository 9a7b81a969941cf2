#include "eventgate/base/uuid.hpp"

#include <sys/random.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "eventgate/base/ascii.hpp"

namespace eventgate {
namespace {

/// The generator xoshiro256** of Blackman and Vigna: fast, and its numbers hardly ever repeat.
class RandomNumbers {
 public:
  RandomNumbers() {
    std::size_t filled = 0;
    while (filled < sizeof(state_)) {
      const ssize_t count = getrandom(reinterpret_cast<char*>(state_.data()) + filled, sizeof(state_) - filled, 0);
      if (count > 0) filled += static_cast<std::size_t>(count);
    }
    state_[0] |= 1;  // A state of zeros would stay zero.
  }

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

/// The two digits of each byte.
constexpr std::array<std::array<char, 2>, 256> kByteDigits = [] {
  std::array<std::array<char, 2>, 256> digits{};
  for (std::size_t byte = 0; byte < 256; ++byte)
    digits[byte] = {kLowerHexDigits[byte >> 4], kLowerHexDigits[byte & 15]};
  return digits;
}();

}  // namespace

void write_random_uuid(char* out) {
  thread_local RandomNumbers numbers;
  const std::array<std::uint64_t, 2> bits{(numbers.next() & ~std::uint64_t{0xf000}) | 0x4000,
                                          (numbers.next() & ~(std::uint64_t{3} << 62)) | (std::uint64_t{1} << 63)};
  constexpr std::array<std::size_t, 16> kOffsets = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
  for (std::size_t byte = 0; byte < 16; ++byte)
    std::memcpy(out + kOffsets[byte], kByteDigits[(bits[byte / 8] >> (56 - 8 * (byte % 8))) & 0xff].data(), 2);
  for (const std::size_t dash : {8UL, 13UL, 18UL, 23UL}) out[dash] = '-';
}

std::string random_uuid() {
  std::string text(kUuidSize, '\0');
  write_random_uuid(text.data());
  return text;
}

}  // namespace eventgate

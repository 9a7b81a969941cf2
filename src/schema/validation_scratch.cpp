#include "validation_scratch.hpp"

namespace eventgate {

ValidationScratch& thread_scratch() {
  constexpr std::size_t kMaxKeptElements = 1 << 16;
  thread_local ValidationScratch scratch;
  const auto clear = [](auto& list) {
    list.clear();
    if (list.capacity() > kMaxKeptElements) [[unlikely]]
      list.shrink_to_fit();
  };
  clear(scratch.text);
  clear(scratch.key);
  clear(scratch.other_key);
  clear(scratch.members);
  clear(scratch.values);
  clear(scratch.hashes);
  clear(scratch.items);
  return scratch;
}

}  // namespace eventgate

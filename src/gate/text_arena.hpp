#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/json/json_nodes.hpp"

namespace eventgate {

/// Memory for the texts made for one request. A text stays in place until `clear`, with kJsonPadding readable bytes
/// behind it, so that it can be parsed in place.
///
/// Use on one I/O thread. Keeps some of its memory when cleared.
class TextArena {
 public:
  /// Copies `text`. The copy is valid until `clear`.
  std::string_view keep(std::string_view text) {
    const std::size_t needed = text.size() + kJsonPadding;
    if (needed > left_) grow(needed);
    char* const copy = next_;
    std::memcpy(copy, text.data(), text.size());
    next_ += text.size();
    left_ -= text.size();  // the next text may overwrite the padding
    return {copy, text.size()};
  }

  /// Makes every text invalid.
  void clear() {
    while (chunks_.size() > 1 || (!chunks_.empty() && chunks_.back().size > kMaxChunk)) chunks_.pop_back();
    next_ = chunks_.empty() ? nullptr : chunks_[0].bytes.get();
    left_ = chunks_.empty() ? 0 : chunks_[0].size;
  }

 private:
  /// Bytes of the first chunk: enough for the fields added to one event. Each further chunk is twice as large.
  static constexpr std::size_t kFirstChunk = 1024;
  /// Bytes up to which chunks grow, and which `clear` keeps at most.
  static constexpr std::size_t kMaxChunk = 256 * 1024;

  struct Chunk {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };

  void grow(std::size_t needed) {
    std::size_t size = chunks_.empty() ? kFirstChunk : std::min(chunks_.back().size * 2, kMaxChunk);
    if (size < needed) size = needed;
    Chunk chunk{std::make_unique_for_overwrite<char[]>(size), size};
    next_ = chunk.bytes.get();
    left_ = size;
    chunks_.push_back(std::move(chunk));
  }

  std::vector<Chunk> chunks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;  // bytes of the last chunk behind next_
};

}  // namespace eventgate

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

/// The texts made for one request. A text stays where it is until `clear`, with kJsonPadding readable bytes behind it,
/// so that it may be parsed in place.
///
/// One strand. Keeps some of its memory when cleared.
class TextArena {
 public:
  std::string_view keep(std::string_view text) {
    const std::size_t needed = text.size() + kJsonPadding;
    if (needed > left_) grow(needed);
    char* const place = next_;
    std::memcpy(place, text.data(), text.size());
    next_ += text.size();
    left_ -= text.size();  // the padding may be the next text
    return {place, text.size()};
  }

  void clear() {
    while (chunks_.size() > 1 || (!chunks_.empty() && chunks_.back().size > kMaxKept)) chunks_.pop_back();
    next_ = chunks_.empty() ? nullptr : chunks_[0].bytes.get();
    left_ = chunks_.empty() ? 0 : chunks_[0].size;
  }

 private:
  static constexpr std::size_t kFirstChunk = 1024;
  static constexpr std::size_t kMaxChunk = 256 * 1024;
  static constexpr std::size_t kMaxKept = kMaxChunk;

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
  std::size_t left_ = 0;  // bytes behind next_
};

}  // namespace eventgate

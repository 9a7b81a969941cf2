#pragma once

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>

namespace eventgate {

/// simdjson's stage 1 with its memory: it finds the structural characters of a text.
///
/// It is internal to simdjson, so this is the one file that names it. CMake compiles and runs it before anything else,
/// and tests of JsonNodes pin its results. For one thread at a time.
class Stage1 {
 public:
  /// Returns false if it rejects the text, or does not support this processor. Bytes behind `text` must be readable:
  /// kJsonPadding of JsonNodes. Throws std::bad_alloc.
  bool run(std::string_view text) {
    if (text.empty()) return false;
    if (text.size() > capacity_ && !grow(text.size())) return false;
    return parser_->stage1(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                           simdjson::stage1_mode::regular) == simdjson::SUCCESS;
  }

  /// Where the structural characters are, in order; valid until the next `run`.
  const std::uint32_t* indexes() const { return parser_->structural_indexes.get(); }
  std::size_t count() const { return parser_->n_structural_indexes; }

  /// Gives the memory of a huge text back.
  void release_if_huge() {
    if (capacity_ <= kLargestKeptWorkspace) return;
    parser_.reset();
    capacity_ = 0;
  }

 private:
  // Bytes of text. simdjson's workspace takes 4 bytes for each. A thread keeps it for the next text, unless it is huge.
  static constexpr std::size_t kSmallestWorkspace = std::size_t{1} << 16;
  static constexpr std::size_t kLargestKeptWorkspace = std::size_t{1} << 20;

  bool grow(std::size_t size) {
    const std::size_t capacity =
        size > kLargestKeptWorkspace ? size : std::max(kSmallestWorkspace, std::bit_ceil(size));
    capacity_ = 0;
    const simdjson::error_code error =
        parser_ ? parser_->set_capacity(capacity)
                : simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, parser_);
    if (error == simdjson::MEMALLOC) throw std::bad_alloc();
    if (error != simdjson::SUCCESS) return false;
    capacity_ = capacity;
    return true;
  }

  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser_;
  std::size_t capacity_ = 0;
};

}  // namespace eventgate

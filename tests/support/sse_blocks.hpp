#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventgate {

/// A block of an event stream, as EventSource takes it (WHATWG HTML, 9.2.6): the fields up to an empty line.
struct SseBlock {
  std::string event;              ///< Empty: `message`.
  std::string data;               ///< Lines joined by LF.
  std::optional<std::string> id;  ///< Of an `id` field in this block.
  std::vector<std::string> comments;
  std::optional<std::string> retry;
};

/// Cuts a stream of bytes into blocks. A block without its empty line is never given, as EventSource drops it.
class SseBlocks {
 public:
  /// Returns the blocks that `bytes` completes.
  std::vector<SseBlock> add(std::string_view bytes) {
    std::vector<SseBlock> found;
    rest_ += bytes;
    std::size_t begin = 0;
    for (std::size_t end; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      std::string_view line = std::string_view(rest_).substr(begin, end - begin);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.empty()) {
        found.push_back(std::move(block_));
        block_ = {};
        has_data_ = false;
      } else {
        add_line(line);
      }
    }
    rest_.erase(0, begin);
    return found;
  }

 private:
  void add_line(std::string_view line) {
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name.empty()) {
      block_.comments.emplace_back(value);
    } else if (name == "event") {
      block_.event = value;
    } else if (name == "data") {
      if (has_data_) block_.data += '\n';
      block_.data += value;
      has_data_ = true;
    } else if (name == "id") {
      block_.id = value;
    } else if (name == "retry") {
      block_.retry = value;
    }
  }

  std::string rest_;
  SseBlock block_;
  bool has_data_ = false;
};

}  // namespace eventgate

#include "text_finder.hpp"

#include <queue>

namespace eventgate {

TextFinder::TextFinder(const std::vector<std::string>& texts) : text_count_(texts.size()) {
  std::array<bool, 256> occurs{};
  for (const std::string& text : texts)
    for (const char c : text) occurs[static_cast<unsigned char>(c)] = true;
  for (std::size_t byte = 0; byte < occurs.size(); ++byte)
    // 255 classes at most, because no UTF-8 has the byte 0xFF.
    if (occurs[byte] && class_count_ < 256) classes_[byte] = static_cast<std::uint8_t>(class_count_++);
  next_.assign(class_count_, kNone);

  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].empty()) continue;
    std::uint32_t state = 0;
    for (const char c : texts[i]) {
      const std::uint8_t byte_class = classes_[static_cast<unsigned char>(c)];
      if (next(state, byte_class) == kNone) {
        next(state, byte_class) = static_cast<std::uint32_t>(states_.size());
        states_.emplace_back();
        next_.insert(next_.end(), class_count_, kNone);
      }
      state = next(state, byte_class);
    }
    states_[state].text = static_cast<std::uint32_t>(i);
  }

  // Breadth first, so that the shorter states are complete.
  std::vector<std::uint32_t> suffix(states_.size(), 0);
  std::queue<std::uint32_t> open;
  for (std::size_t byte_class = 0; byte_class < class_count_; ++byte_class) {
    std::uint32_t& child = next(0, byte_class);
    if (child == kNone) {
      child = 0;
    } else {
      open.push(child);
    }
  }
  for (; !open.empty(); open.pop()) {
    const std::uint32_t state = open.front();
    const std::uint32_t shorter = suffix[state];
    states_[state].ending = states_[shorter].text != kNone ? shorter : states_[shorter].ending;
    for (std::size_t byte_class = 0; byte_class < class_count_; ++byte_class) {
      std::uint32_t& child = next(state, byte_class);
      if (child == kNone) {
        child = next(shorter, byte_class);
      } else {
        suffix[child] = next(shorter, byte_class);
        open.push(child);
      }
    }
  }
}

void TextFinder::find(std::string_view within, std::vector<int>& found, std::vector<bool>& seen) const {
  seen.assign(text_count_, false);
  std::uint32_t state = 0;
  for (const char c : within) {
    state = next(state, classes_[static_cast<unsigned char>(c)]);
    // What ends at a shorter state was seen with it, so the walk stops there: each text is looked at once.
    for (std::uint32_t at = states_[state].text != kNone ? state : states_[state].ending; at != kNone;
         at = states_[at].ending) {
      const std::uint32_t text = states_[at].text;
      if (seen[text]) break;
      seen[text] = true;
      found.push_back(static_cast<int>(text));
    }
  }
}

}  // namespace eventgate

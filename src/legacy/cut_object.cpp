#include "cut_object.hpp"

#include <cstdint>
#include <vector>

#include "eventgate/base/ascii.hpp"

namespace eventgate {

namespace {

/// What a part of the text turned out to be.
enum class Part : std::uint8_t {
  whole,  ///< It is complete, and text follows.
  cut,    ///< The text ends inside it, or right behind it.
  wrong,  ///< No text that follows could make it JSON.
};

/// Reads the grammar of JSON (RFC 8259) up to the end of the text.
class CutReader {
 public:
  CutReader(std::string_view text, std::size_t max_depth) : text_(text), max_depth_(max_depth) {}

  /// Returns true if the text ends inside an object that it begins with.
  bool is_cut() {
    skip_space();
    if (at_end() || text_[at_] != '{') return false;
    Part part = open('{');
    while (part == Part::whole) {
      skip_space();
      if (closed_.empty()) return false;  // the object has ended
      if (at_end()) return true;
      part = step();
    }
    return part == Part::cut;
  }

 private:
  enum class Expected : std::uint8_t { value, value_or_end, key, key_or_end, colon, comma_or_end };

  bool at_end() const { return at_ == text_.size(); }
  void skip_space() {
    while (!at_end() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool in_object() const { return closed_.back() == '}'; }

  Part open(char bracket) {
    if (closed_.size() == max_depth_) return Part::wrong;
    ++at_;
    closed_.push_back(bracket == '{' ? '}' : ']');
    expected_ = bracket == '{' ? Expected::key_or_end : Expected::value_or_end;
    return Part::whole;
  }

  Part close() {
    ++at_;
    closed_.pop_back();
    expected_ = Expected::comma_or_end;
    return Part::whole;
  }

  /// Reads one token. The text does not end here.
  Part step() {
    const char c = text_[at_];
    switch (expected_) {
      case Expected::key_or_end:
        if (c == '}') return close();
        [[fallthrough]];
      case Expected::key: {
        if (c != '"') return Part::wrong;
        const Part part = read_string();
        expected_ = Expected::colon;
        return part;
      }
      case Expected::colon:
        if (c != ':') return Part::wrong;
        ++at_;
        expected_ = Expected::value;
        return Part::whole;
      case Expected::comma_or_end:
        if (c == closed_.back()) return close();
        if (c != ',') return Part::wrong;
        ++at_;
        expected_ = in_object() ? Expected::key : Expected::value;
        return Part::whole;
      case Expected::value_or_end:
        if (c == ']') return close();
        [[fallthrough]];
      case Expected::value:
        return read_value();
    }
    return Part::wrong;
  }

  Part read_value() {
    const char c = text_[at_];
    if (c == '{' || c == '[') return open(c);
    expected_ = Expected::comma_or_end;
    if (c == '"') return read_string();
    if (c == 't') return read_word("true");
    if (c == 'f') return read_word("false");
    if (c == 'n') return read_word("null");
    return read_number();
  }

  Part read_word(std::string_view word) {
    const std::string_view rest = text_.substr(at_, word.size());
    at_ += rest.size();
    if (rest == word) return Part::whole;
    return at_end() && word.starts_with(rest) ? Part::cut : Part::wrong;
  }

  Part read_string() {
    while (++at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return Part::whole;
      }
      if (static_cast<unsigned char>(c) < 0x20) return Part::wrong;
      if (c != '\\') continue;
      if (++at_ == text_.size()) return Part::cut;
      if (text_[at_] == 'u') {
        for (int i = 0; i < 4; ++i) {
          if (++at_ == text_.size()) return Part::cut;
          if (!is_hex_digit(text_[at_])) return Part::wrong;
        }
      } else if (std::string_view("\"\\/bfnrt").find(text_[at_]) == std::string_view::npos) {
        return Part::wrong;
      }
    }
    return Part::cut;
  }

  Part read_digits() {
    if (at_end()) return Part::cut;
    if (!is_ascii_digit(text_[at_])) return Part::wrong;
    while (!at_end() && is_ascii_digit(text_[at_])) ++at_;
    return Part::whole;
  }

  Part read_number() {
    if (text_[at_] == '-' && ++at_ == text_.size()) return Part::cut;
    if (text_[at_] == '0') {
      ++at_;
    } else if (const Part part = read_digits(); part != Part::whole) {
      return part;
    }
    if (!at_end() && text_[at_] == '.') {
      ++at_;
      if (const Part part = read_digits(); part != Part::whole) return part;
    }
    if (!at_end() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      if (++at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      return read_digits();
    }
    return Part::whole;
  }

  const std::string_view text_;
  const std::size_t max_depth_;
  std::size_t at_ = 0;
  std::vector<char> closed_;  // what ends each open object and array
  Expected expected_ = Expected::value;
};

}  // namespace

bool is_cut_object(std::string_view text, std::size_t max_depth) { return CutReader(text, max_depth).is_cut(); }

}  // namespace eventgate

#include "eventgate/schema/ecma_pattern.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "eventgate/base/ascii.hpp"

namespace eventgate {
namespace {

using CodePoint = std::uint32_t;
using Range = std::pair<CodePoint, CodePoint>;
using Ranges = std::vector<Range>;

constexpr CodePoint kLastCodePoint = 0x10FFFF;
constexpr std::uint64_t kRe2Repeats = 1000;

const Ranges kDigits = {{'0', '9'}};
const Ranges kWord = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const Ranges kSpace = {{0x09, 0x0D},     {0x20, 0x20},     {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
                       {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};

Ranges complement(const Ranges& sorted) {
  Ranges out;
  CodePoint next = 0;
  for (const auto& [first, last] : sorted) {
    if (first > next) out.emplace_back(next, first - 1);
    next = last + 1;
  }
  if (next <= kLastCodePoint) out.emplace_back(next, kLastCodePoint);
  return out;
}

bool is_surrogate(CodePoint c) { return c >= 0xD800 && c <= 0xDFFF; }

void append_hex(std::string& out, CodePoint c) {
  char digits[8];
  int size = 0;
  do {
    digits[size++] = kUpperHexDigits[c & 15];
    c >>= 4;
  } while (c);
  out += "\\x{";
  while (size) out += digits[--size];
  out += '}';
}

/// Reads a pattern once from left to right and writes it in the syntax of RE2.
class PatternTranslator {
 public:
  explicit PatternTranslator(std::string_view pattern) : text_(pattern) { count_groups(); }

  /// Returns false and sets `error` if JavaScript rejects the pattern.
  bool translate();

  std::string out;
  std::string error;
  std::string unsupported;  ///< The first thing that JavaScript allows and RE2 does not support.

 private:
  enum class Last { nothing, atom, assertion };
  struct Group {
    bool quantifiable;
  };

  bool fail(std::string why) {
    error = std::move(why);
    return false;
  }
  void set_unsupported(std::string what) {
    if (unsupported.empty()) unsupported = std::move(what);
  }
  bool at_end() const { return at_ == text_.size(); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  void count_groups();
  bool read_group();
  bool read_name(std::string& name);
  bool read_quantifier(bool& is_one);
  bool read_escape();
  bool read_class();
  bool read_class_atom(Ranges& set, std::optional<CodePoint>& single);
  CodePoint read_code_point();
  std::optional<CodePoint> read_hex(std::size_t digits);
  CodePoint read_unicode_escape();
  CodePoint read_octal();
  void literal(CodePoint c);
  void write_class(const Ranges& ranges, bool negated);

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Group> groups_;
  std::set<std::string, std::less<>> names_;
  std::set<std::string, std::less<>> read_names_;
  std::uint64_t group_count_ = 0;
  Last last_ = Last::nothing;
};

/// Counts the groups first, because a back-reference may precede its group.
void PatternTranslator::count_groups() {
  bool in_class = false;
  for (at_ = 0; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '\\') {
      ++at_;
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
    } else if (c == '(') {
      if (peek(1) != '?') {
        ++group_count_;
      } else if (peek(2) == '<' && peek(3) != '=' && peek(3) != '!') {
        ++group_count_;
        const std::size_t end = text_.find('>', at_);
        if (end != std::string_view::npos) names_.emplace(text_.substr(at_ + 3, end - at_ - 3));
      }
    }
  }
  at_ = 0;
}

bool PatternTranslator::translate() {
  while (!at_end()) {
    const char c = peek();
    switch (c) {
      case '|':
        ++at_;
        out += '|';
        last_ = Last::nothing;
        break;
      case '(':
        if (!read_group()) return false;
        break;
      case ')':
        if (groups_.empty()) return fail("a ')' without its '('");
        ++at_;
        out += ')';
        last_ = groups_.back().quantifiable ? Last::atom : Last::assertion;
        groups_.pop_back();
        break;
      case '^':
      case '$':
        ++at_;
        out += c == '^' ? "\\A" : "\\z";
        last_ = Last::assertion;
        break;
      case '*':
      case '+':
      case '?': {
        bool is_one = true;
        if (!read_quantifier(is_one)) return false;
        break;
      }
      case '{': {
        bool is_one = false;
        if (!read_quantifier(is_one)) return false;
        if (!is_one) {
          ++at_;
          literal('{');
        }
        break;
      }
      case '.':
        ++at_;
        out += "[^\\n\\r\\x{2028}\\x{2029}]";
        last_ = Last::atom;
        break;
      case '[':
        if (!read_class()) return false;
        break;
      case '\\':
        if (!read_escape()) return false;
        break;
      default:
        literal(read_code_point());
    }
  }
  return groups_.empty() || fail("a ')' for each '('");
}

bool PatternTranslator::read_group() {
  ++at_;
  last_ = Last::nothing;
  if (peek() != '?') {
    groups_.push_back({true});
  } else if (starts("?:")) {
    at_ += 2;
    groups_.push_back({true});
  } else if (starts("?=") || starts("?!")) {
    at_ += 2;
    set_unsupported("look-ahead");
    groups_.push_back({true});
  } else if (starts("?<=") || starts("?<!")) {
    at_ += 3;
    set_unsupported("look-behind");
    groups_.push_back({false});
  } else if (starts("?<")) {
    at_ += 2;
    std::string name;
    if (!read_name(name)) return fail("a group's name");
    if (!read_names_.insert(name).second) return fail("groups of different names");
    groups_.push_back({true});
  } else {
    return fail("(?:, (?=, (?!, (?<=, (?<! or (?<name>");
  }
  out += "(?:";
  return true;
}

/// Reads a name, an identifier, up to `>`.
bool PatternTranslator::read_name(std::string& name) {
  const std::size_t end = text_.find('>', at_);
  if (end == std::string_view::npos || end == at_) return false;
  name = text_.substr(at_, end - at_);
  if (is_ascii_digit(name[0])) return false;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    // Accepts all of the BMP beyond ASCII, although not all are letters, and nothing beyond the BMP, where few are.
    if (byte >= 0xF0 || (byte < 0x80 && !is_ascii_letter(c) && !is_ascii_digit(c) && c != '$' && c != '_'))
      return false;
  }
  at_ = end + 1;
  return true;
}

/// Reads a quantifier. Sets `is_one` to false if there is none: a `{` may be a plain character.
bool PatternTranslator::read_quantifier(bool& is_one) {
  std::string quantifier;
  std::size_t size = 1;
  if (peek() == '{') {
    std::uint64_t least = 0, most = 0;
    const auto read_number = [&](std::uint64_t& number) {
      const std::size_t begin = size;
      for (; is_ascii_digit(peek(size)); ++size)
        number = std::min<std::uint64_t>(number * 10 + static_cast<unsigned>(peek(size) - '0'), 1u << 31);
      return size > begin;
    };
    is_one = false;
    if (!read_number(least)) return true;
    bool unbounded = false;
    most = least;
    if (peek(size) == ',') {
      ++size;
      most = 0;
      unbounded = !read_number(most);
    }
    if (peek(size) != '}') return true;
    ++size;
    if (!unbounded && most < least) return fail("the smaller number first in {n,m}");
    if (least > kRe2Repeats || most > kRe2Repeats) set_unsupported("more than 1000 repetitions");
    quantifier = "{" + std::to_string(least);
    if (unbounded) quantifier += ",";
    if (!unbounded && most != least) quantifier += "," + std::to_string(most);
    quantifier += "}";
  } else {
    quantifier = peek();
  }
  is_one = true;
  if (last_ != Last::atom) return fail("something to repeat before '" + std::string(text_.substr(at_, size)) + "'");
  at_ += size;
  if (peek() == '?' && !at_end()) {
    ++at_;
    quantifier += '?';
  }
  out += quantifier;
  last_ = Last::nothing;
  return true;
}

CodePoint PatternTranslator::read_code_point() {
  const auto byte = [&](std::size_t ahead) { return static_cast<unsigned char>(peek(ahead)); };
  const unsigned first = byte(0);
  if (first < 0x80) {
    ++at_;
    return first;
  }
  const std::size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  CodePoint c = first & (0xFFu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) c = c << 6 | (byte(i) & 0x3Fu);
  at_ = std::min(at_ + size, text_.size());
  return c;
}

std::optional<CodePoint> PatternTranslator::read_hex(std::size_t digits) {
  CodePoint value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const int digit = hex_value(peek(i));
    if (digit < 0) return std::nullopt;
    value = value * 16 + static_cast<unsigned>(digit);
  }
  at_ += digits;
  return value;
}

/// Reads what follows `\u`: four hex digits, and the second half of a surrogate pair. Otherwise it is a plain u.
CodePoint PatternTranslator::read_unicode_escape() {
  const auto unit = read_hex(4);
  if (!unit) return 'u';
  if (*unit >= 0xD800 && *unit < 0xDC00 && starts("\\u")) {
    const std::size_t before = at_;
    at_ += 2;
    const auto low = read_hex(4);
    if (low && *low >= 0xDC00 && *low < 0xE000) return 0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00);
    at_ = before;
  }
  return *unit;
}

/// Reads up to three octal digits, at most \377 (annex B).
CodePoint PatternTranslator::read_octal() {
  CodePoint value = 0;
  for (int i = 0; i < 3 && peek() >= '0' && peek() <= '7' && !at_end(); ++i) {
    const CodePoint next = value * 8 + static_cast<unsigned>(peek() - '0');
    if (next > 0377) break;
    value = next;
    ++at_;
  }
  return value;
}

void PatternTranslator::literal(CodePoint c) {
  last_ = Last::atom;
  if (is_surrogate(c)) return set_unsupported("a lone surrogate");
  if (c < 0x80 && (is_ascii_letter(static_cast<char>(c)) || is_ascii_digit(static_cast<char>(c)))) {
    out += static_cast<char>(c);
  } else if (c > 0x20 && c < 0x7F && c != '_') {
    out += '\\';
    out += static_cast<char>(c);
  } else {
    append_hex(out, c);
  }
}

bool PatternTranslator::read_escape() {
  ++at_;
  if (at_end()) return fail("something behind the last '\\'");
  const char c = peek();
  switch (c) {
    case 'b':
    case 'B':
      ++at_;
      out += '\\';
      out += c;
      last_ = Last::assertion;
      return true;
    case 'k': {
      if (names_.empty()) break;
      ++at_;
      if (peek() != '<') return fail("\\k<name>");
      ++at_;
      std::string name;
      if (!read_name(name) || !names_.contains(name)) return fail("the name of a group in \\k<name>");
      set_unsupported("a back-reference");
      last_ = Last::atom;
      return true;
    }
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': {
      std::uint64_t number = 0;
      for (std::size_t i = 0; is_ascii_digit(peek(i)); ++i)
        number = std::min<std::uint64_t>(number * 10 + static_cast<unsigned>(peek(i) - '0'), 1u << 31);
      if (number > group_count_) break;
      while (is_ascii_digit(peek())) ++at_;
      set_unsupported("a back-reference");
      last_ = Last::atom;
      return true;
    }
    default:
      break;
  }
  --at_;
  Ranges set;
  std::optional<CodePoint> single;
  if (!read_class_atom(set, single)) return false;
  if (single)
    literal(*single);
  else
    write_class(set, false);
  return true;
}

/// Reads one element of a class: a character, or an escape for a set of characters.
bool PatternTranslator::read_class_atom(Ranges& set, std::optional<CodePoint>& single) {
  single.reset();
  if (peek() != '\\') {
    single = read_code_point();
    return true;
  }
  ++at_;
  if (at_end()) return fail("something behind the last '\\'");
  const char c = peek();
  const auto is = [&](CodePoint code_point) {
    ++at_;
    single = code_point;
    return true;
  };
  const auto is_set = [&](const Ranges& ranges) {
    ++at_;
    set.insert(set.end(), ranges.begin(), ranges.end());
    return true;
  };
  switch (c) {
    case 'd':
      return is_set(kDigits);
    case 'D':
      return is_set(complement(kDigits));
    case 'w':
      return is_set(kWord);
    case 'W':
      return is_set(complement(kWord));
    case 's':
      return is_set(kSpace);
    case 'S':
      return is_set(complement(kSpace));
    case 'f':
      return is(0x0C);
    case 'n':
      return is(0x0A);
    case 'r':
      return is(0x0D);
    case 't':
      return is(0x09);
    case 'v':
      return is(0x0B);
    case 'x': {
      ++at_;
      const auto value = read_hex(2);
      single = value ? *value : 'x';
      return true;
    }
    case 'u':
      ++at_;
      single = read_unicode_escape();
      return true;
    case 'c':
      if (is_ascii_letter(peek(1))) {
        single = static_cast<CodePoint>(peek(1) & 0x1F);
        at_ += 2;
      } else {
        single = '\\';  // and the c is read next
      }
      return true;
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
      single = read_octal();
      return true;
    default:
      single = read_code_point();
      return true;
  }
}

bool PatternTranslator::read_class() {
  ++at_;
  const bool negated = peek() == '^';
  if (negated) ++at_;
  Ranges ranges;
  const auto read_atom = [&](Ranges& set, std::optional<CodePoint>& single) {
    if (peek() == '\\') {
      if (peek(1) == 'b') {
        at_ += 2;
        single = 0x08;
        return true;
      }
      if (peek(1) == 'c' && (is_ascii_digit(peek(2)) || peek(2) == '_')) {  // annex B
        single = static_cast<CodePoint>(peek(2) & 0x1F);
        at_ += 3;
        return true;
      }
      if (peek(1) == 'k' && !names_.empty()) return fail("no \\k in a class");
    }
    return read_class_atom(set, single);
  };
  while (true) {
    if (at_end()) return fail("a ']' for each '['");
    if (peek() == ']') break;
    Ranges set;
    std::optional<CodePoint> first;
    if (!read_atom(set, first)) return false;
    if (peek() == '-' && peek(1) != ']' && at_ + 1 < text_.size()) {
      ++at_;
      std::optional<CodePoint> last;
      if (!read_atom(set, last)) return false;
      if (first && last) {
        if (*first > *last) return fail("a range of a class in order");
        ranges.emplace_back(*first, *last);
      } else {  // annex B: a set on either side, so the hyphen is itself
        ranges.emplace_back('-', '-');
        if (first) ranges.emplace_back(*first, *first);
        if (last) ranges.emplace_back(*last, *last);
      }
    } else if (first) {
      ranges.emplace_back(*first, *first);
    }
    ranges.insert(ranges.end(), set.begin(), set.end());
  }
  ++at_;
  write_class(ranges, negated);
  return true;
}

void PatternTranslator::write_class(const Ranges& ranges, bool negated) {
  last_ = Last::atom;
  Ranges kept;
  for (const auto& [first, last] : ranges) {
    if (last < 0xD800 || first > 0xDFFF) {
      kept.emplace_back(first, last);
    } else if (first <= 0xD800 && last >= 0xDFFF) {
      // The class has all surrogates, that is halves of pairs. As code points these are all beyond the BMP.
      if (first < 0xD800) kept.emplace_back(first, 0xD7FF);
      if (last > 0xDFFF) kept.emplace_back(0xE000, last);
      kept.emplace_back(0x10000, kLastCodePoint);
    } else {
      set_unsupported("a lone surrogate");
    }
  }
  if (kept.empty()) {
    out += negated ? "(?s:.)" : "[^\\x{0}-\\x{10FFFF}]";
    return;
  }
  out += negated ? "[^" : "[";
  for (const auto& [first, last] : kept) {
    append_hex(out, first);
    if (last == first) continue;
    out += '-';
    append_hex(out, last);
  }
  out += ']';
}

}  // namespace

boost::system::result<std::string, std::string> re2_pattern(std::string_view pattern) {
  PatternTranslator translator(pattern);
  if (!translator.translate())
    return {boost::system::in_place_error, "is no regular expression: expected " + translator.error};
  if (!translator.unsupported.empty())
    return {boost::system::in_place_error, "has " + translator.unsupported + ": expected only what RE2 can do"};
  return {boost::system::in_place_value, std::move(translator.out)};
}

bool is_ecma_pattern(std::string_view pattern) { return PatternTranslator(pattern).translate(); }

}  // namespace eventgate

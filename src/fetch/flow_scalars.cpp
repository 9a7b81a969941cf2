#include "flow_scalars.hpp"

#include <algorithm>
#include <utility>

namespace eventgate {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_flow_indicator(char c) { return c == ',' || c == '[' || c == ']' || c == '{' || c == '}'; }

enum class Mend { flow, kept };

class Mender {
 public:
  Mender(std::string_view text, Mend what) : text_(text), what_(what) {}

  std::string mended() {
    while (at_ < text_.size()) token();
    return std::move(out_);
  }

 private:
  /// The character `ahead` of this one; a line end beyond the text.
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\n'; }
  bool ends_word(std::size_t ahead) const {
    const char c = peek(ahead);
    return is_blank(c) || c == '\n' || c == '\r' || (flow_ > 0 && is_flow_indicator(c));
  }

  /// Whether there is nothing but space before this in its line, outside brackets: a tab there is an error.
  bool is_indentation() const {
    return flow_ == 0 && text_.substr(line_, at_ - line_).find_first_not_of(" \t") == std::string_view::npos;
  }

  void copy(std::size_t count = 1) {
    count = std::min(count, text_.size() - at_);
    out_ += text_.substr(at_, count);
    at_ += count;
  }
  void copy_to_line_end() { copy(std::min(text_.find('\n', at_), text_.size()) - at_); }

  void token() {
    const char c = peek();
    if (c == '\n') {
      copy();
      line_ = at_;
      return;
    }
    if (c == '\t' && what_ == Mend::flow && !is_indentation()) {
      out_ += ' ';
      ++at_;
      return;
    }
    if (is_blank(c) || c == '\r') return copy();
    // Behind a quoted key, or a key in brackets, no space need follow the colon.
    if (std::exchange(ends_json_key_, false) && flow_ > 0 && c == ':') return copy();
    if (c == '#' && (at_ == 0 || is_blank(text_[at_ - 1]) || text_[at_ - 1] == '\n')) return copy_to_line_end();
    if (flow_ == 0) entry_column_ = at_ - line_;
    if (c == '"' || c == '\'') return quoted(c);
    if (c == '[' || c == '{') {
      ++flow_;
      return copy();
    }
    if (flow_ > 0 && is_flow_indicator(c)) {
      if (c != ',') --flow_;
      ends_json_key_ = c != ',';
      return copy();
    }
    if ((c == '-' || c == '?' || c == ':') && ends_word(1)) {
      if (c != ':') parent_column_ = entry_column_;
      return copy();
    }
    if (c == '&' || c == '*' || c == '!') {
      while (at_ < text_.size() && !ends_word(0)) copy();
      return;
    }
    if (flow_ == 0 && (c == '|' || c == '>')) return block_scalar();
    plain();
  }

  void quoted(char quote) {
    parent_column_ = entry_column_;
    copy();
    while (at_ < text_.size()) {
      const char c = peek();
      if ((c == '\\' && quote == '"') || (c == '\'' && quote == '\'' && peek(1) == '\'')) {
        copy(2);
      } else {
        copy();
        ends_json_key_ = c == quote;
        if (c == quote) return;
      }
    }
  }

  /// The lines after `|` or `>` that are further in than the key or `-` before it.
  void block_scalar() {
    // The column of the `|` itself says nothing: that of what began the line does.
    const std::size_t parent = parent_column_;
    const std::string_view header = text_.substr(at_, std::min(text_.find('\n', at_), text_.size()) - at_);
    const std::string_view indicators = header.substr(0, std::min(header.find_first_of(" \t\r"), header.size()));
    const bool loses = what_ == Mend::kept && header[0] == '>' && indicators.find('+') != std::string_view::npos;
    const std::size_t digit = indicators.find_first_of("123456789");
    std::size_t indent =
        digit == std::string_view::npos ? 0 : parent + static_cast<std::size_t>(indicators[digit] - '0');
    std::size_t blank = 0;      // lines since the last that has content
    bool ends_in_text = false;  // and whether that is no further in than the scalar
    copy_to_line_end();
    while (at_ < text_.size()) {
      const std::size_t line = at_ + 1;
      const std::size_t content = std::min(text_.find_first_not_of(' ', line), text_.size());
      const bool is_blank_line = content == text_.size() || text_[content] == '\n' || text_[content] == '\r';
      if (!is_blank_line && content - line <= parent) break;
      if (is_blank_line && (indent == 0 || content - line <= indent)) {
        if (line < text_.size()) ++blank;
      } else {  // spaces beyond the indentation are text
        if (indent == 0) indent = content - line;
        ends_in_text = content - line == indent && text_[content] != '\t';
        blank = 0;
      }
      copy(content - at_);
      if (at_ < text_.size() && peek() != '\n') copy_to_line_end();
    }
    if (loses && ends_in_text && blank > 0) out_ += '\n';
  }

  void plain() {
    parent_column_ = entry_column_;
    const std::size_t begin = at_;
    std::size_t end = at_;  // behind the last character that is no space
    while (at_ < text_.size()) {
      const char c = peek();
      if (c == ':' && ends_word(1)) break;
      if (flow_ > 0 && is_flow_indicator(c)) break;
      if (c == '#' && at_ > begin && (is_blank(text_[at_ - 1]) || text_[at_ - 1] == '\n')) break;
      if (c == '\n' && flow_ == 0) break;
      if (!is_blank(c) && c != '\n' && c != '\r') end = at_ + 1;
      ++at_;
    }
    const std::string_view scalar = text_.substr(begin, end - begin);
    if (what_ == Mend::flow && flow_ > 0 && scalar.find('?') != std::string_view::npos) {
      out_ += '\'';
      for (const char c : scalar) out_.append(c == '\'' ? 2 : 1, c);
      out_ += '\'';
    } else {
      out_ += scalar;
    }
    for (std::size_t i = end; i < at_; ++i)
      if (text_[i] == '\n') line_ = i + 1;
    for (const char c : text_.substr(end, at_ - end)) out_ += c == '\t' && what_ == Mend::flow ? ' ' : c;
    if (what_ == Mend::flow && flow_ > 0 && peek() == ':' && (peek(1) == '{' || peek(1) == '[')) {
      copy();
      out_ += ' ';
    }
  }

  const std::string_view text_;
  const Mend what_;
  std::size_t at_ = 0;
  std::size_t line_ = 0;  ///< Where the line begins.
  std::size_t flow_ = 0;  ///< Open `{` and `[`.
  bool ends_json_key_ = false;
  std::size_t entry_column_ = 0;
  std::size_t parent_column_ = 0;
  std::string out_;
};

}  // namespace

std::string mended_flow_scalars(std::string_view text) { return Mender(text, Mend::flow).mended(); }

std::string mended_kept_scalars(std::string_view text) { return Mender(text, Mend::kept).mended(); }

}  // namespace eventgate

#include "document_frame.hpp"

#include <algorithm>

#include "eventgate/base/json_pointer.hpp"
#include "eventgate/base/quote.hpp"
#include "eventgate/base/utf8.hpp"

namespace eventgate {
namespace {

/// Limit of a text that a message quotes, bytes.
constexpr std::size_t kMaxQuoted = 300;

}  // namespace

std::string message_text(std::string_view text) {
  // The few bytes more make `shorten` see that the text is longer.
  return shorten(to_valid_utf8(utf8_prefix(text, kMaxQuoted + 4)), kMaxQuoted);
}

std::string line_and_column(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto start = before.rfind('\n');
  const auto column = start == std::string_view::npos ? at + 1 : at - start;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

void append_pointer_token(std::string& pointer, const DocumentFrame& frame) {
  if (frame.value.is_array()) {
    pointer += '/' + std::to_string(frame.value.size());
  } else if (frame.has_key) {
    pointer += '/' + escape_pointer_token(message_text(frame.key));
  }
}

}  // namespace eventgate

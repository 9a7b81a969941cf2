#include "eventgate/base/quote.hpp"

#include "eventgate/base/utf8.hpp"

namespace eventgate {

std::string shorten(std::string_view text, std::size_t max_size) {
  if (text.size() <= max_size) return std::string(text);
  return std::string(utf8_prefix(text, max_size)) + "...";
}

std::string quote(std::string_view text, std::size_t max_size) { return "'" + shorten(text, max_size) + "'"; }

}  // namespace eventgate

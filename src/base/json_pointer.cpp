#include "eventgate/base/json_pointer.hpp"

#include <cstddef>

namespace eventgate {

std::string escape_pointer_token(std::string_view token) {
  std::string escaped;
  escaped.reserve(token.size());
  for (const char c : token) {
    if (c == '~') {
      escaped += "~0";
    } else if (c == '/') {
      escaped += "~1";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string unescape_pointer_token(std::string_view escaped) {
  std::string token;
  token.reserve(escaped.size());
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    const bool is_escape =
        escaped[i] == '~' && i + 1 < escaped.size() && (escaped[i + 1] == '0' || escaped[i + 1] == '1');
    if (is_escape) {
      token += escaped[++i] == '0' ? '~' : '/';
    } else {
      token += escaped[i];
    }
  }
  return token;
}

}  // namespace eventgate

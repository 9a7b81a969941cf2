#include "eventgate/json/printable.hpp"

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/utf8.hpp"

namespace eventgate {

std::string printable(std::string_view text) {
  const std::string valid = to_valid_utf8(text);
  std::string out;
  for (std::size_t i = 0; i < valid.size(); ++i) {
    auto code = static_cast<unsigned char>(valid[i]);
    const bool c1 = code == 0xc2 && static_cast<unsigned char>(valid[i + 1]) < 0xa0;
    if (c1) code = static_cast<unsigned char>(valid[++i]);
    if (code < 0x20 || code == 0x7f || c1) {
      out.append("\\u00") += kLowerHexDigits[code >> 4U];
      out += kLowerHexDigits[code & 0xfU];
    } else {
      out += valid[i];
    }
  }
  return out;
}

}  // namespace eventgate

#pragma once

#include <cstddef>
#include <string>

namespace eventgate {

/// Returns the value of the line of `text`, metrics as Prometheus reads them, that starts with `series`. Returns an
/// empty text if there is none.
inline std::string metric_value(const std::string& text, const std::string& series) {
  const std::size_t at = text.find("\n" + series);
  if (at == std::string::npos) return "";
  const std::string line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
  return line.substr(line.rfind(' ') + 1);
}

}  // namespace eventgate

#pragma once

#include <zlib.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace eventgate {

/// The lines of a gzip file. Throws std::runtime_error if it cannot be read.
inline std::vector<std::string> gzip_lines(const std::string& path) {
  const gzFile file = ::gzopen(path.c_str(), "rb");
  if (!file) throw std::runtime_error("cannot open " + path);
  std::vector<std::string> lines(1);
  char buffer[1 << 16];
  int size;
  while ((size = ::gzread(file, buffer, sizeof buffer)) > 0) {
    for (const char c : std::string_view(buffer, static_cast<std::size_t>(size))) {
      if (c == '\n')
        lines.emplace_back();
      else
        lines.back() += c;
    }
  }
  const bool whole = size == 0;
  ::gzclose(file);
  if (!whole) throw std::runtime_error("not a whole gzip file: " + path);
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

}  // namespace eventgate

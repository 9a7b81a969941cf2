#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

// What the fuzz targets share.

/// Ends the process, which the fuzzer reports as a finding, unless `holds`. Prints `what` was required, and `text`.
inline void require(bool holds, const char* what = "a property of the result", std::string_view text = "") {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n%.*s", what, static_cast<int>(text.size()), text.data());
  std::abort();
}

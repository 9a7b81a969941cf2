#pragma once

#include <string>
#include <string_view>

namespace eventgate {

/// The text of a beacon, decoded.
struct BeaconText {
  std::string text;             ///< Has room for kJsonPadding more bytes.
  bool has_end_mark = false;    ///< A `;` ended the query.
  bool has_cut_escape = false;  ///< `%` or `%2` stands at the end.
};

/// Decodes the query of a beacon, which begins behind the first `?` of the URL. Leaves out `?`, `;` and `&` at both
/// ends. `+` is a space, `%XX` a byte, and any other `%` stays. O(size of `query`). Pure.
BeaconText decode_beacon(std::string_view query);

}  // namespace eventgate

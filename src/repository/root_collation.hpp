#pragma once

#include <string_view>

namespace eventgate {

/// Less than, equal to or greater than zero: `a` to `b`, as JavaScript's localeCompare orders them by the root
/// collation of CLDR. Exact for ASCII: white space, `_-,;:!?.'"()[]{}@*/\&#%`, `` `^+<=>|~$ ``, digits, letters without
/// case, at last small before capital. Accented Latin letters come after the bare ones (U+00C0 to U+017F); spaces and
/// symbols are where those of ASCII are, in the order of code points; every other character follows the letters in that
/// order.
int locale_compare(std::string_view a, std::string_view b);

}  // namespace eventgate

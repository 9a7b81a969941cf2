#pragma once

#include <string_view>

namespace eventgate {

/// Compares as JavaScript's localeCompare does, by the root collation of CLDR. Returns a number less than, equal to or
/// greater than zero. It is exact for ASCII. The order is white space, `_-,;:!?.'"()[]{}@*/\&#%`, `` `^+<=>|~$ ``,
/// digits, letters. Texts that differ in case alone have the small letter first. An accented Latin letter (U+00C0 to
/// U+017F) comes after its bare one. Other spaces and symbols have the place of those of ASCII, in the order of code
/// points. All other characters come after the letters, in that order.
int locale_compare(std::string_view a, std::string_view b);

}  // namespace eventgate

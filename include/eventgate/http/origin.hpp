#pragma once

#include <string>
#include <string_view>

namespace eventgate {

/// Returns why `text` is not an origin as browsers write it in the field `Origin`: `https://example.org`,
/// `http://[::1]:8080` or `null` (WHATWG HTML, section "Origin"), or the `file://` of some web views. Returns an empty
/// text if it is one. Any thread may call this.
std::string origin_problem(std::string_view text);

}  // namespace eventgate

#pragma once

#include <string>
#include <string_view>

#include "eventgate/http/request.hpp"

// What the pages have in common. Every function is pure, so any thread may call it.

namespace eventgate {

/// Returns the Content-Security-Policy of a page whose one `<script>` and one `<style>` are inline: both by their
/// hashes (CSP, section 6.7.2.3), connections to its own origin, and nothing else.
std::string page_policy(std::string_view page);

/// Returns true if the field `Accept` of `request` names `text/html`, and not with `q=0` (RFC 9110, section 12.5.1).
bool accepts_html(const Request& request);

}  // namespace eventgate

#pragma once

#include <string_view>

#include "eventgate/http/request.hpp"
#include "eventgate/http/response.hpp"

namespace eventgate {

/// Returns `response`, or a 304 with its headers if If-None-Match of `request` has `tag` or is `*` (RFC 9110, section
/// 13.1.2). `tag` is the weak entity tag of the response, such as `W/"a1"`. Any thread may call this.
Response unless_known(Response response, std::string_view tag, const Request& request);

}  // namespace eventgate

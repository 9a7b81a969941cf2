#pragma once

#include <string_view>

#include "eventgate/gate/request_context.hpp"

namespace eventgate {

/// Returns the address of the client: `X-Client-IP`, else the first of `X-Forwarded-For`, else the socket's. It refers
/// to `context`. Empty if there is none. Pure.
std::string_view client_address(const RequestContext& context);

}  // namespace eventgate

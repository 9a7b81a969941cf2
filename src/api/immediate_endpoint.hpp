#pragma once

#include "eventgate/http/endpoint.hpp"

namespace eventgate {

/// An endpoint that responds at once: it reads no body, waits for nothing, and streams nothing.
///
/// Thread-safe, if `respond` is.
class ImmediateEndpoint : public Endpoint {
 public:
  Task<Reply> handle(Exchange& exchange) final { co_return respond(exchange); }

 protected:
  virtual Response respond(const Exchange& exchange) const = 0;
};

}  // namespace eventgate

#pragma once

#include <optional>
#include <utility>

#include "eventgate/http/exchange.hpp"
#include "eventgate/http/response.hpp"
#include "eventgate/io/task.hpp"

namespace eventgate {

/// What an endpoint returns: the response, and the work that begins once the response is sent.
struct Reply {
  Reply(Response&& to_send) : response(std::move(to_send)) {}
  Reply(Response&& to_send, Task<void> next) : response(std::move(to_send)), work(std::move(next)) {}

  /// The reply of an endpoint that has called `Exchange::begin_stream`.
  static Reply streamed() { return Response{}; }

  Response response;
  std::optional<Task<void>> work;  ///< Starts on the same I/O thread, even if the client is gone.
};

/// The handler of a route.
///
/// Thread-safe: requests of all I/O threads call `handle` at the same time. A router owns it.
class Endpoint {
 public:
  virtual ~Endpoint() = default;

  /// Handles one request whose method the route takes. HEAD is handled as GET; the server leaves out the body.
  /// `exchange` outlives the task.
  virtual Task<Reply> handle(Exchange& exchange) = 0;
};

}  // namespace eventgate

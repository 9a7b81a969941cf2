#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "eventgate/http/exchange.hpp"
#include "eventgate/http/response.hpp"
#include "eventgate/io/task.hpp"

namespace eventgate {

/// A connection that leaves the server. The server has sent nothing of the response.
struct HandedSocket {
  int socket = -1;      ///< Connected and nonblocking. Who takes it closes it.
  std::string head;     ///< The head of the response, as it is to be sent.
  bool chunked = true;  ///< The body is to be sent in chunks (RFC 9112, section 7.1).
};

/// What an endpoint returns: the response, and the work that begins once the response is sent.
struct Reply {
  Reply(Response&& to_send) : response(std::move(to_send)) {}
  Reply(Response&& to_send, Task<void> next) : response(std::move(to_send)), work(std::move(next)) {}

  /// The reply of an endpoint that has called `Exchange::begin_stream`.
  static Reply streamed() { return Response{}; }

  /// The reply of an endpoint that hands the connection to `take`, with the head of `head`, which must have `streaming`
  /// set. The connection does not count under `max_connections` any more. `take` is called on the I/O thread, or not
  /// at all if the client has left.
  static Reply handed_over(Response&& head, std::function<void(HandedSocket)> take) {
    Reply reply(std::move(head));
    reply.take = std::move(take);
    return reply;
  }

  Response response;
  std::optional<Task<void>> work;          ///< Starts on the same I/O thread, even if the client is gone.
  std::function<void(HandedSocket)> take;  ///< Not empty: takes the connection.
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

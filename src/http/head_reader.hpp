#pragma once

#include <cstddef>
#include <optional>

#include "client_socket.hpp"
#include "eventgate/http/http_options.hpp"
#include "eventgate/http/response.hpp"
#include "request_parser.hpp"

namespace eventgate {

/// Reads the head of one request from a ClientSocket into its `buffers().request`. A head is rejected if it is
/// malformed, too large or late, or if two readers could understand it differently.
///
/// Use on one I/O thread.
class HeadReader {
 public:
  /// The socket and the context must outlive this.
  HeadReader(ClientSocket& socket, const ServerContext& server);

  /// Parses what the buffer has. Returns true if the head is complete or rejected.
  bool parse();

  /// Receives and parses the rest, if `parse` has returned false.
  Task<void> read_rest();

  /// True after a client has left before the first byte of a request: no response is needed.
  bool client_left() const { return client_left_; }

  /// The response to a head that is rejected, else nullopt.
  std::optional<Response>& rejected() { return rejected_; }

  /// The parser, which knows how the body is framed once the head is complete.
  const RequestParser& parser() const { return parser_; }

 private:
  std::optional<Response> find_contradiction() const;

  ClientSocket& socket_;
  const ServerContext& server_;
  RequestParser parser_;
  std::size_t size_ = 0;  // bytes of the head so far
  bool client_left_ = false;
  std::optional<Response> rejected_;
};

/// Returns the 503 response to a request that is not complete when the server stops.
Response stopping_response(const Request& request);

/// The cause in `eventgate_rejected_requests_total` of such a request.
inline constexpr std::string_view kStoppingCause = "stopping";

}  // namespace eventgate

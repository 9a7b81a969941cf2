#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "chunked_body.hpp"
#include "client_socket.hpp"
#include "content_coding.hpp"
#include "eventgate/http/exchange.hpp"
#include "request_parser.hpp"

namespace eventgate {

/// Reads the body of one request from a ClientSocket: its framing (Content-Length or chunked), its Content-Encoding,
/// and the limits `max_body_size`, `request_timeout` and `max_inflight_bytes`.
///
/// Use on one I/O thread.
class BodyReader {
 public:
  /// Both must outlive this.
  BodyReader(ClientSocket& socket, const ServerContext& server) : socket_(socket), server_(server) {}

  /// Begins with the body that the head announces. `expects_continue`: the client sends it after 100 Continue.
  void begin(const RequestParser& parser, bool expects_continue);

  /// True if bytes of the body are not read.
  bool has_unread() const { return remaining_ > 0 || chunks_.has_value(); }

  /// True if the start of the next request is not known, so the connection has to end.
  bool framing_lost() const { return framing_lost_; }
  void lose_framing() { framing_lost_ = true; }

  /// True if the unread rest is small enough to skip it, so that the connection can serve another request.
  bool is_worth_skipping() const;

  /// Reads and decodes the body, and counts it in `reservation`. Fails with the response to send.
  Task<BodyResult> read(InflightReservation& reservation);

  /// Skips the unread rest. Returns false if it does not come, or is malformed.
  Task<bool> skip();

 private:
  void take_received(std::string& body);
  Task<std::optional<Response>> read_rest(std::string& body, InflightReservation& reservation);
  Task<std::optional<Response>> read_chunks(std::string& body, InflightReservation& reservation);
  std::optional<Response> decode(ContentCoding coding, std::string& body) const;
  Response truncated_response(ClientSocket::Received received);
  Response too_large_response() const;
  const Request& request() const { return socket_.buffers().request; }

  ClientSocket& socket_;
  const ServerContext& server_;
  bool expects_continue_ = false;
  bool framing_lost_ = false;
  std::uint64_t remaining_ = 0;        // unread bytes of a body with a Content-Length
  std::optional<ChunkedBody> chunks_;  // the body is chunked and not read to its end
};

/// Returns the 503 response to a request that exceeds `max_inflight_bytes`.
Response inflight_exceeded_response(std::size_t max_inflight_bytes, const Request& request);

}  // namespace eventgate

#include "head_reader.hpp"

#include <boost/beast/http/error.hpp>
#include <string>

#include "eventgate/base/ascii.hpp"
#include "head_check.hpp"

namespace eventgate {

namespace http_error = boost::beast::http;

HeadReader::HeadReader(ClientSocket& socket, const ServerContext& server)
    : socket_(socket),
      server_(server),
      parser_(socket.buffers().request, server.options.max_header_size, server.options.max_header_count) {
  // An empty line before a request is skipped (RFC 9112, section 2.2).
  if (socket.buffers().unread().substr(0, 2) == "\r\n") socket.consume(2);
}

bool HeadReader::parse() {
  const std::string_view unread = socket_.buffers().unread();
  if (unread.empty()) return false;
  boost::system::error_code error;
  const std::size_t used = parser_.parse(unread, error);
  socket_.consume(used);
  size_ += used;
  if (!error && parser_.is_header_done()) {
    rejected_ = find_contradiction();
    return true;
  }
  const std::string_view rest = socket_.buffers().unread();
  if (error && error != http_error::error::need_more) {
    rejected_ = error == http_error::error::header_limit ? minimal_response(431, "headers_too_large")
                                                         : minimal_response(400, "malformed_http");
  } else if (size_ + rest.size() > server_.options.max_header_size) {
    rejected_ = minimal_response(431, "headers_too_large");
  } else if (size_ == 0 ? is_malformed_start(rest) : has_malformed_field(rest)) {
    rejected_ = minimal_response(400, "malformed_http");
  }
  return rejected_.has_value();
}

Task<void> HeadReader::read_rest() {
  const std::chrono::milliseconds limit = server_.options.header_timeout;
  do {
    switch (co_await socket_.receive_more(limit)) {
      case ClientSocket::Received::bytes:
        break;
      case ClientSocket::Received::full:
        rejected_ = minimal_response(431, "headers_too_large");
        co_return;
      case ClientSocket::Received::timeout: {
        const Request& request = socket_.buffers().request;
        if (server_.stopping.load(std::memory_order_relaxed)) {
          rejected_ = stopping_response(request);
        } else {
          rejected_ = rejection(
              408, "The headers did not come in time: expected them within " + std::to_string(limit.count()) + " ms.",
              "timeout", request);
        }
        co_return;
      }
      case ClientSocket::Received::nothing:
      case ClientSocket::Received::end:
        client_left_ = size_ == 0 && socket_.buffers().unread().empty();
        if (!client_left_) rejected_ = minimal_response(400, "malformed_http");
        co_return;
    }
  } while (!parse());
}

/// Returns the response to a head that Beast takes although it can be read in two ways, or is too long.
std::optional<Response> HeadReader::find_contradiction() const {
  const Request& request = socket_.buffers().request;
  if (size_ > server_.options.max_header_size) return minimal_response(431, "headers_too_large");
  if (request.hosts > 1 || (request.hosts == 0 && !request.http_1_0) || request.bad_host)
    return minimal_response(400, "malformed_http");
  if (request.content_lengths > 1 || request.content_length().find(',') != std::string_view::npos)
    return minimal_response(400, "malformed_http");
  if (request.transfer_encodings > 0) {
    if (request.http_1_0 || request.content_lengths > 0 || request.coding_after_chunked)
      return minimal_response(400, "malformed_http");
    if (request.transfer_encodings > 1 || !equals_ignoring_case(request.transfer_encoding(), "chunked"))
      return rejection(501, "Transfer-Encoding has to be `chunked`, or absent.", "transfer_encoding", request);
    if (!parser_.chunked()) return minimal_response(400, "malformed_http");
  }
  if (request.unknown_method)
    return rejection(501, "The method is not known. Expected GET, HEAD, POST or OPTIONS.", "unknown_method", request);
  return std::nullopt;
}

Response stopping_response(const Request& request) {
  return retry_later("The service is stopping, and the request was not there in full. Send it again later.",
                     kStoppingCause, request);
}

}  // namespace eventgate

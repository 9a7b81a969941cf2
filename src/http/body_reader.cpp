#include "body_reader.hpp"

#include <algorithm>
#include <utility>

#include "eventgate/json/json_nodes.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "head_reader.hpp"

namespace eventgate {

namespace {

/// Bytes of an unwanted body that are read so that the connection can be kept. Above that, a new one is cheaper.
constexpr std::size_t kMaxSkippedBody = 64 * 1024;
/// Bytes by which a body grows while it is received, so that a client that announces much does not get it at once.
constexpr std::size_t kBodyReadSize = 64 * 1024;

}  // namespace

void BodyReader::begin(const RequestParser& parser, bool expects_continue) {
  if (const auto length = parser.content_length()) remaining_ = *length;
  if (parser.chunked()) chunks_.emplace(nullptr, kMaxSkippedBody, server_.options.max_header_size);
  expects_continue_ = expects_continue && has_unread();
}

bool BodyReader::is_worth_skipping() const {
  return !framing_lost_ && remaining_ <= kMaxSkippedBody && !(expects_continue_ && has_unread());
}

Task<BodyResult> BodyReader::read(InflightReservation& reservation) {
  const std::optional<ContentCoding> coding = content_coding(request().content_encoding());
  if (!coding || request().content_encodings > 1)
    co_return rejection(415, "Content-Encoding has to be gzip, deflate, zstd or identity, or absent.",
                        "unsupported_media_type", request());
  if (remaining_ > server_.options.max_body_size) co_return too_large_response();
  if (expects_continue_) {
    expects_continue_ = false;
    if (!co_await socket_.send("HTTP/1.1 100 Continue\r\n\r\n")) {
      framing_lost_ = true;
      co_return minimal_response(400, {});  // The client is gone.
    }
  }

  std::string body;
  take_received(body);
  if (has_unread()) {
    std::optional<Response> failure = co_await read_rest(body, reservation);
    if (failure) co_return *std::move(failure);
  }
  server_.telemetry.body_received(body.size());
  if (*coding != ContentCoding::identity && !body.empty())
    if (std::optional<Response> failure = decode(*coding, body)) co_return *std::move(failure);
  if (!reservation.resize(inflight_weight(body.size(), 0)))
    co_return inflight_exceeded_response(server_.options.max_inflight_bytes, request());
  socket_.thread().release_receive_buffer(socket_.buffers());
  co_return std::move(body);
}

/// Moves to `body` the received part of one with a Content-Length.
void BodyReader::take_received(std::string& body) {
  if (chunks_) return;
  body.reserve(remaining_ + kJsonPadding);
  const std::string_view received = socket_.buffers().unread().substr(0, remaining_);
  body += received;
  socket_.consume(received.size());
  remaining_ -= received.size();
}

/// Receives the rest of the body. Returns the response to send if that fails.
Task<std::optional<Response>> BodyReader::read_rest(std::string& body, InflightReservation& reservation) {
  if (chunks_) co_return co_await read_chunks(body, reservation);
  const std::chrono::milliseconds limit = server_.options.request_timeout;
  std::size_t size = body.size();  // of what is read; the room behind it is cleared once only
  while (remaining_ > 0) {
    if (!reservation.resize(inflight_weight(size, 0)))
      co_return inflight_exceeded_response(server_.options.max_inflight_bytes, request());
    if (body.size() == size) body.resize(size + std::min<std::size_t>(remaining_, kBodyReadSize));
    const auto read = socket_.raw().receive(body.data() + size, body.size() - size);
    if (!read) co_return truncated_response(ClientSocket::Received::end);
    size += *read;
    remaining_ -= *read;
    if (*read > 0) continue;
    const ClientSocket::Clock::duration left = socket_.time_left(limit);
    if (left <= ClientSocket::Clock::duration::zero()) co_return truncated_response(ClientSocket::Received::timeout);
    if (!co_await socket_.wait(ClientSocket::Direction::in, left))
      co_return truncated_response(socket_.timed_out() ? ClientSocket::Received::timeout : ClientSocket::Received::end);
  }
  co_return std::nullopt;
}

/// The same for a chunked body.
Task<std::optional<Response>> BodyReader::read_chunks(std::string& body, InflightReservation& reservation) {
  const HttpOptions& options = server_.options;
  chunks_.emplace(&body, options.max_body_size, options.max_header_size);
  for (;;) {
    socket_.consume(chunks_->decode(socket_.buffers().unread()));
    switch (chunks_->state()) {
      case ChunkedBody::State::complete:
        chunks_.reset();
        co_return std::nullopt;
      case ChunkedBody::State::malformed:
        framing_lost_ = true;
        co_return minimal_response(400, "malformed_http");
      case ChunkedBody::State::too_large:
        framing_lost_ = true;
        co_return too_large_response();
      case ChunkedBody::State::incomplete:
        break;
    }
    if (!reservation.resize(inflight_weight(body.size(), 0))) {
      framing_lost_ = true;
      co_return inflight_exceeded_response(options.max_inflight_bytes, request());
    }
    const ClientSocket::Received received = co_await socket_.receive_more(options.request_timeout);
    if (received != ClientSocket::Received::bytes) co_return truncated_response(received);
  }
}

std::optional<Response> BodyReader::decode(ContentCoding coding, std::string& body) const {
  std::string decoded;
  const std::optional<DecodeError> error = decode_body(coding, body, server_.options.max_body_size, decoded);
  if (!error) {
    body = std::move(decoded);
    return std::nullopt;
  }
  switch (*error) {
    case DecodeError::too_large:
      return too_large_response();
    case DecodeError::malformed:
      return rejection(400, "The body is not in the Content-Encoding it names, or is cut off.", "malformed_encoding",
                       request());
  }
  return std::nullopt;
}

Task<bool> BodyReader::skip() {
  const std::chrono::milliseconds limit = server_.options.request_timeout;
  for (;;) {
    const std::string_view unread = socket_.buffers().unread();
    if (chunks_) {
      socket_.consume(chunks_->decode(unread));
      if (chunks_->state() == ChunkedBody::State::complete) co_return true;
      if (chunks_->state() != ChunkedBody::State::incomplete) co_return false;
    } else {
      const std::size_t used = std::min<std::uint64_t>(unread.size(), remaining_);
      socket_.consume(used);
      remaining_ -= used;
      if (remaining_ == 0) co_return true;
    }
    if (co_await socket_.receive_more(limit) != ClientSocket::Received::bytes) co_return false;
  }
}

Response BodyReader::too_large_response() const {
  return rejection(413, body_too_large_text(server_.options.max_body_size), "body_too_large", request());
}

/// Returns the response to a body that ends before its announced end, because of `received`.
Response BodyReader::truncated_response(ClientSocket::Received received) {
  framing_lost_ = true;
  if (received != ClientSocket::Received::timeout) return minimal_response(400, "malformed_http");
  if (server_.stopping.load(std::memory_order_relaxed)) return stopping_response(request());
  return rejection(408,
                   "The body did not come in time: expected it within " +
                       std::to_string(server_.options.request_timeout.count()) + " ms.",
                   "timeout", request());
}

Response inflight_exceeded_response(std::size_t max_inflight_bytes, const Request& request) {
  return retry_later("More requests are being worked on than fit in " + std::to_string(max_inflight_bytes) +
                         " bytes (max_inflight_bytes). Send it again later.",
                     "inflight_bytes", request);
}

}  // namespace eventgate

#pragma once

#include <string>
#include <string_view>

#include "eventgate/http/endpoint.hpp"
#include "eventgate/readers/stream_readers.hpp"
#include "immediate_endpoint.hpp"

// The endpoints of the read side (docs/reading.md). Each is thread-safe.

namespace eventgate {

/// `GET /v2/stream`: the streams that the client may read.
class StreamListEndpoint final : public ImmediateEndpoint {
 public:
  /// `readers` must outlive this.
  explicit StreamListEndpoint(StreamReaders& readers) : readers_(readers) {}

 private:
  Response respond(const Exchange& exchange) const override;

  StreamReaders& readers_;
};

/// `GET /v2/ui`: the page of streams.
class StreamPageEndpoint final : public ImmediateEndpoint {
 public:
  /// `options` are those of the readers: the page knows how long a stream may be silent.
  explicit StreamPageEndpoint(const ReaderOptions& options);

 private:
  Response respond(const Exchange& exchange) const override;

  const std::string page_;
  const std::string policy_;  // Content-Security-Policy with the hashes of the page's script and styles
};

/// `GET /v2/stream/{streams}`: the events of streams as they come. The connection leaves the HTTP server with the head
/// of the response.
class StreamEndpoint final : public Endpoint {
 public:
  /// `readers` must outlive this.
  explicit StreamEndpoint(StreamReaders& readers) : readers_(readers) {}

  Task<Reply> handle(Exchange& exchange) override;

 private:
  Response refuse(const StreamRefusal& refusal, const Request& request);

  StreamReaders& readers_;
};

}  // namespace eventgate

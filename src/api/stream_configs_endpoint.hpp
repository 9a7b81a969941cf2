#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "immediate_endpoint.hpp"

namespace eventgate {

class StreamConfigSource;

/// `GET /v1/stream-configs` and `/v1/stream-configs/a,b`: the stream configs in use, all of them or those of the named
/// streams.
///
/// Thread-safe.
class StreamConfigsEndpoint final : public ImmediateEndpoint {
 public:
  /// `streams` must outlive this.
  explicit StreamConfigsEndpoint(StreamConfigSource& streams) : streams_(streams) {}

 private:
  Response respond(const Exchange& exchange) const override;

  StreamConfigSource& streams_;
};

/// Splits a list of stream names at commas and bars. Leaves empty names out.
std::vector<std::string> split_stream_names(std::string_view list);

}  // namespace eventgate

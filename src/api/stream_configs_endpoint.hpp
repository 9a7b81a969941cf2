#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/api/routes.hpp"
#include "immediate_endpoint.hpp"

namespace eventgate {

class StreamConfigSource;

/// Answers queries of stream configs as MediaWiki's `action=streamconfigs` does.
///
/// Thread-safe.
class StreamConfigService {
 public:
  /// `streams` must outlive this.
  StreamConfigService(StreamServiceOptions options, StreamConfigSource& streams)
      : options_(std::move(options)), streams_(streams) {}

  Response respond(const Exchange& exchange) const;

 private:
  std::string wiki_of_host(const Request& request) const;

  const StreamServiceOptions options_;
  StreamConfigSource& streams_;
};

/// `GET /v1/stream-configs` and `/v1/stream-configs/a,b`: the stream configs in use, all of them or those of the named
/// streams. With `streams`, `constraints` or `wiki` in the query, the path without names answers as the service does.
///
/// Thread-safe.
class StreamConfigsEndpoint final : public ImmediateEndpoint {
 public:
  /// `streams` must outlive this.
  StreamConfigsEndpoint(const StreamServiceOptions& options, StreamConfigSource& streams)
      : service_(options, streams), streams_(streams) {}

 private:
  Response respond(const Exchange& exchange) const override;

  const StreamConfigService service_;
  StreamConfigSource& streams_;
};

/// `GET /w/api.php?action=streamconfigs`, at the path of `stream_config_service`.
///
/// Thread-safe.
class StreamConfigsActionEndpoint final : public ImmediateEndpoint {
 public:
  /// `streams` must outlive this.
  StreamConfigsActionEndpoint(const StreamServiceOptions& options, StreamConfigSource& streams)
      : service_(options, streams) {}

 private:
  Response respond(const Exchange& exchange) const override;

  const StreamConfigService service_;
};

/// Splits a list of stream names at commas and bars. Leaves empty names out.
std::vector<std::string> split_stream_names(std::string_view list);

}  // namespace eventgate

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "eventgate/readers/stream_readers.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/stream_metrics.hpp"
#include "support/http_harness.hpp"
#include "support/memory_source.hpp"
#include "support/stream_client.hpp"

namespace eventgate {

/// A server of the streams `a` (topic a), `b` (topic b) and `ab` (both), over topics in memory.
class StreamHarness {
 public:
  static std::shared_ptr<const ExposedStreams> default_streams() {
    std::vector<ExposedStream> streams(3);
    streams[0].name = "a";
    streams[0].topics = {"a"};
    streams[1].name = "b";
    streams[1].topics = {"b"};
    streams[2].name = "ab";
    streams[2].topics = {"a", "b"};
    return std::make_shared<const ExposedStreams>(
        std::move(streams), std::vector<std::pair<std::string, std::shared_ptr<const RedactionRules>>>());
  }

  static ReaderOptions default_options() {
    ReaderOptions options;
    options.num_stream_workers = 2;
    options.stream_linger = std::chrono::milliseconds(0);
    return options;
  }

  explicit StreamHarness(ReaderOptions options = default_options(), HttpHarness::Setup setup = {})
      : readers(std::make_unique<StreamReaders>(std::move(options), source, stream_metrics, default_streams())) {
    setup.readers = readers.get();
    http = std::make_unique<HttpHarness>(std::move(setup));
  }

  StreamClient read(const std::string& target, const std::vector<std::string>& headers = {}) {
    return StreamClient(http->port(), "/v2/stream/" + target, headers);
  }

  std::string metrics_text() const { return metrics.text(); }

  MemorySource source;
  Metrics metrics{"test"};
  StreamMetrics stream_metrics{metrics};
  std::unique_ptr<StreamReaders> readers;  // ends after the server, which hands connections to it
  std::unique_ptr<HttpHarness> http;
};

/// An event whose field `n` is a number.
inline std::string numbered_event(std::int64_t n) { return "{\"n\":" + std::to_string(n) + "}"; }

/// The numbers of events.
inline std::vector<std::int64_t> numbers_of(const std::vector<StreamEvent>& events) {
  std::vector<std::int64_t> found;
  for (const StreamEvent& event : events) found.push_back(std::stoll(event.data.substr(event.data.find("\"n\":") + 4)));
  return found;
}

}  // namespace eventgate

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

#include "eventgate/readers/stream_readers.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/stream_metrics.hpp"
#include "eventstreams_server.hpp"
#include "recorded_topics.hpp"
#include "support/http_harness.hpp"

// Holds the server of streams to the recorded replies of EventStreams (golden/eventstreams.md), over real sockets. The
// recorded topics are in memory; tests/broker does the same with Kafka.

namespace eventgate {
namespace {

using golden::json;

/// A server with the options of one profile.
class ProfileServer {
 public:
  ProfileServer(const json& setup, const std::string& profile) : topics_(setup), metrics_("eventstreams") {
    const json& options = setup["profiles"][profile];
    ExposedStreamOptions exposed;
    exposed.intake = false;
    exposed.stream_config_defaults = options.value("stream_config_defaults", json::object()).dump();
    if (options.contains("allowed_streams"))
      exposed.allowed_streams = options["allowed_streams"].get<std::vector<std::string>>();
    const json pages = options.value("mediawiki_redacted_pages", json::object());
    for (const auto& [domain, titles] : pages.items())
      exposed.mediawiki_redacted_pages.emplace_back(domain, titles.get<std::vector<std::string>>());
    ReaderOptions reading;
    reading.canary_events_sent = true;
    reading.client_ip_connection_limit = options.value("client_ip_connection_limit", std::size_t{0});
    auto streams = std::make_shared<const ExposedStreams>(nlohmann::ordered_json(setup["stream_config"]), exposed);
    readers_ = std::make_unique<StreamReaders>(reading, topics_, stream_metrics_, std::move(streams));
    HttpHarness::Setup http;
    http.readers = readers_.get();
    if (options.contains("cors")) http.http.cors = std::nullopt;
    if (options.contains("csp")) http.http.csp = "";
    harness_ = std::make_unique<HttpHarness>(std::move(http));
  }
  ~ProfileServer() {
    readers_->stop(std::chrono::steady_clock::now());
    harness_.reset();
  }

  golden::RecordedServer server() {
    return {harness_->port(), [this](const json& record) { topics_.produce(record); }};
  }

 private:
  RecordedTopics topics_;
  Metrics metrics_;
  StreamMetrics stream_metrics_{metrics_};
  std::unique_ptr<StreamReaders> readers_;
  std::unique_ptr<HttpHarness> harness_;
};

class EventStreamsServer : public testing::TestWithParam<const char*> {};

TEST_P(EventStreamsServer, RepliesAreThoseOfTheRecordings) {
  const auto recordings = golden::read_event_streams();
  if (!recordings) GTEST_SKIP() << "the recordings of EventStreams are not here: " << golden::kEventStreams;
  ProfileServer profile(recordings->setup, GetParam());
  golden::hold_all(profile.server(), *recordings, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Profiles, EventStreamsServer,
                         testing::Values("default", "limit", "redact", "allowed", "nocors"),
                         [](const auto& profile) { return std::string(profile.param); });

}  // namespace
}  // namespace eventgate

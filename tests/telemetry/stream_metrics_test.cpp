#include "eventgate/telemetry/stream_metrics.hpp"

#include <gmock/gmock.h>

namespace eventgate {
namespace {

using testing::HasSubstr;

TEST(StreamMetrics, StreamOfSeveralStreamsIsOneOfTheClientsThatTheLimitCounts) {
  Metrics metrics("test");
  StreamMetrics streams(metrics);
  streams.limited_to(100);
  streams.reader_connected({"a", "b"});
  streams.reader_connected({"a"});
  streams.reader_disconnected({"a"}, "client_left");
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("eventgate_stream_clients{service=\"test\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("eventgate_max_stream_clients{service=\"test\"} 100\n"));
  EXPECT_THAT(text, HasSubstr("eventstreams_connected_clients{service=\"test\",stream=\"b\"} 1\n"));
}

}  // namespace
}  // namespace eventgate

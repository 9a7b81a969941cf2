#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <thread>

#include "eventgate/streams/stream_config_source.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "support/becomes.hpp"
#include "support/http_test_server.hpp"
#include "support/log_file.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr std::string_view kGood = R"({"streams":{"test.event":{"schema_title":"test"}}})";
constexpr std::string_view kStreams = R"({"test.event":{"schema_title":"test"}})";

/// A failure of an endpoint, and the reason that is reported for it.
struct Mishap {
  std::string name;
  std::optional<std::string> answer;  ///< Nothing: it never answers.
  std::string reason;
  bool huge = false;  ///< Its answer is made when it is asked for: every process of these tests holds every mishap.

  std::optional<std::string> given() const {
    if (!huge) return answer;
    return http_answer(R"({"streams":{"test.event":{"schema_title":")" + std::string(50 << 20, 'x') + "\"}}}");
  }
};

std::ostream& operator<<(std::ostream& out, const Mishap& mishap) { return out << mishap.name; }

std::vector<Mishap> mishaps() {
  const std::string cut = http_answer(kGood);
  return {
      {"Slow", std::nullopt, "within fetch_timeout"},
      {"Down", "", "expected an HTTP answer"},
      {"Status500", http_answer("{}", "500 Internal Server Error"), "got 500 Internal Server Error"},
      {"Status404", http_answer("{}", "404 Not Found"), "got 404"},
      {"ErrorMember", http_answer(R"({"error":{"code":"internal_api_error","info":"Caught"},"streams":{}})"),
       "internal_api_error: Caught"},
      {"TruncatedJson", http_answer(kGood.substr(0, 30)), "expected"},
      {"TruncatedAnswer", cut.substr(0, cut.size() - 5), "expected an HTTP answer"},
      {"Array", http_answer("[1]"), "expected a JSON or YAML object, found an array"},
      {"Scalar", http_answer("5"), "expected a JSON or YAML object"},
      {"StreamsAreAScalar", http_answer(R"({"streams":"none"})"), "expected"},
      {"WithoutStreams", http_answer(R"({"batchcomplete":true})"), "there is no `streams`"},
      {"Empty", http_answer(""), "expected a JSON or YAML object"},
      {"FiftyMegabytes", {}, "expected at most 16777216 bytes", true},
  };
}

class StreamConfigEndpointTest : public testing::TestWithParam<Mishap> {
 protected:
  StreamConfigEndpointTest() {
    options_.stream_config_uri = {server_.uri("/api.php")};
    options_.stream_config_object_path = "streams";
    options_.stream_config_retries = 0;
    reader_options_.max_size = std::size_t{16} << 20;
  }

  /// From now on the endpoint answers so.
  void answer(std::optional<std::string> answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }

  std::unique_ptr<StreamConfigSource> source(std::stop_token stop = {}) {
    return std::make_unique<StreamConfigSource>(options_, make_uri_reader(reader_options_), telemetry_, nullptr, stop);
  }

  /// A start that would take an hour or more, stopped after the endpoint's first request. What it says.
  std::string stopped_start() {
    std::stop_source stop;
    auto outcome = std::async(std::launch::async, [&]() -> std::string {
      try {
        source(stop.get_token());
        return "started";
      } catch (const std::runtime_error& e) {
        return e.what();
      }
    });
    while (server_.requests().empty()) std::this_thread::yield();
    stop.request_stop();
    return outcome.get();
  }

  void await_failures() const {
    while (metrics_.text().find("eventgate_stream_config_failures_total{service=\"gate\"} 0") != std::string::npos) {
      std::this_thread::yield();
    }
  }

  LogFile log_;
  Metrics metrics_{"gate"};
  Telemetry telemetry_{metrics_};
  StreamConfigOptions options_;
  UriReaderOptions reader_options_;
  std::mutex mutex_;
  std::optional<std::string> answer_ = http_answer(kGood);
  std::atomic<bool> unanswered_{false};  ///< A request waits for an answer that never comes.
  HttpTestServer server_{[this](const ServedRequest&) {
    const std::lock_guard lock(mutex_);
    if (!answer_) unanswered_ = true;
    return answer_;
  }};
};

TEST_P(StreamConfigEndpointTest, WhatIsKnownStaysKnown) {
  options_.stream_config_ttl = milliseconds(1);
  reader_options_.fetch_timeout = milliseconds(2000);
  const auto configs = source();
  answer(GetParam().given());
  await_failures();
  EXPECT_EQ(configs->current()->json(), kStreams);
  // It is counted before it is logged.
  const auto told = [this] { return log_.texts().back().find("the last good ones stay in use") != std::string::npos; };
  ASSERT_TRUE(becomes(told)) << log_.texts().back();
  EXPECT_THAT(log_.texts().back(), HasSubstr(GetParam().reason));
  // The reason stays until another read succeeds.
  while (!configs->stale_reason()) std::this_thread::yield();
  EXPECT_THAT(*configs->stale_reason(), testing::MatchesRegex("stream configs: read [0-9]+ s ago, and not since"));
}

TEST_P(StreamConfigEndpointTest, AStartTakesWhatIsKept) {
  const TemporaryFolder folder;
  options_.cache_dir = folder.path();
  EXPECT_EQ(source()->stale_reason(), std::nullopt);
  reader_options_.fetch_timeout = milliseconds(2000);
  answer(GetParam().given());
  const auto configs = source();
  EXPECT_EQ(configs->current()->json(), kStreams);
  EXPECT_THAT(*configs->stale_reason(), testing::StartsWith("stream configs: the copy in cache_dir, read "));
}

TEST_P(StreamConfigEndpointTest, AStartWithNothingKeptSaysWhy) {
  reader_options_.fetch_timeout = milliseconds(2000);
  answer(GetParam().given());
  EXPECT_THAT([&] { source(); }, testing::ThrowsMessage<std::runtime_error>(HasSubstr(GetParam().reason)));
}

INSTANTIATE_TEST_SUITE_P(Mishaps, StreamConfigEndpointTest, testing::ValuesIn(mishaps()),
                         [](const auto& mishap) { return mishap.param.name; });

using StreamConfigEndpoint = StreamConfigEndpointTest;

TEST_F(StreamConfigEndpoint, OneThatIsWellAgainIsReadAndNothingIsStale) {
  options_.stream_config_ttl = milliseconds(1);
  const auto configs = source();
  answer(http_answer("{}", "500 Internal Server Error"));
  await_failures();
  answer(http_answer(R"({"streams":{"new.event":{}}})"));
  while (!configs->current()->find("new.event")) std::this_thread::yield();
  EXPECT_EQ(configs->current()->json(), R"({"new.event":{}})");
}

// Each would wait for an hour.

TEST_F(StreamConfigEndpoint, StoppingDoesNotWaitForARefreshUnderWay) {
  options_.stream_config_ttl = milliseconds(1);
  reader_options_.fetch_timeout = std::chrono::hours(1);
  auto configs = source();
  answer(std::nullopt);
  while (!unanswered_) std::this_thread::yield();
  configs.reset();
  EXPECT_THAT(metrics_.text(), HasSubstr("eventgate_stream_config_failures_total{service=\"gate\"} 0"));
}

TEST_F(StreamConfigEndpoint, AStartThatIsStoppedDoesNotWaitForTheAnswer) {
  reader_options_.fetch_timeout = std::chrono::hours(1);
  answer(std::nullopt);
  EXPECT_EQ(stopped_start(), "The stream configs were not read: the service is stopping");
}

TEST_F(StreamConfigEndpoint, AStartThatIsStoppedDoesNotTryAgainNorTakeWhatIsKept) {
  const TemporaryFolder folder;
  options_.cache_dir = folder.path();
  source();
  options_.stream_config_retries = 100000;
  answer(http_answer("{}", "500 Internal Server Error"));
  EXPECT_EQ(stopped_start(), "The stream configs were not read: the service is stopping");
}

}  // namespace
}  // namespace eventgate

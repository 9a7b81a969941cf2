#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <stop_token>
#include <thread>

#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "support/http_test_server.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr std::string_view kSchema = R"({"type":"object","title":"test"})";

/// What a host does instead of giving a schema, and what is said of it.
struct Mishap {
  std::string name;
  std::optional<std::string> answer;  ///< Nothing: it never answers.
  std::string outcome;
  bool answers = false;  ///< It says what there is: what is kept on disk does not count then.
  bool huge = false;     ///< Its answer is made when it is asked for: every process of these tests holds every mishap.

  std::optional<std::string> given() const {
    return huge ? http_answer(R"({"title":")" + std::string(50 << 20, 'x') + "\"}") : answer;
  }
};

std::ostream& operator<<(std::ostream& out, const Mishap& mishap) { return out << mishap.name; }

std::vector<Mishap> mishaps() {
  const std::string cut = http_answer(kSchema);
  return {
      {"Slow", std::nullopt, "within fetch_timeout"},
      {"Down", "", "expected an HTTP answer"},
      {"Status500", http_answer("{}", "500 Internal Server Error"), "got 500 Internal Server Error"},
      {"Status404", http_answer("{}", "404 Not Found"), "not found", true},
      {"Nonsense", http_answer(R"({"type":"nonsense"})"), "#/type", true},
      {"TruncatedJson", http_answer(kSchema.substr(0, 25)), "expected"},
      {"TruncatedAnswer", cut.substr(0, cut.size() - 5), "expected an HTTP answer"},
      {"Array", http_answer("[1]"), "expected a JSON or YAML object, found an array"},
      {"Scalar", http_answer("5"), "expected a JSON or YAML object"},
      {"Empty", http_answer(""), "expected a JSON or YAML object"},
      {"FiftyMegabytes", {}, "expected at most 1048576 bytes", false, true},
  };
}

class SchemaHostTest : public testing::TestWithParam<Mishap> {
 protected:
  SchemaHostTest() {
    options_.schema_base_uris = {server_.uri("/schemas")};
    options_.schema_negative_ttl = milliseconds(0);
  }

  /// From now on the host answers so.
  void answer(std::optional<std::string> answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }

  void start() { repository_.emplace(options_, make_uri_reader(reader_options_), telemetry_); }

  std::future<std::string> begin(const std::string& uri) {
    const auto outcome = std::make_shared<std::promise<std::string>>();
    repository_->load(uri, [outcome](const SchemaResult& result) { outcome->set_value(text_of(result)); });
    return outcome->get_future();
  }
  std::string load(const std::string& uri) { return begin(uri).get(); }

  /// What `find` knows now.
  std::string find(const std::string& uri) const {
    const auto result = repository_->find(uri);
    return result ? text_of(*result) : "unknown";
  }

  static std::string text_of(const SchemaResult& result) {
    if (result) return (*result)->title().value_or("no title");
    return result.error().reason.empty() ? "not found" : "failed: " + result.error().reason;
  }

  Metrics metrics_{"gate"};
  Telemetry telemetry_{metrics_};
  SchemaOptions options_;
  UriReaderOptions reader_options_;
  std::mutex mutex_;
  std::optional<std::string> answer_ = http_answer(kSchema);
  HttpTestServer server_{[this](const ServedRequest&) {
    const std::lock_guard lock(mutex_);
    return answer_;
  }};
  std::optional<SchemaRepository> repository_;
};

TEST_P(SchemaHostTest, WhatIsKnownStaysKnownAndWhatIsNotFailsWithTheReason) {
  options_.schema_revalidate = milliseconds(1);
  reader_options_.fetch_timeout = milliseconds(2000);
  start();
  EXPECT_EQ(load("/test/1.0.0"), "test");
  answer(GetParam().given());
  while (repository_->stale_count() == 0) EXPECT_EQ(find("/test/1.0.0"), "test");
  EXPECT_EQ(find("/test/1.0.0"), "test");
  EXPECT_EQ(load("/test/1.0.0"), "test");
  EXPECT_THAT(load("/test/2.0.0"), HasSubstr(GetParam().outcome));
  EXPECT_EQ(find("/test/2.0.0"), "unknown");

  answer(http_answer(kSchema));
  EXPECT_EQ(load("/test/2.0.0"), "test");
  while (repository_->stale_count() > 0) EXPECT_EQ(find("/test/1.0.0"), "test");
}

TEST_P(SchemaHostTest, AStartTakesWhatIsKeptUnlessTheHostSaysWhatThereIs) {
  const TemporaryFolder folder;
  options_.cache_dir = folder.path();
  reader_options_.fetch_timeout = milliseconds(2000);
  start();
  EXPECT_EQ(load("/test/1.0.0"), "test");
  answer(GetParam().given());
  start();
  EXPECT_THAT(load("/test/1.0.0"), HasSubstr(GetParam().answers ? GetParam().outcome : "test"));
  EXPECT_EQ(repository_->stale_count(), GetParam().answers ? 0U : 1U);
  EXPECT_THAT(load("/test/2.0.0"), HasSubstr(GetParam().outcome));
}

INSTANTIATE_TEST_SUITE_P(Mishaps, SchemaHostTest, testing::ValuesIn(mishaps()),
                         [](const auto& mishap) { return mishap.param.name; });

using SchemaHost = SchemaHostTest;

TEST_F(SchemaHost, StoppingDoesNotWaitForAFetchUnderWay) {
  reader_options_.fetch_timeout = std::chrono::hours(1);
  answer(std::nullopt);
  start();
  auto outcome = begin("/test/1.0.0");
  while (server_.requests().empty()) std::this_thread::yield();
  repository_.reset();
  EXPECT_THAT(outcome.get(), HasSubstr("the service is stopping"));
}

TEST_F(SchemaHost, ALoadHasOneDeadline) {
  reader_options_.fetch_timeout = reader_options_.fetch_connect_timeout = std::chrono::hours(1);
  options_.load_timeout = milliseconds(2000);
  for (int i = 0; i < 5; ++i) options_.schema_base_uris.push_back(server_.uri("/more/" + std::to_string(i)));
  answer(std::nullopt);
  start();
  EXPECT_THAT(load("/test/1.0.0"), testing::AllOf(HasSubstr("/schemas/test/1.0.0 is unavailable: expected an answer"),
                                                  HasSubstr("there is no time left")));
  EXPECT_EQ(server_.requests().size(), 1U);
}

TEST_F(SchemaHost, TheDeadlineIsForEveryRefToo) {
  reader_options_.fetch_timeout = std::chrono::hours(1);
  options_.load_timeout = milliseconds(2000);
  // Every document refers to the next one, and the last one never comes.
  std::atomic<int> documents{0};
  HttpTestServer chain([&](const ServedRequest&) -> std::optional<std::string> {
    const int next = ++documents;
    if (next > 3) return std::nullopt;
    return http_answer(R"({"title":"test","properties":{"x":{"$ref":"/next/)" + std::to_string(next) + R"("}}})");
  });
  options_.schema_base_uris = {chain.uri("")};
  start();
  EXPECT_THAT(load("/test/1.0.0"), HasSubstr("/next/3 is unavailable: expected an answer"));
}

TEST_F(SchemaHost, PrecachingThatIsStoppedDoesNotWaitForTheAnswer) {
  reader_options_.fetch_timeout = std::chrono::hours(1);
  options_.schema_precache_uris = {"/test/1.0.0", "/test/2.0.0"};
  answer(std::nullopt);
  start();
  std::stop_source stop;
  auto outcome = std::async(std::launch::async, [&] { repository_->precache(stop.get_token()); });
  while (server_.requests().empty()) std::this_thread::yield();
  stop.request_stop();
  EXPECT_THAT([&] { outcome.get(); },
              testing::ThrowsMessage<std::runtime_error>("Schemas were not loaded: the service is stopping"));
}

}  // namespace
}  // namespace eventgate

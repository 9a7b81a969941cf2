#include "eventgate/http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include "support/http_harness.hpp"

namespace eventgate {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

HttpHarness::Setup setup_with(const std::function<void(HttpOptions&)>& change) {
  HttpHarness::Setup setup;
  change(setup.http);
  return setup;
}

std::string good_request(std::string_view target = "/v1/events") {
  return http_request("POST", target, kGoodEvent, {"Content-Type: application/json"});
}

/// The message of what taking the ports of `options` throws.
std::string ports_failure(const HttpOptions& options) {
  boost::asio::io_context io(1);
  try {
    const HttpPorts ports(options, io.get_executor());
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "none";
}

TEST(HttpServer, PortThatIsTakenIsNamed) {
  HttpHarness harness;
  HttpOptions options;
  options.interface = "127.0.0.1";
  options.port = harness.port();
  EXPECT_THAT(ports_failure(options), AllOf(HasSubstr("'127.0.0.1'"), HasSubstr(std::to_string(options.port)),
                                            HasSubstr("Address already in use")));
}

TEST(HttpServer, InterfaceThatIsNoneIsNamed) {
  HttpOptions options;
  options.interface = "no such interface";
  EXPECT_THAT(ports_failure(options), HasSubstr("'no such interface'"));
}

TEST(HttpServer, MetricsHaveAPortOfTheirOwn) {
  HttpHarness harness(setup_with([](HttpOptions& options) { options.metrics_port = 0; }));
  HttpClient metrics(*harness.server().metrics_port());
  const HttpReply reply = metrics.get("/metrics");
  EXPECT_EQ(reply.status, 200u);
  EXPECT_THAT(*reply.header("content-type"), testing::StartsWith("text/plain; version=0.0.4"));
  EXPECT_THAT(reply.body, HasSubstr("eventgate_connections"));
  EXPECT_EQ(metrics.get("/v1/events").status, 404u);
  EXPECT_EQ(metrics.post("/metrics", "").status, 405u);
  EXPECT_EQ(harness.client().get("/metrics").status, 404u);
  EXPECT_EQ(HttpHarness().server().metrics_port(), std::nullopt);
}

TEST(HttpServer, MetricsAreServedAtTheirInterfaceOnly) {
  HttpHarness harness(setup_with([](HttpOptions& options) {
    options.metrics_port = 0;
    options.metrics_interface = "127.0.0.2";
  }));
  const std::uint16_t port = *harness.server().metrics_port();
  HttpClient metrics(port, std::chrono::seconds(30), INADDR_LOOPBACK + 1);
  EXPECT_EQ(metrics.get("/metrics").status, 200u);
  EXPECT_THROW(HttpClient{port}, std::runtime_error);
  EXPECT_EQ(harness.client().get("/healthz").status, 200u);
  EXPECT_THROW(HttpClient(harness.port(), std::chrono::seconds(30), INADDR_LOOPBACK + 1), std::runtime_error);
}

TEST(HttpServer, InterfaceOfTheMetricsThatIsNoneIsNamed) {
  HttpOptions options;
  options.port = 0;
  options.interface = "127.0.0.1";
  options.metrics_port = 0;
  options.metrics_interface = "192.0.2.1";
  EXPECT_THAT(ports_failure(options), HasSubstr("Cannot listen on interface '192.0.2.1', port 0"));
}

TEST(HttpServer, ThreadsShareTheConnections) {
  HttpHarness::Setup setup;
  setup.threads = 3;
  HttpHarness harness(std::move(setup));
  std::vector<HttpClient> clients;
  for (int i = 0; i < 12; ++i) clients.push_back(harness.client());
  for (int round = 0; round < 5; ++round) {
    for (HttpClient& client : clients) client.send(good_request(round % 2 == 0 ? "/v1/events" : "/v1/events?hasty=1"));
    for (HttpClient& client : clients) EXPECT_EQ(client.reply()->status, round % 2 == 0 ? 201u : 202u);
  }
  harness.wait_for_records(60);
}

TEST(HttpServer, AcceptsNoMoreConnectionsThanTheLimitUntilOneEnds) {
  HttpHarness harness(setup_with([](HttpOptions& options) { options.max_connections = 1; }));
  auto first = std::make_unique<HttpClient>(harness.port());
  EXPECT_EQ(first->get("/healthz").status, 200u);
  HttpClient second = harness.client();
  second.send(http_request("GET", "/healthz"));
  harness.wait_for_metric("eventgate_accept_pauses_total{", "1");
  EXPECT_EQ(harness.metric("eventgate_connections_total{"), "1");
  first.reset();
  EXPECT_EQ(second.reply()->status, 200u);
}

TEST(HttpServer, TheMetricsPortTakesSoManyConnectionsAndNoMore) {
  HttpHarness harness(setup_with([](HttpOptions& options) { options.metrics_port = 0; }));
  const std::uint16_t port = *harness.server().metrics_port();
  std::vector<std::unique_ptr<HttpClient>> scrapers;
  for (int i = 0; i < 64; ++i) {
    scrapers.push_back(std::make_unique<HttpClient>(port));
    EXPECT_EQ(scrapers.back()->get("/metrics").status, 200u);
  }
  HttpClient one_more(port);
  one_more.send(http_request("GET", "/metrics"));
  harness.wait_for_metric("eventgate_accept_pauses_total{", "1");
  EXPECT_EQ(harness.client().get("/healthz").status, 200u);
  scrapers.pop_back();
  EXPECT_EQ(one_more.reply()->status, 200u);
}

TEST(HttpServer, RestsWhenThereAreNoFileDescriptorsLeft) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UBSan, built beside ASan, asks a pipe what an object is, and takes the want of one for a fault";
#endif
  HttpHarness harness;
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int next = dup(0);
  ASSERT_GE(next, 0);
  close(next);
  rlimit tight = limit;
  tight.rlim_cur = static_cast<rlim_t>(next) + 1;  // One more: the client's.
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  HttpClient client = harness.client();
  client.send(http_request("GET", "/healthz"));
  while (harness.metric("eventgate_accept_pauses_total{") == "0") std::this_thread::yield();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(client.reply()->status, 200u);
}

TEST(HttpServer, StopClosesIdleConnectionsAndThePort) {
  HttpHarness harness(setup_with([](HttpOptions& options) { options.metrics_port = 0; }));
  HttpClient used = harness.client();
  EXPECT_EQ(used.get("/healthz").status, 200u);
  HttpClient unused = harness.client();
  harness.wait_for_metric("eventgate_connections{", "2");
  harness.stop_begun().wait();
  EXPECT_TRUE(used.ended());
  EXPECT_TRUE(unused.ended());
  EXPECT_THROW(harness.client(), std::runtime_error);
  EXPECT_THROW(HttpClient(*harness.server().metrics_port()), std::runtime_error);
  EXPECT_EQ(harness.metric("eventgate_connections{"), "0");
}

TEST(HttpServer, StopLetsRequestsUnderWayFinish) {
  HttpHarness harness;
  harness.hold_records();
  HttpClient client = harness.client();
  client.send(good_request());
  harness.wait_for_records(1);
  std::future<void> done = harness.stop_begun();
  EXPECT_EQ(done.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  harness.settle();
  const std::optional<HttpReply> reply = client.reply();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 201u);
  EXPECT_EQ(reply->header("connection"), "close");
  EXPECT_TRUE(client.ended());
  done.wait();
}

TEST(HttpServer, StopWaitsForTheBodyOfARequestBegun) {
  HttpHarness harness;
  HttpClient client = harness.client();
  const std::string request = good_request();
  client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + request.substr(0, request.size() - 5));
  EXPECT_EQ(client.reply()->status, 200u);
  std::future<void> done = harness.stop_begun();
  client.send(std::string_view(request).substr(request.size() - 5));
  EXPECT_EQ(client.reply()->status, 201u);
  done.wait();
}

TEST(HttpServer, StopWaitsForHastyEvents) {
  HttpHarness harness;
  harness.hold_records();
  HttpClient client = harness.client();
  EXPECT_EQ(client.exchange(good_request("/v1/events?hasty=true")).status, 202u);
  harness.wait_for_records(1);
  std::future<void> done = harness.stop_begun();
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(done.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  harness.settle();
  done.wait();
  EXPECT_EQ(harness.server().inflight_bytes(), 0u);
}

TEST(HttpServer, StopAnswersWhatWasSentBeforeIt) {
  HttpHarness::Setup setup;
  setup.threads = 2;
  HttpHarness harness(std::move(setup));
  std::vector<HttpClient> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(harness.client());
    clients.back().send(good_request(i % 2 == 0 ? "/v1/events" : "/v1/events?hasty=true"));
  }
  std::future<void> done = harness.stop_begun();
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const std::optional<HttpReply> reply = clients[i].reply();
    ASSERT_TRUE(reply) << i;
    EXPECT_EQ(reply->status, i % 2 == 0 ? 201u : 202u);
  }
  done.wait();
  EXPECT_EQ(harness.records(), 100u);
}

TEST(HttpServer, IsNotReadyWhileItStops) {
  HttpHarness harness;
  HttpClient client = harness.client();
  harness.wait_for_metric("eventgate_connections{", "1");
  std::future<void> done = harness.stop_begun();
  const HttpReply reply = client.get("/readyz");
  EXPECT_EQ(reply.status, 503u);
  EXPECT_EQ(reply.header("connection"), "close");
  EXPECT_EQ(nlohmann::json::parse(reply.body)["detail"], "The service is stopping.");
  done.wait();
}

}  // namespace
}  // namespace eventgate

#include "api/metrics_endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventgate/telemetry/metrics.hpp"
#include "support/fake_exchange.hpp"

namespace eventgate {
namespace {

Response response_to(const std::string& method, const std::string& target) {
  const Metrics metrics("test");
  MetricsEndpoint endpoint(metrics);
  return FakeExchange({.method = method, .target = target}).run(endpoint).response;
}

TEST(MetricsEndpoint, MetricsArePrometheusText) {
  const Response response = response_to("GET", "/metrics?name=x");
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
}

TEST(MetricsEndpoint, OtherPathsAndMethodsAreProblems) {
  EXPECT_EQ(response_to("GET", "/metrics/").status, 404u);
  EXPECT_EQ(response_to("GET", "/%zz").status, 404u);
  const Response response = response_to("OPTIONS", "/metrics");
  EXPECT_EQ(response.status, 405u);
  EXPECT_EQ(response.extra_headers, "allow: GET,HEAD\r\n");
}

}  // namespace
}  // namespace eventgate

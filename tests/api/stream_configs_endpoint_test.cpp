#include "api/stream_configs_endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "support/http_harness.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(StreamConfigsEndpoint, NamesAreSeparatedByCommasOrBars) {
  EXPECT_THAT(split_stream_names("a,b|c,"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(split_stream_names(",|"), IsEmpty());
}

TEST(StreamConfigsEndpoint, ConfigsAreThoseInUse) {
  HttpHarness::Setup setup;
  setup.stream_configs = R"({"b.event": {"schema_title": "test"}, "/^a/": {"schema_title": "a"}, "empty": {}})";
  HttpHarness harness(std::move(setup));
  HttpClient client = harness.client();
  EXPECT_EQ(json::parse(client.get("/v1/stream-configs").body),
            json::parse(R"({"b.event": {"schema_title": "test"}, "/^a/": {"schema_title": "a"}, "empty": {}})"));
  EXPECT_EQ(json::parse(client.get("/v1/stream-configs/b.event|nope,empty").body),
            json::parse(R"({"b.event": {"schema_title": "test"}, "empty": {}})"));
  EXPECT_EQ(json::parse(client.get("/v1/stream-configs/%2F%5Ea%2F").body),
            json::parse(R"({"/^a/": {"schema_title": "a"}})"));
  EXPECT_EQ(client.get("/v1/stream-configs/abc").body, "{}");
  EXPECT_EQ(client.get("/v1/stream-configs/,").body, "{}");
  EXPECT_EQ(HttpHarness().client().get("/v1/stream-configs").status, 404u);
}

}  // namespace
}  // namespace eventgate

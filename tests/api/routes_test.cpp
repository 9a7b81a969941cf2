#include "eventgate/api/routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "support/http_harness.hpp"
#include "support/stream_harness.hpp"

namespace eventgate {
namespace {

using nlohmann::json;

/// Path, method, operationId.
using Operation = std::tuple<std::string, std::string, std::string>;

/// A server with every route.
HttpHarness::Setup full_setup() {
  HttpHarness::Setup setup;
  setup.stream_configs = "{}";
  setup.api.test_events = "[{}]";
  setup.live = true;
  setup.api.stream_service.path = "/w/api.php";
  setup.legacy.emplace().routes = {"/beacon/event"};
  return setup;
}

TEST(Routes, TableAndOpenApiDocumentNameTheSameOperations) {
  StreamHarness streams(StreamHarness::default_options(), full_setup());
  HttpHarness& harness = *streams.http;
  std::set<Operation> of_table;
  for (const HttpHarness::RouteRow& route : harness.routes)
    of_table.emplace(route.path, route.method == Method::post ? "post" : "get", route.operation);
  std::set<Operation> of_document;
  const json document = json::parse(harness.client().get("/?spec").body);
  for (const auto& [path, operations] : document["paths"].items())
    for (const auto& [method, operation] : operations.items())
      if (method != "options" && operation.contains("operationId"))
        of_document.emplace(path, method, operation["operationId"]);  // a path of one stream has none
  EXPECT_EQ(of_table, of_document);
  EXPECT_GT(of_table.size(), 14u);
}

TEST(Routes, EveryDocumentedPathAnswersOptionsWithAllow) {
  StreamHarness streams(StreamHarness::default_options(), full_setup());
  HttpHarness& harness = *streams.http;
  HttpClient client = harness.client();
  for (const HttpHarness::RouteRow& route : harness.routes) {
    const HttpReply reply = client.exchange(http_request("OPTIONS", route.path));
    EXPECT_EQ(reply.status, 200u) << route.path;
    const std::string one = route.method == Method::post ? "POST" : "GET,HEAD";
    EXPECT_EQ(reply.header("allow"), route.path == "/beacon/event" ? "GET,HEAD,POST" : one) << route.path;
  }
}

TEST(Routes, RoutesThatAreNotConfiguredDoNotExist) {
  HttpHarness harness;
  HttpClient client = harness.client();
  for (const char* const path :
       {"/v1/_test/events", "/v1/stream-configs", "/v1/stream-configs/a", "/live", "/v1/live", "/v1/live/schema?uri=/a",
        "/v2/stream", "/v2/stream/a", "/v2/ui", "/beacon/event?%7B%7D;"})
    EXPECT_EQ(client.get(path).status, 404u) << path;
}

TEST(Routes, TheClientIsThereUnlessItIsTurnedOff) {
  HttpHarness harness;
  EXPECT_EQ(harness.client().get("/client.js").status, 200u);
  HttpHarness::Setup setup;
  setup.api.client = false;
  HttpHarness without(setup);
  HttpClient client = without.client();
  for (const char* const path : {"/client.js", "/client.classic.js", "/client.d.ts"})
    EXPECT_EQ(client.get(path).status, 404u) << path;
}

TEST(Routes, DocumentDescribesRejections) {
  HttpHarness harness(full_setup());
  const json paths = json::parse(harness.client().get("/?spec").body)["paths"];
  const json& responses = paths["/v1/events"]["post"]["responses"];
  EXPECT_THAT(responses["400"]["description"].get<std::string>(), testing::HasSubstr("without a body"));
  EXPECT_THAT(responses["413"]["description"].get<std::string>(), testing::HasSubstr("trailer fields"));
  EXPECT_THAT(responses["501"]["description"].get<std::string>(), testing::HasSubstr("method that is not known"));
  EXPECT_EQ(paths["/v1/live/schema"]["get"]["parameters"][0]["schema"]["minLength"], 1);
}

TEST(Routes, ReferencesInTheDocumentResolve) {
  HttpHarness harness(full_setup());
  const json spec = json::parse(harness.client().get("/?spec").body);
  const json flat = spec.flatten();
  std::size_t references = 0;
  for (const auto& [pointer, value] : flat.items()) {
    if (!pointer.ends_with("/$ref")) continue;
    ++references;
    EXPECT_TRUE(spec.contains(json::json_pointer(value.get<std::string>().substr(1)))) << value;
  }
  EXPECT_GT(references, 20u);
}

}  // namespace
}  // namespace eventgate

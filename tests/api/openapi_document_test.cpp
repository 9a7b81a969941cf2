#include "api/openapi_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/stream_harness.hpp"

namespace eventgate {
namespace {

using nlohmann::json;

/// Streams with a topic of their name, and the URI of a schema.
std::shared_ptr<const ExposedStreams> streams_with(const std::vector<std::pair<std::string, std::string>>& schemas) {
  std::vector<ExposedStream> streams;
  for (const auto& [name, uri] : schemas) {
    ExposedStream& stream = streams.emplace_back();
    stream.name = name;
    stream.topics = {name};
    stream.schema_uri = uri;
  }
  return std::make_shared<const ExposedStreams>(
      std::move(streams), std::vector<std::pair<std::string, std::shared_ptr<const RedactionRules>>>());
}

json schema_of(const json& paths, const std::string& stream) {
  return paths["/v2/stream/" + stream]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
}

TEST(OpenApiDocument, SchemasOfStreamsAreReadForAllWhoAskAtOnce) {
  StreamHarness harness;
  harness.readers->change_streams(streams_with({{"one", "/test/1.0.0"}, {"two", "/not/there/1.0.0"}, {"three", ""}}));
  std::vector<std::string> bodies(8);
  std::vector<std::thread> clients;
  for (std::string& body : bodies)
    clients.emplace_back([&body, &harness] { body = harness.http->client().get("/?spec").body; });
  for (std::thread& client : clients) client.join();
  for (const std::string& body : bodies) {
    const json paths = json::parse(body)["paths"];
    EXPECT_EQ(schema_of(paths, "one")["title"], "test");
    EXPECT_EQ(schema_of(paths, "two"), json({{"type", "object"}}));
    EXPECT_EQ(schema_of(paths, "three"), json({{"type", "object"}}));
  }
}

TEST(OpenApiDocument, ChangedStreamsAreDescribedAtOnce) {
  StreamHarness harness;
  HttpClient client = harness.http->client();
  EXPECT_TRUE(json::parse(client.get("/?spec").body)["paths"].contains("/v2/stream/ab"));
  harness.readers->change_streams(streams_with({{"new", "/test/1.0.0"}}));
  const json document = json::parse(client.get("/?spec").body);
  EXPECT_EQ(schema_of(document["paths"], "new")["title"], "test");
  EXPECT_FALSE(document["paths"].contains("/v2/stream/ab"));
  EXPECT_EQ(document["paths"]["/v2/stream/{streams}"]["get"]["parameters"][0]["schema"]["items"]["enum"],
            json({"new"}));
}

TEST(OpenApiDocument, WithoutStreamsThereIsNoEnumOfNames) {
  StreamHarness harness;
  harness.readers->change_streams(streams_with({}));
  const std::string body = harness.http->client().get("/?spec").body;
  EXPECT_TRUE(json::parse(body)["paths"].contains("/v2/stream/{streams}"));
  EXPECT_EQ(body.find("NAMES_OF_STREAMS"), std::string::npos);
}

}  // namespace
}  // namespace eventgate

// What service-checker-swagger does: it reads /?spec, and sends for each path the requests of its `x-amples`.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "eventgate/base/percent.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/paths.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using nlohmann::json;

/// The target of a request: `path` with `params` in the place of `{name}`, and `query`.
std::string target_of(std::string path, const json& request) {
  const json params = request.value("params", json::object());
  for (const auto& [name, value] : params.items()) {
    const std::string place = "{" + name + "}";
    if (const std::size_t at = path.find(place); at != std::string::npos)
      path.replace(at, place.size(), percent_encode(value.get<std::string>()));
  }
  const json query = request.value("query", json::object());
  char separator = '?';
  for (const auto& [name, value] : query.items())
    path += std::exchange(separator, '&') + percent_encode(name) + "=" + percent_encode(value.get<std::string>());
  return path;
}

/// The requests of an operation, each with the status that is expected.
std::vector<std::pair<std::string, unsigned>> requests_of(const std::string& path, const json& operation) {
  if (operation.value("x-monitor", true) == false) return {};
  std::vector<std::pair<std::string, unsigned>> found;
  const json amples = operation.value("x-amples", json::array());
  for (const json& ample : amples)
    found.emplace_back(target_of(path, ample.value("request", json::object())),
                       ample.value("response", json::object()).value("status", 200U));
  if (found.empty()) found.emplace_back(path, 200U);
  return found;
}

/// Holds a gate to its own document. Returns the paths that were asked for.
std::set<std::string> check(const GateProcess& gate) {
  HttpClient client(gate.port());
  const json paths = json::parse(client.get("/?spec").body)["paths"];
  std::set<std::string> checked;
  for (const auto& [path, methods] : paths.items()) {
    if (!methods.contains("get")) continue;
    const json& operation = methods["get"];
    EXPECT_TRUE(operation.contains("x-amples") || operation.contains("x-monitor")) << path;
    for (const auto& [target, status] : requests_of(path, operation)) {
      EXPECT_EQ(client.get(target).status, status) << target;
      checked.insert(path);
    }
  }
  return checked;
}

class ServiceChecker : public testing::Test {
 protected:
  std::string output() const { return "output_path: " + folder_.path() + "/events/\n"; }

  const TemporaryFolder folder_;
};

TEST_F(ServiceChecker, ShippedConfig) {
  const GateProcess gate({source_dir() + "/config/config.yaml"}, output());
  const std::set<std::string> checked = check(gate);
  for (const char* const path :
       {"/", "/_info", "/v1/_test/events", "/v1/stream-configs/{streams}", "/v2/stream", "/v2/ui"})
    EXPECT_TRUE(checked.contains(path)) << path;
}

TEST_F(ServiceChecker, EveryRoute) {
  const GateProcess gate({source_dir() + "/config/config.yaml"},
                         output() + "live: true\nstream_config_service: {path: /w/own.php}\n");
  EXPECT_TRUE(check(gate).contains("/w/own.php"));
}

TEST_F(ServiceChecker, RoutesThatAreOffAreNotInTheDocument) {
  // A gate that only reads, whose broker is not there.
  const GateProcess gate(
      {source_dir() + "/config/config.yaml"},
      "intake: false\nstream_ui_enabled: false\nkafka: {conf: {metadata.broker.list: '127.0.0.1:1'}}\n");
  HttpClient client(gate.port());
  const json document = json::parse(client.get("/?spec").body);
  const json& paths = document["paths"];
  for (const char* const path : {"/v1/events", "/v1/_test/events", "/live", "/v1/live", "/v2/ui", "/w/api.php"}) {
    EXPECT_FALSE(paths.contains(path)) << path;
    EXPECT_EQ(client.get(path).status, 404u) << path;
  }
  EXPECT_TRUE(paths.contains("/v2/stream"));
  for (const json& tag : document["tags"]) EXPECT_NE(tag["name"], "live");
}

// The schemas and examples of streams are those of the repository.
TEST_F(ServiceChecker, DocumentHasSchemaAndExampleOfEachStream) {
  const std::string streams =
      folder_.write("streams.yaml",
                    "test.a: {schema_title: test/event, description: Events to read, stream_aliases: [other]}\n"
                    "test.none: {schema_title: not/there}\ntest.private: {schema_title: test/event, private: true}\n");
  const GateProcess gate({}, "schema_base_uris: [" + source_dir() + "/schemas]\nstream_config_uri: " + streams +
                                 "\nstream_field: meta.stream\nstreams: true\n" + output());
  HttpClient client(gate.port());
  const json paths = json::parse(client.get("/?spec").body)["paths"];
  for (const char* const name : {"test.a", "other"}) {
    const json& get = paths["/v2/stream/" + std::string(name)]["get"];
    const json& content = get["responses"]["200"]["content"]["text/event-stream"];
    EXPECT_EQ(content["schema"]["title"], "test/event") << name;
    EXPECT_EQ(content["schema"]["properties"]["meta"]["properties"]["stream"]["type"], "string") << name;
    EXPECT_TRUE(content["example"].is_object()) << name;
    EXPECT_THAT(get["description"].get<std::string>(), testing::HasSubstr("Events to read"));
  }
  EXPECT_EQ(paths["/v2/stream/test.none"]["get"]["responses"]["200"]["content"]["application/json"]["schema"],
            json({{"type", "object"}}));
  EXPECT_FALSE(paths.contains("/v2/stream/test.private"));
  EXPECT_EQ(paths["/v2/stream/{streams}"]["get"]["parameters"][0]["schema"]["items"]["enum"],
            json({"test.a", "other", "test.none"}));
  check(gate);
  // Streams that are declared later are described at once.
  folder_.write("streams.yaml", "test.b: {schema_title: test/event}\n");
  gate.signal(SIGHUP);
  EXPECT_TRUE(becomes([&] {
    const json now = json::parse(client.get("/?spec").body)["paths"];
    return now.contains("/v2/stream/test.b") &&
           now["/v2/stream/test.b"]["get"]["responses"]["200"]["content"]["application/json"].contains("example");
  }));
}

}  // namespace
}  // namespace eventgate

// What the gate goes on with while the hosts of its schemas and stream configs fail, and how it takes what is new.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "support/becomes.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/http_test_server.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

/// A schema `test` whose member `test` is of `type`.
std::string schema_of(const std::string& type) {
  return R"({"title": "test", "type": "object", "properties": {"$schema": {"type": "string"}, "test": {"type": ")" +
         type + R"("}, "meta": {"type": "object", "properties": {"stream": {"type": "string"}}}}})";
}

std::string event_of(const std::string& schema_uri, const std::string& test) {
  return R"({"$schema":")" + schema_uri + R"(","meta":{"stream":"test.event"},"test":)" + test + "}";
}

unsigned status_of(const GateProcess& gate, const std::string& event) {
  return HttpClient(gate.port()).post("/v1/events", event).status;
}

/// A host of the schema /test/1.0.0 and of the stream configs.
class Host {
 public:
  std::string config() const {
    return "schema_base_uris: ['" + server_.uri("/schemas") + "']\nstream_config_uri: '" + server_.uri("/api.php") +
           "'\nstream_config_object_path: streams\n";
  }

  /// Whether it fails from now on.
  void fail(bool failing) {
    const std::lock_guard lock(mutex_);
    failing_ = failing;
  }

 private:
  std::string answer(const std::string& target) {
    const std::lock_guard lock(mutex_);
    if (failing_) return http_answer("{}", "500 Internal Server Error");
    if (target == "/schemas/test/1.0.0") return http_answer(schema_of("string"));
    if (target == "/api.php") return http_answer(R"({"streams": {"test.event": {"schema_title": "test"}}})");
    return http_answer("", "404 Not Found");
  }

  std::mutex mutex_;
  bool failing_ = false;
  HttpTestServer server_{[this](const ServedRequest& request) { return answer(request.target()); }};
};

const std::string kEvent = event_of("/test/1.0.0", "\"x\"");

TEST(LastKnownGood, ServesWhileHostsFailAndReadyzSaysWhatIsStale) {
  const TemporaryFolder folder;
  Host host;
  const GateProcess gate({}, host.config() + "stream_config_ttl: 50ms\nschema_revalidate: 50ms\noutput_path: " +
                                 folder.path() + "/events.ndjson\n");
  EXPECT_EQ(status_of(gate, kEvent), 201u);
  HttpReply ready;
  // Refreshes may be late on a loaded machine, and then it says so.
  const auto becomes_fresh = [&] {
    return becomes([&] {
      EXPECT_EQ(status_of(gate, kEvent), 201u);
      ready = HttpClient(gate.port()).get("/readyz");
      return ready.body == R"({"status":"ready"})";
    });
  };
  EXPECT_TRUE(becomes_fresh()) << ready.body;

  host.fail(true);
  EXPECT_TRUE(becomes([&] {
    EXPECT_EQ(status_of(gate, kEvent), 201u);
    ready = HttpClient(gate.port()).get("/readyz");
    return ready.body.find("stream configs: read ") != std::string::npos &&
           ready.body.find("schemas: 1 came from cache_dir or could not be read again") != std::string::npos;
  })) << ready.body;
  EXPECT_EQ(ready.status, 200u);
  EXPECT_THAT(gate.log_with("A schema cannot be read again"),
              AllOf(HasSubstr("Stream configs cannot be read: the last good ones stay in use"),
                    HasSubstr("A schema cannot be read again: the one in use stays in use")));
  EXPECT_THAT(HttpClient(gate.metrics_port()).get("/metrics").body,
              AllOf(ContainsRegex("eventgate_stream_config_age_seconds[{][^}]*[}] [0-9.]*[1-9]"),
                    ContainsRegex("eventgate_stream_config_failures_total[{][^}]*[}] [1-9]")));

  host.fail(false);
  EXPECT_TRUE(becomes_fresh()) << ready.body;
}

TEST(LastKnownGood, AStartWithoutTheNetworkUsesWhatCacheDirKeepsAndSaysSo) {
  const TemporaryFolder folder;
  std::string config = "cache_dir: " + folder.path() + "/cache\noutput_path: " + folder.path() + "/events.ndjson\n";
  {
    const Host host;
    config += host.config();
    GateProcess gate({}, config);
    EXPECT_EQ(status_of(gate, kEvent), 201u);
    gate.signal(SIGTERM);
    EXPECT_EQ(gate.wait(), 0);
  }
  // The host is gone, and its port with it.
  const GateProcess gate({}, config);
  EXPECT_EQ(status_of(gate, kEvent), 201u);
  const HttpReply ready = HttpClient(gate.port()).get("/readyz");
  EXPECT_EQ(ready.status, 200u);
  EXPECT_THAT(ready.body, AllOf(HasSubstr("stream configs: the copy in cache_dir, read "),
                                HasSubstr("schemas: 1 came from cache_dir or could not be read again")));
  EXPECT_THAT(gate.log_with("the one kept in `cache_dir` is used"),
              AllOf(HasSubstr("Connection refused"), HasSubstr(".json is used"),
                    HasSubstr("A schema document cannot be read: the one kept in `cache_dir` is used")));
}

/// A gate with schemas in a folder.
class FolderGate {
 public:
  explicit FolderGate(const std::string& config)
      : folder_(with_schemas()),
        gate_({}, "schema_base_uris: [" + folder_->path() + "/schemas]\nstream_config_uri: " + folder_->path() +
                      "/streams.yaml\noutput_path: " + folder_->path() + "/events.ndjson\n" + config) {}

  void write_schema(const std::string& version, const std::string& type) const {
    folder_->write("schemas/test/" + version, schema_of(type));
  }
  unsigned status_of(const std::string& version, const std::string& test) const {
    return eventgate::status_of(gate_, event_of("/test/" + version, test));
  }
  std::string log() const { return gate_.log(); }
  std::string log_with(std::string_view text) const { return gate_.log_with(text); }

 private:
  static std::unique_ptr<TemporaryFolder> with_schemas() {
    auto folder = std::make_unique<TemporaryFolder>();
    folder->write("streams.yaml", "test.event: {schema_title: test}\n");
    folder->write("schemas/test/1.0.0", schema_of("string"));
    folder->write("schemas/test/latest", schema_of("string"));
    return folder;
  }

  std::unique_ptr<TemporaryFolder> folder_;
  GateProcess gate_;
};

TEST(Evolution, ANewVersionIsUsedWithoutARestart) {
  const FolderGate gate("schema_negative_ttl: 1ms\n");
  EXPECT_EQ(gate.status_of("1.0.0", "5"), 400u);
  EXPECT_EQ(gate.status_of("2.0.0", "5"), 500u);
  gate.write_schema("2.0.0", "integer");
  EXPECT_TRUE(becomes([&] { return gate.status_of("2.0.0", "5") == 201u; }));
  EXPECT_EQ(gate.status_of("1.0.0", "5"), 400u);
}

TEST(Evolution, AnEditedVersionCountsAfterSchemaRevalidateAndIsWarnedOf) {
  const FolderGate gate("schema_revalidate: 1ms\n");
  EXPECT_EQ(gate.status_of("1.0.0", "5"), 400u);
  gate.write_schema("1.0.0", "integer");
  EXPECT_TRUE(becomes([&] { return gate.status_of("1.0.0", "5") == 201u; }));
  EXPECT_EQ(gate.status_of("1.0.0", "\"x\""), 400u);
  EXPECT_THAT(gate.log_with("A schema in use has changed"),
              ContainsRegex("\"level\":40,\"msg\":\"A schema in use has changed[^\n]*/test/1.0.0"));
}

TEST(Evolution, AnEditedVersionIsNotLookedAtByDefault) {
  const FolderGate gate("");
  EXPECT_EQ(gate.status_of("1.0.0", "5"), 400u);
  gate.write_schema("1.0.0", "integer");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(gate.status_of("1.0.0", "5"), 400u);
}

TEST(Evolution, LatestFollows) {
  const FolderGate gate("schema_latest_ttl: 1ms\n");
  EXPECT_EQ(gate.status_of("latest", "5"), 400u);
  gate.write_schema("latest", "integer");
  EXPECT_TRUE(becomes([&] { return gate.status_of("latest", "5") == 201u; }));
}

TEST(Evolution, AStreamWithoutASchemaIsToldOfAndStopsNothing) {
  const TemporaryFolder folder;
  folder.write("schemas/test/1.0.0", schema_of("string"));
  const GateProcess gate(
      {}, "schema_base_uris: [" + folder.path() + "/schemas]\nstream_config_ttl: 10ms\nstream_config_uri: " +
              folder.write("streams.yaml", "test.event: {schema_title: test}\nlost.event: {schema_title: lost}\n") +
              "\noutput_path: " + folder.path() + "/events.ndjson\n");
  const auto told = [&](const std::string& stream) {
    return gate.log().find("No schema in `schema_base_uris` has the schema_title") != std::string::npos &&
           gate.log().find("\"stream\":\"" + stream + "\",\"schema_title\":\"lost\"") != std::string::npos;
  };
  EXPECT_TRUE(becomes([&] { return told("lost.event"); })) << gate.log();
  EXPECT_EQ(status_of(gate, kEvent), 201u);
  folder.write("streams.yaml", "test.event: {schema_title: test}\nmore.event: {schema_title: lost}\n");
  EXPECT_TRUE(becomes([&] { return told("more.event"); })) << gate.log();
  EXPECT_THAT(HttpClient(gate.metrics_port()).get("/metrics").body,
              ContainsRegex("eventgate_streams_without_schema_total[{][^}]*[}] 2\n"));
  EXPECT_EQ(status_of(gate, kEvent), 201u);
}

}  // namespace
}  // namespace eventgate

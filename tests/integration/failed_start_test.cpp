// A start that fails says why, and leaves nothing behind: no file, no port.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "eventgate/cli/service.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/http_test_server.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A folder with a config that would start, with two outputs and a cache that are not there yet.
class Folder {
 public:
  Folder() {
    folder_.write("schemas/test/1.0.0", R"({"title": "test", "type": "object"})");
    folder_.write("streams.yaml", "test.event: {schema_title: test}\n");
    folder_.write("good.yaml", "port: 0\ninterface: 127.0.0.1\nschema_base_uris: [" + path("schemas") +
                                   "]\nstream_config_uri: " + path("streams.yaml") + "\nstream_config_retries: 0\n" +
                                   "output_path: " + path("made/events/") + "\n");
  }

  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }

  /// Starts the gate with `config` over the good one.
  GateRun start(const std::string& config) const {
    return run_gate({"serve", "-c", path("good.yaml"), "-c", folder_.write("bad.yaml", config)});
  }

  bool anything_made() const { return fs::exists(path("made")); }

 private:
  TemporaryFolder folder_;
};

TEST(FailedStart, OfABadConfigNamesFileKeyValueAndWhatWasExpected) {
  const Folder folder;
  const GateRun run = folder.start("port: many\noutput_fsync: 7\nkafka: {conf: {metadata.broker.list: {a: 1}}}\n");
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr(folder.path("bad.yaml") + ": port is \"many\", expected a whole number"));
  EXPECT_THAT(run.output, HasSubstr(folder.path("bad.yaml") + ": output_fsync is 7, expected true or false"));
  EXPECT_THAT(run.output,
              HasSubstr(folder.path("bad.yaml") + ": kafka.conf.metadata.broker.list is {\"a\":1}, expected"));
  EXPECT_FALSE(folder.anything_made());
}

TEST(FailedStart, ForWantOfStreamConfigsMakesNoFiles) {
  const Folder folder;
  const GateRun run = folder.start("stream_config_uri: " + folder.path("none.yaml") + "\n");
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("stream_config_uri '" + folder.path("none.yaml") + "'"));
  EXPECT_FALSE(folder.anything_made());
}

TEST(FailedStart, ForWantOfARequiredSchemaMakesNoFiles) {
  const Folder folder;
  const GateRun run = folder.start("schema_precache_uris: [/none/1.0.0]\nschema_precache_required: true\n");
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("/none/1.0.0"));
  EXPECT_FALSE(folder.anything_made());
}

TEST(FailedStart, ForAnOptionThatLibrdkafkaRefusesMakesNoFiles) {
  const Folder folder;
  const GateRun run = folder.start("kafka: {conf: {metadata.broker.list: '127.0.0.1:1', no.such.option: 1}}\n");
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.output, "eventgate: " + folder.path("bad.yaml") +
                            ": kafka.conf.no.such.option is 1, expected an option that librdkafka takes: No such "
                            "configuration property: \"no.such.option\"\n");
  EXPECT_FALSE(folder.anything_made());
}

TEST(FailedStart, ForAPortThatIsTakenMakesNoFiles) {
  const Folder folder;
  const HttpTestServer taken([](const ServedRequest&) { return std::optional<std::string>(); });
  for (const std::string option : {"port: ", "metrics: {type: prometheus, port: "}) {
    const std::string end = option.ends_with("port: ") && option.starts_with("metrics") ? "}\n" : "\n";
    const GateRun run = folder.start(option + std::to_string(taken.port()) + end);
    EXPECT_EQ(run.status, 1);
    EXPECT_THAT(run.output, HasSubstr("Cannot listen on interface '127.0.0.1', port " + std::to_string(taken.port())));
    EXPECT_FALSE(folder.anything_made());
  }
}

TEST(FailedStart, LeavesNobodyListening) {
  const Folder folder;
  std::uint16_t port = 0;
  {
    const HttpTestServer finder([](const ServedRequest&) { return std::optional<std::string>(); });
    port = finder.port();
  }
  Config config;
  config.http.interface = "127.0.0.1";
  config.http.port = port;
  config.file.emplace().output_path = folder.path("streams.yaml") + "/below-a-file/";
  EXPECT_THAT([&] { const Service service(std::move(config)); },
              testing::ThrowsMessage<std::runtime_error>(HasSubstr("output_path")));
  EXPECT_THROW(HttpClient{port}, std::runtime_error);
}

}  // namespace
}  // namespace eventgate

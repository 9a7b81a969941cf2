// `eventgate serve --dev`, beside `eventgate schema build --watch`, as an author has them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "support/becomes.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/shell.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// A folder with an empty schema repository, a stream `test.event` of the schema `test`, and a gate's config.
class AuthorsFolder {
 public:
  AuthorsFolder() {
    write("tools.yaml", "schemaBasePath: " + path("schemas") + "\ncontentTypes: [yaml]\n");
    write("schemas/README", "");
    declare_streams("test.event: {schema_title: test}\n");
    write("gate.yaml", "schema_base_uris: [" + path("schemas") + "]\nstream_config_uri: " + path("streams.yaml") +
                           "\nerror_stream: ''\noutput_path: " + path("events") + "/\n");
  }

  void declare_streams(const std::string& streams) const { write("streams.yaml", streams); }
  void save_current(const std::string& properties) const {
    write("schemas/test/current.yaml",
          "title: test\n$id: /test/1.0.0\n$schema: https://json-schema.org/draft-07/schema#\n"
          "type: object\nproperties:\n  $schema: {type: string}\n  meta: {type: object}\n" +
              properties);
  }
  void write(const std::string& name, const std::string& text) const { folder_.write(name, text); }
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }

 private:
  TemporaryFolder folder_;
};

/// `schema build --watch` of a folder.
class Watch {
 public:
  explicit Watch(const AuthorsFolder& folder)
      : log_(folder.path("watch.log")),
        process_(start_gate({"schema", "build", "--all", "--watch", "-C", folder.path("tools.yaml")}, log_)) {
    EXPECT_TRUE(becomes([&] { return says("watching "); }));
  }
  ~Watch() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  bool says(const std::string& text) const { return file_content(log_).find(text) != std::string::npos; }

 private:
  const std::string log_;
  const pid_t process_;
};

constexpr const char* kNumber = R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event"},"n":1})";
constexpr const char* kOther = R"({"$schema":"/test/1.0.0","meta":{"stream":"other.event"},"n":1})";

class Dev : public testing::Test {
 protected:
  void start(const StartedWith& with = {"", -1, {"--dev"}}) { gate_.emplace(files(), "", with); }
  std::vector<std::string> files() const { return {folder_.path("gate.yaml")}; }
  unsigned post(const char* event) const { return HttpClient(gate_->port()).post("/v1/events", event).status; }

  /// The fields of the log line about the request with this target and status.
  json line_of(const std::string& target, int status) const {
    json found;
    becomes([&] {
      for (const std::string& text : lines_in(gate_->log())) {
        const json line = json::parse(text, nullptr, false);
        if (line.is_object() && line.value("msg", "") == "Request answered" && line["target"] == target &&
            line["status"] == status)
          found = line;
      }
      return !found.is_null();
    });
    return found;
  }

  AuthorsFolder folder_;
  std::optional<GateProcess> gate_;
};

TEST_F(Dev, WhatIsSavedCountsForTheNextEvents) {
  const Watch watch(folder_);
  start();
  EXPECT_EQ(post(kNumber), 500u);  // no such schema yet
  folder_.save_current("  n: {type: integer}\n");
  EXPECT_TRUE(becomes([&] { return watch.says("wrote " + folder_.path("schemas/test/1.0.0.yaml")); }));
  EXPECT_TRUE(becomes([&] { return post(kNumber) == 201; }));

  folder_.save_current("  n: {type: [integer\n");
  EXPECT_TRUE(becomes([&] { return watch.says(folder_.path("schemas/test/current.yaml") + ":"); }));
  EXPECT_EQ(post(kNumber), 201u);  // the version that was made last

  folder_.save_current("  n: {type: string}\n");
  EXPECT_TRUE(becomes([&] { return post(kNumber) == 400; }));

  EXPECT_EQ(post(kOther), 500u);  // no such stream yet
  folder_.save_current("  n: {type: integer}\n");
  folder_.declare_streams("test.event: {schema_title: test}\nother.event: {schema_title: test}\n");
  EXPECT_TRUE(becomes([&] { return post(kOther) == 201; }));
}

TEST_F(Dev, ShowsEventsAtThePageAndLogsEachRequest) {
  folder_.write("schemas/test/1.0.0", "title: test\ntype: object\nproperties: {n: {type: string}}\n");
  start();
  EXPECT_EQ(HttpClient(gate_->port()).get("/live").status, 200u);
  EXPECT_EQ(post(kNumber), 400u);
  EXPECT_EQ(HttpClient(gate_->port()).get("/none?a=1").status, 404u);
  const json refused = line_of("/v1/events", 400);
  EXPECT_EQ(refused.value("method", ""), "POST");
  EXPECT_EQ(refused.value("level", 0), 40);
  EXPECT_EQ(refused.value("reason", ""), "1 out of 1 events were invalid and not accepted.");
  EXPECT_THAT(refused.value("note", ""), HasSubstr("'.n' should be string"));
  EXPECT_GT(refused.value("milliseconds", 0.0), 0);
  EXPECT_EQ(line_of("/live", 200).value("level", 0), 30);
  EXPECT_EQ(line_of("/none?a=1", 404).value("level", 0), 40);
  EXPECT_THAT(gate_->log_with("--dev"), HasSubstr("/live\""));
}

TEST_F(Dev, ALineIsForPeopleWhereItIsAskedFor) {
  folder_.write("schemas/test/1.0.0", "title: test\ntype: object\nproperties: {n: {type: string}}\n");
  folder_.write("port.yaml", "port: 0\nmetrics: []\n");
  const std::string log = folder_.path("log");
  const pid_t process = start_gate({"serve", "--dev", "-c", folder_.path("gate.yaml"), "-c", folder_.path("port.yaml")},
                                   log, {"CLICOLOR_FORCE=1 NO_COLOR=1"});
  std::string text;
  const auto says = [&](const std::string& what) {
    return becomes([&] { return (text = file_content(log)).find(what) != std::string::npos; });
  };
  EXPECT_TRUE(says(" INFO  listening  interface=127.0.0.1 port=") && says("--dev"));
  const std::size_t at = text.find(" port=");
  ASSERT_NE(at, std::string::npos);
  const auto port = static_cast<std::uint16_t>(std::stoul(text.substr(at + 6)));
  EXPECT_EQ(HttpClient(port).post("/v1/events", kNumber).status, 400u);
  EXPECT_TRUE(
      says(" WARN  POST /v1/events: 400 1 out of 1 events were invalid and not accepted: '.n' should be string"));
  ::kill(process, SIGTERM);
  ::waitpid(process, nullptr, 0);
}

TEST_F(Dev, AServiceLogsNoRequests) {
  folder_.write("schemas/test/1.0.0", "title: test\ntype: object\n");
  start(StartedWith());
  EXPECT_EQ(post(kNumber), 201u);
  EXPECT_EQ(HttpClient(gate_->port()).get("/live").status, 404u);
  gate_->signal(SIGTERM);
  EXPECT_EQ(gate_->wait(), 0);
  EXPECT_THAT(gate_->log(), testing::Not(HasSubstr("Request answered")));
}

// SIGHUP reads the files as the start did.
TEST_F(Dev, AReloadChangesNothingOfIt) {
  folder_.write("schemas/test/1.0.0", "title: test\ntype: object\n");
  start();
  gate_->signal(SIGHUP);
  EXPECT_THAT(gate_->log_with("\"msg\":\"reloaded\""), HasSubstr("\"msg\":\"reloaded\""));
  EXPECT_EQ(post(kNumber), 201u);
  EXPECT_EQ(line_of("/v1/events", 201).value("level", 0), 30);
  EXPECT_THAT(gate_->log(), testing::Not(HasSubstr("need a restart")));
}

}  // namespace
}  // namespace eventgate

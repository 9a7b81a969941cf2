// `eventgate validate`, as a process.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/gate_process.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kTestSchema = R"(
title: test
type: object
properties:
  $schema: {type: string}
  meta: {type: object, properties: {stream: {type: string}, id: {type: string}, dt: {type: string}}}
  test: {type: string, default: made}
)";

/// A config with a stream `test.event` of the schema `test`, its outputs in a folder that must stay empty.
class Validate : public testing::Test {
 protected:
  Validate() {
    folder_.write("schemas/test/1.0.0", kTestSchema);
    folder_.write("schemas/error/2.1.0", "title: error\ntype: object\n");
    folder_.write("streams.yaml", "test.event: {schema_title: test}\ntest.error: {schema_title: error}\n");
    folder_.write("config.yaml", "schema_base_uris: [" + folder_.path() + "/schemas]\nstream_config_uri: " +
                                     folder_.path() + "/streams.yaml\noutput_path: " + folder_.path() +
                                     "/made/events/\nspool: {path: " + folder_.path() +
                                     "/made/spool}\nkafka: {conf: {metadata.broker.list: '127.0.0.1:1'}}\n"
                                     "topic_prefix: eqiad.\nerror_stream: test.error\nmax_body_size: 300\n");
  }

  GateRun validate(const std::string& events, const std::vector<std::string>& options = {}) const {
    std::vector<std::string> arguments{"validate", "-c", folder_.path() + "/config.yaml",
                                       folder_.write("events.ndjson", events)};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return run_gate(arguments);
  }

  TemporaryFolder folder_;
};

std::string event(const std::string& members) {
  return R"({"$schema": "/test/1.0.0", "meta": {"stream": "test.event"})" + members + "}\n";
}

TEST_F(Validate, TellsOfEachLineAndProducesNothing) {
  const GateRun run = validate(event("") + "\n" + event(R"(, "test": 5)") +
                               R"({"$schema": "/none/1.0.0"})"
                               "\r\n");
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.output,
            "line 1: success\n"
            "line 3: invalid: '.test' should be string\n"
            "line 4: error: Failed loading schema at /none/1.0.0\n"
            "3 events: 1 success, 1 invalid, 1 error; none was produced\n");
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/made"));
}

TEST_F(Validate, ExitsWith0IfAllArePassed) {
  const GateRun run = validate(event("") + event(R"(, "test": "x")"));
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output, HasSubstr("2 events: 2 success, 0 invalid, 0 error"));
  EXPECT_EQ(validate("").status, 0);
}

TEST_F(Validate, TellsInJsonWhatWouldBeProducedAndWhyNot) {
  const GateRun run = validate(event("") + event(R"(, "test": 5)") + "{", {"--json"});
  EXPECT_EQ(run.status, 1);
  std::istringstream lines(run.output);
  std::vector<json> verdicts;
  for (std::string line; std::getline(lines, line);) verdicts.push_back(json::parse(line));
  ASSERT_EQ(verdicts.size(), 3u);
  EXPECT_EQ(verdicts[0]["line"], 1);
  EXPECT_EQ(verdicts[0]["status"], "success");
  EXPECT_EQ(verdicts[0]["event"]["test"], "made");
  EXPECT_TRUE(verdicts[0]["event"]["meta"].contains("dt"));
  EXPECT_EQ(verdicts[0]["topic"], "eqiad.test.event");
  EXPECT_EQ(verdicts[0]["message_key"], nullptr);
  EXPECT_EQ(verdicts[1]["status"], "invalid");
  EXPECT_EQ(verdicts[1]["event"]["test"], 5);
  EXPECT_EQ(verdicts[1]["context"]["errorsText"], "'.test' should be string");
  EXPECT_EQ(verdicts[1]["context"]["errors"][0]["schemaPath"], "#/properties/test/type");
  EXPECT_EQ(verdicts[2], (json{{"line", 3},
                               {"status", "error"},
                               {"context",
                                {{"message",
                                  "The body is not JSON that we take: expected a key in quotes or '}' at byte "
                                  "1, found the end: the text looks cut off."}}}}));
}

TEST_F(Validate, HoldsALineToTheLimitsOfARequest) {
  const GateRun run = validate(event(", \"test\": \"" + std::string(100'000, 'x') + '"') + std::string(200, '[') +
                               "\n" + "{}\n" + event(""));
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("line 1: error: The body is too large: expected at most 300 bytes, decoded "
                                    "(max_body_size).\nline 2: error: The body is not JSON that we take: expected "));
  EXPECT_THAT(run.output, HasSubstr("line 3: error: Request body was empty. Must provide JSON encoded events.\n"
                                    "line 4: success\n"));
}

TEST_F(Validate, TakesTheArrayThatARequestMayBe) {
  const GateRun run = validate("[" + event("") + "]");
  EXPECT_EQ(run.status, 1) << "the line ends inside the array";
  std::string array = "[" + event("") + ",5]";
  std::erase(array, '\n');
  EXPECT_EQ(validate(array).output,
            "line 1, event 0: success\n"
            "line 1, event 1: error: Field(s) $schema were missing from event and could not be extracted.\n"
            "2 events: 1 success, 0 invalid, 1 error; none was produced\n");
}

TEST_F(Validate, ShowsControlCharactersOfClientsEscaped) {
  const GateRun run = validate(R"({"$schema": "/\u001b[31m\u009b\u007f"})");
  EXPECT_THAT(run.output, HasSubstr(R"(line 1: error: Failed loading schema at /\u001b[31m\u009b\u007f)"));
}

TEST_F(Validate, SaysWhatItExpectedOfFilesThatAreNotThere) {
  EXPECT_THAT(run_gate({"validate", "-c", "/no/such.yaml"}).output, HasSubstr("/no/such.yaml"));
  const GateRun run = run_gate({"validate", "-c", folder_.path() + "/config.yaml", "/no/such/events"});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.output,
            "eventgate: '/no/such/events': expected a file of events, one a line: No such file or directory\n");
}

}  // namespace
}  // namespace eventgate

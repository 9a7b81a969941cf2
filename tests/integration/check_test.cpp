// `eventgate check`, as a process.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/gate_process.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kTestSchema = R"(
title: test
type: object
properties:
  $schema: {type: string}
  meta: {type: object, properties: {stream: {type: string}}}
  test: {type: string}
)";

/// A schema `test`, a stream `test.event`, and config files: one that names them, and `config` over it.
class Files {
 public:
  explicit Files(const std::string& config, const std::string& streams = "test.event: {schema_title: test}\n") {
    folder_.write("schemas/test/1.0.0", kTestSchema);
    folder_.write("streams.yaml", streams);
    folder_.write("base.yaml", "schema_base_uris: [" + folder_.path() + "/schemas]\nstream_config_uri: " +
                                   folder_.path() + "/streams.yaml\noutput_path: " + folder_.path() + "/events/\n");
    folder_.write("config.yaml", config);
  }

  void write(const std::string& name, const std::string& text) const { folder_.write(name, text); }
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }

  GateRun check(const std::vector<std::string>& options = {}) const {
    std::vector<std::string> arguments{"check", "-c", folder_.path() + "/base.yaml", "-c",
                                       folder_.path() + "/config.yaml"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return run_gate(arguments);
  }

 private:
  TemporaryFolder folder_;
};

TEST(Check, FindsNothingWrongWithTheShippedConfig) {
  const GateRun run = run_gate({"check", "-c", "config/config.yaml"});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.output, "no problems\n");
}

TEST(Check, PrintsEveryProblemOfTheConfig) {
  const GateRun run = Files("port: many\nproduce_timeout: soon\n").check();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("port"));
  EXPECT_THAT(run.output, HasSubstr("produce_timeout"));
}

TEST(Check, NamesEachStreamConfigEntryThatCannotBeUsed) {
  const GateRun run =
      Files("", "test.event: {schema_title: test}\nbad: {schema_title: 5}\n/a(?=b)/: {schema_title: test}\n").check();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("'bad': schema_title is of type number, expected a string"));
  EXPECT_THAT(run.output, HasSubstr("'/a(?=b)/' is a bad regex"));
}

TEST(Check, NamesStreamsThatCannotBeRead) {
  const GateRun run = Files("streams: true\nallowed_streams: [test.event, nope]\n",
                            "test.event: {schema_title: test, topics: ['a b'], redact: {}}\n")
                          .check();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("Stream 'test.event': expected `topics`"));
  EXPECT_THAT(run.output, HasSubstr("redact: expected a list"));
  EXPECT_THAT(run.output, HasSubstr("allowed_streams: 'nope': expected a declared stream that has topics"));
  EXPECT_THAT(run.output, HasSubstr("expected a stream that can be read"));
}

TEST(Check, AnInstanceThatReadsOnlyNeedsNoSchemas) {
  const GateRun run =
      Files("kafka: {metadata.broker.list: 'localhost:1'}\n", "other: {schema_title: none, topics: [a]}\n").check();
  EXPECT_THAT(run.output, HasSubstr("output_path has no effect with `intake: false`"));
  // Nobody listens there. Nothing else is wrong.
  const std::size_t problem = run.output.find("problem: ");
  ASSERT_NE(problem, std::string::npos) << run.output;
  EXPECT_THAT(run.output.substr(problem),
              testing::StartsWith("problem: kafka.streams: broker 'localhost:1': expected"));
  EXPECT_EQ(run.output.find("problem: ", problem + 1), std::string::npos) << run.output;
}

TEST(Check, PrintsJson) {
  const GateRun run = Files("porl: 1\nschema_precache_uris: [/none/1.0.0]\n").check({"--json"});
  EXPECT_EQ(run.status, 1);
  const json result = json::parse(run.output);
  EXPECT_EQ(result["problems"],
            json{"schema_precache_uris: '/none/1.0.0': expected a schema in one of schema_base_uris"});
  ASSERT_EQ(result["warnings"].size(), 1u);
  EXPECT_THAT(result["warnings"][0].get<std::string>(), HasSubstr("porl"));
}

TEST(Check, TriesTheTestEvents) {
  const GateRun run = Files(R"(
test_events:
  - {$schema: /test/1.0.0, meta: {stream: test.event}, test: x}
  - {$schema: /test/1.0.0, meta: {stream: test.event}, test: 5}
  - {$schema: /none/1.0.0}
)")
                          .check();
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.output,
            "problem: test_events[1]: '.test' should be string\n"
            "problem: test_events[2]: Failed loading schema at /none/1.0.0\n");
}

TEST(Check, FindsStreamsThatNothingCanEnter) {
  const GateRun run = Files("topic_prefix: eqiad.\n",
                            "test.event: {schema_title: test}\nlost.event: {schema_title: lost}\n"
                            "no.title: {topics: [a]}\n'a b': {schema_title: test}\n")
                          .check();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("stream 'lost.event': expected a schema of the title 'lost'"));
  EXPECT_THAT(run.output, HasSubstr("stream 'no.title': expected a schema_title"));
  EXPECT_THAT(run.output, HasSubstr("stream 'a b': its topic 'eqiad.a b' is no Kafka topic name"));
  EXPECT_THAT(run.output, testing::Not(HasSubstr("test.event")));
}

TEST(Check, FindsThatARegexStreamHasNoSchema) {
  const GateRun run =
      Files("", R"({"/^job\\./": {"schema_title": "job"}, "test.event": {"schema_title": "test"}})").check();
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.output,
            "problem: stream '/^job\\./': expected a schema of the title 'job' in one of schema_base_uris\n");
}

// No event could be accepted, each for another reason.

TEST(Check, FindsASchemaOfWhichThereIsOnlyTheCurrent) {
  const Files files("", "draft: {schema_title: draft}\n");
  files.write("schemas/draft/current.yaml", "title: draft\n$id: /draft/1.0.0\ntype: object\n");
  const GateRun run = files.check();
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.output, "problem: stream 'draft': expected a version of the schema 'draft'; there is only " +
                            files.path("schemas/draft/current.yaml") +
                            ", which events cannot name (`eventgate schema build` makes a version of a current)\n");
}

TEST(Check, FindsAVersionWithoutALinkThatEventsCanName) {
  const Files files("", "named: {schema_title: named}\n");
  files.write("schemas/named/1.0.0.yaml", "title: named\ntype: object\nproperties: {a: {type: string}}\n");
  EXPECT_EQ(files.check().output,
            "problem: stream 'named': expected the schema /named/1.0.0 in a file of that name; there is only " +
                files.path("schemas/named/1.0.0.yaml") +
                " (a link beside it, as `eventgate schema build` makes, or the option schema_file_extension)\n");
  files.write("config.yaml", "schema_file_extension: .yaml\n");
  EXPECT_EQ(files.check().output, "no problems\n");
}

TEST(Check, FindsThatTheNewestVersionRefersToNothing) {
  const Files files("");
  files.write("schemas/test/1.1.0", "title: test\ntype: object\nallOf: [{$ref: /common/1.0.0}]\n");
  files.write("schemas/test/1.0.1", "title: test\ntype: object\n");
  EXPECT_THAT(files.check().output,
              testing::MatchesRegex("problem: stream 'test.event': its schema /test/1\\.1\\.0 cannot be used: .*"
                                    "/common/1\\.0\\.0 is in none of schema_base_uris.*\n"));
}

TEST(Check, FindsSchemasThatAreInsecureOrUnusable) {
  const Files files("", "a: {schema_title: insecure}\nb: {schema_title: broken}\nc: {schema_title: insecure}\n");
  files.write("schemas/insecure/1.0.0",
              "title: insecure\ntype: object\nproperties: {a: {type: string, pattern: '^(a+)+$'}}\n");
  files.write("schemas/broken/1.0.0", "title: broken\ntype: none\n");
  const GateRun run = files.check();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, AllOf(HasSubstr("stream 'a': its schema /insecure/1.0.0 cannot be used: "),
                                HasSubstr("stream 'b': its schema /broken/1.0.0 cannot be used: "),
                                HasSubstr("stream 'c': its schema /insecure/1.0.0 cannot be used: ")));
  files.write("config.yaml", "allow_insecure_schemas: true\n");
  EXPECT_THAT(files.check().output, testing::Not(HasSubstr("insecure")));
}

TEST(Check, FindsSettingsThatAreMisspeltOrMisplaced) {
  const GateRun run = Files("",
                            "test.event:\n  schema_titel: test\n"
                            "other:\n  schema_title: test\n  eventgate: {enrich_fields_from_http_headers: {a: b}}\n"
                            "  destination_event_service: x\n  producers: {event-gate: {}, metrics: {}}\n")
                          .check();
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.output,
            "problem: stream 'test.event': 'schema_titel': expected `schema_title`\n"
            "problem: stream 'test.event': expected a schema_title; without it no event may enter\n"
            "problem: stream 'other': 'eventgate': expected in `producers`\n"
            "problem: stream 'other': 'producers.event-gate': expected `eventgate`\n");
}

TEST(Check, FindsKeysOfWhichTheSchemaHasNoField) {
  const Files files("", R"(
test.event:
  schema_title: test
  message_key_fields: {stream: meta.stream, id: meta.id, wiki: wiki}
mapped:
  schema_title: map
  message_key_fields: {a: tags.a, b: either.b, c: tags.a.b}
)");
  files.write("schemas/fragment/1.0.0",
              "title: fragment\ntype: object\nproperties: {either: {type: object, "
              "oneOf: [{properties: {b: {type: string}}}, {properties: {c: {type: string}}}]}}\n");
  files.write("schemas/map/1.0.0",
              "title: map\ntype: object\nallOf: [{$ref: /fragment/1.0.0}]\nproperties: {tags: "
              "{type: object, additionalProperties: {type: string}}}\n");
  const GateRun run = files.check();
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(
      run.output,
      "problem: stream 'test.event': message_key_fields.id: expected a field of /test/1.0.0, found 'meta.id', "
      "which no event has\n"
      "problem: stream 'test.event': message_key_fields.wiki: expected a field of /test/1.0.0, found 'wiki', "
      "which no event has\n"
      "problem: stream 'mapped': message_key_fields.c: expected a field of /map/1.0.0, found 'tags.a.b', which no "
      "event has\n");
}

TEST(Check, FindsASlashBeforeASchemaTitle) {
  EXPECT_EQ(Files("", "test.event: {schema_title: /test}\n").check().output,
            "problem: stream 'test.event': expected a schema_title without a slash at its start, as titles of schemas "
            "are: 'test', found '/test'\n");
}

TEST(Check, FindsPlaceholdersOfVariablesThatAreNotSet) {
  ::unsetenv("EVENTGATE_TEST_NOT_SET");
  const GateRun run = Files(
                          "user_agent: 'gate{env(EVENTGATE_TEST_NOT_SET)}'\nlogging: {level: "
                          "{env(EVENTGATE_TEST_NOT_SET,warn)}}\n")
                          .check();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, testing::MatchesRegex("problem: /[^ ]*/config.yaml: the variable EVENTGATE_TEST_NOT_SET of "
                                                "the environment is not set, and .* has no default: it is empty\n"));
}

TEST(Check, FindsSchemaHostsThatDoNotAnswer) {
  const GateRun run = Files("schema_base_uris: ['http://127.0.0.1:1/schemas/']\n").check();
  EXPECT_EQ(run.status, 1);
  // The stream's schema may be there.
  EXPECT_THAT(run.output,
              testing::MatchesRegex("problem: schema_base_uris: 'http://127.0.0.1:1/schemas/': no connection "
                                    "to 127.0.0.1:1: Connection refused\n"));
}

TEST(Check, FindsAnInterfaceThatIsNotOfThisHost) {
  const GateRun run = Files("interface: 192.0.2.1\n").check();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, testing::StartsWith("problem: Cannot listen on interface '192.0.2.1'"));
}

TEST(Check, FindsAnInterfaceOfTheMetricsThatIsNotOfThisHost) {
  const GateRun run = Files("metrics: {type: prometheus, interface: 192.0.2.1}\n").check();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, testing::StartsWith("problem: Cannot listen on interface '192.0.2.1'"));
}

TEST(Check, FindsFoldersThatCannotBeMade) {
  const GateRun run = Files("output_path: /dev/null/events/\ncache_dir: /dev/null/cache\n").check();
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.output,
            "problem: output_path: '/dev/null/events/': expected '/dev/null' to be a directory\n"
            "problem: cache_dir: '/dev/null/cache': expected '/dev/null' to be a directory\n");
}

TEST(Check, FindsARepositoryThatIsNoDirectory) {
  const GateRun run = Files("schema_base_uris: [/dev/null]\n").check();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output,
              HasSubstr("problem: schema_base_uris: '/dev/null': expected a directory, or an http(s) URI\n"));
}

TEST(Check, FindsAnErrorStreamThatTakesNoErrorEvents) {
  const GateRun run = Files("error_stream: test.error\n").check();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("error_schema_uri: '/error/2.1.0'"));
}

TEST(Check, FindsALedgerStreamThatTakesNoLedgerEvents) {
  const GateRun run = Files("ledger_stream: test.event\nledger_schema_uri: /none/1.0.0\n").check();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("ledger_schema_uri: '/none/1.0.0'"));
  EXPECT_THAT(Files("ledger_stream: test.ledger\nledger_schema_uri: /test/1.0.0\n").check().output,
              HasSubstr("ledger_stream: 'test.ledger': expected a stream declared"));
}

TEST(Check, FindsWhatIsNotThere) {
  const GateRun run =
      Files(
          "schema_base_uris: [/no/such/folder]\nstream_config_uri: /no/such/streams.yaml\n"
          "stream_config_retries: 0\nkafka: {conf: {metadata.broker.list: '127.0.0.1:1', no.such.option: 1}}\n")
          .check();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("'/no/such/folder': expected a directory"));
  EXPECT_THAT(run.output, HasSubstr("/no/such/streams.yaml"));
  EXPECT_THAT(run.output, HasSubstr("no.such.option"));
}

TEST(Eventgate, SaysWhatItExpectedOfItsCommandLine) {
  const GateRun run = run_gate({"start"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.output, testing::StrEq("eventgate: unknown command 'start': expected serve, check, validate, health, "
                                         "streams, canary, schema, spool or tables\nTry: eventgate --help\n"));
}

TEST(Eventgate, TellsItsVersion) {
  const GateRun run = run_gate({"--version"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output, testing::MatchesRegex("eventgate [0-9.]+(-rc[0-9]+)?\n"));
}

TEST(Eventgate, DoesNotStartWithAConfigThatIsWrong) {
  const GateRun run = run_gate({"serve", "-c", "/no/such/config.yaml"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("/no/such/config.yaml"));
}

}  // namespace
}  // namespace eventgate

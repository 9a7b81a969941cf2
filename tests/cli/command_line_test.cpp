#include "eventgate/cli/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventgate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Command = CommandLine::Command;

CommandLine command_line(const std::vector<std::string>& arguments) {
  const auto result = parse_command_line(arguments);
  if (result) return *result;
  ADD_FAILURE() << result.error().message;
  return {};
}

std::string refusal(const std::vector<std::string>& arguments) {
  const auto result = parse_command_line(arguments);
  return result ? "accepted" : result.error().message;
}

TEST(CommandLine, ServeTakesFilesInTheirOrder) {
  const CommandLine line = command_line({"serve", "-c", "a.yaml", "-cb.yaml", "--config", "c.yaml", "--config=d.yaml"});
  EXPECT_EQ(line.command, Command::serve);
  EXPECT_THAT(line.files, ElementsAre("a.yaml", "b.yaml", "c.yaml", "d.yaml"));
}

TEST(CommandLine, CheckMayAnswerInJson) {
  const CommandLine line = command_line({"check", "--json", "-c", "a.yaml"});
  EXPECT_EQ(line.command, Command::check);
  EXPECT_THAT(line.files, ElementsAre("a.yaml"));
  EXPECT_TRUE(line.json);
  EXPECT_FALSE(command_line({"check", "-c", "a.yaml"}).json);
}

TEST(CommandLine, ValidateTakesOneFileOfEvents) {
  const CommandLine line = command_line({"validate", "-c", "a.yaml", "events.ndjson", "--json"});
  EXPECT_EQ(line.command, Command::validate);
  EXPECT_THAT(line.files, ElementsAre("a.yaml"));
  EXPECT_EQ(line.events, "events.ndjson");
  EXPECT_TRUE(line.json);
  EXPECT_EQ(command_line({"validate", "-c", "a.yaml"}).events, "-");
  EXPECT_EQ(command_line({"validate", "-", "-c", "a.yaml"}).events, "-");
  EXPECT_EQ(refusal({"validate", "events"}), "expected -c FILE after 'validate', such as -c config/config.yaml");
  EXPECT_EQ(refusal({"validate", "-c", "a", "b", "c"}),
            "expected -c FILE, --json or one file of events, but there is 'c'");
  EXPECT_EQ(refusal({"validate", "-c", "a", "--text"}),
            "expected -c FILE, --json or one file of events, but there is '--text'");
}

TEST(CommandLine, SchemaShowNamesASchemaAndWhereItIs) {
  const CommandLine line = command_line({"schema", "show", "/a/1.0.0", "repository"});
  EXPECT_EQ(line.command, Command::schema_show);
  EXPECT_EQ(line.schema_uri, "/a/1.0.0");
  EXPECT_EQ(line.repository, "repository");
  EXPECT_EQ(command_line({"schema", "show", "/a/1.0.0"}).repository, ".");
  EXPECT_THAT(command_line({"schema", "show", "-c", "a.yaml", "/a/1.0.0"}).files, ElementsAre("a.yaml"));
}

TEST(CommandLine, SchemaTestNamesARepository) {
  const CommandLine line = command_line({"schema", "test", "repository"});
  EXPECT_EQ(line.command, Command::schema_test);
  EXPECT_EQ(line.repository, "repository");
}

TEST(CommandLine, SchemaSaysWhatItExpects) {
  EXPECT_EQ(refusal({"schema"}), "expected after 'schema': show or test");
  EXPECT_EQ(refusal({"schema", "list"}), "expected after 'schema': show or test");
  EXPECT_EQ(refusal({"schema", "test"}), "expected after 'schema test' the folder of one schema repository");
  EXPECT_EQ(refusal({"schema", "test", "-c", "a"}), "expected the folder of a repository, but there is '-c'");
  EXPECT_EQ(refusal({"schema", "show", "/a", "-c"}), "expected the path of a config file after '-c'");
  EXPECT_THAT(refusal({"schema", "show"}), HasSubstr("the URI of one schema"));
  EXPECT_THAT(refusal({"schema", "show", "/a", "b", "-c", "c"}), HasSubstr("and -c FILE or a repository"));
}

TEST(CommandLine, HelpAndVersionCountAnywhere) {
  EXPECT_EQ(command_line({"--help"}).command, Command::help);
  EXPECT_EQ(command_line({"serve", "-h"}).command, Command::help);
  EXPECT_EQ(command_line({"--version"}).command, Command::version);
  EXPECT_EQ(command_line({"check", "nonsense", "-v"}).command, Command::version);
}

TEST(CommandLine, WhatIsWrongSaysWhatWasExpected) {
  EXPECT_EQ(refusal({}), "expected a command: serve, check, health, validate, schema or spool");
  EXPECT_EQ(refusal({"start"}),
            "expected a command, serve, check, health, validate, schema or spool, but the first argument is 'start'");
  EXPECT_EQ(refusal({"serve"}), "expected -c FILE after 'serve', such as -c config/config.yaml");
  EXPECT_EQ(refusal({"serve", "-c"}), "expected the path of a config file after '-c'");
  EXPECT_EQ(refusal({"serve", "-c", ""}), "expected the path of a config file after '-c', but it is empty");
  EXPECT_EQ(refusal({"serve", "--config="}), "expected the path of a config file after '-c', but it is empty");
  EXPECT_EQ(refusal({"serve", "a.yaml"}), "expected -c FILE, but there is 'a.yaml'");
  EXPECT_EQ(refusal({"serve", "--json", "-c", "a"}), "expected -c FILE, but there is '--json'");
  EXPECT_EQ(refusal({"check", "-c", "a", "--jsno"}), "expected -c FILE or --json, but there is '--jsno'");
  EXPECT_EQ(refusal({"--", "--help"}),
            "expected a command, serve, check, health, validate, schema or spool, but the first argument is '--'");
}

TEST(CommandLine, UsageNamesEveryCommandAndTheVersionIsANumber) {
  for (const std::string text : {"eventgate serve -c FILE", "eventgate check -c FILE", "eventgate validate -c FILE",
                                 "--json", "--version", "--help"}) {
    EXPECT_THAT(std::string(usage_text()), HasSubstr(text));
  }
  EXPECT_THAT(std::string(version_text()), testing::MatchesRegex("eventgate [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(CommandLine, SpoolNamesAFolderOrAConfigAndRecords) {
  const auto line = parse_command_line({"spool", "drop", "/var/spool/gate", "12", "7"});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->command, CommandLine::Command::spool);
  EXPECT_EQ(line->action, CommandLine::SpoolAction::drop);
  EXPECT_EQ(line->spool_path, "/var/spool/gate");
  EXPECT_THAT(line->ids, ElementsAre(7, 12));
  const auto other = parse_command_line({"spool", "list", "-c", "a.yaml", "--topic", "t"});
  ASSERT_TRUE(other);
  EXPECT_THAT(other->files, ElementsAre("a.yaml"));
  EXPECT_EQ(other->topic, "t");
}

TEST(CommandLine, SpoolSaysWhatItExpects) {
  EXPECT_EQ(refusal({"spool"}), "expected after 'spool': list, cat, verify, export, replay or drop");
  EXPECT_EQ(refusal({"spool", "eat"}), "expected after 'spool': list, cat, verify, export, replay or drop");
  EXPECT_EQ(refusal({"spool", "list"}), "expected the spool's folder, or -c FILE with spool.path in it");
  EXPECT_EQ(refusal({"spool", "drop", "there"}),
            "expected after 'spool drop' one of: numbers of records, --topic TOPIC, --all");
  EXPECT_EQ(refusal({"spool", "drop", "there", "1", "--all"}),
            "expected after 'spool drop' one of: numbers of records, --topic TOPIC, --all");
  EXPECT_EQ(refusal({"spool", "replay", "there"}),
            "expected -c FILE after 'spool replay': where Kafka is; all records are replayed");
  EXPECT_EQ(refusal({"spool", "verify", "there", "--topic"}), "expected a value after '--topic'");
}

}  // namespace
}  // namespace eventgate

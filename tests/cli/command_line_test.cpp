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

TEST(CommandLine, AConfigWithoutACommandServes) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"-c", "a.yaml"}, {"-ca.yaml"}, {"--config", "a.yaml"}, {"--config=a.yaml"}}) {
    EXPECT_EQ(command_line(arguments).command, Command::serve) << arguments.front();
    EXPECT_THAT(command_line(arguments).files, ElementsAre("a.yaml")) << arguments.front();
  }
  EXPECT_THAT(command_line({"-c", "a.yaml", "-c", "b.yaml"}).files, ElementsAre("a.yaml", "b.yaml"));
  EXPECT_EQ(refusal({"-c"}), "--config: 1 required FILE missing");
  EXPECT_EQ(refusal({"-c", "a.yaml", "check"}), "unexpected argument 'check'");
}

TEST(CommandLine, ServeMayBeForAuthors) {
  EXPECT_TRUE(command_line({"serve", "--dev", "-c", "a.yaml"}).dev);
  EXPECT_FALSE(command_line({"serve", "-c", "a.yaml"}).dev);
  EXPECT_EQ(refusal({"check", "--dev", "-c", "a.yaml"}), "unknown option '--dev'");
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
  EXPECT_EQ(refusal({"validate", "events"}), "expected -c FILE, such as -c config/config.yaml");
  EXPECT_EQ(refusal({"validate", "-c", "a", "b", "c"}), "unexpected argument 'c'");
  EXPECT_EQ(refusal({"validate", "-c", "a", "--text"}), "unknown option '--text'");
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

TEST(CommandLine, SchemaTypesNamesARepositoryAndStreamConfigs) {
  const CommandLine line = command_line({"schema", "types", "repository", "--streams", "streams.yaml"});
  EXPECT_EQ(line.command, Command::schema_types);
  EXPECT_EQ(line.repository, "repository");
  EXPECT_EQ(line.stream_config, "streams.yaml");
  EXPECT_EQ(command_line({"schema", "types", "a"}).stream_config, "");
  EXPECT_EQ(refusal({"schema", "types"}), "DIR is required");
}

TEST(CommandLine, SchemaBuildTakesPathsAndTheOriginalsOptions) {
  using Of = SchemaBuildOptions::Of;
  const CommandLine line =
      command_line({"schema", "build", "-c", "json,yaml", "a", "-u", "one", "-u", "two,three", "b", "-SL", "-V", "v"});
  EXPECT_EQ(line.command, Command::schema_build);
  EXPECT_EQ(line.build.of, Of::paths);
  EXPECT_THAT(line.build.paths, ElementsAre("a", "b"));
  EXPECT_THAT(line.build.content_types, ElementsAre("json", "yaml"));
  EXPECT_THAT(line.build.schema_base_uris, ElementsAre("one", "two", "three"));
  EXPECT_TRUE(line.build.no_symlink_extensionless && line.build.no_symlink_latest && !line.build.no_dereference);
  EXPECT_EQ(line.build.schema_version_field, "v");
  EXPECT_EQ(line.build.git_add, std::nullopt);
  EXPECT_EQ(command_line({"schema", "build"}).build.of, Of::changed);
  EXPECT_EQ(command_line({"schema", "build", "--all"}).build.of, Of::all);
  EXPECT_EQ(command_line({"schema", "materialize"}).build.of, Of::input);
  EXPECT_EQ(command_line({"schema", "materialize-all", "base"}).repository, "base");
  const CommandLine modified = command_line({"schema", "materialize-modified", "-G"});
  EXPECT_EQ(modified.build.of, Of::changed);
  EXPECT_EQ(modified.build.git_add, false);
  EXPECT_EQ(refusal({"schema", "build", "--all", "a"}), "expected paths or --all, found both");
  EXPECT_EQ(refusal({"schema", "build", "--staged", "a"}), "expected paths or --staged, found both");
  EXPECT_NE(refusal({"schema", "build", "-c", "xml"}), "");
}

TEST(CommandLine, SchemaDiffTakesVersionsAndAFolder) {
  const CommandLine line = command_line({"schema", "diff", "a/b", "1.0.0", "current", "dir"});
  EXPECT_EQ(line.title, "a/b");
  EXPECT_THAT(line.versions, ElementsAre("1.0.0", "current"));
  EXPECT_EQ(line.repository, "dir");
  EXPECT_EQ(command_line({"schema", "diff", "a"}).repository, "");
  EXPECT_NE(refusal({"schema", "diff", "a", "1.0.0", "1.1.0", "1.2.0", "dir"}), "");
}

TEST(CommandLine, SchemaSaysWhatItExpects) {
  EXPECT_EQ(
      refusal({"schema"}),
      "expected a command: new, build, materialize, materialize-modified, materialize-all, dereference, show, diff, "
      "test or types");
  EXPECT_EQ(refusal({"schema", "list"}),
            "unknown command 'list': expected new, build, materialize, materialize-modified, materialize-all, "
            "dereference, show, diff, test or types");
  EXPECT_EQ(refusal({"schema", "test"}), "DIR is required");
  EXPECT_EQ(refusal({"schema", "test", "-c", "a"}), "unknown option '-c'");
  EXPECT_EQ(refusal({"schema", "show", "/a", "-c"}), "--config: 1 required FILE missing");
  EXPECT_EQ(refusal({"schema", "show"}), "URI is required");
  EXPECT_EQ(refusal({"schema", "show", "/a", "b", "-c", "c"}), "REPOSITORY excludes --config");
}

TEST(CommandLine, EveryCommandHasAHelpWithItsUsageAndAnExample) {
  EXPECT_EQ(command_line({"--help"}).help, usage_text());
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{{"serve"},
                                                                                       {"check"},
                                                                                       {"validate"},
                                                                                       {"health"},
                                                                                       {"schema", "show"},
                                                                                       {"schema", "test"},
                                                                                       {"spool", "list"},
                                                                                       {"spool", "cat"},
                                                                                       {"spool", "export"},
                                                                                       {"spool", "verify"},
                                                                                       {"spool", "replay"},
                                                                                       {"spool", "drop"}}) {
    std::vector<std::string> arguments = command;
    arguments.push_back("--help");
    const CommandLine line = command_line(arguments);
    EXPECT_EQ(line.command, Command::help);
    const std::string name = "eventgate " + command[0] + (command.size() > 1 ? " " + command[1] : "");
    EXPECT_THAT(line.help, HasSubstr("Usage: " + name + " "));
    EXPECT_THAT(line.help, HasSubstr("Example:\n  " + name + " "));
  }
  EXPECT_THAT(command_line({"spool", "-h"}).help, HasSubstr("replay"));
}

TEST(CommandLine, VersionIsACommandOfItsOwn) {
  EXPECT_EQ(command_line({"--version"}).command, Command::version);
  EXPECT_EQ(command_line({"-v"}).command, Command::version);
}

TEST(CommandLine, WhatIsWrongIsSaidInOneLineThatNamesTheNearest) {
  EXPECT_EQ(refusal({}),
            "expected a command: serve, check, validate, health, streams, canary, schema, spool or tables");
  EXPECT_EQ(
      refusal({"start"}),
      "unknown command 'start': expected serve, check, validate, health, streams, canary, schema, spool or tables");
  EXPECT_EQ(refusal({"serv", "-c", "a"}), "unknown command 'serv'; did you mean 'serve'?");
  EXPECT_EQ(refusal({"serve"}), "expected -c FILE, such as -c config/config.yaml");
  EXPECT_EQ(refusal({"serve", "-c"}), "--config: 1 required FILE missing");
  EXPECT_EQ(refusal({"serve", "-c", ""}), "--config: expected a path");
  EXPECT_EQ(refusal({"serve", "a.yaml", "-c", "b"}), "unexpected argument 'a.yaml'");
  EXPECT_EQ(refusal({"serve", "-c", "a", "b"}), "unexpected argument 'b'");
  EXPECT_EQ(refusal({"serve", "--json", "-c", "a"}), "unknown option '--json'");
  EXPECT_EQ(refusal({"check", "-c", "a", "--jsno"}), "unknown option '--jsno'; did you mean '--json'?");
  EXPECT_EQ(refusal({"--verison"}), "unknown option '--verison'; did you mean '--version'?");
}

TEST(CommandLine, AnErrorNamesTheCommandWhoseHelpDescribesIt) {
  EXPECT_EQ(parse_command_line({"start"}).error().command, "eventgate");
  EXPECT_EQ(parse_command_line({"serve"}).error().command, "eventgate serve");
  EXPECT_EQ(parse_command_line({"spool", "drop", "there"}).error().command, "eventgate spool drop");
}

TEST(CommandLine, UsageNamesEveryCommandAndTheVersionIsANumber) {
  for (const std::string text : {"eventgate serve -c FILE", "eventgate check -c FILE", "eventgate validate -c FILE",
                                 "--json", "--version", "--help"}) {
    EXPECT_THAT(std::string(usage_text()), HasSubstr(text));
  }
  EXPECT_THAT(std::string(version_text()), testing::MatchesRegex("eventgate [0-9]+\\.[0-9]+\\.[0-9]+(-rc[0-9]+)?\n"));
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
  EXPECT_EQ(refusal({"spool"}), "expected a command: list, cat, export, verify, replay or drop");
  EXPECT_EQ(refusal({"spool", "drp"}), "unknown command 'drp'; did you mean 'drop'?");
  EXPECT_EQ(refusal({"spool", "list"}), "expected the spool's folder, or -c FILE with spool.path in it");
  EXPECT_EQ(refusal({"spool", "list", "there", "elsewhere"}),
            "unexpected argument 'elsewhere': expected one folder, and numbers of records");
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"spool", "drop", "there"}, {"spool", "drop", "there", "1", "--all"}})
    EXPECT_EQ(refusal(arguments), "'spool drop' needs one of: numbers of records, --topic TOPIC, --all");
  EXPECT_EQ(refusal({"spool", "replay", "there"}),
            "'spool replay' needs -c FILE, which says where Kafka is, and replays all records");
  EXPECT_EQ(refusal({"spool", "verify", "there", "--topic"}), "unknown option '--topic'");
  EXPECT_EQ(refusal({"spool", "verify", "there", "3"}), "'spool verify' looks at all records");
}

TEST(CommandLine, TablesPrintsByItselfAndHasCommands) {
  const CommandLine line =
      command_line({"tables", "-c", "a.yaml", "--engine", "hive", "--alter", "--from", "1.0.0", "b.c"});
  EXPECT_EQ(line.command, Command::tables);
  EXPECT_THAT(line.files, ElementsAre("a.yaml"));
  EXPECT_THAT(line.streams, ElementsAre("b.c"));
  EXPECT_EQ(line.tables.engine, "hive");
  EXPECT_TRUE(line.tables.alter);
  EXPECT_EQ(line.tables.from, "1.0.0");
  const CommandLine compact = command_line({"tables", "compact", "-c", "a.yaml", "--older-than", "1d", "--run", "r-1"});
  EXPECT_EQ(compact.command, Command::tables_compact);
  EXPECT_EQ(compact.tables.older_than, std::chrono::hours(24));
  EXPECT_EQ(compact.tables.run, "r-1");
  const CommandLine publish = command_line({"tables", "publish", "-c", "a.yaml", "r-1"});
  EXPECT_EQ(publish.command, Command::tables_publish);
  EXPECT_EQ(publish.tables.run, "r-1");
  EXPECT_TRUE(command_line({"tables", "purge", "-c", "a.yaml", "--yes"}).tables.yes);
  EXPECT_FALSE(command_line({"tables", "purge", "-c", "a.yaml"}).tables.yes);
}

TEST(CommandLine, TablesSaysWhatItExpects) {
  EXPECT_EQ(refusal({"tables"}), "expected -c FILE, such as -c config/config.yaml");
  EXPECT_EQ(refusal({"tables", "publish", "r"}), "expected -c FILE, such as -c config/config.yaml");
  EXPECT_THAT(refusal({"tables", "publish", "-c", "a"}), HasSubstr("RUN"));
  EXPECT_THAT(refusal({"tables", "-c", "a", "--engine", "oracle"}), HasSubstr("oracle"));
  EXPECT_EQ(refusal({"tables", "-c", "a", "--files", "b", "--parquet", "c"}),
            "expected --files or --parquet, found both");
  EXPECT_THAT(refusal({"tables", "-c", "a", "--alter"}), HasSubstr("--alter needs --engine spark, hive or iceberg"));
  EXPECT_EQ(refusal({"tables", "-c", "a", "--connect"}), "--connect needs --engine iceberg");
  EXPECT_THAT(refusal({"tables", "-c", "a", "--json", "--check"}), HasSubstr("found several"));
  EXPECT_THAT(refusal({"tables", "-c", "a", "--from", "1.0.0"}), HasSubstr("--alter"));
  EXPECT_THAT(refusal({"tables", "compact", "-c", "a", "--older-than", "soon"}),
              HasSubstr("expected whole hours or days"));
  EXPECT_THAT(refusal({"tables", "compact", "-c", "a", "--run", "../up"}), HasSubstr("expected a run's name"));
  EXPECT_EQ(refusal({"tables", "purge", "-c", "a", "--all"}), "unknown option '--all'");
}

}  // namespace
}  // namespace eventgate

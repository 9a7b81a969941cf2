#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventgate {

/// What `schema build` and its other names ask for. What is not given is as the repository's config has it.
struct SchemaBuildOptions {
  enum class Of { paths, changed, all, input };
  Of of = Of::paths;
  std::vector<std::string> paths;        ///< Files or folders of currents, or titles.
  bool staged = false;                   ///< Of those that are changed, only what git has staged.
  bool check = false;                    ///< Write nothing; tell whether it would.
  bool dry_run = false;                  ///< Write nothing; say what it would.
  bool overwrite = false;                ///< Published versions, too.
  bool watch = false;                    ///< Build at each save.
  bool to_output = false;                ///< Print the version instead.
  bool verbose = false;                  ///< Say what is found.
  bool asks_config_for_git_add = false;  ///< `materialize-modified`: `shouldGitAdd` of the config counts.
  std::optional<bool> git_add;           ///< Stage what is written.
  std::string output_dir;                ///< Empty: beside the current.
  std::optional<std::string> schema_version_field;
  std::optional<std::string> current_name;
  std::vector<std::string> schema_base_uris;
  std::vector<std::string> content_types;
  std::vector<std::string> config_paths;
  bool no_dereference = false;
  bool no_symlink_extensionless = false;
  bool no_symlink_latest = false;
};

/// What `tables` and its commands ask for.
struct TablesCommand {
  std::string engine = "duckdb";  ///< Or spark, hive, trino, iceberg.
  std::string files;              ///< Folder of events. Empty: output_path.
  std::string
      parquet;  ///< Folder of Parquet files. Empty: none; of `compact`, `publish` and `purge`: beside output_path.
  bool alter = false;                ///< Print what changes tables of an older version.
  std::string from;                  ///< `--alter`: the older version. Empty: the one before the newest.
  bool connect = false;              ///< Print the config of Kafka Connect's sink.
  bool timestamps = false;           ///< Date-times are timestamps.
  bool unique = false;               ///< Only the first event of an id.
  bool raw = false;                  ///< Canaries and repeated events, too.
  bool json = false;                 ///< Print the columns as JSON.
  bool check = false;                ///< Print what keeps schemas from being tables.
  std::chrono::hours older_than{2};  ///< `compact`: how long an hour must be over.
  std::string run;                   ///< `compact`: the run's name, empty: made. `publish`: which run.
  bool yes = false;                  ///< `purge`: remove.
};

/// A parsed command line. Members that belong to one command name it; the others keep their defaults.
struct CommandLine {
  enum class Command {
    serve,
    check,
    health,
    validate,
    streams,
    canary,
    schema_new,
    schema_build,
    schema_show,
    schema_dereference,
    schema_diff,
    schema_test,
    schema_types,
    spool,
    tables,
    tables_compact,
    tables_publish,
    tables_purge,
    version,
    help
  };
  enum class SpoolAction { list, cat, verify, export_records, replay, drop };

  Command command = Command::help;
  std::string help;  ///< `help`: the text to print.
  std::vector<std::string>
      files;         ///< `serve`, `check`, `health`, `validate`: at least one config file, in the order given.
  bool dev = false;  ///< `serve`: ConfigUse::development.
  std::string wiki;  ///< `check`, `streams`: the wiki, or (`check`) `all`. Empty: stream_config_wiki.
  std::string diff;  ///< `streams`: the changed file to compare with. Empty: none.
  std::string post;  ///< `canary`: where events are posted. Empty: they are printed.
  std::vector<std::string> streams;  ///< `canary`: the streams. Empty: those with canaries. `tables`: empty: all.
  bool json = false;                 ///< `check`, `validate`: print JSON.
  std::string events = "-";          ///< `validate`: a file with an event on each line, or `-` for stdin.
  std::string beacon;                ///< `validate`: the URL of a legacy beacon. Empty: `events` count.
  std::string user_agent;            ///< `validate`: that of the beacon's request. Empty: it has none.

  // Of `schema`.
  std::string schema_uri;        ///< Of `show`: the schema.
  std::string repository = ".";  ///< The folder (of `show`, or host) of schemas. Of `show`: not if there are `files`.
                                 ///< Of `new`, `build` and `diff` empty: as the repository's config says.
  bool merged = false;           ///< Of `show`: what `build` would write.
  bool yaml = false;             ///< Of `show --merged`: as YAML.
  bool github = false;           ///< Of `test`: annotations of GitHub.
  std::string stream_config;     ///< Of `types`: the file of stream configs; empty: the examples name streams.
  std::string title;             ///< Of `new` and `diff`.
  std::vector<std::string> versions;  ///< Of `diff`: none, one or two.
  std::string example;                ///< Of `new`: the file of an event; empty: none.
  std::string with;                   ///< Of `new`: the URI of the fragment; empty: the newest /fragment/common.
  SchemaBuildOptions build;           ///< Of `build`, `materialize...` and `dereference`.

  TablesCommand tables;  ///< Of `tables` and its commands.

  // `spool`
  SpoolAction action = SpoolAction::list;
  std::string spool_path;         ///< Folder of the spool. If empty, the config `files` name it.
  std::vector<std::int64_t> ids;  ///< Records in ascending order. Empty means all, except for `drop`.
  std::string topic;              ///< Restricts the command to records of this topic, if not empty.
  bool all = false;               ///< `drop`: remove every record.
};

/// A wrong command line: `main` prints it with `Try: <command> --help` and exits with 2.
struct CommandLineError {
  std::string message;  ///< Says what is wrong and what was expected; suggests the nearest command or option.
  std::string command;  ///< As much of the command as was recognised, such as `eventgate spool drop`.
};

/// Parses the arguments after the program's name. Each command has its own `--help`, which returns `Command::help`.
boost::system::result<CommandLine, CommandLineError> parse_command_line(const std::vector<std::string>& arguments);

/// Returns the overview of all commands that `eventgate --help` prints.
std::string_view usage_text();

/// Returns one line: `eventgate` and its version.
std::string_view version_text();

}  // namespace eventgate

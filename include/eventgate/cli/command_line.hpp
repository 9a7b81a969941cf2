#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace eventgate {

/// A parsed command line. Members that belong to one command name it; the others keep their defaults.
struct CommandLine {
  enum class Command { serve, check, health, validate, schema_show, schema_test, spool, version, help };
  enum class SpoolAction { list, cat, verify, export_records, replay, drop };

  Command command = Command::help;
  std::string help;  ///< `help`: the text to print.
  std::vector<std::string>
      files;                 ///< `serve`, `check`, `health`, `validate`: at least one config file, in the order given.
  bool json = false;         ///< `check`, `validate`: print JSON.
  std::string events = "-";  ///< `validate`: a file with an event on each line, or `-` for stdin.

  // `schema`
  std::string schema_uri;        ///< `show`: the schema to print.
  std::string repository = ".";  ///< Folder of schemas; `show` takes a host, too. Unused if `files` has any.

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

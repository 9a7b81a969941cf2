#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace eventgate {

/// What the command line asks for.
struct CommandLine {
  enum class Command { serve, check, health, validate, schema_show, schema_test, spool, version, help };
  enum class SpoolAction { list, cat, verify, export_records, replay, drop };

  Command command = Command::help;
  std::string help;                ///< Of `help`: the text to print.
  std::vector<std::string> files;  ///< Of `serve`, `check`, `health` and `validate`: at least one, in the order given.
  bool json = false;               ///< Of `check` and `validate`: the answer as JSON.
  std::string events = "-";        ///< Of `validate`: the file of events, or `-`.

  // Of `schema`.
  std::string schema_uri;        ///< Of `show`: the schema.
  std::string repository = ".";  ///< The folder (of `show`, or host) of schemas. Of `show`: not if there are `files`.

  // Of `spool`.
  SpoolAction action = SpoolAction::list;
  std::string spool_path;         ///< The spool's folder; empty: that of the config `files`.
  std::vector<std::int64_t> ids;  ///< Records, in order; empty: all, but for `drop`.
  std::string topic;              ///< Records of this topic.
  bool all = false;               ///< Of `drop`: all records.
};

/// Why a command line cannot be run: what is wrong with it, and what was expected.
struct CommandLineError {
  std::string message;
  std::string command;  ///< The command as far as it is known, such as `eventgate spool drop`; it has a `--help`.
};

/// Parses the arguments after the program's name. Every command has a `--help` of its own.
boost::system::result<CommandLine, CommandLineError> parse_command_line(const std::vector<std::string>& arguments);

/// All commands, some lines.
std::string_view usage_text();

/// `eventgate` and its version, one line.
std::string_view version_text();

}  // namespace eventgate

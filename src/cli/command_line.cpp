#include "eventgate/cli/command_line.hpp"

#include <algorithm>

namespace eventgate {
namespace {

using Command = CommandLine::Command;

CommandLineError error(std::string message) { return {std::move(message)}; }

}  // namespace

boost::system::result<CommandLine, CommandLineError> parse_command_line(const std::vector<std::string>& arguments) {
  CommandLine line;
  const auto options_end = std::find(arguments.begin(), arguments.end(), "--");
  for (auto at = arguments.begin(); at != options_end; ++at) {
    if (*at == "--help" || *at == "-h") return line;
    if (*at == "--version" || *at == "-v") {
      line.command = Command::version;
      return line;
    }
  }
  if (arguments.empty()) return error("expected a command: serve or check");
  if (arguments[0] == "serve") {
    line.command = Command::serve;
  } else if (arguments[0] == "check") {
    line.command = Command::check;
  } else {
    return error("expected a command, serve or check, but the first argument is '" + arguments[0] + "'");
  }

  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    std::string file;
    if (argument == "-c" || argument == "--config") {
      if (++i == arguments.size()) return error("expected the path of a config file after '" + argument + "'");
      file = arguments[i];
    } else if (argument.starts_with("--config=")) {
      file = argument.substr(argument.find('=') + 1);
    } else if (argument.starts_with("-c") && !argument.starts_with("--")) {
      file = argument.substr(2);
    } else if (argument == "--json" && line.command == Command::check) {
      line.json = true;
      continue;
    } else {
      return error(std::string("expected -c FILE") + (line.command == Command::check ? " or --json" : "") +
                   ", but there is '" + argument + "'");
    }
    if (file.empty()) return error("expected the path of a config file after '-c', but it is empty");
    line.files.push_back(std::move(file));
  }
  if (line.files.empty()) {
    return error("expected -c FILE after '" + arguments[0] + "', such as -c config/config.yaml");
  }
  return line;
}

std::string_view usage_text() {
  return "Usage:\n"
         "  eventgate serve -c FILE [-c FILE]...           serve; later files are merged over earlier ones\n"
         "  eventgate check -c FILE [-c FILE]... [--json]  read config, schemas and stream configs, print every "
         "problem\n"
         "  eventgate --version\n"
         "  eventgate --help\n"
         "\n"
         "config/config.yaml has every option, with its meaning and its default.\n"
         "Exit status: 0 done; 1 the service failed, or check found a problem; 2 the command line is wrong.\n";
}

std::string_view version_text() { return "eventgate " EVENTGATE_VERSION "\n"; }

}  // namespace eventgate

#include "eventgate/cli/command_line.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace eventgate {
namespace {

using Command = CommandLine::Command;

using Action = CommandLine::SpoolAction;

CommandLineError error(std::string message) { return {std::move(message)}; }

boost::system::result<CommandLine, CommandLineError> parse_spool(const std::vector<std::string>& arguments) {
  static constexpr std::pair<std::string_view, Action> kActions[] = {
      {"list", Action::list},     {"cat", Action::cat},  {"verify", Action::verify}, {"export", Action::export_records},
      {"replay", Action::replay}, {"drop", Action::drop}};
  CommandLine line;
  line.command = Command::spool;
  const auto* const action = arguments.size() < 2
                                 ? std::end(kActions)
                                 : std::find_if(std::begin(kActions), std::end(kActions),
                                                [&](const auto& known) { return known.first == arguments[1]; });
  if (action == std::end(kActions)) return error("expected after 'spool': list, cat, verify, export, replay or drop");
  line.action = action->second;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    std::int64_t id = 0;
    const auto number = std::from_chars(argument.data(), argument.data() + argument.size(), id);
    if (argument == "-c" || argument == "--config" || argument == "--topic") {
      if (++i == arguments.size() || arguments[i].empty()) return error("expected a value after '" + argument + "'");
      if (argument == "--topic") {
        line.topic = arguments[i];
      } else {
        line.files.push_back(arguments[i]);
      }
    } else if (argument == "--all" && line.action == Action::drop) {
      line.all = true;
    } else if (number.ec == std::errc() && number.ptr == argument.data() + argument.size()) {
      line.ids.push_back(id);
    } else if (!argument.empty() && argument[0] != '-' && line.spool_path.empty()) {
      line.spool_path = argument;
    } else {
      return error("expected the spool's folder, -c FILE, --topic TOPIC or the numbers of records, but there is '" +
                   argument + "'");
    }
  }
  std::sort(line.ids.begin(), line.ids.end());
  const bool choice = !line.ids.empty() || !line.topic.empty() || line.all;
  if (line.action == Action::replay && (line.files.empty() || choice))
    return error("expected -c FILE after 'spool replay': where Kafka is; all records are replayed");
  if (line.action == Action::verify && choice) return error("'spool verify' looks at all records");
  if (line.action == Action::drop && (!line.ids.empty()) + !line.topic.empty() + line.all != 1)
    return error("expected after 'spool drop' one of: numbers of records, --topic TOPIC, --all");
  if (line.spool_path.empty() && line.files.empty())
    return error("expected the spool's folder, or -c FILE with spool.path in it");
  return line;
}

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
  if (arguments.empty()) return error("expected a command: serve, check, health or spool");
  if (arguments[0] == "spool") return parse_spool(arguments);
  if (arguments[0] == "serve") {
    line.command = Command::serve;
  } else if (arguments[0] == "check") {
    line.command = Command::check;
  } else if (arguments[0] == "health") {
    line.command = Command::health;
  } else {
    return error("expected a command, serve, check, health or spool, but the first argument is '" + arguments[0] + "'");
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
         "  eventgate health -c FILE [-c FILE]...          whether the gate of this config answers here\n"
         "  eventgate spool list|cat|export [RECORD...]    what the spool has: by topic, events, events with all else\n"
         "  eventgate spool verify                         what of it is damaged\n"
         "  eventgate spool replay -c FILE                 give it to Kafka, where no gate does; records set aside, "
         "too\n"
         "  eventgate spool drop RECORD...|--all           remove records\n"
         "      of the folder PATH, or spool.path of -c FILE; --topic TOPIC: of one topic; while a gate runs or not\n"
         "  eventgate --version\n"
         "  eventgate --help\n"
         "\n"
         "config/config.yaml has every option, with its meaning and its default.\n"
         "Exit status: 0 done; 1 the service failed, or check or health found a problem; 2 the command line is "
         "wrong.\n";
}

std::string_view version_text() { return "eventgate " EVENTGATE_VERSION "\n"; }

}  // namespace eventgate

#include "eventgate/cli/command_line.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace eventgate {
namespace {

using Command = CommandLine::Command;

using Action = CommandLine::SpoolAction;

const std::string kCommands = "serve, check, health, validate, schema or spool";

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

boost::system::result<CommandLine, CommandLineError> parse_schema(const std::vector<std::string>& arguments) {
  CommandLine line;
  const std::string action = arguments.size() < 2 ? "" : arguments[1];
  if (action != "show" && action != "test") return error("expected after 'schema': show or test");
  line.command = action == "show" ? Command::schema_show : Command::schema_test;
  std::vector<std::string> words;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if ((argument == "-c" || argument == "--config") && line.command == Command::schema_show) {
      if (++i == arguments.size() || arguments[i].empty())
        return error("expected the path of a config file after '" + argument + "'");
      line.files.push_back(arguments[i]);
    } else if (argument.empty() || argument[0] == '-') {
      return error("expected " +
                   std::string(action == "show" ? "a URI, -c FILE or a repository" : "the folder of a repository") +
                   ", but there is '" + argument + "'");
    } else {
      words.push_back(argument);
    }
  }
  if (line.command == Command::schema_test) {
    if (words.size() != 1) return error("expected after 'schema test' the folder of one schema repository");
    line.repository = words[0];
    return line;
  }
  if (words.empty() || words.size() > 2 || (words.size() == 2 && !line.files.empty()))
    return error(
        "expected after 'schema show' the URI of one schema, such as /test/event/1.0.0, and -c FILE or a repository");
  line.schema_uri = words[0];
  if (words.size() == 2) line.repository = words[1];
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
  if (arguments.empty()) return error("expected a command: " + kCommands);
  if (arguments[0] == "schema") return parse_schema(arguments);
  if (arguments[0] == "spool") return parse_spool(arguments);
  if (arguments[0] == "serve") {
    line.command = Command::serve;
  } else if (arguments[0] == "check") {
    line.command = Command::check;
  } else if (arguments[0] == "health") {
    line.command = Command::health;
  } else if (arguments[0] == "validate") {
    line.command = Command::validate;
  } else {
    return error("expected a command, " + kCommands + ", but the first argument is '" + arguments[0] + "'");
  }

  const bool validate = line.command == Command::validate;
  bool has_events = false;
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
    } else if (argument == "--json" && line.command != Command::serve) {
      line.json = true;
      continue;
    } else if (validate && !has_events && !argument.empty() && (argument == "-" || argument[0] != '-')) {
      line.events = argument;
      has_events = true;
      continue;
    } else {
      return error(std::string("expected -c FILE") +
                   (validate                         ? ", --json or one file of events"
                    : line.command == Command::check ? " or --json"
                                                     : "") +
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
         "  eventgate validate -c FILE... [--json] [EVENTS.ndjson | -]\n"
         "                                                 what the gate says to each line; nothing is produced\n"
         "  eventgate schema show URI [-c FILE... | REPOSITORY]\n"
         "                                                 the schema with every $ref replaced, as JSON; of the "
         "config's\n"
         "                                                 repositories, or one (a folder; ., where none is named)\n"
         "  eventgate schema test DIR                      what is wrong with a schema repository, a line each\n"
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
         "Exit status: 0 done; 1 the service failed, a problem was found or an event refused; 2 the command line is "
         "wrong.\n";
}

std::string_view version_text() { return "eventgate " EVENTGATE_VERSION "\n"; }

}  // namespace eventgate

#include "eventgate/cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <numeric>
#include <utility>

namespace eventgate {
namespace {

using Command = CommandLine::Command;
using Action = CommandLine::SpoolAction;

/// Edits (insert, delete, replace a character) that make `b` of `a`: Levenshtein's distance.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

/// `; did you mean 'NEAREST'?`, or nothing if no name is near.
std::string suggestion(std::string_view given, const std::vector<std::string>& names) {
  std::size_t least = std::max<std::size_t>(given.size() / 3, 1) + 1;  // a third of the name may be wrong
  std::string nearest;
  for (const std::string& name : names) {
    const std::size_t distance = edit_distance(given, name);
    if (distance >= least) continue;
    least = distance;
    nearest = name;
  }
  return nearest.empty() ? nearest : "; did you mean '" + nearest + "'?";
}

/// The commands, as CLI11 has them, and where it writes what it reads.
class Parser {
 public:
  Parser() {
    app_.name("eventgate")->require_subcommand(0, 1)->allow_extras();
    app_.add_flag("-v,--version");
    add_service_commands();
    add_schema_commands();
    add_spool_commands();
  }

  boost::system::result<CommandLine, CommandLineError> parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
      CommandLine line;
      const CLI::App& command = called();
      line.help = &command == &app_ ? std::string(usage_text()) : command.help(parent_names(command));
      return line;
    } catch (const CLI::RequiredError& missing) {
      const std::string_view text = missing.what();
      return error(text == "--config is required" ? "expected -c FILE, such as -c config/config.yaml" : missing.what());
    } catch (const CLI::ParseError& wrong) {
      return error(wrong.what());
    }
    if (app_.count("--version") > 0) {
      line_.command = Command::version;
      return line_;
    }
    const CLI::App& command = called();
    if (command.remaining_size() > 0) return error(unexpected(command.remaining().front()));
    if (!command.get_subcommands([](const CLI::App*) { return true; }).empty())
      return error("expected a command: " + names_of(command));
    if (const std::string wrong = contradiction(); !wrong.empty()) return error(wrong);
    std::sort(line_.ids.begin(), line_.ids.end());
    return line_;
  }

 private:
  CLI::App& add(CLI::App& to, const char* name, const char* description, Command command, const char* example) {
    CLI::App* const added = to.add_subcommand(name, description);
    added->allow_extras();
    added->footer(std::string("Example:\n  eventgate ") + example);
    added->callback([this, command] { line_.command = command; });
    return *added;
  }

  /// `-c FILE`, which may be given several times.
  CLI::Option* add_config(CLI::App& command) {
    return command.add_option("-c,--config", line_.files, "Config file; later ones are merged over earlier ones")
        ->allow_extra_args(false)
        ->type_name("FILE")
        ->check([](const std::string& file) { return file.empty() ? "expected a path" : ""; });
  }

  void add_service_commands() {
    CLI::App& serve =
        add(app_, "serve", "Starts the gate, until SIGTERM or SIGINT", Command::serve, "serve -c config/config.yaml");
    CLI::App& check = add(app_, "check", "Prints every problem of config, schemas, stream configs and Kafka",
                          Command::check, "check -c config/config.yaml --json");
    CLI::App& validate = add(app_, "validate", "Prints the gate's answer to each event of a file; produces none",
                             Command::validate, "validate -c config/config.yaml events.ndjson");
    CLI::App& health = add(app_, "health", "Exits with 0 if the gate of this config answers on this host",
                           Command::health, "health -c /etc/eventgate/config.yaml");
    for (CLI::App* const command : {&serve, &check, &validate, &health}) add_config(*command)->required();
    for (CLI::App* const command : {&check, &validate}) command->add_flag("--json", line_.json, "Print JSON");
    validate.add_option("EVENTS", line_.events, "File with an event a line; - reads standard input")->type_name("");
  }

  void add_schema_commands() {
    CLI::App& schema = *app_.add_subcommand("schema", "Shows and tests schemas");
    schema.require_subcommand(0, 1)->allow_extras();
    CLI::App& show = add(schema, "show", "Prints a schema as JSON, with every $ref replaced", Command::schema_show,
                         "schema show /test/event/1.0.0 schemas");
    show.add_option("URI", line_.schema_uri, "The schema's URI")->required()->type_name("");
    CLI::Option* const repository =
        show.add_option("REPOSITORY", line_.repository,
                        "Folder or host of the schemas; without it and -c the current folder")
            ->type_name("");
    add_config(show)->excludes(repository);
    CLI::App& test = add(schema, "test", "Prints what is wrong with a schema repository", Command::schema_test,
                         "schema test schemas");
    test.add_option("DIR", line_.repository, "Folder of the schema repository")->required()->type_name("");
  }

  void add_spool_commands() {
    CLI::App& spool = *app_.add_subcommand("spool", "Shows, replays and removes the records that wait for Kafka");
    spool.require_subcommand(0, 1)->allow_extras();
    const auto add_action = [&](const char* name, const char* description, Action action, const char* example) {
      CLI::App& command = add(spool, name, description, Command::spool, example);
      command.callback([this, action] {
        line_.command = Command::spool;
        line_.action = action;
      });
      command.add_option("PATH|RECORD", spool_words_, "The spool's folder, unless -c names it, and numbers of records")
          ->type_name("");
      add_config(command);
      return &command;
    };
    CLI::App* const list = add_action("list", "Prints the topics, with how many records each has", Action::list,
                                      "spool list -c config/config.yaml");
    CLI::App* const cat =
        add_action("cat", "Prints the events", Action::cat, "spool cat /var/lib/eventgate/spool 12 17");
    CLI::App* const exported =
        add_action("export", "Prints the records: topic, key, event and timestamp", Action::export_records,
                   "spool export /var/lib/eventgate/spool --topic eqiad.test.event");
    add_action("verify", "Prints the records that are damaged", Action::verify,
               "spool verify /var/lib/eventgate/spool");
    add_action("replay", "Produces all records to Kafka, where no gate does", Action::replay,
               "spool replay -c config/config.yaml");
    CLI::App* const drop =
        add_action("drop", "Removes records", Action::drop, "spool drop /var/lib/eventgate/spool 12");
    for (CLI::App* const command : {list, cat, exported, drop})
      command->add_option("--topic", line_.topic, "Only the records of this topic")->type_name("TOPIC");
    drop->add_flag("--all", line_.all, "Every record");
  }

  /// The innermost command that the arguments name.
  const CLI::App& called() const {
    const CLI::App* command = &app_;
    for (auto subcommands = command->get_subcommands(); !subcommands.empty(); subcommands = command->get_subcommands())
      command = subcommands.front();
    return *command;
  }

  static std::vector<std::string> subcommands(const CLI::App& command) {
    std::vector<std::string> names;
    for (const CLI::App* const each : command.get_subcommands([](const CLI::App*) { return true; }))
      names.push_back(each->get_name());
    return names;
  }

  static std::string names_of(const CLI::App& command) {
    std::string text;
    const std::vector<std::string> names = subcommands(command);
    for (std::size_t i = 0; i < names.size(); ++i)
      text += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + names[i];
    return text;
  }

  std::string unexpected(const std::string& argument) const {
    const CLI::App& command = called();
    if (argument.starts_with('-')) {
      std::vector<std::string> options;
      for (const CLI::Option* const option : command.get_options())
        for (const std::string& name : option->get_lnames()) options.push_back("--" + name);
      return "unknown option '" + argument + "'" + suggestion(argument.substr(0, argument.find('=')), options);
    }
    const std::vector<std::string> names = subcommands(command);
    if (names.empty()) return "unexpected argument '" + argument + "'";
    const std::string near = suggestion(argument, names);
    return "unknown command '" + argument + "'" + (near.empty() ? ": expected " + names_of(command) : near);
  }

  /// What no option by itself shows to be wrong; takes the words of `spool` apart.
  std::string contradiction() {
    if (line_.command != Command::spool) return {};
    for (const std::string& word : spool_words_) {
      std::int64_t id = 0;
      if (CLI::detail::lexical_cast(word, id) && word.find_first_not_of("0123456789") == std::string::npos) {
        line_.ids.push_back(id);
      } else if (line_.spool_path.empty() && !word.empty()) {
        line_.spool_path = word;
      } else {
        return "unexpected argument '" + word + "': expected one folder, and numbers of records";
      }
    }
    const bool choice = !line_.ids.empty() || !line_.topic.empty() || line_.all;
    if (line_.action == Action::replay && (line_.files.empty() || choice))
      return "'spool replay' needs -c FILE, which says where Kafka is, and replays all records";
    if (line_.action == Action::verify && choice) return "'spool verify' looks at all records";
    if (line_.action == Action::drop && (!line_.ids.empty()) + !line_.topic.empty() + line_.all != 1)
      return "'spool drop' needs one of: numbers of records, --topic TOPIC, --all";
    if (line_.spool_path.empty() && line_.files.empty())
      return "expected the spool's folder, or -c FILE with spool.path in it";
    return {};
  }

  CommandLineError error(std::string message) const {
    const CLI::App& last = called();
    const std::string parents = parent_names(last);
    return {std::move(message), parents.empty() ? last.get_name() : parents + ' ' + last.get_name()};
  }

  /// `eventgate spool` of `eventgate spool drop`.
  static std::string parent_names(const CLI::App& command) {
    std::string names;
    for (const CLI::App* parent = command.get_parent(); parent; parent = parent->get_parent())
      names.insert(0, parent->get_name() + (names.empty() ? "" : " "));
    return names;
  }

  CLI::App app_;
  CommandLine line_;
  std::vector<std::string> spool_words_;
};

}  // namespace

boost::system::result<CommandLine, CommandLineError> parse_command_line(const std::vector<std::string>& arguments) {
  return Parser().parse(arguments);
}

std::string_view usage_text() {
  return "Usage:\n"
         "  eventgate serve -c FILE [-c FILE]...           serve; later files are merged over earlier ones\n"
         "  eventgate check -c FILE [-c FILE]... [--json]  read config, schemas and stream configs, print every "
         "problem\n"
         "  eventgate validate -c FILE... [--json] [EVENTS.ndjson | -]\n"
         "                                                 print the gate's answer to each line; nothing is produced\n"
         "  eventgate schema show URI [-c FILE... | REPOSITORY]\n"
         "                                                 print a schema with every $ref replaced, as JSON\n"
         "  eventgate schema test DIR                      print what is wrong with a schema repository\n"
         "  eventgate health -c FILE [-c FILE]...          ask whether the gate of this config answers here\n"
         "  eventgate spool list|cat|export [RECORD...]    print what the spool has: by topic, events, records\n"
         "  eventgate spool verify                         print the records that are damaged\n"
         "  eventgate spool replay -c FILE                 produce its records to Kafka, where no gate does\n"
         "  eventgate spool drop RECORD...|--all           remove records\n"
         "      of the folder PATH, or spool.path of -c FILE; --topic TOPIC: of one topic; while a gate runs or not\n"
         "  eventgate --version\n"
         "  eventgate --help\n"
         "\n"
         "`eventgate COMMAND --help` describes one command, with an example.\n"
         "config/config.yaml has every option, with its meaning and its default.\n"
         "Exit status: 0 done; 1 the service failed, a problem was found or an event refused; 2 the command line is "
         "wrong.\n";
}

std::string_view version_text() { return "eventgate " EVENTGATE_VERSION "\n"; }

}  // namespace eventgate

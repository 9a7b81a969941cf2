#include "eventgate/cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "eventgate/base/edit_distance.hpp"
#include "eventgate/tables/compaction.hpp"

namespace eventgate {
namespace {

using Command = CommandLine::Command;
using Action = CommandLine::SpoolAction;

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
    add_tables_commands();
  }

  boost::system::result<CommandLine, CommandLineError> parse(std::vector<std::string> arguments) {
    // The original has no commands: `-c FILE` starts it.
    if (!arguments.empty() && (arguments.front().starts_with("-c") || arguments.front().starts_with("--config")))
      arguments.insert(arguments.begin(), "serve");
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
    if (!command.get_subcommands([](const CLI::App*) { return true; }).empty() && line_.command == Command::help)
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
    CLI::App& streams = add(app_, "streams", "Prints the stream configs that a wiki gets", Command::streams,
                            "streams -c config/config.yaml --wiki enwiki");
    CLI::App& canary = add(app_, "canary", "Prints canary events, or posts them to a gate", Command::canary,
                           "canary -c config/config.yaml --post http://gate:8192/v1/events");
    for (CLI::App* const command : {&serve, &check, &validate, &health, &streams, &canary})
      add_config(*command)->required();
    serve.add_flag("--dev", line_.dev,
                   "For authors: looks at schemas and streams each second, shows events at /live, logs each request, "
                   "and listens on 127.0.0.1 unless a file says otherwise");
    check.add_option("--wiki", line_.wiki, "Look at what this wiki gets, or all: every one")->type_name("WIKI");
    streams.add_option("--wiki", line_.wiki, "The wiki; without it stream_config_wiki")->type_name("WIKI");
    streams.add_option("--diff", line_.diff, "Print what this file would change for each wiki")->type_name("FILE");
    canary.add_option("--post", line_.post, "Post each event there instead of printing it")->type_name("URL");
    canary.add_option("STREAM", line_.streams, "The streams; without one those with canaries")->type_name("");
    for (CLI::App* const command : {&check, &validate}) command->add_flag("--json", line_.json, "Print JSON");
    CLI::Option* const events =
        validate.add_option("EVENTS", line_.events, "File with an event a line; - reads standard input")->type_name("");
    validate.add_option("--beacon", line_.beacon, "A legacy beacon instead: what it becomes, or why it makes no event")
        ->type_name("URL")
        ->excludes(events);
    validate.add_option("--user-agent", line_.user_agent, "The user agent that sends the beacon")->type_name("TEXT");
  }

  void add_schema_commands() {
    CLI::App& schema = *app_.add_subcommand("schema", "Makes, shows, compares and tests schemas");
    schema.require_subcommand(0, 1)->allow_extras();
    add_schema_new(schema);
    add_schema_builds(schema);
    CLI::App& show = add(schema, "show", "Prints a schema as JSON, with every $ref replaced", Command::schema_show,
                         "schema show /test/event/1.0.0 schemas");
    show.add_option("URI", line_.schema_uri, "The schema's URI; with --merged a file, too, or - for standard input")
        ->required()
        ->type_name("");
    CLI::Option* const repository =
        show.add_option("REPOSITORY", line_.repository,
                        "Folder or host of the schemas; without it and -c the current folder")
            ->type_name("");
    CLI::Option* const config = add_config(show);
    config->excludes(repository);
    CLI::Option* const merged =
        show.add_flag("--merged", line_.merged, "What build would write: allOf merged, too, and numbers bounded");
    merged->excludes(config);
    show.add_flag("--yaml", line_.yaml, "Print YAML instead of JSON")->needs(merged);
    CLI::App& diff = add(schema, "diff", "Prints what changed between two versions, and whether it may",
                         Command::schema_diff, "schema diff analytics/link_hover 1.0.0 1.1.0");
    diff.add_option("TITLE", line_.title, "The schema's title")->required()->type_name("");
    diff.add_option("A|B|DIR", schema_words_,
                    "Two versions, or current; without them the two newest. The repository's folder")
        ->type_name("");
    CLI::App& test = add(schema, "test", "Prints what is wrong with a schema repository", Command::schema_test,
                         "schema test schemas --github");
    test.add_option("DIR", line_.repository, "Folder of the schema repository")->required()->type_name("");
    CLI::Option* const json = test.add_flag("--json", line_.json, "Print an object of JSON for each problem");
    test.add_flag("--github", line_.github, "Print annotations of GitHub")->excludes(json);
    CLI::App& types = add(schema, "types", "Prints the newest schemas as TypeScript, for the browser client",
                          Command::schema_types, "schema types schemas --streams config/stream-config.yaml");
    types.add_option("DIR", line_.repository, "Folder of the schema repository")->required()->type_name("");
    types
        .add_option("--streams", line_.stream_config,
                    "File of stream configs; without it the examples of the schemas name streams")
        ->type_name("FILE");
  }

  void add_schema_new(CLI::App& schema) {
    CLI::App& command = add(schema, "new", "Writes the first `current` of a schema", Command::schema_new,
                            "schema new analytics/link_hover jsonschema --example event.json");
    command.add_option("TITLE", line_.title, "The schema's title, which is its folder")->required()->type_name("");
    CLI::Option* const folder =
        command
            .add_option("DIR", line_.repository,
                        "Folder of the schemas; without it schemaBasePath of .jsonschema-tools.yaml")
            ->type_name("");
    command.callback([this, folder] {
      line_.command = Command::schema_new;
      if (folder->count() == 0) line_.repository.clear();
    });
    command.add_option("--example", line_.example, "File of an event, whose fields it gets")->type_name("EVENT.json");
    command.add_option("--with", line_.with, "The fragment it is made on; without it the newest /fragment/common")
        ->type_name("URI");
  }

  /// Options that take several values: separated by commas, or given again.
  static CLI::Option* add_list(CLI::App& command, const char* names, std::vector<std::string>& to, const char* what,
                               const char* type) {
    return command.add_option(names, to, what)->allow_extra_args(false)->delimiter(',')->type_name(type);
  }

  /// What `build` and the original's commands have in common.
  void add_build_options(CLI::App& command) {
    SchemaBuildOptions& build = line_.build;
    command.add_option("-o,--output-dir", build.output_dir, "Folder for the versions, instead of the current's")
        ->type_name("DIR");
    command.add_option("-V,--schema-version-field", build.schema_version_field, "Field that has the version")
        ->type_name("FIELD");
    add_list(command, "-u,--schema-base-uris", build.schema_base_uris, "Where a $ref is looked for", "URI,...");
    add_list(command, "-c,--content-types", build.content_types, "Files of a version: yaml, json", "TYPE,...")
        ->check(CLI::IsMember({"yaml", "json"}));
    command.add_option("-N,--current-name", build.current_name, "Name of `current` files")->type_name("NAME");
    command.add_flag("-D,--no-dereference", build.no_dereference, "Leave $ref and allOf as they are");
    command.add_flag("-S,--no-symlink-extensionless", build.no_symlink_extensionless, "Make no link without extension");
    command.add_flag("-L,--no-symlink-latest", build.no_symlink_latest, "Make no links `latest`");
    command.add_flag("-n,--dry-run", build.dry_run, "Say what would be written");
    command.add_flag("-v,--verbose", build.verbose, "Say what is done");
    add_list(command, "-C,--config-paths", build.config_paths, "Config files instead of .jsonschema-tools.yaml",
             "FILE,...");
    command.add_flag("--check", build.check, "Write nothing; exit with 1 if something would be written");
    command.add_flag("--overwrite", build.overwrite, "Write over published versions, too");
  }

  void add_schema_builds(CLI::App& schema) {
    SchemaBuildOptions& build = line_.build;
    CLI::App& own = add(schema, "build", "Makes the version of each current", Command::schema_build,
                        "schema build jsonschema/analytics/link_hover/current.yaml");
    own.add_option("PATH", build.paths,
                   "A current, its folder, or a title; without it those that git says have changed or are new")
        ->type_name("");
    CLI::Option* const all = own.add_flag("--all", all_, "Every current");
    own.add_flag("-s,--staged", build.staged, "Those that are staged")->excludes(all);
    own.add_flag_callback(
        "--git-add", [&build] { build.git_add = true; }, "Stage what is written");
    CLI::Option* const output =
        own.add_flag("-O,--stdout", build.to_output, "Print the version as YAML instead of writing it");
    own.add_flag("-w,--watch", build.watch, "Build at each save, until it is stopped")->excludes(output);
    add_build_options(own);

    CLI::App& materialize = add(schema, "materialize", "The original's name of build with paths", Command::schema_build,
                                "schema materialize jsonschema/analytics/link_hover/current.yaml");
    materialize.add_option("PATH", build.paths, "Currents; without one standard input, with --output-dir")
        ->type_name("");
    materialize.add_flag("-O,--stdout", build.to_output, "Print the version as YAML instead of writing it");
    add_build_options(materialize);
    materialize.callback([this] {
      line_.command = Command::schema_build;
      line_.build.of = line_.build.paths.empty() ? SchemaBuildOptions::Of::input : SchemaBuildOptions::Of::paths;
      line_.repository.clear();
    });

    CLI::App& modified = add(schema, "materialize-modified", "The original's name of build without a path",
                             Command::schema_build, "schema materialize-modified --no-git-add");
    modified.add_option("BASE", base_path_, "Where currents are looked for, instead of schemaBasePath")->type_name("");
    modified.add_flag("-s,--staged", build.staged, "Those that are staged");
    modified.add_flag_callback(
        "-G,--no-git-add", [&build] { build.git_add = false; }, "Stage nothing");
    add_build_options(modified);
    modified.callback([this] {
      line_.command = Command::schema_build;
      line_.build.of = SchemaBuildOptions::Of::changed;
      line_.build.asks_config_for_git_add = true;
      line_.repository = base_path_;
    });

    CLI::App& every = add(schema, "materialize-all", "The original's name of build --all", Command::schema_build,
                          "schema materialize-all");
    every.add_option("BASE", base_path_, "Where currents are looked for, instead of schemaBasePath")->type_name("");
    add_build_options(every);
    every.callback([this] {
      line_.command = Command::schema_build;
      line_.build.of = SchemaBuildOptions::Of::all;
      line_.repository = base_path_;
    });
    own.callback([this] {
      line_.command = Command::schema_build;
      line_.build.of = all_                        ? SchemaBuildOptions::Of::all
                       : line_.build.paths.empty() ? SchemaBuildOptions::Of::changed
                                                   : SchemaBuildOptions::Of::paths;
      line_.repository.clear();
    });

    CLI::App& dereference = add(schema, "dereference", "Prints schemas with $ref replaced and allOf merged, as YAML",
                                Command::schema_dereference, "schema dereference jsonschema/common/current.yaml");
    dereference.add_option("PATH", build.paths, "Schemas; without one standard input")->type_name("");
    dereference.add_flag("-v,--verbose", build.verbose, "Say what is done");
    add_list(dereference, "-u,--schema-base-uris", build.schema_base_uris, "Where a $ref is looked for", "URI,...");
    add_list(dereference, "-C,--config-paths", build.config_paths, "Config files instead of .jsonschema-tools.yaml",
             "FILE,...");
    dereference
        .add_option("-c,--content-type", ignored_content_type_, "Taken and of no effect, as in the original: YAML")
        ->check(CLI::IsMember({"yaml", "json"}))
        ->type_name("TYPE");
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

  /// `tables` prints by itself, and has commands. Their callbacks run before its own.
  void add_tables_commands() {
    TablesCommand& of = line_.tables;
    CLI::App& tables = add(app_, "tables", "Prints statements that make tables of streams", Command::tables,
                           "tables -c config/config.yaml | duckdb events.db");
    tables.require_subcommand(0, 1);
    tables.callback([this] {
      if (line_.command == Command::help) line_.command = Command::tables;
    });
    CLI::App& compact = add(tables, "compact", "Prints statements that make Parquet files of the hours that are over",
                            Command::tables_compact, "tables compact -c config/config.yaml --run a | duckdb");
    CLI::App& publish = add(tables, "publish", "Puts what a run of compact wrote into its place",
                            Command::tables_publish, "tables publish -c config/config.yaml a");
    CLI::App& purge = add(tables, "purge", "Prints the hours that are past their retention; with --yes removes them",
                          Command::tables_purge, "tables purge -c config/config.yaml");
    for (CLI::App* const command : {&tables, &compact, &publish, &purge}) {
      add_config(*command);
      command->add_option("--parquet", of.parquet, "Folder of the Parquet files that compact makes")->type_name("DIR");
    }
    for (CLI::App* const command : {&tables, &compact}) {
      command->add_option("STREAM", line_.streams, "The streams; without one all")->type_name("");
      command->add_option("--files", of.files, "Folder of the events, instead of output_path")->type_name("DIR");
    }
    add_tables_options(tables);
    compact.add_option("--engine", of.engine, "The engine")->check(CLI::IsMember({"duckdb"}))->type_name("duckdb");
    compact.add_option("--older-than", older_than_, "How long an hour must be over: 2h, 1d")->type_name("TIME");
    compact.add_option("--run", of.run, "A name for this run; without it one is made")->type_name("NAME");
    publish.add_option("RUN", of.run, "The run's name, as compact got or made it")->required()->type_name("");
    purge.add_flag("--yes", of.yes, "Remove them");
  }

  void add_tables_options(CLI::App& tables) {
    TablesCommand& of = line_.tables;
    tables.add_option("--engine", of.engine, "duckdb, spark, hive, trino or iceberg")
        ->check(CLI::IsMember({"duckdb", "spark", "hive", "trino", "iceberg"}))
        ->type_name("ENGINE");
    tables.add_flag("--connect", of.connect, "iceberg: the config of Kafka Connect's sink instead");
    CLI::Option* const alter =
        tables.add_flag("--alter", of.alter, "spark, hive, iceberg: what changes tables of an older version");
    tables.add_option("--from", of.from, "The older version; without it the one before the newest")
        ->needs(alter)
        ->type_name("VERSION");
    tables.add_flag("--timestamps", of.timestamps, "Date-times are timestamps instead of texts");
    tables.add_flag("--unique", of.unique, "Leave out all but the first event of an id");
    tables.add_flag("--raw", of.raw, "Leave out neither canary events nor repeated ones");
    tables.add_flag("--json", of.json, "The columns as JSON instead");
    tables.add_flag("--check", of.check, "What keeps schemas from being tables instead");
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
    if (line_.command == Command::schema_diff) return schema_words();
    if (is_tables()) return tables_contradiction();
    if (line_.command == Command::schema_build && line_.build.of == SchemaBuildOptions::Of::all &&
        !line_.build.paths.empty())
      return "expected paths or --all, found both";
    if (line_.command == Command::schema_build && line_.build.staged && !line_.build.paths.empty())
      return "expected paths or --staged, found both";
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

  bool is_tables() const {
    return line_.command == Command::tables || line_.command == Command::tables_compact ||
           line_.command == Command::tables_publish || line_.command == Command::tables_purge;
  }

  std::string tables_contradiction() {
    TablesCommand& of = line_.tables;
    if (line_.files.empty()) return "expected -c FILE, such as -c config/config.yaml";
    if (line_.command == Command::tables_compact) {
      const auto hours = hours_of(older_than_);
      if (!hours) return "--older-than: expected whole hours or days, such as 2h or 1d, found '" + older_than_ + "'";
      of.older_than = *hours;
    }
    if (!of.run.empty() && !is_run_name(of.run))
      return "expected a run's name: 1 to 64 of letters, digits, '-' and '_', found '" + of.run + "'";
    if (line_.command != Command::tables) return {};
    if (!of.files.empty() && !of.parquet.empty()) return "expected --files or --parquet, found both";
    if (of.alter + of.connect + of.json + of.check > 1)
      return "expected one of --alter, --connect, --json and --check, found several";
    if (of.connect && of.engine != "iceberg") return "--connect needs --engine iceberg";
    if (of.alter && (of.engine == "duckdb" || of.engine == "trino"))
      return "--alter needs --engine spark, hive or iceberg; for " + of.engine + " run `tables` again";
    if (of.unique && of.raw) return "expected --unique or --raw, found both";
    return {};
  }

  /// Returns the hours of `2h` or `1d`, or nullopt.
  static std::optional<std::chrono::hours> hours_of(const std::string& text) {
    int count = 0;
    const std::string number = text.substr(0, text.size() - std::min<std::size_t>(text.size(), 1));
    if (number.empty() || number.size() > 6 || number.find_first_not_of("0123456789") != std::string::npos ||
        !CLI::detail::lexical_cast(number, count))
      return std::nullopt;
    if (text.back() == 'h') return std::chrono::hours(count);
    if (text.back() == 'd') return std::chrono::hours(24 * count);
    return std::nullopt;
  }

  /// The versions and the folder of `schema diff`.
  std::string schema_words() {
    bool has_folder = false;
    for (const std::string& word : schema_words_) {
      const bool is_version =
          word == "current" || (!word.empty() && word.find_first_not_of("0123456789.") == std::string::npos &&
                                word.find_first_not_of('.') != std::string::npos);
      if (is_version && line_.versions.size() < 2 && !has_folder) {
        line_.versions.push_back(word);
      } else if (!has_folder && !word.empty()) {
        line_.repository = word;
        has_folder = true;
      } else {
        return "unexpected argument '" + word + "': expected at most two versions and a folder";
      }
    }
    if (!has_folder) line_.repository.clear();
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
  std::vector<std::string> schema_words_;
  std::string base_path_;
  std::string older_than_ = "2h";
  std::string ignored_content_type_;
  bool all_ = false;
};

}  // namespace

boost::system::result<CommandLine, CommandLineError> parse_command_line(const std::vector<std::string>& arguments) {
  return Parser().parse(arguments);
}

std::string_view usage_text() {
  return "Usage:\n"
         "  eventgate serve -c FILE [-c FILE]... [--dev]   serve; later files are merged over earlier ones; --dev: for "
         "authors\n"
         "  eventgate -c FILE [-c FILE]...                 the same as serve, as the original is started\n"
         "  eventgate check -c FILE... [--json] [--wiki W|all]  read config, schemas and stream configs, print every "
         "problem\n"
         "  eventgate validate -c FILE... [--json] [EVENTS.ndjson | -]\n"
         "                                                 print the gate's answer to each line; nothing is produced\n"
         "  eventgate validate -c FILE... [--json] --beacon URL\n"
         "                                                 print what a legacy beacon becomes, or why it is refused\n"
         "  eventgate streams -c FILE... [--wiki W] [--diff FILE]\n"
         "                                                 print the stream configs of a wiki, or what a file changes\n"
         "  eventgate canary -c FILE... [--post URL] [STREAM...]\n"
         "                                                 print canary events, or post them to a gate\n"
         "  eventgate schema show URI [-c FILE... | REPOSITORY]\n"
         "                                                 print a schema with every $ref replaced, as JSON\n"
         "  eventgate schema new TITLE [DIR]               write the first `current` of a schema\n"
         "  eventgate schema build [PATH... | --all]       make the version of each current; --watch: at each save\n"
         "  eventgate schema diff TITLE [A [B]] [DIR]      print what changed between versions, and whether it may\n"
         "  eventgate schema test DIR [--json | --github]  print what is wrong with a schema repository\n"
         "  eventgate schema types DIR [--streams FILE]    print the newest schemas as TypeScript\n"
         "  eventgate health -c FILE [-c FILE]...          ask whether the gate of this config answers here\n"
         "  eventgate spool list|cat|export [RECORD...]    print what the spool has: by topic, events, records\n"
         "  eventgate spool verify                         print the records that are damaged\n"
         "  eventgate spool replay -c FILE                 produce its records to Kafka, where no gate does\n"
         "  eventgate spool drop RECORD...|--all           remove records\n"
         "      of the folder PATH, or spool.path of -c FILE; --topic TOPIC: of one topic; while a gate runs or not\n"
         "  eventgate tables -c FILE... [--engine ENGINE] [--files DIR | --parquet DIR] [--timestamps] [--unique | "
         "--raw]\n"
         "      [--json | --check | --alter [--from VERSION] | --connect] [STREAM...]\n"
         "                                                 print statements that make tables of streams: "
         "docs/tables.md\n"
         "  eventgate tables compact -c FILE... [--run NAME] [--older-than TIME] [STREAM...]\n"
         "                                                 print statements that make Parquet files of hours\n"
         "  eventgate tables publish -c FILE... RUN        put what such a run wrote into its place\n"
         "  eventgate tables purge -c FILE... [--yes]      print the hours past their retention, or remove them\n"
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

#include "tables_tool.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "config_files.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/files/hour_partitions.hpp"
#include "eventgate/files/retention.hpp"
#include "eventgate/json/printable.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/streams/stream_config_source.hpp"
#include "eventgate/streams/topic.hpp"
#include "eventgate/tables/compaction.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "stream_tables.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;

/// What the commands read: the config, the stream configs and the schemas as they are now.
class TablesService {
 public:
  explicit TablesService(const std::vector<std::string>& files)
      : config(config_of(files)), metrics_(config.service_name), telemetry_(metrics_) {
    log_nothing(config.logging);
    if (config.streams.stream_config_uri.empty()) return;
    StreamConfigOptions once = config.streams;
    once.cache_dir.clear();
    once.stream_config_ttl = {};
    const StreamConfigSource source(once, make_uri_reader(config.stream_reader), telemetry_);
    configs = source.current();
  }

  FoundTables tables(const TablesQuery& query) {
    if (!configs) throw std::runtime_error("expected `stream_config_uri` in the config");
    const auto reader = make_uri_reader(config.schema_reader);
    SchemaOptions now = config.schema;
    now.cache_dir.clear();
    SchemaRepository schemas(now, make_uri_reader(config.schema_reader), telemetry_);
    return find_tables(config, *configs, *reader, schemas, query);
  }

  const Config config;
  std::shared_ptr<const StreamConfigs> configs;  ///< Null: the config names none.

 private:
  Metrics metrics_;
  Telemetry telemetry_;
};

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

/// Returns the folder as an absolute path. Throws std::runtime_error that names `option` if it is none.
std::string existing_folder(const std::string& option, const std::string& path) {
  if (path.find("://") != std::string::npos) return without_slash(path);
  std::error_code error;
  if (!fs::is_directory(path, error))
    throw std::runtime_error(option + ": '" + path + "': expected a folder, below which each topic has one");
  return without_slash(fs::absolute(path).lexically_normal().string());
}

/// Returns the folder that the gate writes. Throws std::runtime_error if it writes none.
std::string output_folder(const Config& config) {
  if (!config.file || config.file->output_path == "stdout")
    throw std::runtime_error("output_path: expected a folder in the config, or --files or --parquet");
  return existing_folder("output_path", config.file->output_path);
}

TableEngine engine_of(const std::string& name) {
  if (name == "spark") return TableEngine::spark;
  if (name == "hive") return TableEngine::hive;
  if (name == "trino") return TableEngine::trino;
  return name == "iceberg" ? TableEngine::iceberg : TableEngine::duckdb;
}

TableOptions options_of(const TablesCommand& command, const Config& config, std::string folder) {
  TableOptions options;
  options.engine = engine_of(command.engine);
  options.folder = std::move(folder);
  options.parquet = !command.parquet.empty();
  options.timestamps = command.timestamps;
  options.unique = command.unique;
  options.raw = command.raw;
  options.schema_uri_field = config.gate.schema_uri_field.front().keys();
  options.id_field = config.gate.id_field.keys();
  options.dt_field = config.gate.dt_field.keys();
  return options;
}

/// Returns the folder of the data. Iceberg's tables hold theirs themselves, and `--check` looks at none.
std::string data_folder(const TablesCommand& command, const Config& config) {
  if (!command.files.empty()) return existing_folder("--files", command.files);
  if (!command.parquet.empty()) return existing_folder("--parquet", command.parquet);
  if (command.engine != "iceberg" && !command.check) return output_folder(config);
  std::error_code ignored;
  const bool has_folder = config.file && fs::is_directory(config.file->output_path, ignored);
  return has_folder ? output_folder(config) : std::string();
}

void print_lines(std::ostream& out, const char* prefix, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) out << prefix << printable(line) << '\n';
}

/// Returns the index of the version that `--from` names, or of the one before the newest. Nullopt: there is none.
std::optional<std::size_t> older_version(const VersionedTable& found, const std::string& from) {
  const std::size_t count = found.versions.size();
  if (from.empty()) return count < 2 ? std::nullopt : std::optional(count - 2);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string& uri = found.versions[i].first;
    if (uri == from || uri.ends_with('/' + from)) return i;
  }
  return std::nullopt;
}

/// Prints the statements that change the tables, or what no engine can change.
int print_changes(const FoundTables& found, const TableOptions& options, const std::string& from, std::ostream& out,
                  std::ostream& errors) {
  std::string text;
  std::vector<std::string> problems;
  for (const VersionedTable& one : found.tables) {
    const auto older = older_version(one, from);
    const std::string stream = "stream '" + one.table.stream + "': ";
    if (!older) {
      // Without --from a stream whose schema has one version has nothing to change.
      if (!from.empty()) problems.push_back(stream + "expected a version '" + from + "' of its schema");
      continue;
    }
    const auto& [old_uri, old_columns] = one.versions[*older];
    const auto& [new_uri, new_columns] = one.versions.back();
    const TableChange change = change_statements(one.table, old_columns.columns, new_columns.columns, options);
    for (const std::string& problem : change.problems)
      problems.push_back(stream + "from " + old_uri + " to " + new_uri + ": " + problem);
    text += change.statements;
  }
  print_lines(errors, "eventgate: ", problems);
  if (!problems.empty()) return 1;
  out << text;
  return 0;
}

}  // namespace

int run_tables(const CommandLine& line, std::ostream& out, std::ostream& errors) {
  const TablesCommand& command = line.tables;
  TablesService service(line.files);
  const TableOptions options = options_of(command, service.config, data_folder(command, service.config));
  const FoundTables found = service.tables({line.streams, options.folder, options.parquet, false});
  if (command.check) {
    print_lines(out, "warning: ", found.warnings);
    print_lines(out, "problem: ", found.problems);
    if (found.problems.empty()) out << "no problems\n";
    return found.problems.empty() ? 0 : 1;
  }
  print_lines(errors, "eventgate: ", found.problems);
  if (!found.problems.empty()) return 1;
  print_lines(errors, "eventgate: warning: ", found.warnings);
  if (command.alter) return print_changes(found, options, command.from, out, errors);
  std::vector<StreamTable> tables;
  for (const VersionedTable& one : found.tables) tables.push_back(one.table);
  if (command.json) {
    out << tables_json(tables, options.timestamps);
  } else if (command.connect) {
    const auto& fields = service.config.gate.stream_field;
    out << iceberg_sink_config(tables, fields.empty() ? "meta.stream" : fields.front().dotted());
  } else {
    out << opening_statements(options.engine);
    for (const StreamTable& table : tables) out << table_statements(table, options);
    out << closing_statements(options.engine);
  }
  return 0;
}

int run_tables_compact(const CommandLine& line, std::ostream& out, std::ostream& errors) {
  const TablesCommand& command = line.tables;
  TablesService service(line.files);
  const std::string events =
      command.files.empty() ? output_folder(service.config) : existing_folder("--files", command.files);
  if (events.find("://") != std::string::npos) throw std::runtime_error("--files: expected a folder of this host");
  const fs::path parquet = command.parquet.empty() ? parquet_folder(events) : fs::absolute(command.parquet);
  const FoundTables found = service.tables({line.streams, events, false, false});
  print_lines(errors, "eventgate: ", found.problems);
  if (!found.problems.empty()) return 1;
  const auto now = std::chrono::system_clock::now();
  std::string run = command.run;
  if (run.empty()) run = unique_writer_name(now);
  TablesCommand as_json = command;
  as_json.parquet.clear();
  const TableOptions options = options_of(as_json, service.config, events);
  std::vector<TopicHours> topics;
  for (const VersionedTable& one : found.tables)
    for (const TableTopic& topic : one.table.topics) {
      std::vector<Hour> hours = hours_to_compact(events, parquet, topic.topic, now - command.older_than);
      if (!hours.empty()) topics.push_back({&one.table, topic.topic, std::move(hours)});
    }
  const fs::path folder = run_folder(parquet, run);
  // Engines make no folder above the one that they write into.
  if (!fs::create_directories(folder))
    throw std::runtime_error("--run: '" + run + "': expected a name that no run has: '" + folder.string() +
                             "' is there");
  out << compaction_statements(topics, options, folder.lexically_normal(), run);
  return 0;
}

int run_tables_publish(const CommandLine& line, std::ostream& out, std::ostream& errors) {
  const Config config = config_of(line.files);
  const fs::path parquet =
      line.tables.parquet.empty() ? parquet_folder(output_folder(config)) : fs::absolute(line.tables.parquet);
  const Published published = publish_run(parquet, line.tables.run);
  print_lines(errors, "eventgate: ", published.problems);
  out << "published " << published.partitions << " hours; " << published.empty << " had no events; removed "
      << published.leftovers << " unfinished runs\n";
  return published.problems.empty() ? 0 : 1;
}

int run_tables_purge(const CommandLine& line, std::ostream& out, std::ostream& errors) {
  const TablesService service(line.files);
  const Config& config = service.config;
  const std::string events = output_folder(config);
  const auto retention = [&](std::string_view topic) {
    return retention_of_topic(service.configs.get(), config.gate.topic_prefix, config.file->output_retention, topic);
  };
  const fs::path parquet = line.tables.parquet.empty() ? parquet_folder(events) : fs::path(line.tables.parquet);
  int status = 0;
  for (const fs::path& folder : {fs::path(events), parquet}) {
    DuePartitions due = due_partitions(folder, retention, std::chrono::system_clock::now());
    if (!line.tables.yes && due.is_suspicious()) {
      errors << "eventgate: " << printable(suspicion_text(due, folder)) << '\n';
      status = 1;
    }
    for (; !due.paths.empty(); due.paths.pop_back()) {
      const fs::path& path = due.paths.back();
      const std::error_code error = line.tables.yes ? remove_partition(path) : std::error_code();
      if (error) {
        errors << "eventgate: '" << printable(path.string()) << "': " << error.message() << '\n';
        status = 1;
      } else {
        out << printable(path.string()) << '\n';
      }
    }
  }
  return status;
}

}  // namespace eventgate

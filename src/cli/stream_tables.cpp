#include "stream_tables.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <system_error>

#include "eventgate/base/ordered_json.hpp"
#include "eventgate/base/topic_name.hpp"
#include "eventgate/files/hour_partitions.hpp"
#include "eventgate/repository/schema_titles.hpp"
#include "eventgate/streams/topic.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

bool has_partition_name(const Column& column) {
  const std::string name = sql_name(column.name);
  return name == kDatacenterColumn ||
         std::find(std::begin(kHourColumns), std::end(kHourColumns), name) != std::end(kHourColumns);
}

/// Returns the texts of a list, or of one string.
std::vector<std::string> texts_at(const Json& settings, const char* name) {
  std::vector<std::string> texts;
  const Json* const found = find_member(settings, name);
  if (!found) return texts;
  if (found->is_string()) texts.push_back(found->get<std::string>());
  if (!found->is_array()) return texts;
  for (const Json& one : *found)
    if (one.is_string()) texts.push_back(one.get<std::string>());
  return texts;
}

class TableFinder {
 public:
  TableFinder(const Config& config, const StreamConfigs& configs, ObjectReader& reader, SchemaRepository& schemas,
              const TablesQuery& query)
      : config_(config), configs_(configs), titles_(config.schema, reader), schemas_(schemas), query_(query) {}

  FoundTables find() {
    const auto declared = parse_object_text(configs_.json());
    if (!declared) {
      found_.problems.push_back("stream_config_uri: " + declared.error().message);
      return std::move(found_);
    }
    list_folder();
    find_streams(*declared);
    for (const std::string& stream : query_.streams)
      if (!topics_.contains(stream)) add_problem(stream, "expected a stream that the stream configs declare");
    std::map<std::string, std::string> names;
    for (const auto& stream : order_) {
      const auto [other, is_new] = names.emplace(sql_name(stream), stream);
      if (!is_new)
        add_problem(stream, "expected another table than '" + other->first + "', which is that of the stream '" +
                                other->second + "'");
      add_table(stream);
    }
    return std::move(found_);
  }

 private:
  void add_problem(const std::string& stream, const std::string& text) {
    found_.problems.push_back("stream '" + stream + "': " + text);
  }
  void add_warning(const std::string& stream, const std::string& text) {
    found_.warnings.push_back("stream '" + stream + "': " + text);
  }

  bool is_listed() const { return !query_.folder.empty() && query_.folder.find("://") == std::string::npos; }

  /// Reads the names of the topics that have files.
  void list_folder() {
    if (!is_listed()) return;
    const std::string ending = query_.parquet ? ".parquet" : ".ndjson";
    std::error_code ignored;
    for (fs::directory_iterator it(query_.folder, ignored), end; it != end; it.increment(ignored)) {
      const std::string topic = it->path().filename().string();
      if (!is_topic_name(topic) || topic.starts_with('.')) continue;
      const std::vector<HourPartition> hours = hour_partitions(it->path());
      if (std::any_of(hours.begin(), hours.end(),
                      [&](const HourPartition& hour) { return has_file(hour.path, ending); }))
        with_files_.insert(topic);
    }
  }

  static bool has_file(const fs::path& folder, const std::string& ending) {
    std::error_code ignored;
    for (fs::directory_iterator it(folder, ignored), end; it != end; it.increment(ignored))
      if (it->path().filename().native().ends_with(ending)) return true;
    return false;
  }

  /// Finds the streams that are asked for, with their topics. A regex stands for the streams of the topics that have
  /// files and belong to no stream that is declared by name.
  void find_streams(const Json& declared) {
    std::set<std::string> taken;
    for (const std::string& stream : configs_.stream_names()) {
      const Json* const settings = find_member(declared, stream);
      std::vector<std::string> topics = topics_of(stream, settings ? *settings : Json());
      taken.insert(topics.begin(), topics.end());
      add_stream(stream, std::move(topics));
    }
    for (const std::string& topic : with_files_) {
      if (taken.contains(topic)) continue;
      const std::string stream = stream_of_topic(topic);
      if (!stream.empty()) add_stream(stream, {topic});
    }
  }

  void add_stream(const std::string& stream, std::vector<std::string> topics) {
    if (topics.empty() || (!query_.streams.empty() &&
                           std::find(query_.streams.begin(), query_.streams.end(), stream) == query_.streams.end()))
      return;
    auto& all = topics_[stream];
    if (all.empty()) order_.push_back(stream);
    for (std::string& topic : topics)
      if (std::find(all.begin(), all.end(), topic) == all.end()) all.push_back(std::move(topic));
  }

  /// Returns the topics of a stream that is declared by name, the gate's own first.
  std::vector<std::string> topics_of(const std::string& stream, const Json& settings) const {
    std::vector<std::string> topics{topic_name(config_.gate.topic_prefix, stream, configs_.find(stream))};
    for (const std::string& topic : texts_at(settings, "topics")) topics.push_back(topic);
    for (const std::string& prefix : texts_at(settings, "topic_prefixes")) topics.push_back(prefix + stream);
    std::erase_if(topics, [](const std::string& topic) { return !is_topic_name(topic); });
    return topics;
  }

  /// Returns the stream of a topic that a regex declares, or an empty text.
  std::string stream_of_topic(const std::string& topic) const {
    const std::string& prefix = config_.gate.topic_prefix;
    const std::size_t dot = topic.find('.');
    const std::string names[] = {topic.starts_with(prefix) ? topic.substr(prefix.size()) : topic, topic,
                                 dot == std::string::npos ? topic : topic.substr(dot + 1)};
    for (const std::string& name : names)
      if (configs_.find(name)) return name;
    return {};
  }

  std::vector<TableTopic> table_topics(const std::string& stream) const {
    std::vector<TableTopic> topics;
    for (const std::string& name : topics_.at(stream)) {
      TableTopic& topic = topics.emplace_back();
      topic.topic = name;
      topic.has_files = !is_listed() || with_files_.contains(name);
      if (name.size() <= stream.size() || !name.ends_with(stream)) continue;
      topic.datacenter = name.substr(0, name.size() - stream.size());
      while (topic.datacenter.ends_with('.')) topic.datacenter.pop_back();
    }
    return topics;
  }

  void add_table(const std::string& stream) {
    const StreamConfig& declared = *configs_.find(stream);
    if (!declared.unusable_reason.empty()) return found_.problems.push_back(declared.unusable_reason);
    if (!declared.schema_title)
      return add_warning(stream, "it has no table, because it has no schema_title and takes no event");
    const auto titled = titles_.find(*declared.schema_title);
    if (!titled || titled->versions.empty())
      return add_problem(
          stream, "expected a version of the schema '" + *declared.schema_title + "' in one of schema_base_uris");
    VersionedTable made;
    made.table.stream = stream;
    made.table.name = sql_name(stream);
    made.table.topics = table_topics(stream);
    std::vector<std::string> uris = titled->versions;
    if (query_.newest_only) uris.erase(uris.begin(), uris.end() - 1);
    for (const std::string& uri : uris) {
      const bool is_newest = uri == uris.back();
      if (const TableColumns* const columns = columns_of(stream, uri, is_newest)) {
        made.versions.emplace_back(uri, *columns);
        made.table.schema_uris.push_back(uri);
      } else if (is_newest) {
        return;
      }
    }
    join_versions(stream, made);
    found_.tables.push_back(std::move(made));
  }

  /// Makes the columns of the newest version, with what only older ones have behind them.
  void join_versions(const std::string& stream, VersionedTable& made) {
    const auto& [newest_uri, newest] = made.versions.back();
    made.table.columns = newest.columns;
    for (auto older = made.versions.rbegin() + 1; older != made.versions.rend(); ++older)
      for (const std::string& pointer : add_older_fields(made.table.columns, older->second.columns))
        add_warning(stream, "schema " + newest_uri + ": " + pointer + ": expected the type that " + older->first +
                                " has; events of that version may lack the value");
  }

  /// Returns the columns of a version, or null if it cannot be a table. Says why for the newest version: without an
  /// older one the table has what the others have.
  const TableColumns* columns_of(const std::string& stream, const std::string& uri, bool is_newest) {
    const auto [known, is_new] = columns_.try_emplace(uri);
    if (is_new) known->second = read_columns(uri);
    const TableColumns& columns = known->second;
    if (is_newest) {
      for (const std::string& problem : columns.problems) {
        add_problem(stream, "schema " + uri + ": " + problem);
        if (problem.starts_with('/')) found_.schema_problems.push_back(found_.problems.back());
      }
      for (const std::string& warning : columns.warnings)
        add_warning(stream, "schema " + uri + ": " + warning + "; the column is JSON text");
    }
    return columns.problems.empty() ? &columns : nullptr;
  }

  TableColumns read_columns(const std::string& uri) {
    TableColumns columns;
    const SchemaText text = schemas_.dereferenced(uri);
    if (!text) {
      columns.problems.push_back(text.error().reason.empty() ? "expected it in one of schema_base_uris"
                                                             : text.error().reason);
      return columns;
    }
    const auto document = parse_object_text(*text, 1000);
    if (!document) {
      columns.problems.push_back(document.error().message);
      return columns;
    }
    columns = table_columns(*document);
    for (const Column& column : columns.columns)
      if (has_partition_name(column))
        columns.problems.push_back(column.pointer + ": expected another name than that of a partition column, " +
                                   "which are datacenter, year, month, day and hour");
    return columns;
  }

  const Config& config_;
  const StreamConfigs& configs_;
  SchemaTitles titles_;
  SchemaRepository& schemas_;
  const TablesQuery& query_;
  std::set<std::string> with_files_;
  std::map<std::string, std::vector<std::string>> topics_;
  std::vector<std::string> order_;
  std::map<std::string, TableColumns> columns_;
  FoundTables found_;
};

}  // namespace

FoundTables find_tables(const Config& config, const StreamConfigs& configs, ObjectReader& reader,
                        SchemaRepository& schemas, const TablesQuery& query) {
  return TableFinder(config, configs, reader, schemas, query).find();
}

}  // namespace eventgate

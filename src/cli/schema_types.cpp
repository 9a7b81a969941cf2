#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "config_files.hpp"
#include "eventgate/config/config.hpp"
#include "eventgate/fetch/authored_document.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/repository/jsonschema_tools_config.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/repository/typescript.hpp"
#include "eventgate/repository/version_files.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "schema_tool.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// Title to name of its interface.
using Names = std::map<std::string, std::string>;

/// Returns the newest version of each title below `base`, but of fragments, which are no events.
std::map<std::string, std::string> newest_versions(const fs::path& base) {
  std::map<std::string, std::string> newest;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(base)) {
    if (!entry.is_directory()) continue;
    const std::string title = fs::relative(entry.path(), base).generic_string();
    if (title.starts_with("fragment/")) continue;
    const std::vector<SemanticVersion> versions = versions_in(entry.path().string());
    if (!versions.empty()) newest[title] = versions.back().text();
  }
  return newest;
}

/// Reads the schema of a version, with its references replaced.
Json schema_of(const SchemaRepository& schemas, const std::string& uri) {
  std::string reason;
  for (const char* const extension : {"", ".yaml", ".json"}) {
    const auto text = schemas.dereferenced(uri + extension);
    if (text) return Json::parse(*text);
    if (reason.empty()) reason = text.error().reason;
  }
  throw std::runtime_error(uri + ": " + (reason.empty() ? "expected a file of this version" : reason));
}

/// Returns the streams of a file of stream configs, each with its schema_title. The keys of declarations by wiki count
/// as groups. A regex names no stream.
std::map<std::string, std::string> declared_streams(const std::string& file) {
  const auto read = make_author_reader()->read(file);
  if (!read) throw std::runtime_error(file + ": " + read.error().message);
  if (!read->is_object()) throw std::runtime_error(file + ": expected an object of stream configs");
  std::map<std::string, std::string> streams;
  const auto add = [&streams](const std::string& name, const Json& config) {
    const auto title = config.is_object() ? config.find("schema_title") : config.end();
    if (name.starts_with('/') || !config.is_object() || title == config.end() || !title->is_string()) return false;
    streams.emplace(name, title->get<std::string>());
    return true;
  };
  for (const auto& [name, config] : read->items())
    if (!add(name, config) && config.is_object())
      for (const auto& [stream, of_stream] : config.items()) add(stream, of_stream);
  return streams;
}

/// Adds the stream that an example of `schema` is of.
void add_stream_of_example(const Json& schema, const std::string& title, std::map<std::string, std::string>& streams) {
  const auto examples = schema.find("examples");
  if (examples == schema.end() || !examples->is_array()) return;
  for (const Json& example : *examples) {
    const Json::json_pointer stream("/meta/stream");
    if (example.is_object() && example.contains(stream) && example[stream].is_string())
      streams.emplace(example[stream].get<std::string>(), title);
  }
}

/// Returns a name that `names` do not have yet.
std::string unused_name(const std::string& title, const Names& names) {
  std::set<std::string> used;
  for (const auto& [other, name] : names) used.insert(name);
  used.insert({"Schemas", "Streams"});
  const std::string wanted = typescript_name(title);
  std::string name = wanted;
  for (int number = 2; used.contains(name); ++number) name = wanted + std::to_string(number);
  return name;
}

/// Prints an interface whose members lead to the interfaces of titles.
void print_map(const std::string& name, const std::string& comment, const std::map<std::string, std::string>& titles,
               const Names& names, std::ostream& out) {
  out << '\n' << typescript_comment(comment, 0) << "export interface " << name << " {\n";
  for (const auto& [key, title] : titles)
    if (const auto found = names.find(title); found != names.end())
      out << "  " << typescript_literal(key) << ": " << found->second << ";\n";
  out << "}\n";
}

}  // namespace

int run_schema_types(const CommandLine& line, std::ostream& out) {
  std::error_code error;
  if (!fs::is_directory(line.repository, error))
    throw std::runtime_error("'" + line.repository + "': expected the folder of a schema repository");
  const auto reader = make_author_reader();
  const JsonschemaToolsConfig tools = find_jsonschema_tools_config(line.repository, *reader);
  Config config;
  log_nothing(config.logging);
  config.schema.cache_dir.clear();
  config.schema.schema_base_uris = {tools.base().string()};
  for (const std::string& uri : tools.base_uris()) config.schema.schema_base_uris.push_back(uri);
  Metrics metrics(config.service_name);
  Telemetry events(metrics);
  const SchemaRepository schemas(config.schema, make_uri_reader(config.schema_reader), events);

  const std::map<std::string, std::string> versions = newest_versions(tools.base());
  if (versions.empty())
    throw std::runtime_error(tools.base().string() + ": expected schemas, such as test/event/1.0.0.yaml");
  std::map<std::string, std::string> streams;
  if (!line.stream_config.empty()) streams = declared_streams(line.stream_config);
  out << "// Made by `eventgate schema types`. Do not edit it: make it again.\n";
  Names names;
  std::map<std::string, std::string> titles;
  for (const auto& [title, version] : versions) {
    const std::string uri = "/" + title + "/" + version;
    const Json schema = schema_of(schemas, uri);
    const std::string name = unused_name(title, names);
    names.emplace(title, name);
    titles.emplace(title, title);
    out << '\n' << typescript_interface(name, schema, uri, "$schema");
    if (line.stream_config.empty()) add_stream_of_example(schema, title, streams);
  }
  print_map("Schemas", "The newest version of each schema, by its title.", titles, names, out);
  print_map("Streams", "The events of each stream: createClient<Streams>(...).", streams, names, out);
  return 0;
}

}  // namespace eventgate

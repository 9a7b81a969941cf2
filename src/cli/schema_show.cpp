#include <filesystem>
#include <istream>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>

#include "config_files.hpp"
#include "eventgate/config/config.hpp"
#include "eventgate/fetch/authored_document.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/repository/version_builder.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "schema_build.hpp"
#include "schema_tool.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;

/// Returns the file that the URI of a schema, or a path, names.
std::string named_file(const std::string& uri, const JsonschemaToolsConfig& config) {
  std::error_code error;
  const std::string below = config.base().string() + (uri.starts_with('/') ? "" : "/") + uri;
  for (const std::string& file : {below, below + ".yaml", below + ".json"})
    if (fs::is_regular_file(file, error)) return file;
  if (fs::is_directory(below, error) && fs::exists(below + '/' + config.current_file(), error))
    return below + '/' + config.current_file();
  if (fs::is_regular_file(uri, error)) return uri;
  throw std::runtime_error("'" + uri + "': expected a schema below " + config.base().string() +
                           ", such as /TITLE/current, or a file");
}

int show_merged(const CommandLine& line, std::istream& in, std::ostream& out) {
  const auto reader = make_author_reader();
  const JsonschemaToolsConfig config = line.repository == "." ? read_jsonschema_tools_config({}, *reader)
                                                              : find_jsonschema_tools_config(line.repository, *reader);
  VersionBuilder builder(config, *reader);
  VersionBuilder::Result<CurrentSchema> current = CurrentSchema{"standard input", "", "", ""};
  if (line.schema_uri == "-")
    current->text = input_text(in);
  else
    current = builder.read_current(fs::path(named_file(line.schema_uri, config)).lexically_normal().string());
  if (!current) throw std::runtime_error(current.error().text());
  const auto text = builder.merged(*current, line.yaml ? "yaml" : "json", true);
  if (!text) throw std::runtime_error(text.error().text());
  out << *text << (line.yaml ? "" : "\n");
  return 0;
}

}  // namespace

int run_schema_show(const CommandLine& line, std::istream& in, std::ostream& out) {
  if (line.merged) return show_merged(line, in, out);
  Config config;
  if (!line.files.empty()) config = config_of(line.files);
  log_nothing(config.logging);
  config.schema.cache_dir.clear();  // the schema is shown as it is now
  if (line.files.empty()) config.schema.schema_base_uris = {line.repository};
  Metrics metrics(config.service_name);
  Telemetry telemetry(metrics);
  const SchemaRepository schemas(config.schema, make_uri_reader(config.schema_reader), telemetry);
  const auto schema = schemas.dereferenced(line.schema_uri);
  if (!schema) {
    std::string bases;
    for (const std::string& base : config.schema.schema_base_uris) bases += (bases.empty() ? "" : ", ") + base;
    const std::string& reason = schema.error().reason;
    throw std::runtime_error("'" + line.schema_uri + "': " +
                             (reason.empty() ? "expected the path of a schema, such as /test/event/1.0.0, in " + bases +
                                                   " (-c FILE and REPOSITORY name others)"
                                             : reason));
  }
  out << *schema;
  return 0;
}

}  // namespace eventgate

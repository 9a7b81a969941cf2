#include "schema_tool.hpp"

#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>

#include "config_files.hpp"
#include "eventgate/config/config.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/repository/repository_lint.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"

namespace eventgate {

namespace {

int show(const CommandLine& line, std::ostream& out) {
  Config config;
  if (!line.files.empty()) config = config_of(line.files);
  log_nothing(config.logging);
  config.schema.cache_dir.clear();  // what is there now counts
  if (line.files.empty()) config.schema.schema_base_uris = {line.repository};
  Metrics metrics(config.service_name);
  Telemetry events(metrics);
  const SchemaRepository schemas(config.schema, make_uri_reader(config.schema_reader), events);
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

int test(const CommandLine& line, std::ostream& out) {
  const std::vector<std::string> problems = repository_problems(line.repository, *make_uri_reader({}));
  for (const std::string& problem : problems) out << problem << '\n';
  if (problems.empty()) out << "no problems\n";
  return problems.empty() ? 0 : 1;
}

}  // namespace

int run_schema_tool(const CommandLine& line, std::ostream& out) {
  return line.command == CommandLine::Command::schema_show ? show(line, out) : test(line, out);
}

}  // namespace eventgate

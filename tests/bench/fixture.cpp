#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "bench.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "support/paths.hpp"

namespace eventgate::bench {
namespace {

Subject subject(const std::string& base, const std::string& schema_uri) {
  const nlohmann::ordered_json schema = read_schema(base + schema_uri + ".yaml");
  const nlohmann::ordered_json& event = schema.at("examples").at(0);
  return {base, schema_uri, schema.at("title").get<std::string>(), event.at("meta").at("stream").get<std::string>(),
          event.dump()};
}

Subject shared_or_own(const std::string& repository, const std::string& shared_uri, const std::string& own_uri) {
  const std::string shared = shared_dir() + "/data/schema-repos/" + repository + "/jsonschema";
  if (std::filesystem::exists(shared + shared_uri + ".yaml")) return subject(shared, shared_uri);
  return subject(source_dir() + "/tests/bench/schemas", own_uri);
}

}  // namespace

nlohmann::ordered_json read_schema(const std::string& path) {
  auto schema = make_uri_reader({})->read(path);
  if (!schema) throw std::runtime_error(path + ": expected a schema: " + schema.error().message);
  return *std::move(schema);
}

Subject search_subject() {
  return shared_or_own("secondary", "/analytics/legacy/searchsatisfaction/1.4.0", "/bench/search/1.0.0");
}

Subject revision_subject() {
  return shared_or_own("primary", "/mediawiki/revision/create/2.0.0", "/bench/revision/1.0.0");
}

std::vector<std::string> schemas_of(const std::filesystem::path& base) {
  std::vector<std::string> uris;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(base)) {
    // There is a file of each version with and without an extension.
    const std::filesystem::path path = entry.path();
    if (path.filename() != "latest" && std::filesystem::exists(path.string() + ".yaml"))
      uris.push_back("/" + std::filesystem::relative(path, base).string());
  }
  return uris;
}

std::string array_of(const std::string& event, std::size_t count) {
  std::string array = "[" + event;
  for (std::size_t i = 1; i < count; ++i) array += "," + event;
  return array + "]";
}

std::string stream_configs_text(const std::vector<Subject>& subjects) {
  nlohmann::ordered_json streams;
  for (const Subject& subject : subjects) streams[subject.stream]["schema_title"] = subject.schema_title;
  streams["bench.error"]["schema_title"] = "error";
  return streams.dump();
}

}  // namespace eventgate::bench

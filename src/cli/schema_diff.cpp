#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "eventgate/fetch/authored_document.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/json/printable.hpp"
#include "eventgate/repository/version_builder.hpp"
#include "eventgate/repository/version_changes.hpp"
#include "eventgate/repository/version_files.hpp"
#include "schema_tool.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Side {
  std::string name;  ///< Such as `1.0.0` or `current`.
  SemanticVersion version;
  Json schema;
};

Side side_of(const std::string& name, const fs::path& folder, const JsonschemaToolsConfig& config,
             VersionBuilder& builder, ObjectReader& reader) {
  Side side{name, {}, {}};
  if (name == "current") {
    const auto current = builder.read_current((folder / config.current_file()).string());
    if (!current) throw std::runtime_error(current.error().text());
    const auto made = builder.made(*current);
    if (!made) throw std::runtime_error(made.error().text());
    read_version(made->version, side.version);
    side.name = "current (" + made->version + ")";
    side.schema = *made->schema;
    return side;
  }
  if (!read_version(name, side.version))
    throw std::runtime_error("'" + name + "': expected a version, such as 1.0.0, or current");
  std::string reason;
  for (const char* const extension : {".yaml", ".json", ""}) {
    const std::string file = (folder / (name + extension)).string();
    auto read = reader.read(file);
    if (read) {
      side.schema = *std::move(read);
      return side;
    }
    if (read.error().kind != ReadError::Kind::not_found) reason = file + ": " + read.error().message;
  }
  throw std::runtime_error(reason.empty() ? folder.string() + ": expected a file of the version " + name : reason);
}

}  // namespace

int run_schema_diff(const CommandLine& line, std::ostream& out) {
  const auto reader = make_uri_reader({});
  const auto author_reader = make_author_reader();
  const JsonschemaToolsConfig config = line.repository.empty()
                                           ? read_jsonschema_tools_config({}, *author_reader)
                                           : find_jsonschema_tools_config(line.repository, *author_reader);
  VersionBuilder builder(config, *author_reader);
  const fs::path folder = (config.base() / line.title).lexically_normal();
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw std::runtime_error("'" + line.title + "': expected the title of a schema in " + config.base().string());

  std::vector<std::string> names = line.versions;
  const std::vector<SemanticVersion> versions = versions_in(folder.string());
  if (names.empty()) {
    if (versions.size() < 2)
      throw std::runtime_error(folder.string() + ": expected two versions to compare, found " +
                               std::to_string(versions.size()));
    names.push_back(versions[versions.size() - 2].text());
  }
  if (names.size() == 1) {
    if (versions.empty()) throw std::runtime_error(folder.string() + ": expected a version to compare with");
    names.push_back(versions.back().text());
  }
  const Side older = side_of(names[0], folder, config, builder, *reader);
  const Side newer = side_of(names[1], folder, config, builder, *reader);
  std::size_t incompatible = 0;
  for (const SchemaChange& change : schema_changes(older.schema, newer.schema)) {
    incompatible += change.compatible ? 0 : 1;
    out << printable((change.compatible ? "compatible    " : "incompatible  ") + change.text()) << '\n';
  }
  const bool same_major = older.version.major == newer.version.major;
  const std::string pair = older.name + " to " + newer.name + ": ";
  if (incompatible == 0)
    out << pair << "compatible\n";
  else if (same_major)
    out << pair << incompatible << " incompatible, which needs major version " << newer.version.major + 1 << '\n';
  else
    out << pair << incompatible << " incompatible, which a new major version may be\n";
  return incompatible > 0 && same_major ? 1 : 0;
}

}  // namespace eventgate

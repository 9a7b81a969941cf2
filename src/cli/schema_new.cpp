#include "eventgate/repository/new_schema.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>

#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/json/printable.hpp"
#include "eventgate/repository/version_files.hpp"
#include "schema_tool.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// Returns true if `title` is a relative path without hidden names.
bool is_title(const std::string& title) {
  bool at_start = true;
  for (const char c : title) {
    const bool name =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!name && (at_start || (c != '/' && c != '.'))) return false;
    at_start = c == '/';
  }
  return !at_start;
}

/// Returns the URI of the newest /fragment/common, or an empty text if there is none.
std::string newest_common(const JsonschemaToolsConfig& config) {
  for (const std::string& base : config.base_uris()) {
    const auto versions = versions_in(base + "/fragment/common");
    if (!versions.empty()) return "/fragment/common/" + versions.back().text();
  }
  return {};
}

Json fragment_at(const std::string& uri, const JsonschemaToolsConfig& config, ObjectReader& reader) {
  for (const std::string& base : config.base_uris())
    for (const char* const extension : {"", ".yaml", ".json"})
      if (auto read = reader.read(base + uri + extension)) return *std::move(read);
  throw std::runtime_error("'" + uri + "': expected the URI of a version, such as /fragment/common/1.0.0, in " +
                           config.base_uris().front());
}

}  // namespace

int run_schema_new(const CommandLine& line, std::ostream& out) {
  if (!is_title(line.title))
    throw std::runtime_error("'" + line.title + "': expected a title, such as analytics/link_hover");
  const auto reader = make_uri_reader({});
  JsonschemaToolsConfig config;
  std::error_code error;
  if (line.repository.empty()) {
    config = read_jsonschema_tools_config({}, *reader);
  } else if (fs::is_directory(line.repository, error)) {
    config = find_jsonschema_tools_config(line.repository, *reader);
    // The schema goes into DIR, even if another repository is around it.
    if (!fs::equivalent(config.base(), line.repository, error)) {
      config.folder = ".";
      config.schemaBasePath = line.repository;
    }
  } else {
    config.folder = ".";
    config.schemaBasePath = line.repository;
  }

  NewSchema schema;
  schema.title = line.title;
  schema.fragment_uri = line.with.empty() ? newest_common(config) : line.with.substr(0, line.with.find('#'));
  Json fragment;
  if (!schema.fragment_uri.empty()) {
    fragment = fragment_at(schema.fragment_uri, config, *reader);
    schema.fragment = &fragment;
  }
  Json example;
  if (!line.example.empty()) {
    auto read = reader->read(line.example);
    if (!read) throw std::runtime_error(line.example + ": " + read.error().message);
    example = *std::move(read);
    schema.example = &example;
  }

  const fs::path folder = config.base() / line.title;
  const std::string file = (folder / config.current_file()).lexically_normal().string();
  if (fs::exists(fs::symlink_status(file, error)))
    throw std::runtime_error(file + ": expected no such file, because a current is never written over");
  const std::string text = new_current(schema);
  fs::create_directories(folder, error);
  if (error) throw std::runtime_error(folder.string() + ": expected a folder that can be made: " + error.message());
  write_files({{file, text, false}});
  out << printable("wrote " + file) << '\n';
  return 0;
}

}  // namespace eventgate

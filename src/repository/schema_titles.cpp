#include "eventgate/repository/schema_titles.hpp"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>

#include "eventgate/repository/version_builder.hpp"

namespace eventgate {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFileScheme = "file://";
/// Bytes of the largest file that is read for its title: the bound of a schema.
constexpr std::uintmax_t kMaxSchemaFile = 1024 * 1024;

/// Returns the `title` of a schema, or nullopt if it has none.
std::optional<std::string> title_of(const nlohmann::ordered_json& schema) {
  if (!schema.is_object()) return std::nullopt;
  const auto title = schema.find("title");
  if (title == schema.end() || !title->is_string()) return std::nullopt;
  return title->get<std::string>();
}

}  // namespace

std::optional<fs::path> schema_directory(const std::string& base) {
  if (base.starts_with(kFileScheme)) return fs::path(base.substr(kFileScheme.size()));
  if (base.find("://") != std::string::npos) return std::nullopt;
  return fs::path(base);
}

SchemaTitles::SchemaTitles(const SchemaOptions& options, ObjectReader& reader, std::stop_token stop)
    : reader_(reader), stop_(std::move(stop)), latest_("/latest" + options.schema_file_extension) {
  for (const std::string& base : options.schema_base_uris) {
    if (auto directory = schema_directory(base))
      directories_.push_back(std::move(*directory));
    else
      hosts_.push_back(base);
  }
}

std::optional<bool> SchemaTitles::contains(const std::string& title) {
  if (titles_.contains(title)) return true;
  if (absent_.contains(title)) return false;
  // A title that begins with a slash would lead out of the base.
  const std::string folder = title.substr(std::min(title.find_first_not_of('/'), title.size()));
  for (const fs::path& directory : directories_) read_files(fs::directory_iterator(), directory / folder, directory);
  if (titles_.contains(title)) return true;
  bool known = true;
  for (const std::string& base : hosts_) {
    const auto schema = reader_.read(base + (base.ends_with('/') ? "" : "/") + title + latest_);
    if (schema && title_of(*schema) == title) {
      const auto id = schema->find("$id");
      if (id != schema->end() && id->is_string()) titles_[title].newest_uri = id->get<std::string>();
      if (!titles_[title].newest_uri.empty()) titles_[title].versions = {titles_[title].newest_uri};
      return true;
    }
    if (!schema && schema.error().kind == ReadError::Kind::unavailable) known = false;
  }
  if (!are_all_read_) {
    are_all_read_ = true;
    for (const fs::path& directory : directories_) read_files(fs::recursive_directory_iterator(), directory, directory);
  }
  if (titles_.contains(title)) return true;
  if (!known || stop_.stop_requested()) return std::nullopt;
  absent_.insert(title);
  return false;
}

std::optional<TitledSchemas> SchemaTitles::find(const std::string& title) {
  if (contains(title) != true) return std::nullopt;
  return titles_[title];
}

void SchemaTitles::add_file(const std::string& title, const fs::path& file, const fs::path& base) {
  TitledSchemas& schemas = titles_[title];
  std::string name = file.filename().string();
  for (const std::string_view extension : {".yaml", ".yml", ".json"})
    if (name.ends_with(extension)) name.resize(name.size() - extension.size());
  SemanticVersion version;
  if (!read_version(name, version)) {
    if (schemas.other_file.empty() || name == "current") schemas.other_file = file.string();
    return;
  }
  const std::string uri = "/" + (file.parent_path().lexically_relative(base) / name).lexically_normal().string();
  if (std::find(schemas.versions.begin(), schemas.versions.end(), uri) == schemas.versions.end()) {
    const auto version_at = [](const std::string& of) {
      SemanticVersion there;
      read_version(of.substr(of.rfind('/') + 1), there);
      return there;
    };
    schemas.versions.insert(
        std::upper_bound(schemas.versions.begin(), schemas.versions.end(), uri,
                         [&](const std::string& a, const std::string& b) { return version_at(a) < version_at(b); }),
        uri);
  }
  SemanticVersion newest;
  const std::size_t slash = schemas.newest_uri.rfind('/');
  if (slash != std::string::npos && read_version(schemas.newest_uri.substr(slash + 1), newest) && version <= newest)
    return;
  schemas.newest_file = file.string();
  schemas.newest_uri = uri;
}

template <typename Iterator>
void SchemaTitles::read_files(Iterator end, const fs::path& directory, const fs::path& base) {
  std::error_code error;
  for (Iterator it(directory, error); !error && it != end && !stop_.stop_requested(); it.increment(error)) {
    std::error_code unreadable;
    if (!it->is_regular_file(unreadable) || it->file_size(unreadable) > kMaxSchemaFile) continue;
    std::ifstream file(it->path(), std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const auto schema = parse_object_text(text);
    if (!schema) continue;
    if (const auto title = title_of(*schema)) add_file(*title, it->path(), base);
  }
}

}  // namespace eventgate

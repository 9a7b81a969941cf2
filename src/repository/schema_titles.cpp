#include "eventgate/repository/schema_titles.hpp"

#include <cstdint>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>

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
  for (const fs::path& directory : directories_) read_files(fs::directory_iterator(), directory / title);
  if (titles_.contains(title)) return true;
  bool known = true;
  for (const std::string& base : hosts_) {
    const auto schema = reader_.read(base + (base.ends_with('/') ? "" : "/") + title + latest_);
    if (schema && title_of(*schema) == title) return true;
    if (!schema && schema.error().kind == ReadError::Kind::unavailable) known = false;
  }
  if (!are_all_read_) {
    are_all_read_ = true;
    for (const fs::path& directory : directories_) read_files(fs::recursive_directory_iterator(), directory);
  }
  if (titles_.contains(title)) return true;
  if (!known || stop_.stop_requested()) return std::nullopt;
  absent_.insert(title);
  return false;
}

template <typename Iterator>
void SchemaTitles::read_files(Iterator end, const fs::path& directory) {
  std::error_code error;
  for (Iterator it(directory, error); !error && it != end && !stop_.stop_requested(); it.increment(error)) {
    std::error_code unreadable;
    if (!it->is_regular_file(unreadable) || it->file_size(unreadable) > kMaxSchemaFile) continue;
    std::ifstream file(it->path(), std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const auto schema = parse_object_text(text);
    if (!schema) continue;
    if (auto title = title_of(*schema)) titles_.insert(std::move(*title));
  }
}

}  // namespace eventgate

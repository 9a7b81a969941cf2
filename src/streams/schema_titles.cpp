#include "eventgate/streams/schema_titles.hpp"

#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>

#include "eventgate/telemetry/telemetry.hpp"

namespace eventgate {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFileScheme = "file://";
constexpr std::uintmax_t kMaxSchemaFile = 1024 * 1024;  // bytes

/// A schema's `title`.
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
  if (!all_read_) {
    all_read_ = true;
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

MissingSchemaReporter::MissingSchemaReporter(SchemaOptions options, std::shared_ptr<ObjectReader> reader,
                                             Telemetry& events)
    : options_(std::move(options)),
      reader_(std::move(reader)),
      events_(events),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

MissingSchemaReporter::~MissingSchemaReporter() {
  thread_.request_stop();
  reader_->stop();
}

void MissingSchemaReporter::look(std::shared_ptr<const StreamConfigs> configs) {
  const std::lock_guard lock(mutex_);
  next_ = std::move(configs);
  looked_for_.notify_all();
}

void MissingSchemaReporter::run(const std::stop_token& stop) {
  std::set<std::pair<std::string, std::string>> seen;  // stream and title
  std::map<std::string, std::optional<bool>> known;    // what is known of titles
  for (;;) {
    std::shared_ptr<const StreamConfigs> configs;
    {
      std::unique_lock lock(mutex_);
      if (!looked_for_.wait(lock, stop, [this] { return next_ != nullptr; })) return;
      configs = std::exchange(next_, nullptr);
    }
    SchemaTitles titles(options_, *reader_, stop);
    const auto declared = parse_object_text(configs->json());
    if (!declared) continue;
    for (const auto& [stream, declaration] : declared->items()) {
      if (stop.stop_requested()) return;
      const auto declared_title = declaration.is_object() ? declaration.find("schema_title") : declaration.end();
      const bool has_title = declared_title != declaration.end() && declared_title->is_string();
      const std::string title = has_title ? declared_title->get<std::string>() : "";
      if (title.empty() || !seen.emplace(stream, title).second) continue;
      const auto [found, is_new] = known.try_emplace(title);
      if (is_new) found->second = titles.contains(title);
      if (found->second == false) events_.stream_without_schema(stream, title);
    }
  }
}

}  // namespace eventgate

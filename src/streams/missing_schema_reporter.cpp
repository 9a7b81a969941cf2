#include "eventgate/streams/missing_schema_reporter.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "eventgate/repository/schema_titles.hpp"
#include "eventgate/telemetry/telemetry.hpp"

namespace eventgate {

namespace {

/// Returns the `schema_title` of a stream's declaration, or an empty text.
std::string schema_title_of(const nlohmann::ordered_json& declaration) {
  if (!declaration.is_object()) return {};
  const auto title = declaration.find("schema_title");
  return title != declaration.end() && title->is_string() ? title->get<std::string>() : std::string();
}

}  // namespace

MissingSchemaReporter::MissingSchemaReporter(SchemaOptions options, std::shared_ptr<ObjectReader> reader,
                                             Telemetry& telemetry)
    : options_(std::move(options)),
      reader_(std::move(reader)),
      telemetry_(telemetry),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

MissingSchemaReporter::~MissingSchemaReporter() {
  thread_.request_stop();
  reader_->stop();
}

void MissingSchemaReporter::check(std::shared_ptr<const StreamConfigs> configs) {
  const std::lock_guard lock(mutex_);
  next_ = std::move(configs);
  has_next_.notify_all();
}

void MissingSchemaReporter::run(const std::stop_token& stop) {
  std::set<std::pair<std::string, std::string>> checked;      // stream and title
  std::map<std::string, std::optional<bool>> is_title_known;  // by title
  for (;;) {
    std::shared_ptr<const StreamConfigs> configs;
    {
      std::unique_lock lock(mutex_);
      if (!has_next_.wait(lock, stop, [this] { return next_ != nullptr; })) return;
      configs = std::exchange(next_, nullptr);
    }
    SchemaTitles titles(options_, *reader_, stop);
    const auto declared = parse_object_text(configs->json());
    if (!declared) continue;
    for (const auto& [stream, declaration] : declared->items()) {
      if (stop.stop_requested()) return;
      const std::string title = schema_title_of(declaration);
      if (title.empty() || !checked.emplace(stream, title).second) continue;
      const auto [found, is_new] = is_title_known.try_emplace(title);
      if (is_new) found->second = titles.contains(title);
      if (found->second == false) telemetry_.stream_without_schema(stream, title);
    }
  }
}

}  // namespace eventgate

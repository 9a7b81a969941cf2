#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/streams/stream_configs.hpp"

namespace eventgate {

class Telemetry;

/// The directory of a schema base that is one; nothing if it is a host.
std::optional<std::filesystem::path> schema_directory(const std::string& base);

/// The titles that the schemas of the bases have. A schema is mostly where its title says, so that is looked at first;
/// in hosts, which cannot be listed, nowhere else (`latest`).
///
/// One strand. Blocks.
class SchemaTitles {
 public:
  /// `reader` must outlive this. Once `stop` is asked for, directories are read no further.
  SchemaTitles(const SchemaOptions& options, ObjectReader& reader, std::stop_token stop = {});

  /// Whether a schema has `title`. Nothing if a host does not say, or if stopped.
  std::optional<bool> contains(const std::string& title);

 private:
  template <typename Iterator>
  void read_files(Iterator end, const std::filesystem::path& directory);

  ObjectReader& reader_;
  const std::stop_token stop_;
  const std::string latest_;
  std::vector<std::filesystem::path> directories_;
  std::vector<std::string> hosts_;
  bool all_read_ = false;
  std::set<std::string> titles_;
  std::set<std::string> absent_;  ///< Titles that were looked for, and that no schema has.
};

/// Tells of each declared stream whose schema_title no schema has, so that nothing can enter it: a warning and a
/// counter, once each. It looks on a thread of its own, and stops nothing.
///
/// Thread-safe. The destructor does not wait for a host.
class MissingSchemaReporter {
 public:
  /// `events` must outlive this.
  MissingSchemaReporter(SchemaOptions options, std::shared_ptr<ObjectReader> reader, Telemetry& events);
  ~MissingSchemaReporter();

  /// Looks at those of `configs` that were not looked at yet.
  void look(std::shared_ptr<const StreamConfigs> configs);

 private:
  void run(const std::stop_token& stop);

  const SchemaOptions options_;
  const std::shared_ptr<ObjectReader> reader_;
  Telemetry& events_;
  std::mutex mutex_;
  std::condition_variable_any looked_for_;
  std::shared_ptr<const StreamConfigs> next_;
  std::jthread thread_;
};

}  // namespace eventgate

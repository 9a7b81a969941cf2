#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/streams/stream_configs.hpp"

namespace eventgate {

class Telemetry;

/// Warns of each declared stream whose schema_title no schema has, because no event can enter it. Each stream is logged
/// and counted once. Searches on a thread of its own, and prevents nothing.
///
/// Thread-safe. The destructor does not wait for a host.
class MissingSchemaReporter {
 public:
  /// `telemetry` must outlive this.
  MissingSchemaReporter(SchemaOptions options, std::shared_ptr<ObjectReader> reader, Telemetry& telemetry);
  ~MissingSchemaReporter();

  /// Starts to check the streams of `configs` that were not checked before. Returns at once.
  void check(std::shared_ptr<const StreamConfigs> configs);

 private:
  void run(const std::stop_token& stop);

  const SchemaOptions options_;
  const std::shared_ptr<ObjectReader> reader_;
  Telemetry& telemetry_;
  std::mutex mutex_;
  std::condition_variable_any has_next_;
  std::shared_ptr<const StreamConfigs> next_;
  std::jthread thread_;
};

}  // namespace eventgate

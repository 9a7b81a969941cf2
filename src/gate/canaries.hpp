#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eventgate/gate/canary_event.hpp"
#include "eventgate/gate/event_batch.hpp"
#include "eventgate/gate/gate_types.hpp"
#include "eventgate/gate/request_context.hpp"
#include "eventgate/io/inflight_bytes.hpp"
#include "eventgate/io/task.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/streams/stream_config_source.hpp"
#include "eventgate/telemetry/telemetry.hpp"

namespace eventgate {

/// Makes the canaries of a gate, each at its own second of the interval, and reports what becomes of them.
///
/// Schemas are read one after the other; the events then go their way beside one another. Use on one I/O thread, but
/// for `in_flight`, which is thread-safe.
class Canaries {
 public:
  /// Processes one event, guaranteed. The references must outlive the task.
  using Process = std::function<Task<ProcessResult>(EventBatch& batch, const RequestContext& context)>;

  /// `streams` may be null: there are no canaries then. The references and what `process` refers to must outlive this
  /// and every canary in flight.
  Canaries(const GateOptions& options, SchemaRepository& schemas, StreamConfigSource* streams, Telemetry& telemetry,
           InflightBytes& inflight, Process process);

  /// See EventGate::make_canaries.
  void make_due(std::chrono::system_clock::time_point now, const IoExecutor& executor);

  /// Canaries that are neither produced nor failed yet.
  std::size_t in_flight() const { return in_flight_.load(); }

 private:
  struct Due {
    Canary canary;
    std::string schema_title;
  };
  class Count;

  void use_streams(std::shared_ptr<const StreamConfigs> configs);
  Task<void> read_schemas(IoExecutor executor, Count counted);
  Task<SchemaResult> load(std::string schema_uri, IoExecutor executor);
  Task<std::optional<SchemaText>> document(std::string schema_uri, IoExecutor executor);
  Task<void> produce(Canary canary, std::string event, Count counted);
  void fail(const std::string& stream, const std::string& reason);

  const GateOptions& options_;
  SchemaRepository& schemas_;
  StreamConfigSource* const streams_;
  Telemetry& telemetry_;
  InflightBytes& inflight_;
  const Process process_;

  std::shared_ptr<const StreamConfigs> configs_;
  struct Stream {
    std::string schema_title;
    std::chrono::seconds offset;
    std::chrono::system_clock::time_point last_interval;  ///< Of its last canary.
    bool is_waiting = false;                              ///< In `due_`.
  };
  std::map<std::string, Stream> watched_;
  std::optional<std::chrono::system_clock::time_point> last_call_;
  std::deque<Due> due_;
  bool is_reading_ = false;  ///< `read_schemas` runs.
  std::atomic<std::size_t> in_flight_{0};
};

}  // namespace eventgate

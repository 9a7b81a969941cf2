#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eventgate/gate/event_gate.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "support/fake_object_reader.hpp"
#include "support/memory_sink.hpp"

namespace eventgate {

inline constexpr const char* kTestSchema = R"({
  "title": "test", "type": "object", "required": ["$schema", "meta"],
  "properties": {
    "$schema": {"type": "string"},
    "meta": {"type": "object", "required": ["stream"], "properties": {
      "stream": {"type": "string"}, "id": {"type": "string"}, "dt": {"type": "string"}, "uri": {"type": "string"},
      "domain": {"type": "string"}, "request_id": {"type": "string"}}},
    "test": {"type": "string"},
    "test_default": {"type": "string", "default": "default_value"},
    "count": {"type": "integer"}, "any": {}}})";

/// Declares nothing that is added.
inline constexpr const char* kPlainSchema = R"({
  "title": "plain", "type": "object", "properties": {
    "$schema": {"type": "string"}, "meta": {"properties": {"stream": {"type": "string"}}}, "test": {"type": "string"}}})";

inline constexpr const char* kLegacySchema = R"({
  "title": "analytics/legacy/search", "type": "object", "properties": {
    "$schema": {"type": "string"},
    "meta": {"type": "object", "properties": {
      "stream": {"type": "string"}, "id": {"type": "string"}, "dt": {"type": "string"},
      "request_id": {"type": "string"}}},
    "dt": {"type": "string"},
    "http": {"type": "object", "properties": {
      "client_ip": {"type": "string"},
      "request_headers": {"type": "object", "additionalProperties": {"type": "string"}}}}}})";

inline constexpr const char* kErrorSchema = R"({
  "title": "error", "type": "object", "additionalProperties": false,
  "required": ["$schema", "dt", "emitter_id", "message", "meta"],
  "properties": {
    "$schema": {"type": "string"},
    "meta": {"type": "object", "required": ["stream"], "properties": {
      "stream": {"type": "string"}, "id": {"type": "string"}, "dt": {"type": "string", "format": "date-time", "maxLength": 128},
      "uri": {"type": "string", "format": "uri-reference", "maxLength": 8192},
      "domain": {"type": "string", "minLength": 1}, "request_id": {"type": "string"}}},
    "dt": {"type": "string", "format": "date-time", "maxLength": 128}, "emitter_id": {"type": "string"},
    "error_type": {"type": "string"}, "errored_schema_uri": {"type": "string"},
    "errored_stream_name": {"type": "string"}, "message": {"type": "string"}, "raw_event": {"type": "string"}}})";

inline constexpr const char* kLedgerSchema = R"({
  "title": "eventgate/ledger", "type": "object", "required": ["$schema", "dt", "emitter_id", "stream_name", "meta"],
  "properties": {
    "$schema": {"type": "string"},
    "meta": {"type": "object", "required": ["stream"], "properties": {"stream": {"type": "string"}}},
    "dt": {"type": "string"}, "emitter_id": {"type": "string"}, "stream_name": {"type": "string"}}})";

/// 2026-11-22T02:39:06.102Z
inline constexpr std::int64_t kReceivedAt = 1795315146102;

/// The query and the header fields of a request.
struct TestRequest {
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string remote_address = "192.0.2.7";
  Assurance assurance = Assurance::guaranteed;
  std::chrono::system_clock::time_point received_at{std::chrono::milliseconds(kReceivedAt)};

  static std::optional<std::string_view> find_header(const void* fields, std::string_view name) {
    for (const auto& [key, value] : static_cast<const TestRequest*>(fields)->headers)
      if (std::equal(key.begin(), key.end(), name.begin(), name.end(),
                     [](char a, char b) { return std::tolower(a) == std::tolower(b); }))
        return value;
    return std::nullopt;
  }

  RequestContext context() const {
    RequestContext context;
    context.received_at = received_at;
    context.headers = this;
    context.find_header = &find_header;
    context.query = query;
    context.remote_address = remote_address;
    return context;
  }
};

/// Options of the Wikimedia set-up.
inline GateOptions wikimedia_options() {
  GateOptions options;
  options.wikimedia = true;
  options.stream_field = {FieldPath("meta.stream")};
  options.topic_prefix = "dc1.";
  options.id_field = FieldPath("meta.id");
  options.dt_field = FieldPath("meta.dt");
  options.user_agent = "eventgate-test";
  return options;
}

/// A gate in front of a sink in memory, with schemas and streams in memory.
class GateHarness {
 public:
  /// `stream_configs`: JSON or YAML; empty: streams are not configured.
  explicit GateHarness(GateOptions options, const std::string& stream_configs = "", LiveFeed* live = nullptr,
                       std::shared_ptr<InflightBytes> inflight = nullptr) {
    put_schema("/test/1.0.0", kTestSchema);
    put_schema("/plain/1.0.0", kPlainSchema);
    put_schema("/analytics/legacy/search/1.0.0", kLegacySchema);
    put_schema("/error/2.1.0", kErrorSchema);
    put_schema("/eventgate/ledger/1.0.0", kLedgerSchema);
    SchemaOptions schema_options;
    schema_options.schema_base_uris = {"/schemas"};
    schema_options.allow_absolute_schema_uris = options.allow_absolute_schema_uris;
    schemas_ = std::make_unique<SchemaRepository>(schema_options, reader, telemetry);
    if (!stream_configs.empty()) {
      reader->put("/streams", stream_configs);
      StreamConfigOptions stream_options;
      stream_options.stream_config_uri = {"/streams"};
      streams_ = std::make_unique<StreamConfigSource>(stream_options, reader, telemetry);
    }
    std::vector<std::unique_ptr<Sink>> sinks;
    sinks.push_back(std::make_unique<MemorySink>("kafka", sink));
    producer_ = std::make_unique<FanOut>(std::move(sinks), std::chrono::seconds(10), telemetry);
    gate_ = std::make_unique<EventGate>(std::move(options), *schemas_, streams_.get(), *producer_, telemetry, live,
                                        std::move(inflight));
  }

  void put_schema(const std::string& uri, const std::string& text) { reader->put("/schemas" + uri, text); }

  /// Processes `body`, and waits for its error events. The result of a hasty request is empty.
  ProcessResult process(std::string body, const TestRequest& request = {}) {
    std::optional<ProcessResult> result;
    auto batch = EventBatch::parse(std::move(body), JsonLimits());
    if (!batch) throw std::invalid_argument("no JSON: expected " + batch.error().expected);
    const RequestContext context = request.context();
    if (request.assurance == Assurance::hasty) {
      process_hasty(std::make_unique<HastyRequest>(*std::move(batch), context));
      return {};
    }
    spawn(io_.get_executor(), gate_->process(*batch, context),
          [&](std::exception_ptr failure, ProcessResult processed) {
            if (failure) std::rethrow_exception(failure);
            result = std::move(processed);
          });
    run_until([&] { return result.has_value(); });
    return std::move(*result);
  }

  /// Returns once the events are handed over.
  void process_hasty(std::unique_ptr<HastyRequest> request) {
    bool handed_over = false;
    spawn(io_.get_executor(), gate_->process_hasty(std::move(request)),
          [&](std::exception_ptr) { handed_over = true; });
    run_until([&] { return handed_over; });
  }

  /// Settles the records that a silent sink has kept.
  void stop_producer() {
    producer_->stop(std::chrono::steady_clock::now());
    io_.poll();
  }

  void malformed(const std::string& body, const JsonError& error) {
    const TestRequest request;
    gate_->malformed(body, error, request.context(), io_.get_executor());
    run_until([] { return true; });
  }

  /// Makes the ledger events, and waits for them.
  void produce_ledger(std::int64_t now) {
    gate_->produce_ledger(std::chrono::system_clock::time_point(std::chrono::milliseconds(now)), io_.get_executor());
    run_until([] { return true; });
  }

  /// Makes the canaries that are due at `now`, and waits for them.
  void make_canaries(std::chrono::system_clock::time_point now) {
    gate_->make_canaries(now, io_.get_executor());
    run_until([] { return true; });
  }

  /// Declares `stream_configs` from now on, as a reload does.
  void redeclare(const std::string& stream_configs) {
    reader->put("/streams", stream_configs);
    streams_->reload()();
  }

  /// Returns the record of an event that must be accepted.
  KeptRecord record(const std::string& event, const TestRequest& request = {}) {
    const ProcessResult result = process(event, request);
    for (const auto* statuses : {&result.invalid, &result.error})
      for (const EventStatus& status : *statuses)
        ADD_FAILURE() << status.event << ": " << status.message << errors_text(status.errors);
    if (sink->records.size() != 1) {
      ADD_FAILURE() << sink->records.size() << " records";
      return {};
    }
    return std::exchange(sink->records, {}).front();
  }

  nlohmann::json produced(const std::string& event, const TestRequest& request = {}) {
    return nlohmann::json::parse(record(event, request).value);
  }

  /// Returns the message of the only event, which must end as an error.
  std::string error(const std::string& event, const TestRequest& request = {}) {
    const ProcessResult result = process(event, request);
    if (result.error.size() != 1) return std::to_string(result.error.size()) + " errors";
    return result.error[0].message;
  }

  /// Returns the values of the error stream.
  std::vector<nlohmann::json> error_events() const {
    std::vector<nlohmann::json> values;
    for (const KeptRecord& kept : sink->records)
      if (kept.topic.ends_with("eventgate.error")) values.push_back(nlohmann::json::parse(kept.value));
    return values;
  }

  /// Returns the metric's line that starts with `series`, or an empty text.
  std::string metric(const std::string& series) const {
    const std::string text = metrics.text();
    const std::size_t at = text.find("\n" + series);
    return at == std::string::npos ? "" : text.substr(at + 1, text.find('\n', at + 1) - at - 1);
  }

  Metrics metrics{"test"};
  Telemetry telemetry{metrics};
  std::shared_ptr<FakeObjectReader> reader = std::make_shared<FakeObjectReader>();
  std::shared_ptr<SinkMemory> sink = std::make_shared<SinkMemory>();

 private:
  template <typename Done>
  void run_until(Done done) {
    while (!done() || gate_->in_flight() > 0) io_.run_one();
  }

  boost::asio::io_context io_{1};
  // Keeps the context running while another thread loads a schema.
  boost::asio::executor_work_guard<IoExecutor> work_{io_.get_executor()};
  std::unique_ptr<SchemaRepository> schemas_;
  std::unique_ptr<StreamConfigSource> streams_;
  std::unique_ptr<FanOut> producer_;
  std::unique_ptr<EventGate> gate_;
};

}  // namespace eventgate

#pragma once

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/percent.hpp"
#include "eventgate/delivery/fan_out.hpp"
#include "eventgate/gate/event_gate.hpp"
#include "eventgate/gate/live_feed.hpp"
#include "eventgate/legacy/beacons.hpp"
#include "eventgate/legacy/user_agents.hpp"
#include "eventgate/telemetry/beacon_metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "support/fake_object_reader.hpp"
#include "support/memory_sink.hpp"
#include "support/metric_value.hpp"
#include "support/paths.hpp"

namespace eventgate {

/// The capsule's members that the migrated schemas declare, and an event with a text.
inline constexpr const char* kTestCapsuleSchema = R"({
  "title": "analytics/legacy/test", "type": "object", "additionalProperties": false,
  "required": ["$schema", "event", "meta"],
  "properties": {
    "$schema": {"type": "string"}, "schema": {"type": "string"}, "revision": {"type": "integer"},
    "wiki": {"type": "string"}, "webHost": {"type": "string"}, "recvFrom": {"type": "string"},
    "seqId": {"type": "integer"}, "uuid": {"type": "string"}, "ip": {"type": "string"}, "topic": {"type": "string"},
    "dt": {"type": "string", "format": "date-time", "maxLength": 128}, "client_dt": {"type": "string", "format": "date-time", "maxLength": 128},
    "useragent": {"type": "object"},
    "meta": {"type": "object", "required": ["dt", "stream"], "properties": {
      "stream": {"type": "string"}, "id": {"type": "string"}, "dt": {"type": "string"}, "uri": {"type": "string"},
      "domain": {"type": "string", "minLength": 1}, "request_id": {"type": "string"}}},
    "http": {"type": "object", "properties": {
      "client_ip": {"type": "string"},
      "request_headers": {"type": "object", "additionalProperties": {"type": "string"}}}},
    "event": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}}})";

inline constexpr const char* kValidCapsule =
    R"({"event":{"text":"hello"},"schema":"Test","revision":7,"webHost":"en.wikipedia.org","wiki":"enwiki"})";

/// 2026-11-22T02:39:06.102Z
inline constexpr std::int64_t kBeaconReceivedAt = 1795315146102;

inline LegacyOptions test_legacy_options() {
  LegacyOptions options;
  options.schemas["Test"].version = "1.0.0";
  return options;
}

/// The file of ua-parser's rules: of the package uap-core, or where ./dev test unpacks it. Empty: it is not there.
inline std::string uap_core_folder() {
  for (const std::string& folder :
       {std::string("/usr/share/uap-core"), source_dir() + "/build/uap-core/usr/share/uap-core"})
    if (std::filesystem::exists(folder + "/regexes.yaml")) return folder;
  return {};
}

/// The header fields and the address of a beacon's request.
struct BeaconSender {
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string remote_address = "192.0.2.7";

  static std::optional<std::string_view> find_header(const void* sender, std::string_view name) {
    for (const auto& [key, value] : static_cast<const BeaconSender*>(sender)->headers)
      if (equals_ignoring_case(key, name)) return value;
    return std::nullopt;
  }
};

/// A gate that takes beacons, in front of a sink in memory.
class BeaconHarness {
 public:
  struct Setup {
    LegacyOptions legacy = test_legacy_options();
    std::vector<std::string> schema_base_uris =
        {};                           ///< Empty: schemas are in memory, /analytics/legacy/test/1.0.0 is there.
    std::string stream_configs = {};  ///< JSON or YAML. Empty: streams are not configured.
    std::string error_stream = "eventgate.error";
    bool live = false;
  };

  BeaconHarness() : BeaconHarness(Setup()) {}
  explicit BeaconHarness(Setup setup) {
    std::shared_ptr<ObjectReader> documents = reader;
    SchemaOptions schema_options;
    schema_options.schema_base_uris = {"/schemas"};
    if (setup.schema_base_uris.empty()) {
      reader->put("/schemas/analytics/legacy/test/1.0.0", kTestCapsuleSchema);
      reader->put("/schemas/error/2.1.0", R"({"title": "error", "type": "object", "properties": {
        "$schema": {"type": "string"}, "meta": {"type": "object", "properties": {"stream": {"type": "string"}}}}})");
    } else {
      schema_options.schema_base_uris = setup.schema_base_uris;
      documents = make_uri_reader({});
    }
    schemas = std::make_unique<SchemaRepository>(schema_options, documents, telemetry);
    if (!setup.stream_configs.empty()) {
      reader->put("/streams", setup.stream_configs);
      StreamConfigOptions stream_options;
      stream_options.stream_config_uri = {"/streams"};
      streams = std::make_unique<StreamConfigSource>(stream_options, reader, telemetry);
    }
    GateOptions options;
    options.wikimedia = true;
    options.stream_field = {FieldPath("meta.stream")};
    options.id_field = FieldPath("meta.id");
    options.dt_field = FieldPath("meta.dt");
    options.error_stream = setup.error_stream;
    std::vector<std::unique_ptr<Sink>> sinks;
    sinks.push_back(std::make_unique<MemorySink>("kafka", sink));
    producer = std::make_unique<FanOut>(std::move(sinks), std::chrono::seconds(10), telemetry);
    if (setup.live) live = std::make_unique<LiveFeed>();
    gate = std::make_unique<EventGate>(std::move(options), *schemas, streams.get(), *producer, telemetry, live.get());
    if (!setup.legacy.user_agent_regexes.empty())
      user_agents = std::make_unique<UserAgents>(setup.legacy.user_agent_regexes);
    beacons = std::make_unique<Beacons>(std::move(setup.legacy), BeaconLimits{}, *gate, *schemas, beacon_metrics,
                                        user_agents.get());
  }

  /// Takes the beacon of `query`, and returns once its event is delivered or refused.
  BeaconOutcome process(const std::string& query, const BeaconSender& sender = {}) {
    BeaconRequest request;
    fill(request, query, sender);
    std::optional<BeaconOutcome> outcome;
    spawn(io_.get_executor(), beacons->process(request), [&](std::exception_ptr failure, BeaconOutcome processed) {
      if (failure) std::rethrow_exception(failure);
      outcome = std::move(processed);
    });
    run_until([&] { return outcome.has_value(); });
    return *std::move(outcome);
  }

  /// Takes the beacon of a client that has its answer. Returns once its event is handed over or refused.
  void take(const std::string& query, const BeaconSender& sender = {}) {
    auto request = std::make_unique<BeaconRequest>();
    fill(*request, query, sender);
    bool taken = false;
    spawn(io_.get_executor(), beacons->take(std::move(request)), [&](std::exception_ptr) { taken = true; });
    run_until([&] { return taken; });
  }

  std::string refuse_too_long(const std::string& query) {
    RequestContext context;
    context.received_at = received_at();
    const std::string message = beacons->refuse_too_long(query, context, io_.get_executor());
    run_until([] { return true; });
    return message;
  }

  /// Returns the events produced since the last call but error events.
  std::vector<nlohmann::json> take_events() { return take_records(false); }
  std::vector<nlohmann::json> take_error_events() { return take_records(true); }

  /// Returns the only event that `capsule` makes, which must be valid.
  nlohmann::json event_of(const std::string& capsule, const BeaconSender& sender = {}) {
    const BeaconOutcome outcome = process(percent_encode(capsule) + ";", sender);
    EXPECT_FALSE(outcome.refusal) << outcome.refusal->message;
    for (const EventStatus& status : outcome.result.invalid) ADD_FAILURE() << errors_text(status.errors);
    for (const EventStatus& status : outcome.result.error) ADD_FAILURE() << status.message;
    const auto events = take_events();
    return events.size() == 1 ? events.front() : nlohmann::json();
  }

  std::string metric(const std::string& series) const { return metric_value(metrics.text(), series); }
  std::string beacon_count(const std::string& outcome, const std::string& cause) const {
    return metric("eventgate_legacy_beacons_total{service=\"test\",cause=\"" + cause + "\",outcome=\"" + outcome +
                  "\"}");
  }

  /// Settles the records that a silent sink has kept.
  void poll() { io_.poll(); }

  static std::chrono::system_clock::time_point received_at() {
    return std::chrono::system_clock::time_point(std::chrono::milliseconds(kBeaconReceivedAt));
  }

  Metrics metrics{"test"};
  Telemetry telemetry{metrics};
  BeaconMetrics beacon_metrics{metrics};
  std::shared_ptr<FakeObjectReader> reader = std::make_shared<FakeObjectReader>();
  std::shared_ptr<SinkMemory> sink = std::make_shared<SinkMemory>();

 private:
  static void fill(BeaconRequest& request, const std::string& query, const BeaconSender& sender) {
    request.query = query;
    request.context.received_at = received_at();
    request.context.headers = &sender;
    request.context.find_header = BeaconSender::find_header;
    request.context.remote_address = sender.remote_address;
  }

  std::vector<nlohmann::json> take_records(bool of_errors) {
    std::vector<nlohmann::json> values;
    std::vector<KeptRecord> others;
    for (KeptRecord& kept : sink->records) {
      if (kept.topic.ends_with("eventgate.error") == of_errors) {
        values.push_back(nlohmann::json::parse(kept.value));
      } else {
        others.push_back(std::move(kept));
      }
    }
    sink->records = std::move(others);
    return values;
  }

  template <typename Done>
  void run_until(Done done) {
    while (!done() || gate->in_flight() > 0) io_.run_one();
  }

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<IoExecutor> work_{io_.get_executor()};

 public:
  std::unique_ptr<SchemaRepository> schemas;
  std::unique_ptr<StreamConfigSource> streams;
  std::unique_ptr<FanOut> producer;
  std::unique_ptr<LiveFeed> live;
  std::unique_ptr<EventGate> gate;
  std::unique_ptr<UserAgents> user_agents;
  std::unique_ptr<Beacons> beacons;
};

}  // namespace eventgate

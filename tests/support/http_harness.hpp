#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "eventgate/api/routes.hpp"
#include "eventgate/gate/event_gate.hpp"
#include "eventgate/gate/live_feed.hpp"
#include "eventgate/http/server.hpp"
#include "eventgate/legacy/beacons.hpp"
#include "eventgate/telemetry/beacon_metrics.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "support/fake_object_reader.hpp"
#include "support/http_client.hpp"
#include "support/memory_sink.hpp"
#include "support/metric_value.hpp"

namespace eventgate {

inline constexpr const char* kHarnessSchema = R"({
  "title": "test", "type": "object", "required": ["$schema"],
  "properties": {"$schema": {"type": "string"}, "test": {"type": "string"}}})";

/// An event that is accepted.
inline constexpr const char* kGoodEvent = R"({"$schema":"/test/1.0.0","test":"hello"})";

/// An HTTP server on any free port, in front of a gate whose sink, schema and streams are in memory.
class HttpHarness {
 public:
  struct Setup {
    HttpOptions http;
    ApiOptions api;
    std::string stream_configs;  ///< JSON; empty: streams are not configured.
    WikiGroups stream_config_groups;
    std::function<std::optional<std::string>()> not_ready_reason;
    std::function<std::vector<std::string>()> stale;
    std::function<std::optional<std::string>()> overload_reason;
    std::size_t threads = 1;
    bool live = false;                                   ///< There is a live feed.
    std::string error_stream;                            ///< Empty: no error events.
    StreamReaders* readers = nullptr;                    ///< Not null: there are routes of streams.
    std::optional<LegacyOptions> legacy = std::nullopt;  ///< Set: there are routes of legacy beacons.
  };

  HttpHarness() : HttpHarness(Setup()) {}

  explicit HttpHarness(Setup setup) : api_(setup.api) {
    reader->put("/schemas/test/1.0.0", kHarnessSchema);
    SchemaOptions schema_options;
    schema_options.schema_base_uris = {"/schemas"};
    schemas_ = std::make_unique<SchemaRepository>(schema_options, reader, telemetry);
    GateOptions gate_options;
    if (!setup.stream_configs.empty()) {
      reader->put("/streams", setup.stream_configs);
      StreamConfigOptions stream_options;
      stream_options.stream_config_uri = {"/streams"};
      stream_options.stream_config_groups = setup.stream_config_groups;
      streams_ = std::make_unique<StreamConfigSource>(stream_options, reader, telemetry);
      gate_options.wikimedia = true;
      gate_options.stream_field = {FieldPath("meta.stream")};
    }
    gate_options.error_stream = setup.error_stream;
    std::vector<std::unique_ptr<Sink>> sinks;
    sinks.push_back(std::make_unique<MemorySink>("kafka", sink));
    producer_ = std::make_unique<FanOut>(std::move(sinks), std::chrono::seconds(30), telemetry);
    if (setup.live) live = std::make_unique<LiveFeed>();
    const auto inflight = std::make_shared<InflightBytes>(setup.http.max_inflight_bytes);
    gate_ = std::make_unique<EventGate>(std::move(gate_options), *schemas_, streams_.get(), *producer_, telemetry,
                                        live.get(), inflight);

    std::vector<IoExecutor> executors;
    for (std::size_t i = 0; i < setup.threads; ++i) {
      contexts_.push_back(std::make_unique<boost::asio::io_context>(1));
      executors.push_back(contexts_.back()->get_executor());
    }
    setup.http.port = 0;
    setup.http.interface = "127.0.0.1";
    const ApiServices api{*gate_,
                          streams_.get(),
                          live.get(),
                          schemas_.get(),
                          std::move(setup.not_ready_reason),
                          std::move(setup.stale),
                          std::move(setup.overload_reason),
                          setup.readers,
                          true,
                          make_beacons(setup.legacy)};
    Router router = make_router(api_, setup.http, api);
    for (const Route& route : router.routes())
      routes.push_back({route.method, std::string(route.path), std::string(route.operation)});
    HttpServices services{std::move(router),
                          make_metrics_endpoint(metrics),
                          telemetry,
                          inflight,
                          {},
                          live ? make_rejection_observer(*live) : std::function<void(const RejectedRequest&)>()};
    HttpPorts ports(setup.http, executors.front());
    server_ = std::make_unique<HttpServer>(std::move(setup.http), std::move(services), executors, std::move(ports));
    for (const auto& context : contexts_) {
      work_.push_back(boost::asio::make_work_guard(*context));
      threads_.emplace_back([&io = *context] { io.run(); });
    }
  }

  ~HttpHarness() {
    settle();
    if (!stopped_) stop_begun().wait();
    work_.clear();
    for (const auto& context : contexts_) context->stop();
    for (std::thread& thread : threads_) thread.join();
    server_.reset();
  }

  std::uint16_t port() const { return server_->port(); }
  HttpServer& server() { return *server_; }
  EventGate& gate() { return *gate_; }
  HttpClient client() const { return HttpClient(port()); }

  /// Begins to stop; the future is set when the server is done.
  std::future<void> stop_begun() {
    stopped_ = true;
    auto done = std::make_shared<std::promise<void>>();
    std::future<void> future = done->get_future();
    server_->stop([done] { done->set_value(); });
    return future;
  }

  /// From now on records stay unsettled, until `settle`.
  void hold_records() { sink->silent = true; }

  /// Waits until so many records are at the sink.
  void wait_for_records(std::size_t count) {
    for (;;) {
      {
        const std::lock_guard lock(sink->mutex);
        if (sink->records.size() >= count) return;
      }
      std::this_thread::yield();
    }
  }

  /// All held records succeed, and later ones do at once.
  void settle() {
    std::vector<DeliveryHandle*> held;
    {
      const std::lock_guard lock(sink->mutex);
      sink->silent = false;
      held.swap(sink->unsettled);
    }
    for (DeliveryHandle* handle : held) handle->succeed();
  }

  std::size_t records() const {
    const std::lock_guard lock(sink->mutex);
    return sink->records.size();
  }

  std::string metric(const std::string& series) const { return metric_value(metrics.text(), series); }

  /// Waits until that metric has this value.
  void wait_for_metric(const std::string& series, const std::string& value) const {
    while (metric(series) != value) std::this_thread::yield();
  }

  /// A row of the route table.
  struct RouteRow {
    Method method;
    std::string path;
    std::string operation;
  };
  std::vector<RouteRow> routes;

  Metrics metrics{"test"};
  Telemetry telemetry{metrics};
  std::shared_ptr<FakeObjectReader> reader = std::make_shared<FakeObjectReader>();
  std::shared_ptr<SinkMemory> sink = std::make_shared<SinkMemory>();
  std::unique_ptr<LiveFeed> live;

 private:
  Beacons* make_beacons(const std::optional<LegacyOptions>& legacy) {
    if (!legacy) return nullptr;
    beacon_metrics_ = std::make_unique<BeaconMetrics>(metrics);
    beacons_ = std::make_unique<Beacons>(*legacy, BeaconLimits{}, *gate_, *schemas_, *beacon_metrics_, nullptr);
    return beacons_.get();
  }

  const ApiOptions api_;
  std::vector<std::unique_ptr<boost::asio::io_context>> contexts_;
  std::unique_ptr<SchemaRepository> schemas_;
  std::unique_ptr<StreamConfigSource> streams_;
  std::unique_ptr<FanOut> producer_;
  std::unique_ptr<EventGate> gate_;
  std::unique_ptr<BeaconMetrics> beacon_metrics_;
  std::unique_ptr<Beacons> beacons_;
  std::unique_ptr<HttpServer> server_;
  std::vector<boost::asio::executor_work_guard<IoExecutor>> work_;
  std::vector<std::thread> threads_;
  bool stopped_ = false;
};

}  // namespace eventgate

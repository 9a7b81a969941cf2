#include "eventgate/cli/service.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "eventgate/api/routes.hpp"
#include "eventgate/base/topic_name.hpp"
#include "eventgate/delivery/fan_out.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/files/file_sink.hpp"
#include "eventgate/files/file_source.hpp"
#include "eventgate/gate/event_gate.hpp"
#include "eventgate/gate/live_feed.hpp"
#include "eventgate/http/server.hpp"
#include "eventgate/kafka/kafka_sink.hpp"
#include "eventgate/kafka/kafka_source.hpp"
#include "eventgate/legacy/beacons.hpp"
#include "eventgate/legacy/user_agents.hpp"
#include "eventgate/logging/log.hpp"
#include "eventgate/readers/stream_readers.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/source/record_source.hpp"
#include "eventgate/spool/spool_sink.hpp"
#include "eventgate/streams/missing_schema_reporter.hpp"
#include "eventgate/streams/stream_config_source.hpp"
#include "eventgate/streams/topic.hpp"
#include "eventgate/telemetry/beacon_metrics.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/process_metrics.hpp"
#include "eventgate/telemetry/stream_metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "request_log.hpp"
#include "restart_options.hpp"

namespace eventgate {

namespace {

using Clock = std::chrono::steady_clock;
using ClockTimer = boost::asio::basic_waitable_timer<std::chrono::system_clock,
                                                     boost::asio::wait_traits<std::chrono::system_clock>, IoExecutor>;

using SteadyTimer = boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, IoExecutor>;

/// How often log lines about refusals are looked at. Each kind has one a minute.
constexpr std::chrono::seconds kRefusalLinesInterval{5};
/// Of `shutdown_timeout`, what is kept for settling what would not drain.
constexpr std::chrono::milliseconds kLongestReserve{2000};
/// How long a stop waits for readers that do not take the end of their streams.
constexpr std::chrono::milliseconds kStreamGrace{2000};

/// True if events may get their streams from their schema_uris, without stream configs.
bool makes_streams_of_schemas(const GateOptions& gate) {
  return !gate.wikimedia && (gate.stream_field.empty() || gate.stream_from_schema_uri);
}

/// One I/O thread.
struct IoThread {
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<IoExecutor> work{context.get_executor()};
  std::thread thread;

  void run() {
    for (;;) {
      try {
        context.run();
        return;
      } catch (const std::exception& e) {
        log(LogLevel::error, "An I/O thread went on after an exception", {{"message", std::string_view(e.what())}});
      }
    }
  }
};

}  // namespace

struct Service::Impl {
  explicit Impl(Config of) : config(std::move(of)), metrics(config.service_name), telemetry(metrics) {}
  ~Impl() { end(); }

  void start(const std::stop_token& stop, std::optional<int> socket);
  bool stop();
  void end();
  void observe_readiness();
  std::future<std::unique_ptr<UserAgents>> begin_user_agents() const;
  void start_readers();
  RetentionOfTopic retention() const;
  std::shared_ptr<const ExposedStreams> exposed_streams(const StreamConfigs* configs) const;
  void change_exposed_streams(const StreamConfigs* configs);
  void declare_first();
  void declare(const StreamConfigs& configs) { declare_streams(configs, config.gate.topic_prefix, telemetry.ledger()); }
  void prefetch_metadata(const StreamConfigs& configs);
  Task<void> keep_ledger();
  Task<void> write_refusals();
  Task<void> keep_canaries();
  void close_ledger(Clock::time_point until);
  bool own_events_done(Clock::time_point until) const;
  std::optional<std::string> not_ready_reason() const;
  std::vector<std::string> stale() const;
  void turn(const std::function<void()>& done);
  std::optional<std::string> reload(const std::vector<std::string>& files, const std::stop_token& stop);
  std::shared_ptr<ObjectReader> reader(const UriReaderOptions& options);

  const Config config;
  Metrics metrics;
  const ProcessMetrics process{metrics};
  Telemetry telemetry;
  std::atomic<bool> producing{false};  ///< There is a producer.
  std::atomic<bool> draining{false};
  bool stopped = false;
  bool drained = false;

  std::unique_ptr<LiveFeed> live;

  std::vector<std::unique_ptr<IoThread>> threads;
  // The first I/O thread's only, while it runs.
  std::unique_ptr<ClockTimer> minute;
  std::unique_ptr<ClockTimer> second;
  bool ledger_closed = false;
  std::unique_ptr<SteadyTimer> refusal_timer;
  bool canaries_closed = false;
  std::vector<std::shared_ptr<ObjectReader>> readers;  ///< All there are.
  std::shared_ptr<ObjectReader> stream_reader;
  std::unique_ptr<SchemaRepository> schemas;
  std::unique_ptr<FanOut> producer;
  std::unique_ptr<MissingSchemaReporter> schemaless;
  std::unique_ptr<StreamConfigSource> streams;
  /// The stream configs that retention goes by. The writing thread of the file sink may outlive all else.
  using RetainedConfigs = std::atomic<std::shared_ptr<const StreamConfigs>>;
  const std::shared_ptr<RetainedConfigs> retained = std::make_shared<RetainedConfigs>();
  std::unique_ptr<EventGate> gate;
  std::unique_ptr<BeaconMetrics> beacon_metrics;
  std::unique_ptr<UserAgents> user_agents;
  std::unique_ptr<Beacons> beacons;
  std::unique_ptr<StreamMetrics> stream_metrics;
  std::unique_ptr<RecordSource> source;
  std::unique_ptr<StreamReaders> stream_readers;
  std::atomic<StreamReaders*> reading{nullptr};  ///< Set once streams can be read.
  mutable std::mutex exposed_mutex;
  ExposedStreamOptions exposed_options{config.exposed};  ///< Those in use. Guarded by `exposed_mutex`.
  std::unique_ptr<HttpServer> server;
};

void Service::Impl::start(const std::stop_token& stop, std::optional<int> socket) {
  const unsigned workers =
      config.num_workers > 0 ? config.num_workers : std::max(1u, std::thread::hardware_concurrency());
  std::vector<IoExecutor> executors;
  for (unsigned i = 0; i < workers; ++i) {
    threads.push_back(std::make_unique<IoThread>());
    executors.push_back(threads.back()->context.get_executor());
  }

  // What can fail without leaving a trace comes first, the sinks, which make files, last.
  HttpPorts ports(config.http, executors.front(), socket);
  std::future<std::unique_ptr<UserAgents>> parser = begin_user_agents();
  schemas = std::make_unique<SchemaRepository>(config.schema, reader(config.schema_reader), telemetry);
  schemas->precache(stop);
  if (!config.streams.stream_config_uri.empty()) {
    stream_reader = reader(config.stream_reader);
    streams = std::make_unique<StreamConfigSource>(
        config.streams, stream_reader, telemetry,
        [this](const StreamConfigs& configs) {
          declare(configs);
          change_exposed_streams(&configs);
          if (!producing) return;
          retained->store(streams->current());
          prefetch_metadata(configs);
          schemaless->check(streams->current());
        },
        stop);
    schemaless = std::make_unique<MissingSchemaReporter>(config.schema, reader(config.schema_reader), telemetry);
    telemetry.observe_stream_config_age([source = streams.get()] {
      return std::chrono::duration<double>(std::chrono::system_clock::now() - source->read_at()).count();
    });
  }
  if (streams) retained->store(streams->current());
  declare_first();
  if (parser.valid()) user_agents = parser.get();
  std::vector<std::unique_ptr<Sink>> sinks;
  if (config.kafka) sinks.push_back(make_kafka_sink(*config.kafka, executors.front(), telemetry));
  if (config.spool) sinks.back() = make_spool_sink(*config.spool, std::move(sinks.back()), telemetry);
  if (config.file) {
    FileSinkOptions file = *config.file;
    file.produce_timeout = config.produce_timeout;
    file.retention = retention();
    sinks.push_back(make_file_sink(std::move(file), telemetry));
  }
  log(LogLevel::info, "Events are produced to these sinks",
      {{"kafka", config.kafka ? std::string_view("yes") : std::string_view("no")},
       {"spool", config.spool ? std::string_view(config.spool->path) : std::string_view("none")},
       {"file", config.file ? std::string_view(config.file->output_path) : std::string_view("none")}});
  producer = std::make_unique<FanOut>(std::move(sinks), config.produce_timeout, telemetry);
  producing = true;
  if (streams) {
    retained->store(streams->current());  // a refresh before `producing` has not
    prefetch_metadata(*streams->current());
    schemaless->check(streams->current());
  } else if (makes_streams_of_schemas(config.gate)) {
    for (const std::string& uri : schemas->cached_uris()) {
      const std::string topic = topic_name(config.gate.topic_prefix, stream_of_schema_uri(uri), nullptr);
      if (is_topic_name(topic)) producer->prefetch_metadata(topic);
    }
  }
  telemetry.observe_cached_schemas(
      [repository = schemas.get()] { return static_cast<double>(repository->cached_uris().size()); });

  if (config.readers) start_readers();
  if (config.live) live = std::make_unique<LiveFeed>();
  const auto inflight = std::make_shared<InflightBytes>(config.http.max_inflight_bytes);
  gate = std::make_unique<EventGate>(config.gate, *schemas, streams.get(), *producer, telemetry, live.get(), inflight);
  if (config.legacy) {
    beacon_metrics = std::make_unique<BeaconMetrics>(metrics);
    beacons = std::make_unique<Beacons>(*config.legacy, BeaconLimits{config.gate.json, config.gate.schema_load_timeout},
                                        *gate, *schemas, *beacon_metrics, user_agents.get());
  }
  std::function<std::optional<std::string>()> overload_reason;
  if (config.spool) overload_reason = [this] { return producer->overload_reason(); };
  const ApiServices services{*gate,
                             streams.get(),
                             live.get(),
                             schemas.get(),
                             [this] { return not_ready_reason(); },
                             [this] { return stale(); },
                             std::move(overload_reason),
                             stream_readers.get(),
                             config.intake,
                             beacons.get()};
  server = std::make_unique<HttpServer>(
      config.http,
      HttpServices{make_router(config.api, config.http, services), make_metrics_endpoint(metrics), telemetry, inflight,
                   config.dev ? log_request : std::function<void(const AnsweredRequest&)>(),
                   live ? make_rejection_observer(*live) : std::function<void(const RejectedRequest&)>()},
      executors, std::move(ports));
  telemetry.observe_inflight_bytes([this] { return server ? static_cast<double>(server->inflight_bytes()) : 0; });
  observe_readiness();
  if (!config.gate.ledger_stream.empty()) {
    minute = std::make_unique<ClockTimer>(executors.front());
    spawn(executors.front(), keep_ledger());
  }
  refusal_timer = std::make_unique<SteadyTimer>(executors.front());
  spawn(executors.front(), write_refusals());
  if (config.gate.canary_interval.count() > 0 && streams) {
    second = std::make_unique<ClockTimer>(executors.front());
    spawn(executors.front(), keep_canaries());
  }
  for (const auto& io : threads) io->thread = std::thread([thread = io.get()] { thread->run(); });
}

/// Starts to compile the rules of user agents, which takes as long as reading some schemas. No future: there are none.
std::future<std::unique_ptr<UserAgents>> Service::Impl::begin_user_agents() const {
  if (!config.legacy || config.legacy->user_agent_regexes.empty()) return {};
  return std::async(std::launch::async,
                    [path = config.legacy->user_agent_regexes] { return std::make_unique<UserAgents>(path); });
}

/// The streams that clients can read, by the stream configs and the options in use.
std::shared_ptr<const ExposedStreams> Service::Impl::exposed_streams(const StreamConfigs* configs) const {
  const auto declared = configs ? nlohmann::ordered_json::parse(configs->json()) : nlohmann::ordered_json::object();
  std::shared_ptr<const ExposedStreams> exposed;
  {
    const std::lock_guard lock(exposed_mutex);
    exposed = std::make_shared<const ExposedStreams>(declared, exposed_options);
  }
  for (const std::string& problem : exposed->problems())
    log(LogLevel::warn, "A stream cannot be read as it is declared", {{"message", std::string_view(problem)}});
  return exposed;
}

/// Puts the streams that clients can read to use. If a rule of redaction cannot be used, they stay as they were,
/// because the old rules hide what they hid.
void Service::Impl::change_exposed_streams(const StreamConfigs* configs) {
  StreamReaders* const readers_of_streams = reading;
  if (!readers_of_streams) return;
  auto exposed = exposed_streams(configs);
  const std::vector<std::string>& problems = exposed->problems();
  const auto withheld = std::find_if(problems.begin(), problems.end(), [](const std::string& problem) {
    return problem.ends_with("its events are withheld");
  });
  if (withheld != problems.end()) {
    log(LogLevel::error, "Streams and their redaction stay as they were, because a rule cannot be used",
        {{"reason", std::string_view(*withheld)}});
    return;
  }
  readers_of_streams->change_streams(std::move(exposed));
}

/// Starts the read side, from Kafka if there are options for it, else from the folder of the file sink.
void Service::Impl::start_readers() {
  stream_metrics = std::make_unique<StreamMetrics>(metrics);
  if (config.kafka_readers) {
    source = make_kafka_source({config.kafka_readers->conf, config.kafka_readers->topic_conf, config.gate.user_agent},
                               telemetry);
  } else {
    source = make_file_source({config.file->output_path, config.gate.dt_field});
  }
  const auto configs = streams ? streams->current() : nullptr;
  stream_readers =
      std::make_unique<StreamReaders>(*config.readers, *source, *stream_metrics, exposed_streams(configs.get()));
  reading = stream_readers.get();
  // A refresh before this line has not reached the readers.
  if (streams && streams->current() != configs) change_exposed_streams(streams->current().get());
  log(LogLevel::info, "Streams can be read",
      {{"source", source->name()}, {"streams", static_cast<long long>(stream_readers->streams()->all().size())}});
}

RetentionOfTopic Service::Impl::retention() const {
  return [configs = retained, prefix = config.gate.topic_prefix,
          hours = config.file->output_retention](std::string_view topic) {
    const auto current = configs->load();
    return retention_of_topic(current.get(), prefix, hours, topic);
  };
}

std::shared_ptr<ObjectReader> Service::Impl::reader(const UriReaderOptions& options) {
  return readers.emplace_back(make_uri_reader(options));
}

/// What `/readyz` says, and the bounds to which other metrics can be held.
void Service::Impl::observe_readiness() {
  metrics.observe("eventgate_ready", "1 while the gate can produce, else 0 (/readyz says why)",
                  [this] { return not_ready_reason() ? 0 : 1; });
  metrics.observe_total("eventgate_log_lines_dropped_total",
                        "log lines that were dropped because the output did not take them",
                        [] { return static_cast<double>(log_lines_dropped()); });
  const auto bound = [this](const char* name, const char* help, std::size_t value) {
    metrics.observe(name, help, [value] { return static_cast<double>(value); });
  };
  bound("eventgate_max_inflight_bytes", "the bound of eventgate_inflight_bytes", config.http.max_inflight_bytes);
  bound("eventgate_max_connections", "the bound of eventgate_connections", config.http.max_connections);
  if (config.spool) bound("eventgate_spool_max_bytes", "the bound of eventgate_spool_bytes", config.spool->max_bytes);
}

/// The streams known at start; without stream configs, those that precached schemas make.
void Service::Impl::declare_first() {
  if (streams) return declare(*streams->current());
  if (!makes_streams_of_schemas(config.gate)) return;
  std::vector<Ledger::Declared> declared;
  for (const std::string& uri : schemas->cached_uris()) {
    std::string stream = stream_of_schema_uri(uri);
    std::string topic = topic_name(config.gate.topic_prefix, stream, nullptr);
    if (is_topic_name(topic)) declared.push_back({std::move(stream), std::move(topic)});
  }
  telemetry.ledger().declare(declared, std::chrono::system_clock::now());
}

void Service::Impl::prefetch_metadata(const StreamConfigs& configs) {
  for (const std::string& stream : configs.stream_names()) {
    const std::string topic = topic_name(config.gate.topic_prefix, stream, configs.find(stream));
    if (is_topic_name(topic)) producer->prefetch_metadata(topic);
  }
}

/// Makes the ledger events of each minute, at its end.
Task<void> Service::Impl::keep_ledger() {
  while (!ledger_closed) {
    minute->expires_at(std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::now()) +
                       std::chrono::minutes(1));
    boost::system::error_code error;
    co_await suspend_with([&](ResumeHandle suspended) {
      minute->async_wait([&error, suspended = std::move(suspended)](boost::system::error_code result) mutable {
        error = result;
        suspended.resume();
      });
    });
    if (!error && !ledger_closed) gate->produce_ledger(std::chrono::system_clock::now(), minute->get_executor());
  }
}

/// Writes the log lines about refusals when their minute is over.
Task<void> Service::Impl::write_refusals() {
  while (!draining) {
    refusal_timer->expires_after(kRefusalLinesInterval);
    co_await suspend_with([&](ResumeHandle suspended) {
      refusal_timer->async_wait(
          [suspended = std::move(suspended)](boost::system::error_code) mutable { suspended.resume(); });
    });
    telemetry.write_refusals();
  }
}

/// Makes the canaries that are due, each second.
Task<void> Service::Impl::keep_canaries() {
  while (!canaries_closed) {
    gate->make_canaries(std::chrono::system_clock::now(), second->get_executor());
    second->expires_after(std::chrono::seconds(1));
    co_await suspend_with([&](ResumeHandle suspended) {
      second->async_wait([suspended = std::move(suspended)](boost::system::error_code) mutable { suspended.resume(); });
    });
  }
}

/// Makes the last ledger events: no others come after them.
void Service::Impl::close_ledger(Clock::time_point until) {
  if (!minute) return;
  const auto closed = std::make_shared<std::promise<void>>();
  std::future<void> done = closed->get_future();
  boost::asio::post(minute->get_executor(), [this, closed] {
    ledger_closed = true;
    minute->cancel();
    gate->produce_ledger(std::chrono::system_clock::now(), minute->get_executor());
    closed->set_value();
  });
  done.wait_until(until);
}

/// Error events are on their way when their request is answered, and so are ledger events and canaries when they are
/// made.
bool Service::Impl::own_events_done(Clock::time_point until) const {
  while (gate->in_flight() > 0) {
    if (Clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

std::optional<std::string> Service::Impl::not_ready_reason() const {
  if (draining) return "draining: the service is stopping";
  if (!config.intake && stream_readers) return stream_readers->not_ready_reason();
  return producer->not_ready_reason();
}

std::vector<std::string> Service::Impl::stale() const {
  std::vector<std::string> result;
  if (streams) {
    if (auto what = streams->stale_reason()) result.push_back(*std::move(what));
    if (auto what = streams->unusable_reason()) result.push_back(*std::move(what));
  }
  if (const std::size_t count = schemas->stale_count(); count > 0) {
    result.push_back("schemas: " + std::to_string(count) + " came from cache_dir or could not be read again");
  }
  for (std::string& what : producer->degraded_reasons()) result.push_back(std::move(what));
  return result;
}

void Service::Impl::turn(const std::function<void()>& done) {
  const auto left = std::make_shared<std::atomic<std::size_t>>(threads.size());
  for (const auto& io : threads) {
    boost::asio::post(io->context, [left, done] {
      if (left->fetch_sub(1) == 1) done();
    });
  }
}

std::optional<std::string> Service::Impl::reload(const std::vector<std::string>& files, const std::stop_token& stop) {
  std::string reason;
  const auto fresh = read_config(files, config.dev ? ConfigUse::development : ConfigUse::service);
  if (!fresh) {
    for (const std::string& problem : fresh.error().problems) reason += (reason.empty() ? "" : "; ") + problem;
  } else {
    try {
      // All that can fail comes first.
      std::vector<std::function<void()>> uses;
      for (const auto& reader : readers) uses.push_back(reader->reload_credentials());
      uses.push_back(producer->reload());
      if (source) {
        uses.push_back(source->reload());
        ExposedStreamOptions exposed = fresh->exposed;
        exposed.intake = config.exposed.intake;
        exposed.topic_prefix = config.exposed.topic_prefix;
        uses.push_back([this, exposed = std::move(exposed)] {
          const std::lock_guard lock(exposed_mutex);
          exposed_options = exposed;
        });
      }
      if (streams) {
        const std::stop_callback end_read(stop, [this] { stream_reader->stop(); });
        uses.push_back(streams->reload());
      } else if (source) {
        uses.push_back([this] { change_exposed_streams(nullptr); });
      }
      if (user_agents) uses.push_back(user_agents->reload());
      LoggingOptions logging = fresh->logging;
      logging.name = config.logging.name;
      start_logging(logging);
      for (const auto& use : uses) use();
    } catch (const std::exception& e) {
      reason = e.what();
    }
  }
  if (!reason.empty()) {
    telemetry.reload_refused(reason);
    return reason;
  }
  schemas->retry_failed();
  for (const std::string& warning : fresh->warnings) log(LogLevel::warn, warning);
  telemetry.reloaded(options_for_restart(config, *fresh));
  return std::nullopt;
}

bool Service::Impl::stop() {
  if (stopped) return drained;
  stopped = true;
  const auto timeout = config.shutdown_timeout;
  const auto deadline = Clock::now() + timeout;
  const auto give_up = deadline - std::min(timeout / 4, kLongestReserve);
  draining = true;
  log(LogLevel::info, "stopping", {{"shutdown_timeout_ms", static_cast<long long>(timeout.count())}});

  if (second)
    boost::asio::post(second->get_executor(), [this] {
      canaries_closed = true;
      second->cancel();
    });

  const auto answered = std::make_shared<std::promise<void>>();
  std::future<void> all_answered = answered->get_future();
  server->stop([answered] { answered->set_value(); });
  if (stream_readers) stream_readers->stop(std::min(give_up, Clock::now() + kStreamGrace));
  const auto finished = [&](Clock::time_point until) {
    return all_answered.wait_until(until) == std::future_status::ready && own_events_done(until);
  };
  // A connection whose events are all settled keeps a client waiting, but no promise.
  const auto settled = [&] { return server->processing() == 0 && gate->in_flight() == 0; };
  const bool all_closed = finished(give_up);
  drained = all_closed || settled();
  // Of what would not drain, the last ledger events say that it was in flight.
  close_ledger(deadline);
  drained = drained && own_events_done(all_closed ? give_up : give_up + (deadline - give_up) / 2);
  if (!drained)
    log(LogLevel::error, "not everything was produced within shutdown_timeout: what is left is given up",
        {{"error_events", static_cast<long long>(gate->in_flight())},
         {"inflight_bytes", static_cast<long long>(server->inflight_bytes())}});
  if (!all_closed && drained)
    log(LogLevel::warn, "Connections were still open when the time to stop was over; all events are settled");
  producer->stop(drained ? deadline : give_up);
  // What was given up is settled now, so that those who wait for it are answered.
  if (!drained) finished(deadline);
  telemetry.write_refusals(true);
  log(LogLevel::info, "stopped",
      {{"drained", drained}, {"hasty_events_lost", static_cast<long long>(telemetry.hasty_events_lost())}});
  return drained;
}

void Service::Impl::end() {
  if (server && !stopped) stop();
  if (producer && !stopped) producer->stop(Clock::now());  // it never served
  for (const auto& io : threads) {
    io->work.reset();
    io->context.stop();
    if (io->thread.joinable()) io->thread.join();
  }
  // Coroutines that were given up lie in the contexts and in the repository's loads, and refer to the gate; sockets and
  // timers refer to the contexts.
  server.reset();
  minute.reset();
  refusal_timer.reset();
  second.reset();
  reading = nullptr;
  if (stream_readers) stream_readers->stop(Clock::now());
  streams.reset();
  stream_readers.reset();
  source.reset();
  schemaless.reset();
  schemas.reset();
  producer.reset();
  threads.clear();
  gate.reset();
}

Service::Service(Config config, const std::stop_token& stop, std::optional<int> socket)
    : impl_(std::make_unique<Impl>(std::move(config))) {
  impl_->start(stop, socket);
}

Service::~Service() = default;

std::uint16_t Service::port() const { return impl_->server->port(); }

std::optional<std::uint16_t> Service::metrics_port() const { return impl_->server->metrics_port(); }

std::optional<std::string> Service::not_ready_reason() const { return impl_->not_ready_reason(); }

std::vector<std::string> Service::stale() const { return impl_->stale(); }

void Service::turn(const std::function<void()>& done) { impl_->turn(done); }

std::optional<std::string> Service::reload(const std::vector<std::string>& files, const std::stop_token& stop) {
  return impl_->reload(files, stop);
}

bool Service::stop() { return impl_->stop(); }

}  // namespace eventgate

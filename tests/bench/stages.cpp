#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <ctime>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>
#include <utility>

#include "bench.hpp"
#include "eventgate/delivery/fan_out.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/files/file_sink.hpp"
#include "eventgate/gate/event_batch.hpp"
#include "eventgate/gate/event_gate.hpp"
#include "eventgate/gate/live_feed.hpp"
#include "eventgate/logging/log.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/schema/schema_compiler.hpp"
#include "eventgate/streams/stream_config_source.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "support/paths.hpp"
#include "taking_sink.hpp"

namespace eventgate::bench {
namespace {

constexpr std::size_t kBatch = 100;

/// A subject's schema, and its event parsed.
struct Parsed {
  explicit Parsed(Subject of, Telemetry& telemetry)
      : subject(std::move(of)), repository(options(), make_uri_reader({}), telemetry), text(subject.event) {
    repository.precache();
    schema = **repository.find(subject.schema_uri);
    text.append(kJsonPadding, ' ');
    parse();
    if (!schema->validate(nodes.root(), validation))
      throw std::runtime_error(subject.schema_uri + ": expected its example to be valid, but " +
                               errors_text(validation.errors));
  }

  SchemaOptions options() const {
    SchemaOptions result;
    result.schema_base_uris = {subject.schema_base};
    result.schema_file_extension = ".yaml";
    result.schema_precache_uris = {subject.schema_uri};
    result.schema_precache_required = true;
    return result;
  }

  void parse() {
    if (parse_json(std::string_view(text).substr(0, subject.event.size()), nodes))
      throw std::runtime_error("expected the event to be JSON");
  }

  void validate() {
    validation.clear();
    if (!schema->validate(nodes.root(), validation)) throw std::runtime_error("expected the event to be valid");
  }

  Subject subject;
  SchemaRepository repository;
  std::string text;  // and the padding
  SchemaPointer schema;
  JsonNodes nodes;
  Validation validation;
};

boost::system::result<const nlohmann::ordered_json*, std::string> no_references(const std::string& path) {
  return path + ": expected a schema without references";
}

/// Every version in Wikimedia's primary repository, to be loaded; none if it is not there.
SchemaOptions primary_repository() {
  SchemaOptions options;
  const std::filesystem::path root = shared_dir() + "/data/schema-repos/primary/jsonschema";
  options.schema_base_uris = {root};
  options.schema_precache_required = true;
  if (std::filesystem::exists(root)) options.schema_precache_uris = schemas_of(root);
  return options;
}

std::optional<std::string_view> find_header(const void*, std::string_view name) {
  if (name == "user-agent") return "bench/1.0";
  if (name == "x-request-id") return "8f3c1f7e-6b0a-4b67-9f57-0d9f6a1f2c11";
  return std::nullopt;
}

}  // namespace

struct Stages::Impl {
  explicit Impl(const std::filesystem::path& directory)
      : search(search_subject(), telemetry),
        revision(revision_subject(), telemetry),
        streams(stream_options(directory), make_uri_reader({}), telemetry),
        taking(one(std::make_unique<TakingSink>()), std::chrono::seconds(10), telemetry),
        filing(one(make_file_sink(file_options(directory), telemetry)), std::chrono::seconds(10), telemetry),
        gate(gate_options(), search.repository, &streams, taking, telemetry),
        live_gate(gate_options(), search.repository, &streams, taking, telemetry, &live),
        batch(*EventBatch::parse(array_of(search.subject.event, kBatch))),
        lone(*EventBatch::parse(array_of(search.subject.event, 1))) {
    context.received_at = std::chrono::system_clock::now();
    context.find_header = find_header;
    context.remote_address = "127.0.0.1";
    all = {
        {"nodes", "parse into nodes",
         [this](std::size_t n) {
           while (n-- > 0) search.parse();
         },
         0.08},
        {"validate", "validate alone",
         [this](std::size_t n) {
           while (n-- > 0) search.validate();
         },
         0.06},
        valijson_stage(),
        parse_stage("parse-revision", revision.subject),
        {"validate-revision", "validate alone, revision-create, of its own parse",
         [this](std::size_t n) {
           while (n-- > 0) revision.validate();
         },
         0.08, "parse-revision"},
        {"gate", "complete, validate, make the record (100 at a time)",
         [this](std::size_t n) {
           for (n = (n + kBatch - 1) / kBatch; n > 0; --n) process(gate, batch);
         },
         0.18},
        {"gate-one", "the same, one at a time",
         [this](std::size_t n) {
           while (n-- > 0) process(gate, lone);
         }},
        {"gate-live", "the same as gate, with `live: true` and nobody looking on",
         [this](std::size_t n) {
           for (n = (n + kBatch - 1) / kBatch; n > 0; --n) process(live_gate, batch);
         }},
        {"file", "a record to the file sink (100 at a time)",
         [this](std::size_t n) {
           for (n = (n + kBatch - 1) / kBatch; n > 0; --n) file();
         }},
        {"compile", "compile the schema of the event, read before",
         [document = read_schema(search.subject.schema_base + search.subject.schema_uri + ".yaml")](std::size_t n) {
           while (n-- > 0)
             if (!compile_schema("/bench/1.0.0", document, no_references))
               throw std::runtime_error("expected a schema");
         },
         17},
    };
    // 83 of them in 0.3 s where the parse takes 8.9 us.
    if (const SchemaOptions versions = primary_repository(); !versions.schema_precache_uris.empty())
      all.push_back({"load", "load a schema of Wikimedia's primary repository from disk, all threads",
                     [this, versions](std::size_t n) {
                       const std::size_t size = versions.schema_precache_uris.size();
                       for (n = (n + size - 1) / size; n > 0; --n)
                         SchemaRepository(versions, make_uri_reader({}), telemetry).precache();
                     },
                     0.3e6 / 83 / 8.9});
  }
  ~Impl() { filing.stop(std::chrono::steady_clock::now() + std::chrono::seconds(10)); }

  static StreamConfigOptions stream_options(const std::filesystem::path& directory) {
    StreamConfigOptions options;
    options.stream_config_uri = {directory / "streams.json"};
    write_file(options.stream_config_uri.front(), stream_configs_text({search_subject(), revision_subject()}));
    return options;
  }
  static FileSinkOptions file_options(const std::filesystem::path& directory) {
    FileSinkOptions options;
    options.output_path = directory / "stage.ndjson";
    return options;
  }
  static GateOptions gate_options() {
    GateOptions options;
    options.wikimedia = true;
    options.stream_field = {FieldPath("meta.stream")};
    options.id_field = FieldPath("meta.id");
    options.dt_field = FieldPath("meta.dt");
    return options;
  }

  template <typename T>
  T finish(Task<T> task) {
    std::optional<T> result;
    spawn(io.get_executor(), std::move(task), [&result](std::exception_ptr failure, T value) {
      if (failure) std::rethrow_exception(failure);
      result = std::move(value);
    });
    while (!result) {
      io.restart();
      if (io.run_one() == 0) std::this_thread::yield();
    }
    return std::move(*result);
  }

  Task<bool> deliver(std::span<Record> records) {
    DeliveryBatch& deliveries = filing.hand_over(records, Assurance::guaranteed, io.get_executor());
    co_await filing.wait(deliveries, Assurance::guaranteed);
    filing.collect_outcomes(deliveries, records.size(), outcomes);
    deliveries.release();
    co_return true;
  }

  void process(EventGate& by, const EventBatch& posted) {
    const ProcessResult result = finish(by.process(posted, context));
    if (result.produced() != posted.size())
      throw std::runtime_error("expected every event to be produced, but " +
                               (result.error.empty() ? "some are invalid" : result.error[0].message));
  }

  void file() {
    std::array<Record, kBatch> records;
    for (Record& record : records) {
      record.topic = "bench.search";
      record.value = search.subject.event;
      record.timestamp = 1773500966535;
    }
    finish(deliver(records));
    for (const Outcome& outcome : outcomes)
      if (outcome.failure)
        throw std::runtime_error("expected the file to take every record, but " + outcome.failure->message);
  }

  Metrics metrics{"bench"};
  Telemetry telemetry{metrics};
  boost::asio::io_context io{1};
  Parsed search, revision;
  StreamConfigSource streams;
  FanOut taking, filing;
  LiveFeed live;
  EventGate gate, live_gate;
  EventBatch batch, lone;
  std::vector<Outcome> outcomes;
  RequestContext context;
  std::vector<Stage> all;
};

Stages::Stages(const std::filesystem::path& directory) {
  set_log_level(LogLevel::warn);
  impl_ = std::make_unique<Impl>(directory);
}
Stages::~Stages() = default;
const std::vector<Stage>& Stages::all() const { return impl_->all; }

Stage parse_stage(const std::string& name, const Subject& subject) {
  return {name, "nlohmann::json::parse of " + subject.schema_uri, [event = subject.event](std::size_t n) {
            std::size_t members = 0;
            while (n-- > 0) members += nlohmann::json::parse(event).size();
            if (members == 1) throw std::runtime_error("expected an event");  // so that the loop is not left out
          }};
}

double microseconds(const Stage& stage) {
  const auto cpu = [] {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
  };
  const auto pass = [&](std::size_t count) {
    const double before = cpu();
    stage.run(count);
    return cpu() - before;
  };
  // The warm-up finds out how many make half a second.
  std::size_t count = 1000;
  double spent = pass(count);
  while (spent < 50e3) spent = pass(count *= 4);
  count = static_cast<std::size_t>(static_cast<double>(count) * 500e3 / spent);
  std::array<double, 3> runs;
  for (double& run : runs) run = pass(count) / static_cast<double>(count);
  std::sort(runs.begin(), runs.end());
  return runs[1];
}

}  // namespace eventgate::bench

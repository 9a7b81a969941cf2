#include "check.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "eventgate/events/event_batch.hpp"
#include "eventgate/events/event_status.hpp"
#include "eventgate/gate/event_gate.hpp"
#include "eventgate/metrics/intake_events.hpp"
#include "eventgate/metrics/metrics.hpp"
#include "eventgate/produce/producer.hpp"
#include "eventgate/produce/record_builder.hpp"
#include "eventgate/schema/schema_repository.hpp"
#include "eventgate/sinks/kafka_sink.hpp"
#include "eventgate/streams/stream_config_source.hpp"
#include "eventgate/uri/object_reader.hpp"

namespace eventgate {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFileScheme = "file://";
constexpr std::uintmax_t kMaxSchemaFile = 1024 * 1024;  // bytes

/// The directory of a schema base that is one.
std::optional<fs::path> directory_of(const std::string& base) {
  if (base.starts_with(kFileScheme)) return fs::path(base.substr(kFileScheme.size()));
  if (base.find("://") != std::string::npos) return std::nullopt;
  return fs::path(base);
}

/// Whether a schema of one of `directories` has `title`. Such a schema is mostly where its title says.
class Titles {
 public:
  explicit Titles(std::vector<fs::path> directories) : directories_(std::move(directories)) {}

  bool contain(const std::string& title) {
    std::error_code ignored;
    for (const fs::path& directory : directories_)
      if (fs::is_directory(directory / title, ignored)) return true;
    if (!read_) read();
    return titles_.contains(title);
  }

 private:
  void read() {
    read_ = true;
    std::error_code error;
    for (const fs::path& directory : directories_) {
      for (fs::recursive_directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
        std::error_code unreadable;
        if (!it->is_regular_file(unreadable) || it->file_size(unreadable) > kMaxSchemaFile) continue;
        std::ifstream file(it->path(), std::ios::binary);
        const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        const auto object = parse_object_text(text);
        if (!object || !object->is_object()) continue;
        const auto title = object->find("title");
        if (title != object->end() && title->is_string()) titles_.insert(title->get<std::string>());
      }
    }
  }

  std::vector<fs::path> directories_;
  bool read_ = false;
  std::set<std::string> titles_;
};

class Check {
 public:
  explicit Check(const Config& config) : config_(config), metrics_(config.service_name), events_(metrics_) {}

  std::vector<std::string> problems() {
    check_outputs();
    check_schemas();
    check_streams();
    if (schemas_) {
      check_error_stream();
      check_test_events();
    }
    return std::move(problems_);
  }

 private:
  void check_outputs();
  void check_schemas();
  void check_streams();
  void check_error_stream();
  void check_test_events();
  void problem(std::string text) { problems_.push_back(std::move(text)); }

  SchemaResult schema(const std::string& uri) {
    std::promise<SchemaResult> loaded;
    schemas_->load(uri, [&loaded](SchemaResult result) { loaded.set_value(std::move(result)); });
    return loaded.get_future().get();
  }

  const Config& config_;
  Metrics metrics_;
  IntakeEvents events_;
  std::unique_ptr<SchemaRepository> schemas_;
  std::unique_ptr<StreamConfigSource> streams_;
  std::vector<std::string> problems_;
};

void Check::check_outputs() {
  if (config_.kafka) {
    try {
      boost::asio::io_context context(1);
      const auto sink = make_kafka_sink(*config_.kafka, context.get_executor(), events_);
      sink->stop(std::chrono::steady_clock::now());
    } catch (const std::exception& e) {
      problem(e.what());
    }
  }
  if (!config_.file || config_.file->output_path == "stdout") return;
  // What of the path is there must be writable; the rest is made.
  std::error_code ignored;
  fs::path there = fs::absolute(config_.file->output_path, ignored);
  while (!fs::exists(there, ignored) && there.has_relative_path()) there = there.parent_path();
  if (::access(there.c_str(), W_OK) != 0)
    problem("output_path: '" + config_.file->output_path + "': expected '" + there.string() + "' to be writable");
}

void Check::check_schemas() {
  for (const std::string& base : config_.schema.schema_base_uris) {
    const auto directory = directory_of(base);
    std::error_code ignored;
    if (directory && !fs::is_directory(*directory, ignored))
      problem("schema_base_uris: '" + base + "': expected a directory, or an http(s) URI");
  }
  try {
    schemas_ = std::make_unique<SchemaRepository>(config_.schema, make_uri_reader(config_.schema_reader), events_);
  } catch (const std::exception& e) {
    problem(e.what());
    return;
  }
  for (const std::string& uri : config_.schema.schema_precache_uris)
    if (const SchemaResult result = schema(uri); !result)
      problem("schema_precache_uris: '" + uri + "': " +
              (result.error().reason.empty() ? "expected a schema in one of schema_base_uris" : result.error().reason));
}

void Check::check_streams() {
  if (config_.streams.stream_config_uri.empty()) return;
  StreamConfigOptions once = config_.streams;
  once.cache_dir.clear();  // what is there now counts
  once.stream_config_ttl = {};
  try {
    streams_ = std::make_unique<StreamConfigSource>(once, make_uri_reader(config_.stream_reader), events_);
  } catch (const std::exception& e) {
    problem(e.what());
    return;
  }
  std::vector<fs::path> directories;
  for (const std::string& base : config_.schema.schema_base_uris)
    if (auto directory = directory_of(base)) directories.push_back(std::move(*directory));
  // Other schemas cannot be listed.
  const bool all_local = directories.size() == config_.schema.schema_base_uris.size() && !directories.empty();
  Titles titles(std::move(directories));
  const std::shared_ptr<const StreamConfigs> configs = streams_->current();
  for (const std::string& name : configs->names()) {
    const StreamConfig& stream = *configs->find(name);
    const std::string topic = topic_name(config_.gate.topic_prefix, name, &stream);
    if (!is_topic_name(topic))
      problem("stream '" + name + "': its topic '" + topic +
              "' is no Kafka topic name: expected 1 to 249 of [a-zA-Z0-9._-]");
    if (!stream.schema_title) {
      problem("stream '" + name + "': expected a schema_title; without it no event may enter");
    } else if (all_local && !titles.contain(*stream.schema_title)) {
      problem("stream '" + name + "': expected a schema of the title '" + *stream.schema_title +
              "' in one of schema_base_uris");
    }
  }
}

void Check::check_error_stream() {
  const std::string& name = config_.gate.error_stream;
  if (name.empty()) return;
  const SchemaResult result = schema(config_.gate.error_schema_uri);
  if (!result) {
    problem("error_schema_uri: '" + config_.gate.error_schema_uri + "': " +
            (result.error().reason.empty() ? "expected a schema in one of schema_base_uris" : result.error().reason));
    return;
  }
  if (!streams_) return;
  const StreamConfig* const stream = streams_->current()->find(name);
  const std::string title = (*result)->title().value_or("");
  if (!stream) {
    problem("error_stream: '" + name + "': expected a stream declared at stream_config_uri");
  } else if (stream->schema_title != title) {
    problem("error_stream: '" + name + "': expected the schema_title '" + title + "', that of error_schema_uri");
  }
}

/// Processes them with a producer that has no sinks.
void Check::check_test_events() {
  if (config_.http.test_events.empty()) return;
  auto batch = EventBatch::parse(std::string(config_.http.test_events), config_.http.json);
  if (!batch) {
    problem("test_events: expected " + batch.error().expected + " at byte " + std::to_string(batch.error().offset));
    return;
  }
  GateOptions options = config_.gate;
  options.error_stream.clear();
  Producer producer({}, config_.produce_timeout, events_);
  EventGate gate(options, *schemas_, streams_.get(), producer, events_);
  RequestContext request;
  request.received_at = std::chrono::system_clock::now();
  boost::asio::io_context context(1);
  std::optional<ProcessResult> result;
  const auto work = boost::asio::make_work_guard(context);
  boost::asio::co_spawn(context.get_executor(), gate.process(*batch, request, Assurance::guaranteed),
                        [&](std::exception_ptr, ProcessResult processed) { result = std::move(processed); });
  while (!result) context.run_one();
  for (const EventStatus& status : result->invalid)
    problem("test_events[" + std::to_string(status.index) + "]: " + errors_text(status.errors));
  for (const EventStatus& status : result->error)
    problem("test_events[" + std::to_string(status.index) + "]: " + status.message);
}

}  // namespace

std::vector<std::string> problems_of(const Config& config) { return Check(config).problems(); }

}  // namespace eventgate

#include "check.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "check_streams.hpp"
#include "dry_run.hpp"
#include "eventgate/base/topic_name.hpp"
#include "eventgate/delivery/fan_out.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/gate/event_batch.hpp"
#include "eventgate/gate/event_gate.hpp"
#include "eventgate/gate/event_status.hpp"
#include "eventgate/http/server.hpp"
#include "eventgate/kafka/kafka_preflight.hpp"
#include "eventgate/kafka/kafka_source_preflight.hpp"
#include "eventgate/legacy/capsule.hpp"
#include "eventgate/legacy/user_agents.hpp"
#include "eventgate/readers/exposed_streams.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/repository/schema_titles.hpp"
#include "eventgate/streams/stream_config_source.hpp"
#include "eventgate/streams/topic.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "stream_tables.hpp"
#include "stream_warnings.hpp"

namespace eventgate {

namespace {

namespace fs = std::filesystem;

class Check {
 public:
  Check(const Config& config, const std::string& wiki)
      : config_(config), wiki_(wiki), metrics_(config.service_name), telemetry_(metrics_) {}

  Findings findings() {
    check_interface();
    check_outputs();
    check_schemas();
    if (config_.intake) check_streams();
    if (config_.legacy) check_legacy(*config_.legacy);
    check_exposed_streams();
    if (schemas_ && config_.intake) {
      check_own_stream("error", config_.gate.error_stream, config_.gate.error_schema_uri);
      check_own_stream("ledger", config_.gate.ledger_stream, config_.gate.ledger_schema_uri);
      check_test_events();
    }
    check_kafka();
    check_kafka_of_streams();
    return std::move(found_);
  }

 private:
  void check_interface();
  void check_writable(const std::string& name, const std::string& path, bool is_folder);
  void check_outputs();
  void check_kafka();
  void check_kafka_of_streams();
  void check_bases();
  void check_schemas();
  void check_streams();
  void check_exposed_streams();
  void check_own_stream(const std::string& kind, const std::string& name, const std::string& schema_uri);
  void check_test_events();
  void check_legacy(const LegacyOptions& legacy);
  void problem(std::string text) { found_.problems.push_back(std::move(text)); }

  SchemaResult schema(const std::string& uri) {
    std::promise<SchemaResult> loaded;
    schemas_->load(uri, [&loaded](SchemaResult result) { loaded.set_value(std::move(result)); });
    return loaded.get_future().get();
  }

  const Config& config_;
  const std::string& wiki_;
  Metrics metrics_;
  Telemetry telemetry_;
  std::unique_ptr<ObjectReader> reader_;  // of schemas; null if it cannot be made
  std::unique_ptr<SchemaRepository> schemas_;
  std::unique_ptr<StreamConfigSource> streams_;
  std::vector<std::string> read_topics_;  // of the streams that clients can read
  Findings found_;
};

void Check::check_kafka() {
  if (!config_.kafka) return;
  std::map<std::string, bool> topics;  // whether its records have keys
  const auto add = [&](const std::string& stream, const StreamConfig* stream_config) {
    const std::string topic = topic_name(config_.gate.topic_prefix, stream, stream_config);
    if (is_topic_name(topic)) topics[topic] = stream_config && !stream_config->message_key_fields.empty();
  };
  if (streams_) {
    const std::shared_ptr<const StreamConfigs> configs = streams_->current();
    for (const std::string& name : configs->stream_names()) add(name, configs->find(name));
  } else {
    for (const std::string& name : {config_.gate.error_stream, config_.gate.ledger_stream})
      if (!name.empty()) add(name, nullptr);
  }
  KafkaExpectations expected;
  for (const auto& [topic, has_key] : topics) expected.topics.push_back({topic, has_key});
  // Without such a field a record has the time of its receipt.
  if (!config_.gate.dt_field.empty()) expected.max_future_dt = config_.gate.max_future_dt;
  KafkaFindings found = kafka_findings(*config_.kafka, expected);
  for (std::string& text : found.problems) problem(std::move(text));
  for (std::string& text : found.warnings) found_.warnings.push_back(std::move(text));
}

/// Asks the brokers of the read side. A topic that events are produced to, and a broker that takes them, is looked at
/// already.
void Check::check_kafka_of_streams() {
  if (!config_.readers || !config_.kafka_readers) return;
  const KafkaFindings found = kafka_source_findings(
      {config_.kafka_readers->conf, config_.kafka_readers->topic_conf, config_.gate.user_agent}, read_topics_);
  const auto is_told = [this](const std::string& text) {
    const std::string rest = text.substr(text.find(": "));
    return std::any_of(found_.problems.begin(), found_.problems.end(), [&](const std::string& other) {
      return other.starts_with("kafka") && other.substr(std::min(other.find(": "), other.size())) == rest;
    });
  };
  for (const std::string& text : found.problems)
    if (!is_told(text)) problem(text);
  found_.warnings.insert(found_.warnings.end(), found.warnings.begin(), found.warnings.end());
}

/// On any port: that of the config may be in use by the gate that runs.
void Check::check_interface() {
  HttpOptions any_port = config_.http;
  any_port.port = 0;
  if (any_port.metrics_port) any_port.metrics_port = 0;
  boost::asio::io_context context(1);
  try {
    const HttpPorts ports(any_port, context.get_executor());
  } catch (const std::exception& e) {
    problem(e.what());
  }
}

/// The rules of user agents, and the schemas and streams that beacons are for.
void Check::check_legacy(const LegacyOptions& legacy) {
  if (!legacy.user_agent_regexes.empty()) {
    try {
      const UserAgents user_agents(legacy.user_agent_regexes);
    } catch (const std::exception& e) {
      problem(std::string(e.what()) + "; Debian's package uap-core has them at /usr/share/uap-core/regexes.yaml");
    }
  }
  if (!schemas_) return;
  for (const auto& [name, versions] : legacy.schemas) {
    if (name == kAnyLegacySchema) continue;
    std::set<std::string> uris;
    if (versions.version) uris.insert(legacy_schema_uri(name, *versions.version));
    for (const auto& [revision, version] : versions.revisions) uris.insert(legacy_schema_uri(name, version));
    for (const std::string& uri : uris) {
      const SchemaResult loaded = schema(uri);
      if (loaded) continue;
      const std::string& reason = loaded.error().reason;
      problem("legacy.schemas." + name + ": " + uri + ": " + (reason.empty() ? "expected that a base has it" : reason));
    }
    const std::string stream = legacy_stream(name);
    if (streams_ && !streams_->current()->find(stream))
      problem("legacy.schemas." + name + ": expected that the stream configs declare " + stream);
  }
}

/// What of the path of the option `name` is there must be writable; the rest is made.
void Check::check_writable(const std::string& name, const std::string& path, bool is_folder) {
  std::error_code ignored;
  fs::path there = fs::absolute(path, ignored);
  bool whole = true;
  for (; !fs::exists(there, ignored) && there.has_relative_path(); whole = false) there = there.parent_path();
  if (!fs::is_directory(there, ignored) && (is_folder || !whole)) {
    problem(name + ": '" + path + "': expected '" + there.string() + "' to be a directory");
  } else if (::access(there.c_str(), W_OK) != 0) {
    problem(name + ": '" + path + "': expected '" + there.string() + "' to be writable");
  }
}

void Check::check_outputs() {
  if (config_.file && config_.file->output_path != "stdout")
    check_writable("output_path", config_.file->output_path, config_.file->output_path.ends_with('/'));
  if (!config_.schema.cache_dir.empty()) check_writable("cache_dir", config_.schema.cache_dir, true);
  if (config_.spool) check_writable("spool.path", config_.spool->path, true);
}

/// Each must be readable; of a host that is found out with a schema that may or may not be there.
void Check::check_bases() {
  for (const std::string& base : config_.schema.schema_base_uris) {
    if (const auto directory = schema_directory(base)) {
      std::error_code ignored;
      if (!fs::is_directory(*directory, ignored)) {
        problem("schema_base_uris: '" + base + "': expected a directory, or an http(s) URI");
      } else if (::access(directory->c_str(), R_OK | X_OK) != 0) {
        problem("schema_base_uris: '" + base + "': expected a directory that can be read");
      }
    } else if (reader_) {
      std::string uri = base;
      while (uri.ends_with('/')) uri.pop_back();
      const std::string& schema = config_.gate.error_schema_uri;
      const auto read = reader_->read(uri + (schema.starts_with('/') ? "" : "/") + schema);
      if (!read && read.error().kind == ReadError::Kind::unavailable)
        problem("schema_base_uris: '" + base + "': " + read.error().message);
    }
  }
}

void Check::check_schemas() {
  try {
    reader_ = make_uri_reader(config_.schema_reader);
  } catch (const std::exception& e) {
    problem(e.what());
  }
  check_bases();
  if (!reader_) return;
  SchemaOptions now = config_.schema;
  now.cache_dir.clear();  // what is there now counts
  try {
    schemas_ = std::make_unique<SchemaRepository>(now, make_uri_reader(config_.schema_reader), telemetry_);
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
  if (config_.streams.stream_config_uri.empty() || !reader_) return;
  StreamConfigOptions once = config_.streams;
  once.cache_dir.clear();  // what is there now counts
  once.stream_config_ttl = {};
  try {
    streams_ = std::make_unique<StreamConfigSource>(once, make_uri_reader(config_.stream_reader), telemetry_);
  } catch (const std::exception& e) {
    problem(e.what());
    return;
  }
  if (schemas_) {
    eventgate::check_streams(config_, *streams_->current(), *reader_, *schemas_, found_);
    const TablesQuery newest{{}, {}, false, true};
    for (const std::string& text :
         find_tables(config_, *streams_->current(), *reader_, *schemas_, newest).schema_problems)
      found_.warnings.push_back(text + " (a table of it cannot be made)");
  }
  try {
    for (std::string& text : stream_warnings(config_, wiki_, telemetry_)) found_.warnings.push_back(std::move(text));
  } catch (const std::exception& e) {
    problem(e.what());
  }
}

/// What can be read. Without intake no event is held to a schema, so only the topics of the streams count.
void Check::check_exposed_streams() {
  if (!config_.readers || config_.streams.stream_config_uri.empty()) return;
  if (!streams_) {
    StreamConfigOptions once = config_.streams;
    once.cache_dir.clear();  // what is there now counts
    once.stream_config_ttl = {};
    try {
      streams_ = std::make_unique<StreamConfigSource>(once, make_uri_reader(config_.stream_reader), telemetry_);
    } catch (const std::exception& e) {
      // `check_streams` has said it.
      if (!config_.intake) problem(e.what());
      return;
    }
  }
  const auto declared = parse_object_text(streams_->current()->json());
  if (!declared) return;
  const ExposedStreams exposed(*declared, config_.exposed);
  for (const std::string& text : exposed.problems()) problem("stream_config_uri: " + text);
  std::set<std::string> topics;
  for (const ExposedStream& stream : exposed.all()) topics.insert(stream.topics.begin(), stream.topics.end());
  if (config_.kafka)
    for (const std::string& name : streams_->current()->stream_names())
      topics.erase(topic_name(config_.gate.topic_prefix, name, streams_->current()->find(name)));
  read_topics_.assign(topics.begin(), topics.end());
  for (const std::string& name : config_.exposed.allowed_streams.value_or(std::vector<std::string>()))
    if (!exposed.find(name)) problem("allowed_streams: '" + name + "': expected a declared stream that has topics");
  if (exposed.all().empty())
    problem("streams: expected a stream that can be read, one with `topics` in the stream configs");
}

/// The stream of events that the gate itself makes: of its options, `kind` is the start.
void Check::check_own_stream(const std::string& kind, const std::string& name, const std::string& schema_uri) {
  if (name.empty()) return;
  const SchemaResult result = schema(schema_uri);
  if (!result) {
    problem(kind + "_schema_uri: '" + schema_uri + "': " +
            (result.error().reason.empty() ? "expected a schema in one of schema_base_uris" : result.error().reason));
    return;
  }
  if (!streams_) return;
  const StreamConfig* const stream = streams_->current()->find(name);
  const std::string title = (*result)->title().value_or("");
  if (!stream) {
    problem(kind + "_stream: '" + name + "': expected a stream declared at stream_config_uri");
  } else if (stream->schema_title != title) {
    problem(kind + "_stream: '" + name + "': expected the schema_title '" + title + "', that of " + kind +
            "_schema_uri");
  }
}

/// Processes them with a producer that has no sinks.
void Check::check_test_events() {
  if (config_.api.test_events.empty()) return;
  auto batch = EventBatch::parse(std::string(config_.api.test_events), config_.api.json);
  if (!batch) {
    problem("test_events: expected " + batch.error().expected + " at byte " + std::to_string(batch.error().offset));
    return;
  }
  GateOptions options = config_.gate;
  options.error_stream.clear();
  FanOut producer({}, config_.produce_timeout, telemetry_);
  EventGate gate(options, *schemas_, streams_.get(), producer, telemetry_);
  RequestContext request;
  request.received_at = std::chrono::system_clock::now();
  boost::asio::io_context context(1);
  const ProcessResult result = process_blocking(gate, *batch, request, context);
  for (const EventStatus& status : result.invalid)
    problem("test_events[" + std::to_string(status.index) + "]: " + errors_text(status.errors));
  for (const EventStatus& status : result.error)
    problem("test_events[" + std::to_string(status.index) + "]: " + status.message);
}

}  // namespace

Findings findings_of(const Config& config, const std::string& wiki) { return Check(config, wiki).findings(); }

}  // namespace eventgate

#include "canaries.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "event_pipeline.hpp"
#include "eventgate/gate/schema_loads.hpp"
#include "eventgate/schema/validation_error.hpp"

namespace eventgate {

/// Counts a canary as in flight for as long as it exists.
class Canaries::Count {
 public:
  explicit Count(std::atomic<std::size_t>& count) : count_(&count) { count.fetch_add(1); }
  Count(Count&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  Count& operator=(Count&&) = delete;
  ~Count() {
    if (count_) count_->fetch_sub(1);
  }

 private:
  std::atomic<std::size_t>* count_;
};

Canaries::Canaries(const GateOptions& options, SchemaRepository& schemas, StreamConfigSource* streams,
                   Telemetry& telemetry, InflightBytes& inflight, Process process)
    : options_(options),
      schemas_(schemas),
      streams_(streams),
      telemetry_(telemetry),
      inflight_(inflight),
      process_(std::move(process)) {}

/// Watches the streams of `configs` that have canaries. Those that were watched before keep what is known of them.
void Canaries::use_streams(std::shared_ptr<const StreamConfigs> configs) {
  configs_ = std::move(configs);
  std::map<std::string, Stream> watched;
  std::vector<std::string> names;
  for (std::string& name : configs_->stream_names()) {
    const StreamConfig* const config = configs_->find(name);
    if (!config || !has_canaries(*config, options_.service_name)) continue;
    Stream stream;
    if (const auto known = watched_.find(name); known != watched_.end()) stream = known->second;
    stream.schema_title = config->schema_title.value_or("");
    stream.offset = canary_offset(name, options_.canary_interval);
    names.push_back(name);
    watched.emplace(std::move(name), std::move(stream));
  }
  watched_ = std::move(watched);
  telemetry_.canary_streams(names);
}

void Canaries::make_due(std::chrono::system_clock::time_point now, const IoExecutor& executor) {
  if (!streams_ || options_.canary_interval.count() <= 0) return;
  if (auto configs = streams_->current(); configs != configs_) use_streams(std::move(configs));
  const auto last_call = std::exchange(last_call_, now);
  if (!last_call) return;
  for (auto& [name, stream] : watched_) {
    // The last time at which a canary of the stream was due. Earlier ones that a pause has left out are not made.
    const auto interval = interval_start(now - stream.offset, options_.canary_interval);
    if (interval + stream.offset <= *last_call || interval <= stream.last_interval) continue;
    stream.last_interval = interval;
    if (stream.is_waiting) {
      fail(name, "the canary of the interval before still waits for its schema");
      continue;
    }
    stream.is_waiting = true;
    due_.push_back({{name, interval, now}, stream.schema_title});
  }
  if (due_.empty() || is_reading_) return;
  is_reading_ = true;
  spawn(executor, read_schemas(executor, Count(in_flight_)));
}

/// Takes the canaries that are due one after the other, and lets each go its way with its text.
Task<void> Canaries::read_schemas(IoExecutor executor, Count counted) {
  const Count in_flight(std::move(counted));
  while (!due_.empty()) {
    const Due due = due_.front();
    const std::string uri = newest_schema_uri(due.schema_title);
    const std::string& name = due.canary.stream;
    const SchemaResult schema = co_await load(uri, executor);
    std::optional<SchemaText> text;
    if (schema) {
      text = co_await document(uri, executor);
      if (!text) break;  // other documents are being read: the next call tries again
    }
    due_.pop_front();
    if (const auto stream = watched_.find(name); stream != watched_.end()) stream->second.is_waiting = false;
    if (!schema || !*text) {
      const std::string& reason = schema ? text->error().reason : schema.error().reason;
      fail(name, "schema " + uri + ": " + (reason.empty() ? "expected one in schema_base_uris" : reason));
      continue;
    }
    auto event = canary_event(due.canary, **text, **schema, options_);
    if (event) {
      spawn(executor, produce(due.canary, *std::move(event), Count(in_flight_)));
    } else {
      fail(name, event.error().reason);
    }
  }
  is_reading_ = false;
}

Task<SchemaResult> Canaries::load(std::string schema_uri, IoExecutor executor) {
  if (auto cached = schemas_.find(schema_uri)) co_return *std::move(cached);
  std::optional<SchemaResult> result;
  co_await suspend_with([&](ResumeHandle suspended) {
    load_schemas(
        schemas_, {schema_uri}, options_.schema_load_timeout, executor,
        [&result](std::size_t, SchemaResult loaded) { result.emplace(std::move(loaded)); }, std::move(suspended));
  });
  co_return *std::move(result);
}

/// Returns the document of a schema that is loaded, or nullopt if too many are being read.
Task<std::optional<SchemaText>> Canaries::document(std::string schema_uri, IoExecutor executor) {
  std::optional<SchemaText> text;
  co_await suspend_with([&](ResumeHandle suspended) {
    const auto waiting = std::make_shared<ResumeHandle>(std::move(suspended));
    const auto started = schemas_.begin_dereferencing(
        schema_uri, SchemaRepository::Dereferenceable::cached, [&text, waiting, executor](SchemaDocument read) {
          boost::asio::post(executor, [&text, waiting, read = std::move(read.text)]() mutable {
            text.emplace(std::move(read));
            waiting->resume();
          });
        });
    // A coroutine must not be resumed while it suspends.
    if (started != SchemaRepository::DereferenceStart::started)
      boost::asio::post(executor, [waiting] { waiting->resume(); });
  });
  co_return text;
}

/// The reservation and the count end with the coroutine.
Task<void> Canaries::produce(Canary canary, std::string event, Count counted) {
  const Count in_flight(std::move(counted));
  InflightReservation reservation(inflight_, inflight_.max() / 2);
  if (!reservation.resize(inflight_weight(event.size(), 1))) {
    fail(canary.stream, "no room for it: more than half of max_inflight_bytes is in use");
    co_return;
  }
  auto batch = EventBatch::parse(std::move(event), completed_event_limits(options_));
  if (!batch) {
    fail(canary.stream, "the schema's example: expected " + batch.error().expected);
    co_return;
  }
  RequestContext context;
  context.received_at = canary.made_at;
  const ProcessResult result = co_await process_(*batch, context);
  for (const EventStatus& status : result.invalid) fail(canary.stream, errors_text(status.errors));
  for (const EventStatus& status : result.error) fail(canary.stream, status.message);
  if (result.produced() == 1) telemetry_.canary_produced(canary.stream);
}

void Canaries::fail(const std::string& stream, const std::string& reason) { telemetry_.canary_failed(stream, reason); }

}  // namespace eventgate

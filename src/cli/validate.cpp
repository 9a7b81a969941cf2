#include "validate.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config_files.hpp"
#include "dry_run.hpp"
#include "eventgate/api/parse_body.hpp"
#include "eventgate/config/config.hpp"
#include "eventgate/delivery/fan_out.hpp"
#include "eventgate/delivery/sink.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/gate/event_gate.hpp"
#include "eventgate/gate/event_status.hpp"
#include "eventgate/http/response.hpp"
#include "eventgate/json/json_text.hpp"
#include "eventgate/json/printable.hpp"
#include "eventgate/legacy/beacons.hpp"
#include "eventgate/legacy/user_agents.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/streams/stream_config_source.hpp"
#include "eventgate/telemetry/beacon_metrics.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"

namespace eventgate {

namespace {

/// Characters of the longest URL that the JavaScript client of beacons sends (its `maxUrlSize`).
constexpr std::size_t kMaxSentUrl = 2000;

/// The records of one line, as JSON members. Nobody gets them.
class KeptRecords final : public Sink {
 public:
  explicit KeptRecords(std::vector<std::string>& members) : members_(members) {}

  std::string_view name() const override { return "none"; }
  void produce(std::span<const Record> records, Assurance /*assurance*/) override {
    for (const Record& record : records) {
      std::string& text = members_.emplace_back("\"event\":");
      text.append(record.value).append(",\"topic\":");
      append_json_string(text, record.topic);
      text.append(",\"message_key\":").append(record.message_key.value_or("null"));
      text.append(",\"timestamp\":").append(std::to_string(record.timestamp));
      record.handle->succeed();
    }
  }
  void prefetch_metadata(const std::string& /*topic*/) override {}
  std::optional<std::string> not_ready_reason() const override { return std::nullopt; }
  void stop(std::chrono::steady_clock::time_point /*deadline*/) override {}

 private:
  std::vector<std::string>& members_;
};

/// Lines of a file, read as they come.
class Lines {
 public:
  Lines(const std::string& path, std::size_t max_size) : path_(path), max_size_(max_size) {
    if (path != "-") file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file_ < 0) fail();
  }
  ~Lines() {
    if (file_ > STDIN_FILENO) ::close(file_);
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  /// The next line, without its end. Of one of more than the most bytes, the first and one more. `before_waiting` is
  /// called before the file is asked for more.
  template <typename Function>
  bool next(std::string& line, Function before_waiting) {
    line.clear();
    bool any = false;
    for (;;) {
      if (begin_ == end_) {
        before_waiting();
        ssize_t got = 0;
        do got = ::read(file_, buffer_.data(), buffer_.size());
        while (got < 0 && errno == EINTR);
        if (got < 0) fail();
        if (got == 0) return any;
        begin_ = 0;
        end_ = static_cast<std::size_t>(got);
      }
      any = true;
      const std::string_view rest(buffer_.data() + begin_, end_ - begin_);
      const std::size_t size = std::min(rest.find('\n'), rest.size());
      const std::string_view taken = rest.substr(0, std::min(size, max_size_ + 1 - line.size()));
      line.reserve(line.size() + taken.size() + kJsonPadding);
      line.append(taken);
      begin_ += size;
      if (begin_ == end_) continue;
      ++begin_;
      return true;
    }
  }

 private:
  [[noreturn]] void fail() const {
    throw std::runtime_error("'" + path_ + "': expected a file of events, one a line: " + std::strerror(errno));
  }

  const std::string path_;
  const std::size_t max_size_;
  int file_ = STDIN_FILENO;
  std::array<char, 64 * 1024> buffer_;
  std::size_t begin_ = 0, end_ = 0;
};

GateOptions quiet(GateOptions options) {
  options.error_stream.clear();
  return options;
}

SchemaOptions as_is_now(SchemaOptions options) {
  options.cache_dir.clear();
  return options;
}

/// Of the config, what a request's way goes through; the outputs are left out.
class Validator {
 public:
  Validator(const Config& config, std::ostream& out, bool as_json, bool keeps_records)
      : config_(config),
        out_(out),
        as_json_(as_json),
        metrics_(config.service_name),
        telemetry_(metrics_),
        schemas_(as_is_now(config.schema), make_uri_reader(config.schema_reader), telemetry_),
        streams_(make_streams(config, telemetry_)),
        producer_(make_sinks(records_, keeps_records), config.produce_timeout, telemetry_),
        gate_(quiet(config.gate), schemas_, streams_.get(), producer_, telemetry_) {}

  void validate(std::string line, std::size_t number) {
    line_ = number;
    if (line.size() > config_.http.max_body_size) return refuse(body_too_large_text(config_.http.max_body_size));
    if (line.find_first_not_of(" \t\r") == std::string::npos) return;
    RequestContext request;
    request.received_at = std::chrono::system_clock::now();
    const ParsedBody parsed = parse_body(std::move(line), config_.api.json, config_.api.max_events);
    if (const auto* malformed = std::get_if<MalformedBody>(&parsed)) {
      gate_.malformed(malformed->body, malformed->error, request, context_.get_executor());
      return refuse(malformed->detail());
    }
    if (const auto* too_many = std::get_if<TooManyEvents>(&parsed)) return refuse(too_many->detail());
    if (std::holds_alternative<EmptyBody>(parsed)) return refuse(std::string(kEmptyBody));
    const EventBatch& batch = std::get<EventBatch>(parsed);
    const bool lone = batch[0].index() == 0;
    records_.clear();
    tell(process_blocking(gate_, batch, request, context_), lone);
  }

  /// Takes the legacy beacon of `url`, which `user_agent` sends.
  void validate_beacon(std::string_view url, std::string_view user_agent) {
    if (!config_.legacy) throw std::runtime_error("--beacon: expected a config with the section `legacy`");
    const LegacyOptions& legacy = *config_.legacy;
    std::unique_ptr<UserAgents> user_agents;
    if (!legacy.user_agent_regexes.empty()) user_agents = std::make_unique<UserAgents>(legacy.user_agent_regexes);
    BeaconMetrics beacon_metrics(metrics_);
    Beacons beacons(legacy, {config_.gate.json, config_.gate.schema_load_timeout}, gate_, schemas_, beacon_metrics,
                    user_agents.get());
    BeaconRequest request;
    const std::size_t mark = url.find('?');
    if (mark != std::string_view::npos) request.query = url.substr(mark + 1);
    request.query = request.query.substr(0, request.query.find('#'));
    request.context.received_at = std::chrono::system_clock::now();
    request.context.headers = &user_agent;
    request.context.find_header = [](const void* sent, std::string_view name) -> std::optional<std::string_view> {
      const auto& text = *static_cast<const std::string_view*>(sent);
      return name == "user-agent" && !text.empty() ? std::optional(text) : std::nullopt;
    };
    line_ = 1;
    records_.clear();
    if (request.query.size() > legacy.max_query) {
      refuse(beacons.refuse_too_long(request.query, request.context, context_.get_executor()));
    } else {
      const BeaconOutcome outcome = process_beacon(beacons, request);
      if (outcome.refusal) {
        refuse(std::string(failure_cause_name(outcome.refusal->cause)) + ": " + outcome.refusal->message);
      } else {
        tell(outcome.result, true);
        if (!as_json_ && outcome.result.produced() > 0) out_ << '{' << records_.front() << "}\n";
      }
    }
    if (!as_json_ && url.size() > kMaxSentUrl)
      out_ << "warning: the URL has " << url.size() << " characters, and the JavaScript client sends none of more than "
           << kMaxSentUrl << '\n';
  }

  bool finish() {
    if (!as_json_)
      out_ << success_ + invalid_ + error_ << " events: " << success_ << " success, " << invalid_ << " invalid, "
           << error_ << " error; none was produced\n";
    out_.flush();
    if (!out_) throw std::runtime_error("the verdicts could not be written");
    return invalid_ + error_ == 0;
  }

 private:
  BeaconOutcome process_beacon(Beacons& beacons, const BeaconRequest& request) {
    std::optional<BeaconOutcome> outcome;
    const auto work = boost::asio::make_work_guard(context_);
    spawn(context_.get_executor(), beacons.process(request),
          [&](const std::exception_ptr& failure, BeaconOutcome processed) {
            if (failure) std::rethrow_exception(failure);
            outcome = std::move(processed);
          });
    while (!outcome) context_.run_one();
    return *std::move(outcome);
  }

  static std::unique_ptr<StreamConfigSource> make_streams(const Config& config, Telemetry& telemetry) {
    if (config.streams.stream_config_uri.empty()) return nullptr;
    StreamConfigOptions once = config.streams;
    once.cache_dir.clear();
    once.stream_config_ttl = {};
    return std::make_unique<StreamConfigSource>(once, make_uri_reader(config.stream_reader), telemetry);
  }

  static std::vector<std::unique_ptr<Sink>> make_sinks(std::vector<std::string>& records, bool keeps_records) {
    std::vector<std::unique_ptr<Sink>> sinks;
    if (keeps_records) sinks.push_back(std::make_unique<KeptRecords>(records));
    return sinks;
  }

  /// A line that holds no events, or more than it may.
  void refuse(const std::string& message) {
    ++error_;
    if (as_json_) {
      out_ << "{\"line\":" << line_ << ",\"status\":\"error\",\"context\":{\"message\":" << json_string(message)
           << "}}\n";
    } else {
      out_ << "line " << line_ << ": error: " << printable(message) << '\n';
    }
  }

  void tell(const ProcessResult& result, bool lone) {
    success_ += result.produced();
    invalid_ += result.invalid.size();
    error_ += result.error.size();
    auto invalid = result.invalid.begin();
    auto error = result.error.begin();
    auto record = records_.begin();
    for (std::size_t i = 0; i < result.event_count; ++i) {
      const EventStatus* status = nullptr;
      if (invalid != result.invalid.end() && invalid->index == i) {
        status = &*invalid++;
      } else if (error != result.error.end() && error->index == i) {
        status = &*error++;
      }
      if (as_json_) {
        tell_json(status, i, status ? std::string() : *record++);
      } else {
        tell_text(status, i, lone);
      }
    }
  }

  void tell_json(const EventStatus* status, std::size_t index, const std::string& record) {
    std::string text = "{\"line\":" + std::to_string(line_) + ',';
    if (status) {
      std::string element;
      append_status(element, *status);
      text.append(element, 1);
    } else {
      text += "\"status\":\"success\"," + record + ",\"index\":" + std::to_string(index) + '}';
    }
    out_ << text << '\n';
  }

  void tell_text(const EventStatus* status, std::size_t index, bool lone) {
    out_ << "line " << line_;
    if (!lone) out_ << ", event " << index;
    if (!status) {
      out_ << ": success\n";
    } else if (status->kind == EventStatus::Kind::invalid) {
      out_ << ": invalid: " << printable(named_errors_text(status->errors)) << '\n';
    } else {
      out_ << ": error: " << printable(status->message) << '\n';
    }
  }

  const Config& config_;
  std::ostream& out_;
  const bool as_json_;
  boost::asio::io_context context_{1};
  Metrics metrics_;
  Telemetry telemetry_;
  SchemaRepository schemas_;
  const std::unique_ptr<StreamConfigSource> streams_;
  std::vector<std::string> records_;  // of the line
  FanOut producer_;
  EventGate gate_;
  std::size_t line_ = 0;
  std::size_t success_ = 0, invalid_ = 0, error_ = 0;
};

}  // namespace

int run_validate(const CommandLine& command, std::ostream& out, std::ostream& warnings) {
  const Config config = config_of(command.files);
  log_nothing(config.logging);
  for (const std::string& warning : config.warnings) warnings << "warning: " << warning << '\n';
  const bool is_beacon = !command.beacon.empty();
  Validator validator(config, out, command.json, command.json || is_beacon);
  if (is_beacon) {
    validator.validate_beacon(command.beacon, command.user_agent);
    return validator.finish() ? 0 : 1;
  }
  Lines lines(command.events, config.http.max_body_size);
  std::string line;
  for (std::size_t number = 1; lines.next(line, [&] { out.flush(); }) && out; ++number)
    validator.validate(std::move(line), number);
  return validator.finish() ? 0 : 1;
}

}  // namespace eventgate

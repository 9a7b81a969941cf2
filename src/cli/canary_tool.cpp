#include "canary_tool.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "canary_source.hpp"
#include "config_files.hpp"
#include "eventgate/base/utf8.hpp"
#include "eventgate/fetch/http_post.hpp"
#include "eventgate/json/printable.hpp"
#include "eventgate/streams/stream_config_source.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"

namespace eventgate {
namespace {

constexpr std::chrono::seconds kDefaultInterval = std::chrono::minutes(15);
constexpr std::size_t kMaxShownAnswer = 500;  // bytes

/// Returns the streams that canaries are made for: those named, or those whose config says so.
std::vector<std::string> streams_of(const StreamConfigs& configs, const CommandLine& line, const Config& config) {
  if (!line.streams.empty()) return line.streams;
  std::vector<std::string> streams;
  for (std::string& stream : configs.stream_names())
    if (has_canaries(*configs.find(stream), config.service_name)) streams.push_back(std::move(stream));
  return streams;
}

/// Returns why the gate at `uri` has not taken `event`, or nullopt.
std::optional<std::string> post(const std::string& uri, const std::string& event, const UriReaderOptions& options) {
  const auto answer = post_json(uri, event, options);
  if (!answer) return uri + ": " + answer.error().message;
  if (answer->status == 201 || answer->status == 202) return std::nullopt;
  return uri + ": expected status 201 or 202, got " + std::to_string(answer->status) + ": " +
         std::string(utf8_prefix(answer->body, kMaxShownAnswer));
}

}  // namespace

int run_canary(const CommandLine& line, std::ostream& out, std::ostream& errors) {
  const Config config = config_of(line.files);
  log_nothing(config.logging);
  if (config.streams.stream_config_uri.empty()) throw std::runtime_error("expected `stream_config_uri` in the config");
  Metrics metrics(config.service_name);
  Telemetry telemetry(metrics);
  StreamConfigOptions once = config.streams;
  once.cache_dir.clear();
  once.stream_config_ttl = {};
  const StreamConfigSource source(once, make_uri_reader(config.stream_reader), telemetry);
  const auto configs = source.current();
  CanarySource canaries(config, telemetry);
  const auto now = std::chrono::system_clock::now();
  const auto interval = config.gate.canary_interval.count() > 0 ? config.gate.canary_interval : kDefaultInterval;
  int status = 0;
  const auto fail = [&](const std::string& stream, const std::string& reason) {
    errors << "eventgate: " << printable(stream + ": " + reason) << '\n';
    status = 1;
  };
  for (const std::string& stream : streams_of(*configs, line, config)) {
    const StreamConfig* const declared = configs->find(stream);
    if (!declared || !declared->schema_title) {
      fail(stream, "expected a stream that is declared with a schema_title");
      continue;
    }
    const Canary canary{stream, interval_start(now - canary_offset(stream, interval), interval), now};
    const auto event = canaries.event(canary, *declared->schema_title);
    if (!event) {
      fail(stream, event.error().reason);
    } else if (line.post.empty()) {
      out << *event << '\n';
    } else if (const auto reason = post(line.post, *event, config.schema_reader)) {
      fail(stream, *reason);
    }
  }
  return status;
}

}  // namespace eventgate

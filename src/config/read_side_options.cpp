#include "read_side_options.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "kafka_options.hpp"
#include "server_options.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::hours;
using std::chrono::milliseconds;

/// Reads an object of stream names to settings, as JSON text.
void read_stream_settings(ConfigSection& root, const std::string& name, std::string& out) {
  root.allow_null(name);
  const Json* value = root.take(name);
  const bool good =
      !value || (value->is_object() &&
                 std::all_of(value->begin(), value->end(), [](const Json& settings) { return settings.is_object(); }));
  if (value && good) {
    out = value->dump(-1, ' ', false, Json::error_handler_t::replace);
  } else if (value) {
    root.problem(name, *value, "an object of stream names to settings, such as {my.stream: {topics: [a, b]}}");
  }
  root.note(name, value && good ? *value : Json());
}

void read_redacted_pages(ConfigSection& root, RedactedPages& pages) {
  const char* const kName = "mediawiki_redacted_pages";
  root.allow_null(kName);
  const Json* value = root.take(kName);
  if (value && !value->is_object()) {
    root.problem(kName, *value, "an object of a domain to the titles of its pages");
  } else if (value) {
    ConfigSection domains = root.section(kName);
    for (const auto& [domain, titles] : value->items()) {
      const bool good = titles.is_array() &&
                        std::all_of(titles.begin(), titles.end(), [](const Json& title) { return title.is_string(); });
      if (good) {
        pages.emplace_back(domain, titles.get<std::vector<std::string>>());
      } else {
        domains.problem(domain, titles, "a list of titles");
      }
    }
  }
  root.note(kName, value ? *value : Json());
}

void read_exposed_streams(ConfigSection& root, ExposedStreamOptions& streams) {
  read_stream_settings(root, "stream_config_defaults", streams.stream_config_defaults);
  read_stream_settings(root, "stream_config_overrides", streams.stream_config_overrides);
  const bool is_given = root.take("allowed_streams") != nullptr;
  std::vector<std::string> allowed;
  root.texts("allowed_streams", allowed);
  if (is_given) streams.allowed_streams = std::move(allowed);
  root.text("schema_latest_version", streams.schema_latest_version);
  read_redacted_pages(root, streams.mediawiki_redacted_pages);
}

void read_clients(ConfigSection& root, ReaderOptions& readers) {
  std::string canary_events = "hidden";
  root.text("canary_events", canary_events);
  if (canary_events != "hidden" && canary_events != "sent")
    root.problem("canary_events", canary_events, "hidden or sent");
  readers.canary_events_sent = canary_events == "sent";
  read_token(root, "stream_token", "without it no one sees private streams", readers.stream_token);
  std::vector<std::string> proxies;
  root.texts("trusted_proxies", proxies);
  for (const std::string& proxy : proxies) {
    if (const auto network = parse_network(proxy)) {
      readers.trusted_proxies.push_back(*network);
    } else {
      root.problem("trusted_proxies", proxy, "IP addresses or networks, such as 10.0.0.0/8");
    }
  }
  root.number("max_stream_clients", readers.max_stream_clients, 1, 10'000'000);
  root.number("client_ip_connection_limit", readers.client_ip_connection_limit, 0, 10'000'000);
  root.flag("stream_ui_enabled", readers.stream_ui_enabled);
}

void read_reading(ConfigSection& root, ReaderOptions& readers) {
  root.duration("stream_heartbeat", readers.stream_heartbeat, milliseconds(1), hours(1));
  root.duration("stream_linger", readers.stream_linger, milliseconds(0), std::chrono::seconds(10));
  root.duration("stream_open_timeout", readers.stream_open_timeout, milliseconds(1), hours(1));
  root.duration("max_connection_time", readers.max_connection_time, milliseconds(0), kYear);
  root.size("stream_buffer", readers.stream_buffer, 64 * kKilobyte, 64 * kGigabyte);
  root.number("max_replays", readers.max_replays, 1, 100'000);
  root.size("replay_rate", readers.replay_rate, kKilobyte, 64 * kGigabyte);
  root.number("num_stream_workers", readers.num_stream_workers, 0, 1024);
}

/// Returns true if the path of `output_path` is a folder: only there are topics apart.
bool is_folder(const std::string& path) {
  std::error_code error;
  return path.ends_with('/') || std::filesystem::is_directory(path, error);
}

}  // namespace

void read_read_side(ConfigSection& root, Config& config) {
  const bool is_event_streams = has_flat_kafka_options(root);
  bool streams = is_event_streams;
  config.intake = !is_event_streams;
  root.flag("streams", streams);
  root.flag("intake", config.intake);
  ReaderOptions readers;
  read_exposed_streams(root, config.exposed);
  read_clients(root, readers);
  read_reading(root, readers);
  readers.request_timeout = config.http.request_timeout;
  config.exposed.intake = config.intake;
  config.exposed.topic_prefix = config.gate.topic_prefix;
  if (streams) config.readers = std::move(readers);
}

void settle_read_side(ConfigSection& root, Config& config) {
  if (!config.intake) {
    if (!config.readers)
      root.problem("intake", false, "true, or `streams: true` beside it; with neither there is nothing to do");
    if (config.readers && !config.kafka_readers)
      root.problem("intake", false,
                   "`kafka.conf` or `kafka.streams.conf` beside it: there is no other source of events");
    for (const char* const name : {"output_path", "spool"})
      if (const Json* value = root.take(name); value && *value != Json::object())
        root.warn(name, " has no effect with `intake: false`");
    config.kafka.reset();
    config.file.reset();
    config.spool.reset();
    config.api.tell_durability = false;
    return;
  }
  if (!config.readers) return;
  if (config.streams.stream_config_uri.empty())
    root.warn("streams", ": no stream is declared, so none can be read; set `stream_config_uri`");
  if (!config.kafka_readers && !(config.file && is_folder(config.file->output_path))) {
    root.warn("streams",
              ": there is no /v2; events can be read from Kafka, or from `output_path` if it is a folder, with a slash "
              "at its end");
    config.readers.reset();
  }
}

}  // namespace eventgate

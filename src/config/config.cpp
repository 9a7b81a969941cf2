#include "eventgate/config/config.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "config_placeholders.hpp"
#include "config_section.hpp"
#include "eventgate/base/ascii.hpp"
#include "eventgate/base/topic_name.hpp"
#include "eventgate/kafka/kafka_preflight.hpp"
#include "kafka_options.hpp"
#include "legacy_section.hpp"
#include "read_side_options.hpp"
#include "server_options.hpp"
#include "stream_options.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::hours;
using std::chrono::milliseconds;
using Result = boost::system::result<Config, ConfigProblems>;

constexpr std::size_t kMaxFileSize = 16 << 20;
/// A problem if `uri` has a scheme that nothing is read by.
void hold_to_readable_scheme(ConfigSection& section, const std::string& name, const std::string& uri) {
  const std::size_t at = uri.find("://");
  if (at == std::string::npos) return;
  for (const char* const scheme : {"file", "http", "https"})
    if (uri.compare(0, at, scheme) == 0) return;
  section.problem(name, uri, "a path, or a URI that starts with file://, http:// or https://");
}

/// Whether the Wikimedia set-up is on (spec events): its defaults are set if it is.
void read_set_up(ConfigSection& root, Config& config) {
  std::string module;
  root.text("eventgate_factory_module", module);
  root.refuse_nothing("stream_config_uri",
                      "a file or an http(s) URI; without `stream_config_uri` any event may enter any stream");
  root.texts("stream_config_uri", config.streams.stream_config_uri);
  for (const std::string& uri : config.streams.stream_config_uri)
    hold_to_readable_scheme(root, "stream_config_uri", uri);
  const bool named = module.find("eventgate-wikimedia") != std::string::npos;
  if (!module.empty() && !named && module.find("default-eventgate") == std::string::npos) {
    root.warn("eventgate_factory_module",
              ": JavaScript is not run; what counts is whether it names eventgate-wikimedia (the Wikimedia set-up)");
  }
  config.gate.wikimedia = named || !config.streams.stream_config_uri.empty();
  if (!config.gate.wikimedia) return;
  config.gate.stream_field = {FieldPath("meta.stream")};
  config.gate.id_field = FieldPath("meta.id");
  config.gate.dt_field = FieldPath("meta.dt");
}

/// Reads the causes for which error events are made, by the names that are their `error_type`.
void read_error_events_for(ConfigSection& root, GateOptions& gate) {
  const char* const kName = "error_events_for";
  std::map<std::string, std::size_t, std::less<>> causes;
  std::string known;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kFailureCauseCount; ++i) {
    const auto cause = static_cast<FailureCause>(i);
    if (cause == FailureCause::not_produced) continue;  // its error event would not be produced either
    if (is_of_beacon(cause)) continue;                  // whether it makes one is settled
    const std::string name(error_type(cause));
    causes.emplace(name, i);
    known += (known.empty() ? "" : ", ") + name;
    if (gate.error_events_for[i]) names.push_back(name);
  }
  root.texts(kName, names);
  gate.error_events_for.reset();
  for (const std::string& name : names) {
    if (const auto cause = causes.find(name); cause != causes.end()) {
      gate.error_events_for.set(cause->second);
    } else {
      root.problem(kName, name, "some of " + known);
    }
  }
}

void read_gate(ConfigSection& root, GateOptions& gate) {
  root.fields("schema_uri_field", gate.schema_uri_field);
  root.text("schema_uri_query_param", gate.schema_uri_query_param);
  root.fields("stream_field", gate.stream_field);
  root.flag("stream_from_schema_uri", gate.stream_from_schema_uri);
  root.text("stream_query_param", gate.stream_query_param);
  if (const Json* prefix = root.take_text("topic_prefix"); prefix && *prefix == "") root.allow_blank("topic_prefix");
  root.text("topic_prefix", gate.topic_prefix);
  if (!gate.topic_prefix.empty() && !is_topic_name(gate.topic_prefix + "a")) {
    root.problem("topic_prefix", gate.topic_prefix,
                 "the start of a Kafka topic: at most 248 of a-z, A-Z, 0-9, '.', '_', '-'");
  }
  // An empty one is a value: there is no such field.
  for (const auto& [name, field] : {std::pair("id_field", &gate.id_field), std::pair("dt_field", &gate.dt_field)}) {
    if (const Json* value = root.take_text(name); value && *value == "") {
      root.allow_blank(name);
      *field = FieldPath();
    }
    root.field(name, *field);
  }
  root.duration("max_future_dt", gate.max_future_dt, milliseconds(0), kYear);
  const auto own_stream = [&root](const char* name, std::string& stream) {
    root.text(name, stream);
    if (stream.empty() || is_topic_name(stream)) return;
    root.problem(name, stream,
                 "a name that may be a Kafka topic: 1 to 249 of a-z, A-Z, 0-9, '.', '_', '-', not '.' or '..'");
  };
  own_stream("error_stream", gate.error_stream);
  root.text("error_schema_uri", gate.error_schema_uri);
  read_error_events_for(root, gate);
  own_stream("ledger_stream", gate.ledger_stream);
  root.text("ledger_schema_uri", gate.ledger_schema_uri);
  root.size("max_raw_event", gate.max_raw_event, 0, kGigabyte);

  const char* const kHeaders = "http_request_headers_to_fields";
  if (const Json* headers = root.take(kHeaders)) {
    const std::string expected = "an object of a header's name to the dotted path of a field";
    if (!headers->is_object()) {
      root.problem(kHeaders, *headers, expected);
    } else {
      ConfigSection section = root.section(kHeaders);
      gate.http_request_headers_to_fields.clear();
      for (const auto& [header, field] : headers->items()) {
        if (field.is_string() && !field.get_ref<const std::string&>().empty() && !header.empty()) {
          gate.http_request_headers_to_fields.emplace_back(to_ascii_lower(header),
                                                           FieldPath(field.get_ref<const std::string&>()));
        } else if (!field.is_null()) {
          section.problem(header, field, "the dotted path of a field");
        }
      }
    }
  }
  Json shown = Json::object();
  for (const auto& [header, field] : gate.http_request_headers_to_fields) shown[header] = field.dotted();
  root.note(kHeaders, shown);
}

void read_schema(ConfigSection& root, Config& config) {
  SchemaOptions& schema = config.schema;
  root.texts("schema_base_uris", schema.schema_base_uris);
  for (const std::string& base : schema.schema_base_uris) hold_to_readable_scheme(root, "schema_base_uris", base);
  root.text("schema_file_extension", schema.schema_file_extension);
  root.flag("allow_absolute_schema_uris", schema.allow_absolute_schema_uris);
  config.gate.allow_absolute_schema_uris = schema.allow_absolute_schema_uris;
  root.flag("allow_insecure_schemas", schema.allow_insecure_schemas);
  root.texts("schema_precache_uris", schema.schema_precache_uris);
  root.flag("schema_precache_required", schema.schema_precache_required);
  root.number("schema_cache_size", schema.schema_cache_size, 1, 10'000'000);
  root.duration("schema_latest_ttl", schema.schema_latest_ttl, milliseconds(0), kYear);
  root.duration("schema_negative_ttl", schema.schema_negative_ttl, milliseconds(0), kYear);
  // YAML 1.1 reads `off` as false.
  if (const Json* revalidate = root.take("schema_revalidate");
      !revalidate || *revalidate == false || *revalidate == "off") {
    root.note("schema_revalidate", "off");
  } else {
    root.duration("schema_revalidate", schema.schema_revalidate, milliseconds(0), kYear);
  }
  root.size("max_schema_size", config.schema_reader.max_size, kKilobyte, kGigabyte);
  root.number("max_schema_depth", config.schema_reader.max_depth, 1, 1000);
}

void read_streams(ConfigSection& root, Config& config) {
  root.text("stream_config_object_path", config.streams.stream_config_object_path);
  root.duration("stream_config_ttl", config.streams.stream_config_ttl, milliseconds(0), kYear, std::chrono::seconds(1));
  root.number("stream_config_retries", config.streams.stream_config_retries, 0, 1000);
  root.size("max_stream_config_size", config.stream_reader.max_size, kKilobyte, kGigabyte);

  ConfigSection section = root.section("stream_config_uri_options");
  section.allow_null("headers");
  const Json* headers = section.take("headers");
  if (headers && !headers->is_object()) {
    section.problem("headers", *headers, "an object of a header's name to its value");
  } else if (headers) {
    ConfigSection values = section.section("headers");
    for (const auto& [name, value] : headers->items()) {
      std::string text;
      values.text(name, text);
      if (!text.empty()) config.stream_reader.headers.emplace_back(name, std::move(text));
    }
    values.finish();
  }
  section.note("headers", headers ? *headers : Json());
  section.finish();
}

void read_fetch(ConfigSection& root, Config& config) {
  UriReaderOptions& reader = config.schema_reader;
  root.duration("fetch_connect_timeout", reader.fetch_connect_timeout, milliseconds(1), hours(1));
  root.duration("fetch_timeout", reader.fetch_timeout, milliseconds(1), hours(1));
  root.text("ca_file", reader.ca_file);
  root.text("cache_dir", config.streams.cache_dir);
  config.schema.cache_dir = config.streams.cache_dir;
  config.stream_reader.fetch_connect_timeout = reader.fetch_connect_timeout;
  config.stream_reader.fetch_timeout = reader.fetch_timeout;
  config.stream_reader.ca_file = reader.ca_file;
}

void read_file_output(ConfigSection& root, Config& config) {
  FileSinkOptions file;
  std::string path;
  milliseconds retention{0};
  root.refuse_nothing("output_path", "a file, a folder with a slash at its end, or stdout");
  root.text("output_path", path);
  root.flag("output_fsync", file.output_fsync);
  root.duration("output_retention", retention, milliseconds(0), hours(24 * 36500));
  if (retention % hours(1) != milliseconds(0)) {
    root.problem("output_retention", duration_text(retention), "whole hours, such as 48h or 7d");
  }
  file.output_retention = std::chrono::duration_cast<hours>(retention);
  if (!path.empty()) file.output_path = path;
  if (!path.empty() || !config.kafka) config.file = std::move(file);
}

void read_spool(ConfigSection& root, Config& config) {
  ConfigSection section = root.section("spool");
  SpoolOptions spool;
  section.refuse_nothing("path", "the spool's folder; without it there is no spool");
  section.text("path", spool.path);
  section.duration("after", spool.after, milliseconds(1), hours(1));
  section.size("max_bytes", spool.max_bytes, kMegabyte, 1024 * 1024 * kGigabyte);
  section.size("min_free", spool.min_free, 0, 1024 * 1024 * kGigabyte);
  section.number("replay_rate", spool.replay_rate, 1, 10'000'000);
  if (!spool.path.empty() && !config.kafka) {
    section.problem("path", spool.path, "`kafka.conf` beside it: what is spooled is for Kafka");
  } else if (!spool.path.empty()) {
    config.kafka->spooled = true;
    // A new topic is there after topic.metadata.propagation.max.ms, and its client waits no longer than
    // produce_timeout.
    spool.warm_up = std::min(spool.warm_up, config.produce_timeout / 2);
    config.api.tell_durability = true;
    config.spool = std::move(spool);
  }
  section.finish();
}

void read_transforms(ConfigSection& root, bool wikimedia) {
  std::vector<std::string> names;
  root.texts("transforms", names);
  static const std::map<std::string, std::string, std::less<>> kNotDone{
      {"processEdgeUniques", "ids of the edge cookie are not added to events"},
      {"testKitchen", "events are not held to experiments, nor those of `test_kitchen.ua_denylist` dropped"}};
  for (const std::string& name : names) {
    const auto not_done = kNotDone.find(name);
    if (not_done != kNotDone.end()) {
      root.warn("transforms", ": " + name + " is not done: " + not_done->second);
    } else if (name != "eventgateWikimediaDefaults") {
      root.warn("transforms",
                ": " + name + " is not done: events are produced without it; eventgateWikimediaDefaults " + "is known");
    } else if (!wikimedia) {
      root.warn("transforms", ": " + name + " is done in the Wikimedia set-up only: set `stream_config_uri`");
    }
  }
}

Config config_of(ConfigDocument& document) {
  Config config;
  config.stream_reader.max_size = 16 * kMegabyte;
  ConfigSection root(document);

  // The document holds of `services` what is left of it: the name.
  ConfigSection services = root.section("services");
  if (const Json* name = services.take("name")) {
    if (name->is_string() && !name->get_ref<const std::string&>().empty()) {
      config.service_name = name->get<std::string>();
    } else {
      services.problem("name", *name, "the service's name, a string");
    }
  }
  root.text("service_name", config.service_name);
  if (const Json* workers = root.take("num_workers"); workers && *workers == "ncpu") {
    root.note("num_workers", 0);
  } else if (workers && workers->is_string() &&
             workers->get_ref<const std::string&>().find_first_not_of("0123456789") != std::string::npos) {
    root.problem("num_workers", *workers, "ncpu, or a whole number from 0 to 1024");
  } else {
    root.number("num_workers", config.num_workers, 0, 1024);
  }

  read_logging(root, config.logging);
  read_metrics(root, config.http);
  std::string user_agent = config.gate.user_agent;
  root.text("user_agent", user_agent);
  if (!user_agent.empty()) config.gate.user_agent = std::move(user_agent);
  read_set_up(root, config);
  read_http(root, config.http, config.api);
  read_gate(root, config.gate);
  require_two_ports(root, config.http);
  read_schema(root, config);
  read_streams(root, config);
  read_wiki_streams(root, config);
  read_canary(root, config.gate);
  read_fetch(root, config);
  root.duration("produce_timeout", config.produce_timeout, milliseconds(1), hours(1));
  root.duration("startup_timeout", config.startup_timeout, milliseconds(0), hours(1));
  root.duration("shutdown_timeout", config.shutdown_timeout, milliseconds(0), hours(1));
  read_read_side(root, config);
  read_kafka(root, config);
  // Files alone take events under the name of their schema, as the original's do.
  if (!config.kafka) config.gate.stream_from_schema_uri = true;
  read_file_output(root, config);
  read_spool(root, config);
  settle_read_side(root, config);
  read_live(root, config);
  read_legacy(root, config);
  read_transforms(root, config.gate.wikimedia);

  root.ignore({"worker_heap_limit_mb", "worker_heartbeat_timeout", "worker_startup_timeout", "worker_shutdown_timeout",
               "startup_concurrency", "ratelimit", "ratelimiter", "dns_cache", "app_base_path", "package", "info",
               "spec", "proxy", "no_proxy_list", "compression_level", "log_header_whitelist", "log_header_allowlist",
               "test_kitchen"});
  root.finish();

  config.logging.name = config.service_name;
  config.api.service_name = config.service_name;
  config.gate.json = config.api.json;
  config.gate.service_name = config.service_name;
  config.gate.schema_load_timeout = config.http.request_timeout;
  config.schema_reader.user_agent = config.gate.user_agent;
  config.stream_reader.user_agent = config.gate.user_agent;
  return config;
}

/// Warns of the variable by which Node, which runs the original, is told of an authority of one's own. Fetches by https
/// read it, too.
void warn_of_node_certificates(Config& config) {
  const char* const file = std::getenv("NODE_EXTRA_CA_CERTS");
  const auto is_https = [](const std::string& uri) { return uri.starts_with("https:"); };
  const auto& bases = config.schema.schema_base_uris;
  const auto& streams = config.streams.stream_config_uri;
  const bool asks = config.gate.allow_absolute_schema_uris || std::any_of(bases.begin(), bases.end(), is_https) ||
                    std::any_of(streams.begin(), streams.end(), is_https);
  if (!file || !*file || !asks) return;
  const std::string what = std::string("NODE_EXTRA_CA_CERTS names '") + file + "'";
  if (!config.schema_reader.ca_file.empty()) {
    config.warnings.push_back(what + ", which is not read, because ca_file is set");
  } else if (!std::ifstream(file)) {
    config.warnings.push_back(what + ", which cannot be read: https trusts the certificates of the system only");
  } else {
    config.warnings.push_back(
        what + ": https trusts its certificates besides those of the system. `ca_file` names them in the config");
  }
}

Result result_of(ConfigDocument& document) {
  const bool was_read = document.problems.empty();
  Config config = config_of(document);
  config.warnings = std::move(document.warnings);
  warn_of_node_certificates(config);
  config.unset_variables = std::move(document.unset_variables);
  config.options = std::move(document.options);
  if (document.problems.empty()) return config;
  ConfigProblems found{std::move(document.problems), nullptr};
  if (was_read) found.rest = std::make_shared<const Config>(std::move(config));
  return found;
}

/// Whoever writes schemas sees within a second what a change does.
void set_up_for_development(Config& config) {
  constexpr milliseconds kSecond{1000};
  const auto at_most_a_second = [&](milliseconds& time, bool is_never_if_zero) {
    if (time > kSecond || (is_never_if_zero && time == milliseconds(0))) time = kSecond;
  };
  at_most_a_second(config.schema.schema_latest_ttl, false);
  at_most_a_second(config.schema.schema_negative_ttl, false);
  at_most_a_second(config.schema.schema_revalidate, true);
  at_most_a_second(config.streams.stream_config_ttl, true);
  config.schema.schema_revalidate_first = true;
  config.api.note_failures = true;
  config.logging.readable_on_terminal = true;
  config.dev = true;
}

// --- files

/// Whether there is nothing but comments.
bool is_blank(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t start = line.find_first_not_of(" \t\r");
    if (start != std::string::npos && line[start] != '#') return false;
  }
  return true;
}

/// Adds to `problems` if the file cannot be read.
void merge_file(const std::string& path, ConfigDocument& document) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxFileSize + 1, '\0');
  if (file) {
    errno = 0;
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
  }
  if (!file && !file.eof()) {
    document.problems.push_back(path + ": expected a file that can be read: " + std::strerror(errno));
    return;
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxFileSize) {
    document.problems.push_back(path + ": expected a file of at most " + std::to_string(kMaxFileSize) + " bytes");
    return;
  }
  if (is_blank(text)) return;
  const Placeholders placeholders(text);
  auto parsed = parse_object_text(placeholders.text());
  if (parsed.has_error()) {
    document.problems.push_back(path + ": expected YAML or JSON: " + parsed.error().message);
    return;
  }
  placeholders.resolve(*parsed, path, document);
  document.merge(path, *parsed);
}

}  // namespace

Result read_config(const std::vector<std::string>& files, ConfigUse use) {
  ConfigDocument document;
  const bool is_dev = use == ConfigUse::development;
  if (is_dev) document.merge("--dev", {{"live", true}, {"interface", "127.0.0.1"}});
  for (const std::string& file : files) merge_file(file, document);
  Result result = result_of(document);
  if (result && is_dev) set_up_for_development(*result);
  return result;
}

Result config_of(const Json& document, const std::string& file) {
  ConfigDocument merged;
  merged.merge(file, document);
  return result_of(merged);
}

}  // namespace eventgate

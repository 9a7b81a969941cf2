#include "server_options.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "eventgate/base/ascii.hpp"
#include "eventgate/http/origin.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::hours;
using std::chrono::milliseconds;

LogLevel log_level(ConfigSection& section, LogLevel level) {
  const Json* value = section.take("level");
  if (value && !(value->is_string() && parse_log_level(value->get_ref<const std::string&>(), level))) {
    section.problem("level", *value, "trace, debug, info, warn, error or fatal");
  }
  return level;
}

/// Reads the value of a header. `false` gives `none`.
void read_header(ConfigSection& root, const char* name, std::optional<std::string>& out,
                 std::optional<std::string> none) {
  const Json* value = root.take(name);
  if (value && value->is_boolean() && !value->get<bool>()) {
    out = std::move(none);
    root.note(name, false);
    return;
  }
  std::string text = out.value_or("");
  if (value && value->is_boolean()) {
    root.problem(name, *value, "the value of a header, or false");
  } else {
    root.text(name, text);
    if (!text.empty()) out = std::move(text);
  }
}

/// Reads `cors` as a list of origins.
void read_origins(ConfigSection& root, const Json& list, std::vector<std::string>& out) {
  for (const Json& entry : list) {
    const std::string reason = entry.is_string() ? origin_problem(entry.get_ref<const std::string&>())
                                                 : "an entry is a text; 'null' is in quotes";
    if (!reason.empty())
      root.problem("cors", entry, "an origin as browsers write it, such as https://example.org: " + reason);
  }
  if (list.empty()) root.problem("cors", list, "at least one origin; false allows no page to read replies");
  if (list.empty() || !std::all_of(list.begin(), list.end(), [](const Json& entry) { return entry.is_string(); }))
    return;
  out = list.get<std::vector<std::string>>();
  root.note("cors", list);
}

/// Reads a list of names of header fields (RFC 9110, section 5.6.2).
void read_field_names(ConfigSection& root, const char* name, std::optional<std::vector<std::string>>& out) {
  std::vector<std::string> names;
  const Json* const value = root.take(name);
  if (!value || (value->is_array() && value->empty())) {
    if (value) out.emplace();
    root.note(name, value ? *value : Json());
    return;
  }
  root.texts(name, names);
  for (const std::string& each : names) {
    const bool good = std::all_of(each.begin(), each.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
    if (!good) root.problem(name, each, "names of header fields, each an entry of a list");
  }
  if (!names.empty()) out = std::move(names);
}

void read_cors(ConfigSection& root, HttpOptions& http) {
  root.refuse_nothing("cors", "the value of a header, such as '*', or reflect, a list of origins, or false");
  const Json* const value = root.take("cors");
  if (value && value->is_array()) {
    read_origins(root, *value, http.cors_origins);
  } else {
    read_header(root, "cors", http.cors, std::nullopt);
  }
  root.flag("cors_credentials", http.cors_credentials);
  if (http.cors_credentials && http.cors_origins.empty() && (!http.cors || *http.cors == "*"))
    root.problem("cors_credentials", true, "cors: reflect, or a list of origins: browsers take no * with credentials");
  read_field_names(root, "cors_allow_headers", http.cors_allow_headers);
  read_field_names(root, "cors_expose_headers", http.cors_expose_headers);
  root.duration("cors_max_age", http.cors_max_age, milliseconds(0), hours(24));
}

}  // namespace

void read_logging(ConfigSection& root, LoggingOptions& logging) {
  ConfigSection section = root.section("logging");
  logging.level = log_level(section, logging.level);
  constexpr std::array<const char*, 6> kLevels{"trace", "debug", "info", "warn", "error", "fatal"};
  section.note("level", kLevels[static_cast<std::size_t>(logging.level)]);
  section.ignore({"name", "sampled_levels", "log_components"});

  section.allow_null("streams");
  const Json* streams = section.take("streams");
  if (streams && !streams->is_array()) {
    section.problem("streams", *streams, "a list of objects with `type`: stdout, stderr or file");
    streams = nullptr;
  }
  bool found = false;
  for (std::size_t i = 0; streams && i < streams->size(); ++i) {
    if (!(*streams)[i].is_object()) {
      section.problem("streams", (*streams)[i], "an object with `type`: stdout, stderr or file");
      continue;
    }
    ConfigSection stream = section.element("streams", i, (*streams)[i]);
    std::string type;
    std::string path;
    stream.text("type", type);
    if (type != "stdout" && type != "stderr" && type != "file") {
      stream.warn("type", " is `" + type + "`: no such lines are written; stdout, stderr and file are known");
      continue;
    }
    if (found) {
      stream.warn("type", ": a second stream is not written; only the first one is");
      continue;
    }
    found = true;
    stream.text("path", path);
    if (type == "file" && path.empty()) stream.problem("path", Json(), "the path of a file");
    logging.output = type == "file" ? path : type;
    logging.level = log_level(stream, logging.level);
    stream.flag("named_levels", logging.named_levels);
    stream.finish();
  }
  section.note("streams", streams ? *streams : Json());
  section.finish();
}

void read_metrics(ConfigSection& root, HttpOptions& http) {
  root.allow_null("metrics");
  const Json* metrics = root.take("metrics");
  const Json list = !metrics ? Json::array() : metrics->is_array() ? *metrics : Json::array({*metrics});
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!list[i].is_object()) {
      root.problem("metrics", list[i], "an object with `type: prometheus`, `port` and `interface`, or a list of them");
      continue;
    }
    ConfigSection entry =
        metrics && metrics->is_array() ? root.element("metrics", i, list[i]) : root.section("metrics");
    std::string type;
    entry.text("type", type);
    if (type != "prometheus") {
      entry.warn("type", " is `" + type + "`: no such metrics are sent; prometheus is known");
      continue;
    }
    if (http.metrics_port) {
      entry.warn("type", ": metrics are served on the first port only");
      continue;
    }
    std::uint16_t port = 9102;
    entry.number("port", port, 0, 65535);
    entry.text("interface", http.metrics_interface);
    entry.ignore({"name", "host", "prefix", "batch", "collect_default"});
    entry.finish();
    http.metrics_port = port;
  }
  root.note("metrics", metrics ? *metrics : Json());
}

void read_http(ConfigSection& root, HttpOptions& http, ApiOptions& api) {
  root.number("port", http.port, 0, 65535);
  root.text("interface", http.interface);
  read_cors(root, http);
  read_header(root, "csp", http.csp, "");
  root.flag("client", api.client);
  root.size("max_body_size", http.max_body_size, 1, kGigabyte);
  root.size("max_header_size", http.max_header_size, 256, kMegabyte);
  root.number("max_header_count", http.max_header_count, 1, 10000);
  root.duration("header_timeout", http.header_timeout, milliseconds(1), hours(1));
  root.duration("request_timeout", http.request_timeout, milliseconds(1), hours(24));
  root.duration("keepalive_timeout", http.keepalive_timeout, milliseconds(0), hours(24));
  root.number("max_connections", http.max_connections, 1, 10'000'000);
  root.size("max_inflight_bytes", http.max_inflight_bytes, 1, 1024 * kGigabyte);
  root.number("max_events", api.max_events, 1, 10'000'000);
  root.number("max_json_depth", api.json.depth, 1, 1000);
  if (http.max_inflight_bytes < http.max_body_size) {
    const Json* value = root.take("max_inflight_bytes");
    root.problem("max_inflight_bytes", value ? *value : Json(),
                 "at least max_body_size, or no request of that size fits");
  }

  if (const Json* tests = root.take("test_events")) {
    const Json list = tests->is_object() ? Json::array({*tests}) : *tests;
    if (!list.is_array() ||
        !std::all_of(list.begin(), list.end(), [](const Json& event) { return event.is_object(); })) {
      root.problem("test_events", *tests, "a list of events, each an object");
    } else if (!list.empty()) {
      api.test_events = list.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    root.note("test_events", *tests);
  } else {
    root.note("test_events", Json());
  }
}

void read_token(ConfigSection& root, const std::string& name, const std::string& without, std::string& out) {
  constexpr std::size_t kLeast = 16;
  const Json* const value = root.take_text(name);
  root.note(name, value ? Json("(not shown)") : Json());
  if (!value) {
    root.refuse_nothing(name, "a string of at least 16 characters; " + without);
    return;
  }
  const Json text = root.as_text(name, *value);
  const std::string token = text.is_string() ? text.get<std::string>() : "";
  // RFC 6750, section 2.1.
  const bool good = std::all_of(token.begin(), token.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/=").find(c) != std::string_view::npos;
  });
  if (!good || token.size() < kLeast) {
    root.problem(
        name, Json("(not shown)"),
        "a string of at least " + std::to_string(kLeast) + " of a-z, A-Z, 0-9, '-', '.', '_', '~', '+', '/', '='");
    return;
  }
  out = token;
}

void read_live(ConfigSection& root, Config& config) {
  root.flag("live", config.live);
  read_token(root, "live_token", "without it only clients of this host see events", config.api.live_token);
}

void require_two_ports(ConfigSection& root, const HttpOptions& http) {
  if (http.port == 0 || http.metrics_port != http.port) return;
  const std::string& metrics = http.metrics_interface.empty() ? http.interface : http.metrics_interface;
  const auto is_any = [](const std::string& interface) { return interface == "0.0.0.0" || interface == "::"; };
  if (metrics == http.interface || is_any(metrics) || is_any(http.interface))
    root.problem("metrics", *root.take("metrics"), "another port than `port`");
}

}  // namespace eventgate

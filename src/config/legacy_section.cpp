#include "legacy_section.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "eventgate/base/ascii.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDefaultVersion = "default";

/// Returns true if `version` can be the last segment of a schema_uri.
bool is_version(const Json& version) {
  if (!version.is_string()) return false;
  const auto& text = version.get_ref<const std::string&>();
  return !text.empty() && text != "." && text != ".." && std::all_of(text.begin(), text.end(), [](char c) {
    return is_ascii_alphanumeric(c) || c == '.' || c == '-' || c == '_';
  });
}

std::optional<std::int64_t> revision_of(const std::string& text) {
  std::int64_t revision = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), revision);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return revision;
}

/// Returns the versions of one schema, or nullopt if `value` is none.
std::optional<LegacySchema> versions_of(const Json& value) {
  LegacySchema schema;
  if (is_version(value)) {
    schema.version = value.get<std::string>();
    return schema;
  }
  if (!value.is_object() || value.empty()) return std::nullopt;
  for (const auto& [key, version] : value.items()) {
    const auto revision = revision_of(key);
    if (!is_version(version) || !(revision || key == kDefaultVersion)) return std::nullopt;
    if (revision) {
      schema.revisions.emplace(*revision, version.get<std::string>());
    } else {
      schema.version = version.get<std::string>();
    }
  }
  return schema;
}

void read_schemas(ConfigSection& section, LegacyOptions& legacy) {
  section.allow_null("schemas");
  const Json* const schemas = section.take("schemas");
  if (schemas && !schemas->is_object()) {
    section.problem("schemas", *schemas, "an object of a schema's name to its version, such as {Test: 1.3.0}");
  } else if (schemas) {
    ConfigSection names = section.section("schemas");
    for (const auto& [name, versions] : schemas->items()) {
      std::optional<LegacySchema> schema = versions_of(versions);
      if (name != kAnyLegacySchema && !is_legacy_schema_name(name)) {
        names.problem(name, versions, "another name: 1 to 63 of a-z, A-Z, 0-9, '_' and '-', or '*'");
      } else if (!schema) {
        names.problem(name, versions, "a version such as 1.0.0, or an object of revisions and `default` to versions");
      } else {
        legacy.schemas.emplace(name, *std::move(schema));
      }
    }
  }
  section.note("schemas", schemas ? *schemas : Json());
}

/// Returns true if another route has the path, or might have it.
bool is_taken(std::string_view path, const Config& config) {
  const std::string lower = to_ascii_lower(path);
  if (!config.api.stream_service.path.empty() && equals_ignoring_case(path, config.api.stream_service.path))
    return true;
  const std::string_view first = std::string_view(lower).substr(0, lower.find('/', 1));
  for (const std::string_view taken : {"/v1", "/v2", "/_info", "/live", "/healthz", "/readyz", "/robots.txt", "/"})
    if (first == taken) return true;
  return false;
}

void read_routes(ConfigSection& section, LegacyOptions& legacy, const Config& config) {
  section.texts("routes", legacy.routes);
  for (const std::string& path : legacy.routes) {
    const bool has_form =
        path.size() > 1 && path.starts_with('/') && !path.ends_with('/') &&
        std::all_of(path.begin(), path.end(), [](char c) {
          return is_ascii_alphanumeric(c) || std::string_view("/-._~").find(c) != std::string_view::npos;
        });
    if (!has_form) {
      section.problem("routes", path, "paths of a-z, A-Z, 0-9, '-', '.', '_', '~' and '/', such as /beacon/event");
    } else if (is_taken(path, config)) {
      section.problem("routes", path, "paths that no other route has");
    }
  }
  if (legacy.routes.empty()) section.problem("routes", Json::array(), "at least one path");
}

void read_senders(ConfigSection& section, LegacyOptions& legacy) {
  section.texts("web_hosts", legacy.web_hosts);
  for (const std::string& host : legacy.web_hosts)
    if (host.empty() || host.find_first_of("/:* ") != std::string::npos || host.starts_with('.'))
      section.problem("web_hosts", host, "host names without port, such as wikipedia.org");
  section.flag("web_host_required", legacy.web_host_required);
  section.text("user_agent_regexes", legacy.user_agent_regexes);
  std::string bots = "accept";
  section.text("bots", bots);
  if (bots != "accept" && bots != "mark" && bots != "drop") section.problem("bots", bots, "accept, mark or drop");
  legacy.bots = bots == "drop"   ? LegacyOptions::Bots::drop
                : bots == "mark" ? LegacyOptions::Bots::mark
                                 : LegacyOptions::Bots::accept;
  if (legacy.bots != LegacyOptions::Bots::accept && legacy.user_agent_regexes.empty())
    section.problem("bots", bots, "`user_agent_regexes` beside it: without its rules no bot is known");
}

/// Beacons name their schema and their stream in these fields.
void require_fields(ConfigSection& root, const GateOptions& gate) {
  const auto begins_with = [](const std::vector<FieldPath>& fields, const char* name) {
    return !fields.empty() && fields.front().dotted() == name;
  };
  if (!begins_with(gate.schema_uri_field, "$schema"))
    root.warn("legacy", ": beacons become events with `$schema`, which is not the first of `schema_uri_field`");
  if (!begins_with(gate.stream_field, "meta.stream"))
    root.warn("legacy", ": beacons become events with `meta.stream`, which is not the first of `stream_field`");
}

}  // namespace

void read_legacy(ConfigSection& root, Config& config) {
  ConfigSection section = root.section("legacy");
  const bool is_present = !section.empty();
  LegacyOptions legacy;
  read_routes(section, legacy, config);
  read_schemas(section, legacy);
  std::string answer = "received";
  section.text("answer", answer);
  if (answer != "received" && answer != "outcome") section.problem("answer", answer, "received or outcome");
  if (answer == "outcome") legacy.answer = LegacyOptions::Answer::outcome;
  read_senders(section, legacy);
  section.size("max_query", legacy.max_query, 1, kMegabyte);
  section.flag("ip", legacy.ip);
  section.finish();
  if (!is_present) return;
  if (!config.intake) return root.warn("legacy", " has no effect with `intake: false`");
  if (legacy.schemas.empty()) root.warn("legacy", ": every beacon is refused, because `legacy.schemas` has none");
  if (legacy.max_query >= config.http.max_header_size)
    root.warn("legacy", ": `max_query` does not fit into `max_header_size`, so that longer URLs get 431 before");
  require_fields(root, config.gate);
  config.legacy = std::move(legacy);
}

}  // namespace eventgate

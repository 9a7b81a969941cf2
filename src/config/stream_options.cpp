#include "stream_options.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "eventgate/base/ascii.hpp"
#include "eventgate/streams/wiki_declarations.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::hours;
using std::chrono::milliseconds;

constexpr const char* kWikiName = "1 to 64 of a-z, 0-9, '_', '-'";

/// Returns true for a path that no route of the gate has. Letters of paths count in either case.
bool is_free_path(const std::string& path) {
  constexpr std::array<std::string_view, 6> kTaken{"/live", "/healthz", "/readyz", "/robots.txt", "/metrics", "/v2"};
  const std::string lower = to_ascii_lower(path);
  const bool is_plain = std::all_of(path.begin(), path.end(), [](char c) {
    return is_ascii_alphanumeric(c) || std::string_view("/._-~").find(c) != std::string_view::npos;
  });
  return is_plain && path.size() > 1 && path.size() <= 1000 && path.front() == '/' && path.back() != '/' &&
         !lower.starts_with("/v1") && !lower.starts_with("/v2/") && !lower.starts_with("/_info") &&
         std::find(kTaken.begin(), kTaken.end(), lower) == kTaken.end();
}

void read_groups(ConfigSection& root, WikiGroups& groups) {
  const char* const kGroups = "stream_config_groups";
  root.allow_null(kGroups);
  const Json* const value = root.take(kGroups);
  root.note(kGroups, value ? *value : Json());
  if (!value) return;
  if (!value->is_object()) {
    root.problem(kGroups, *value, "an object of a wiki to the list of its groups");
    return;
  }
  ConfigSection section = root.section(kGroups);
  for (const auto& [wiki, of_wiki] : value->items()) {
    if (!is_wiki_name(wiki)) {
      section.problem(wiki, of_wiki, std::string("a wiki's name as key: ") + kWikiName);
      continue;
    }
    const bool is_good = of_wiki.is_array() && std::all_of(of_wiki.begin(), of_wiki.end(), [](const Json& group) {
                           return group.is_string() && is_wiki_name(group.get_ref<const std::string&>());
                         });
    if (is_good) {
      groups[wiki] = of_wiki.get<std::vector<std::string>>();
    } else {
      section.problem(wiki, of_wiki, std::string("a list of names of groups, each ") + kWikiName);
    }
  }
}

void read_service(ConfigSection& root, StreamServiceOptions& service) {
  ConfigSection section = root.section("stream_config_service");
  section.text("path", service.path);
  if (!service.path.empty() && !is_free_path(service.path)) {
    section.problem("path", service.path,
                    "a path that no other route has, of letters, digits, '/', '.', '_', '-', '~', such as /w/api.php");
    service.path.clear();
  }
  section.allow_null("wikis");
  const Json* const wikis = section.take("wikis");
  section.note("wikis", wikis ? *wikis : Json());
  if (wikis && !wikis->is_object()) {
    section.problem("wikis", *wikis, "an object of a Host to the wiki that it stands for");
  } else if (wikis) {
    ConfigSection hosts = section.section("wikis");
    for (const auto& [host, wiki] : wikis->items()) {
      if (!host.empty() && wiki.is_string() && is_wiki_name(wiki.get_ref<const std::string&>())) {
        service.wikis[to_ascii_lower(host)] = wiki.get<std::string>();
      } else {
        hosts.problem(host, wiki, std::string("a wiki's name: ") + kWikiName);
      }
    }
  }
  section.finish();
}

}  // namespace

void read_wiki_streams(ConfigSection& root, Config& config) {
  const char* const kDefaults = "stream_config_default_settings";
  root.allow_null(kDefaults);
  const Json* const defaults = root.take(kDefaults);
  root.note(kDefaults, defaults ? *defaults : Json());
  if (defaults && !defaults->is_object()) {
    root.problem(kDefaults, *defaults, "an object of settings, or one for each wiki and group");
  } else if (defaults && is_per_wiki(*defaults) &&
             !std::all_of(defaults->begin(), defaults->end(), [](const Json& of) { return of.is_object(); })) {
    root.problem(kDefaults, *defaults, "an object of settings for each wiki and group");
  } else if (defaults) {
    config.streams.stream_config_default_settings = defaults->dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  read_groups(root, config.streams.stream_config_groups);
  std::string wiki = config.streams.stream_config_wiki;
  root.text("stream_config_wiki", wiki);
  if (is_wiki_name(wiki)) {
    config.streams.stream_config_wiki = wiki;
  } else {
    root.problem("stream_config_wiki", wiki, kWikiName);
  }
  read_service(root, config.api.stream_service);
  config.api.stream_service.own_wiki = config.streams.stream_config_wiki;
}

void read_canary(ConfigSection& root, GateOptions& gate) {
  ConfigSection section = root.section("canary");
  milliseconds interval{0};
  section.duration("interval", interval, milliseconds(0), hours(24));
  if (interval % std::chrono::seconds(1) != milliseconds(0) ||
      (interval.count() > 0 && interval < std::chrono::seconds(10))) {
    section.problem("interval", duration_text(interval), "whole seconds, 10s or more, such as 15m; or 0s for none");
    interval = {};
  }
  gate.canary_interval = std::chrono::duration_cast<std::chrono::seconds>(interval);
  section.finish();
}

}  // namespace eventgate

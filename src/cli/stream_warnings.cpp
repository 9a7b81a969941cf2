#include "stream_warnings.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "canary_source.hpp"
#include "eventgate/base/ordered_json.hpp"
#include "eventgate/json/printable.hpp"
#include "eventgate/streams/stream_documents.hpp"
#include "eventgate/tables/table_columns.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDefaultName = "eventgate";  // of a service whose name is not set
constexpr std::size_t kMaxNamed = 8;

/// Settings of `producers` that do nothing beside it.
constexpr std::array<std::string_view, 4> kInsideProducers{"eventgate", "metrics_platform_client",
                                                           "enrich_fields_from_http_headers", "use_edge_uniques"};

std::string text_at(const Json& settings, const char* name) {
  const Json* const value = find_member(settings, name);
  return value && value->is_string() ? value->get<std::string>() : std::string();
}

bool is_regex(const std::string& name) { return name.starts_with('/'); }

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMaxNamed); ++i) text += (i > 0 ? ", '" : "'") + names[i] + "'";
  if (names.size() > kMaxNamed) text += " and " + std::to_string(names.size() - kMaxNamed) + " more";
  return text;
}

/// Returns why no client takes the `sample` of a stream, or nullopt.
std::optional<std::string> sample_problem(const Json& settings) {
  const Json* const sample = find_member(settings, "sample");
  if (!sample) return std::nullopt;
  if (!sample->is_object()) return "`sample` is no object: no client sends its events; expected {unit, rate}";
  const Json* const rate = find_member(*sample, "rate");
  if (!rate || !rate->is_number() || rate->get<double>() < 0 || rate->get<double>() > 1)
    return "`sample.rate` is " + (rate ? rate->dump() : "missing") + ": expected a number from 0 to 1";
  const std::string unit = text_at(*sample, "unit");
  if (unit == "pageview" || unit == "session" || unit == "device") return std::nullopt;
  return "`sample.unit` is " + (unit.empty() ? "missing" : "'" + unit + "'") +
         ": no client sends its events; expected pageview, session or device";
}

class StreamWarnings {
 public:
  StreamWarnings(const Config& config, const WikiDeclarations& declarations, std::string wiki)
      : config_(config), declarations_(declarations), wiki_(std::move(wiki)) {}

  std::vector<std::string> all(Telemetry& telemetry) {
    std::vector<std::string> wikis{wiki_.empty() ? config_.streams.stream_config_wiki : wiki_};
    if (wiki_ == "all") {
      wikis = declarations_.wikis();
      wikis.insert(wikis.begin(), "default");
    }
    for (const std::string& wiki : wikis) look_at(wiki);
    std::vector<std::string> warnings;
    for (const auto& [text, of] : by_text_)
      warnings.push_back(wiki_.empty() ? text : text + " (for " + unquoted(of) + ')');
    look_at_keys(warnings);
    look_at_others(warnings);
    look_at_canaries(warnings, telemetry);
    for (std::string& warning : warnings) warning = printable(warning);
    return warnings;
  }

 private:
  static std::string unquoted(const std::vector<std::string>& names) {
    std::string text = listed(names);
    text.erase(std::remove(text.begin(), text.end(), '\''), text.end());
    return text;
  }

  void warn(const std::string& wiki, const std::string& text) { by_text_[text].push_back(wiki); }

  void look_at(const std::string& wiki) {
    std::map<std::string, std::string> tables;
    std::vector<std::string> elsewhere;
    const Json declared = declarations_.of(wiki);
    for (const auto& [name, settings] : declared.items()) {
      const std::string stream = "stream '" + name + "': ";
      if (!settings.is_object()) continue;
      if (const auto problem = sample_problem(settings)) warn(wiki, stream + *problem);
      // Of the gate's own wiki these are problems: see check_streams.
      if (wiki != config_.streams.stream_config_wiki) {
        if (text_at(settings, "schema_title").starts_with('/'))
          warn(wiki, stream + "`schema_title` begins with a slash, and no schema's title does");
        for (const std::string_view setting : kInsideProducers)
          if (find_member(settings, setting))
            warn(wiki, stream + "`" + std::string(setting) + "` does nothing here: expected it inside `producers`");
      }
      const std::string service = text_at(settings, "destination_event_service");
      if (config_.service_name != kDefaultName && !service.empty() && service != config_.service_name)
        elsewhere.push_back(name);
      if (is_regex(name)) continue;
      look_at_topics(wiki, name, settings);
      const auto [table, is_new] = tables.emplace(sql_name(name), name);
      if (!is_new)
        warn(wiki, "streams '" + table->second + "' and '" + name + "' are one table, '" + table->first + "'");
    }
    if (!elsewhere.empty())
      warn(wiki, "destination_event_service is not service_name, '" + config_.service_name + "', for " +
                     std::to_string(elsewhere.size()) + " streams: " + listed(elsewhere));
  }

  void look_at_topics(const std::string& wiki, const std::string& name, const Json& settings) {
    const Json* const topics = find_member(settings, "topics");
    if (!topics || !topics->is_array()) return;
    for (const Json& topic : *topics) {
      if (topic.is_string() && topic.get_ref<const std::string&>().ends_with(name)) continue;
      warn(wiki, "stream '" + name + "': no topic_prefix makes the topic " +
                     topic.dump(-1, ' ', false, Json::error_handler_t::replace) + " of `topics`");
    }
  }

  void look_at_keys(std::vector<std::string>& warnings) const {
    std::vector<std::string> known{config_.streams.stream_config_wiki};
    for (const auto& [host, wiki] : config_.api.stream_service.wikis) known.push_back(wiki);
    for (const std::string& key : declarations_.orphan_keys(known))
      warnings.push_back("stream configs of '" + key +
                         "': no wiki has such a group; expected it in stream_config_groups, or a wiki of it there");
  }

  /// Streams that events cannot enter here, because they are declared for other wikis only.
  void look_at_others(std::vector<std::string>& warnings) const {
    const Json own = declarations_.of(config_.streams.stream_config_wiki);
    std::set<std::string> known;
    for (const auto& [name, settings] : own.items()) known.insert(name);
    std::map<std::string, std::vector<std::string>> others;
    for (const std::string& wiki : declarations_.wikis()) {
      const Json of_wiki = declarations_.of(wiki);
      for (const auto& [name, settings] : of_wiki.items())
        if (!known.contains(name)) others[name].push_back(wiki);
    }
    for (const auto& [name, wikis] : others)
      warnings.push_back("stream '" + name + "': declared for " + listed(wikis) + " only, not for '" +
                         config_.streams.stream_config_wiki + "' (stream_config_wiki): its events are refused");
  }

  void look_at_canaries(std::vector<std::string>& warnings, Telemetry& telemetry) const {
    std::optional<CanarySource> canaries;
    const StreamConfigs configs(declarations_.of(config_.streams.stream_config_wiki));
    for (const std::string& name : configs.stream_names()) {
      const StreamConfig* const stream = configs.find(name);
      if (!stream->schema_title || !has_canaries(*stream, config_.service_name)) continue;
      if (!canaries) canaries.emplace(config_, telemetry);
      if (const std::string problem = canaries->example_problem(name, *stream->schema_title); !problem.empty())
        warnings.push_back("stream '" + name + "': no canary can be made for it: " + problem);
    }
  }

  const Config& config_;
  const WikiDeclarations& declarations_;
  const std::string wiki_;
  std::map<std::string, std::vector<std::string>> by_text_;  ///< Wikis by warning.
};

}  // namespace

std::vector<std::string> stream_warnings(const Config& config, const std::string& wiki, Telemetry& telemetry) {
  const auto reader = make_uri_reader(config.stream_reader);
  const WikiDeclarations declarations = read_declarations(config.streams, config.streams.stream_config_uri, *reader);
  return StreamWarnings(config, declarations, wiki).all(telemetry);
}

}  // namespace eventgate

#include "eventgate/readers/exposed_streams.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "eventgate/base/quote.hpp"
#include "eventgate/base/topic_name.hpp"
#include "eventgate/streams/stream_configs.hpp"
#include "eventgate/streams/topic.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxName = 1000;  // bytes of a stream's name

std::string text_at(const Json& settings, const char* name) {
  const auto found = settings.find(name);
  return found != settings.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Returns the texts of a list, each once, or of one string. Nullopt: a part of it is no string.
std::optional<std::vector<std::string>> texts_at(const Json& settings, const char* name) {
  std::vector<std::string> texts;
  const auto found = settings.find(name);
  if (found == settings.end() || found->is_null()) return texts;
  for (const Json& one : found->is_array() ? *found : Json::array({*found})) {
    if (!one.is_string()) return std::nullopt;
    auto text = one.get<std::string>();
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
  }
  return texts;
}

/// Merges `from` over `into`: objects deeply, all else as a whole. Their depth is bounded by that of documents.
void merge_over(Json& into, const Json& from) {
  if (!into.is_object() || !from.is_object()) {
    into = from;
    return;
  }
  for (const auto& [name, value] : from.items()) {
    const auto found = into.find(name);
    if (found == into.end()) {
      into[name] = value;
    } else {
      merge_over(*found, value);
    }
  }
}

/// Makes the streams of merged stream configs.
class StreamMaker {
 public:
  StreamMaker(const Json& configs, const ExposedStreamOptions& options)
      : configs_(configs), options_(options), declared_(configs) {}

  std::vector<ExposedStream> streams;
  std::map<std::string, std::vector<RedactionRules::Rule>> rules;  ///< By topic.
  std::set<std::string> withheld;                                  ///< Topics with a rule that cannot be used.
  std::vector<std::string> problems;

  void make() {
    std::set<std::string> names;
    for (const auto& [name, settings] : configs_.items()) {
      // Rules count for a topic whichever of its streams is exposed.
      const auto topics = topics_of(name, settings);
      read_rules(name, settings, topics);
      if (!topics.empty() && is_allowed(name)) names.insert(name);
    }
    for (const auto& [name, settings] : configs_.items())
      if (names.contains(name)) add(name, settings, names);
  }

 private:
  void problem(const std::string& name, const std::string& what) {
    problems.push_back("Stream " + quote(name) + ": " + what);
  }

  bool is_allowed(const std::string& name) const {
    if (name.empty() || name[0] == '/' || name.size() > kMaxName || name.find(',') != std::string::npos) return false;
    return !options_.allowed_streams || std::find(options_.allowed_streams->begin(), options_.allowed_streams->end(),
                                                  name) != options_.allowed_streams->end();
  }

  std::vector<std::string> topics_of(const std::string& name, const Json& settings) {
    if (!settings.is_object()) return {};
    if (options_.intake && (!settings.contains("topics") || settings["topics"].is_null())) {
      if (name.empty() || name[0] == '/') return {};
      const auto topic = legal_topic(options_.topic_prefix, name, declared_.find(name));
      return topic ? std::vector<std::string>{*topic} : std::vector<std::string>();
    }
    return legal_topics(name, settings, "topics");
  }

  std::vector<std::string> legal_topics(const std::string& name, const Json& settings, const char* member) {
    auto topics = texts_at(settings, member);
    if (!topics || !std::all_of(topics->begin(), topics->end(), is_topic_name)) {
      problem(name, std::string("expected `") + member + "`, a list of names that Kafka takes for topics");
      return {};
    }
    return std::move(*topics);
  }

  void read_rules(const std::string& name, const Json& settings, const std::vector<std::string>& topics) {
    if (!settings.is_object() || !settings.contains("redact")) return;
    const ParsedRedaction parsed = parse_redaction(settings["redact"]);
    if (!parsed.problem.empty()) problem(name, "redact: " + parsed.problem + "; its events are withheld");
    std::vector<std::string> all = topics;
    for (std::string& topic : legal_topics(name, settings, "topics_allowed")) all.push_back(std::move(topic));
    for (const std::string& topic : all) {
      if (!parsed.problem.empty()) withheld.insert(topic);
      auto& of_topic = rules[topic];
      of_topic.insert(of_topic.end(), parsed.rules.begin(), parsed.rules.end());
    }
  }

  void add(const std::string& name, const Json& settings, std::set<std::string>& names) {
    ExposedStream stream;
    stream.name = name;
    stream.topics = topics_of(name, settings);
    stream.topics_allowed = legal_topics(name, settings, "topics_allowed");
    if (settings.contains("private") && !settings["private"].is_boolean())
      problem(name, "expected `private`, true or false; it counts as true");
    stream.is_private = settings.contains("private") && settings["private"] != false;
    stream.schema_title = text_at(settings, "schema_title");
    stream.description = text_at(settings, "description");
    if (stream.description.empty()) stream.description = name + " events.";
    stream.schema_uri = text_at(settings, "$schema");
    if (stream.schema_uri.empty() && !stream.schema_title.empty())
      stream.schema_uri = '/' + stream.schema_title + '/' + options_.schema_latest_version;
    const auto aliases = texts_at(settings, "stream_aliases");
    if (!aliases) problem(name, "expected `stream_aliases`, a list of names");
    for (const std::string& alias : aliases.value_or(std::vector<std::string>())) {
      if (alias.empty() || alias[0] == '/' || alias.find(',') != std::string::npos || alias.size() > kMaxName) {
        problem(name, "expected in `stream_aliases` names without a comma, and without a slash at their start");
      } else if (!names.insert(alias).second) {
        problem(name, "its alias " + quote(alias) + " is the name of another stream");
      } else {
        stream.aliases.push_back(alias);
      }
    }
    const ExposedStream declared = stream;
    streams.push_back(std::move(stream));
    for (const std::string& alias : declared.aliases) {
      ExposedStream other = declared;
      other.name = alias;
      other.alias_of = name;
      other.aliases.clear();
      streams.push_back(std::move(other));
    }
  }

  const Json& configs_;
  const ExposedStreamOptions& options_;
  const StreamConfigs declared_;
};

}  // namespace

ExposedStreams::ExposedStreams() = default;
ExposedStreams::ExposedStreams(ExposedStreams&&) noexcept = default;
ExposedStreams& ExposedStreams::operator=(ExposedStreams&&) noexcept = default;
ExposedStreams::~ExposedStreams() = default;

ExposedStreams::ExposedStreams(std::vector<ExposedStream> streams,
                               std::vector<std::pair<std::string, std::shared_ptr<const RedactionRules>>> rules)
    : streams_(std::move(streams)), rules_(std::move(rules)) {
  finish();
}

ExposedStreams::ExposedStreams(const Json& configs, const ExposedStreamOptions& options) {
  const Json merged = merged_stream_configs(Json::parse(options.stream_config_defaults), configs,
                                            Json::parse(options.stream_config_overrides));
  StreamMaker maker(merged, options);
  maker.make();
  streams_ = std::move(maker.streams);
  problems_ = std::move(maker.problems);
  std::sort(problems_.begin(), problems_.end());
  problems_.erase(std::unique(problems_.begin(), problems_.end()), problems_.end());
  std::set<std::string> topics;
  for (const ExposedStream& stream : streams_) {
    topics.insert(stream.topics.begin(), stream.topics.end());
    topics.insert(stream.topics_allowed.begin(), stream.topics_allowed.end());
  }
  for (const std::string& topic : topics) {
    const auto found = maker.rules.find(topic);
    if (found == maker.rules.end() && options.mediawiki_redacted_pages.empty()) continue;
    rules_.emplace_back(topic, std::make_shared<const RedactionRules>(
                                   found == maker.rules.end() ? std::vector<RedactionRules::Rule>() : found->second,
                                   options.mediawiki_redacted_pages, maker.withheld.contains(topic)));
  }
  finish();
}

void ExposedStreams::finish() {
  by_name_.resize(streams_.size());
  for (std::size_t i = 0; i < by_name_.size(); ++i) by_name_[i] = i;
  std::sort(by_name_.begin(), by_name_.end(),
            [this](std::size_t a, std::size_t b) { return streams_[a].name < streams_[b].name; });
  std::sort(rules_.begin(), rules_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
}

const ExposedStream* ExposedStreams::find(std::string_view name) const {
  const auto found = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                      [this](std::size_t at, std::string_view n) { return streams_[at].name < n; });
  return found != by_name_.end() && streams_[*found].name == name ? &streams_[*found] : nullptr;
}

std::shared_ptr<const RedactionRules> ExposedStreams::redaction(std::string_view topic) const {
  const auto found = std::lower_bound(rules_.begin(), rules_.end(), topic,
                                      [](const auto& entry, std::string_view t) { return entry.first < t; });
  return found != rules_.end() && found->first == topic ? found->second : nullptr;
}

std::string ExposedStreams::list_json(bool sees_private) const {
  Json list = Json::array();
  for (const ExposedStream& stream : streams_) {
    if (stream.alias_of || (stream.is_private && !sees_private)) continue;
    Json entry = {{"name", stream.name}, {"aliases", stream.aliases}, {"description", stream.description}};
    entry["schema_title"] = stream.schema_title.empty() ? Json() : Json(stream.schema_title);
    entry["topics"] = stream.topics;
    list.push_back(std::move(entry));
  }
  return list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json merged_stream_configs(const Json& defaults, const Json& configs, const Json& overrides) {
  Json merged = Json::object();
  for (const Json* const layer : {&defaults, &configs, &overrides})
    if (layer->is_object()) merge_over(merged, *layer);
  return merged;
}

}  // namespace eventgate

#include "check_streams.hpp"

#include <algorithm>
#include <future>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "eventgate/base/is_one_of.hpp"
#include "eventgate/base/topic_name.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/json/field_path.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/repository/schema_titles.hpp"
#include "eventgate/streams/stream_configs.hpp"
#include "eventgate/streams/stream_settings.hpp"
#include "eventgate/streams/topic.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

/// Returns true if some event that `schema`, without `$ref`, admits may have the field `keys`, of which those before
/// `at` are found. A field that the schema does not name does not count. The reader bounds the depth of schemas.
bool may_have_field(const Json& schema, const std::vector<std::string>& keys, std::size_t at) {
  if (at == keys.size()) return true;
  if (!schema.is_object()) return false;
  for (const auto& [keyword, value] : schema.items()) {
    if (keyword == "properties") {
      const auto found = value.find(keys[at]);
      if (found != value.end() && may_have_field(*found, keys, at + 1)) return true;
    } else if (keyword == "patternProperties" && value.is_object()) {
      // Whether a pattern admits the key is left to the events.
      for (const auto& [pattern, inner] : value.items())
        if (may_have_field(inner, keys, at + 1)) return true;
    } else if (keyword == "additionalProperties" && value.is_object()) {
      if (may_have_field(value, keys, at + 1)) return true;
    } else if (is_one_of(keyword, {"allOf", "anyOf", "oneOf"}) && value.is_array()) {
      for (const Json& branch : value)
        if (may_have_field(branch, keys, at)) return true;
    } else if (is_one_of(keyword, {"then", "else"})) {
      if (may_have_field(value, keys, at)) return true;
    } else if (keyword == "$ref") {
      return true;  // it refers to itself, and that is not followed
    }
  }
  return false;
}

/// The schema that events of a title have, or what is wrong with it.
struct TitleCheck {
  std::string problem;  ///< What was expected. Empty: the schema can be used.
  std::string uri;      ///< Empty: not known.
  Json document;        ///< Without `$ref`.
};

class StreamsCheck {
 public:
  StreamsCheck(const Config& config, const StreamConfigs& streams, ObjectReader& reader, SchemaRepository& schemas,
               Findings& found)
      : config_(config), streams_(streams), titles_(config.schema, reader), schemas_(schemas), found_(found) {}

  void run() {
    const auto declared = parse_object_text(streams_.json());
    if (!declared) return add("stream_config_uri: " + declared.error().message);
    const std::vector<std::string> names = streams_.stream_names();
    const std::set<std::string> plain(names.begin(), names.end());  // the others are /regexes/
    std::set<std::string> unusable;
    for (const UnusableEntry& entry : streams_.unusable_entries())
      if (unusable.insert(entry.name).second) add("stream_config_uri: " + entry.reason);
    for (const auto& [name, declaration] : declared->items()) {
      for (const std::string& mistake : misplaced_settings(declaration)) add_of(name, mistake);
      if (unusable.contains(name)) continue;
      if (plain.contains(name)) check_topic(name);
      check_schema(name, declaration);
    }
  }

 private:
  void add(std::string text) { found_.problems.push_back(std::move(text)); }
  void add_of(const std::string& stream, const std::string& text) { add("stream '" + stream + "': " + text); }

  void check_topic(const std::string& name) {
    const std::string topic = topic_name(config_.gate.topic_prefix, name, streams_.find(name));
    if (!is_topic_name(topic))
      add_of(name, "its topic '" + topic + "' is no Kafka topic name: expected 1 to 249 of [a-zA-Z0-9._-]");
  }

  void check_schema(const std::string& name, const Json& declaration) {
    std::string title;
    if (declaration.is_object() && declaration.contains("schema_title") && declaration["schema_title"].is_string())
      title = declaration["schema_title"].get<std::string>();
    if (title.empty()) return add_of(name, "expected a schema_title; without it no event may enter");
    const TitleCheck& schema = check_of(title);
    if (!schema.problem.empty()) return add_of(name, schema.problem);
    const auto fields = declaration.find("message_key_fields");
    if (schema.uri.empty() || fields == declaration.end() || !fields->is_object()) return;
    for (const auto& [key, field] : fields->items())
      if (field.is_string() && !may_have_field(schema.document, FieldPath(field.get<std::string>()).keys(), 0))
        add_of(name, "message_key_fields." + key + ": expected a field of " + schema.uri + ", found '" +
                         field.get<std::string>() + "', which no event has");
  }

  const TitleCheck& check_of(const std::string& title) {
    const auto [check, is_new] = checks_.try_emplace(title);
    if (is_new) check->second = made_check(title);
    return check->second;
  }

  TitleCheck made_check(const std::string& title) {
    TitleCheck check;
    const std::optional<bool> is_there = titles_.contains(title);
    if (is_there == false) {
      check.problem = "expected a schema of the title '" + title + "' in one of schema_base_uris";
      const std::string bare = title.substr(std::min(title.find_first_not_of('/'), title.size()));
      if (bare != title)
        check.problem = "expected a schema_title without a slash at its start, as titles of schemas are: '" + bare +
                        "', found '" + title + "'";
      return check;
    }
    const auto schemas = titles_.find(title);
    if (!schemas) return check;  // a host does not answer, which is a problem of its own
    if (schemas->newest_uri.empty()) {
      if (!schemas->other_file.empty())
        check.problem = "expected a version of the schema '" + title + "'; there is only " + schemas->other_file +
                        ", which events cannot name (`eventgate schema build` makes a version of a current)";
      return check;
    }
    check.uri = schemas->newest_uri;
    check.problem = problem_of(check.uri, schemas->newest_file);
    if (!check.problem.empty()) return check;
    const SchemaText text = schemas_.dereferenced(check.uri);
    auto document = text ? std::optional(parse_object_text(*text, 1000)) : std::nullopt;
    if (document && *document)
      check.document = **std::move(document);
    else
      check.uri.clear();
    return check;
  }

  /// Why no event of the schema `uri`, of which `file` is a file, can be judged.
  std::string problem_of(const std::string& uri, const std::string& file) {
    std::promise<SchemaResult> loaded;
    schemas_.load(uri, [&loaded](SchemaResult result) { loaded.set_value(std::move(result)); });
    const SchemaResult result = loaded.get_future().get();
    if (result) return {};
    if (!result.error().reason.empty()) return "its schema " + uri + " cannot be used: " + result.error().reason;
    const std::string& extension = config_.schema.schema_file_extension;
    return "expected the schema " + uri + " in a file of that name" + (extension.empty() ? "" : " and " + extension) +
           "; there is only " + file +
           " (a link beside it, as `eventgate schema build` makes, or the option schema_file_extension)";
  }

  const Config& config_;
  const StreamConfigs& streams_;
  SchemaTitles titles_;
  SchemaRepository& schemas_;
  Findings& found_;
  std::map<std::string, TitleCheck> checks_;
};

}  // namespace

void check_streams(const Config& config, const StreamConfigs& streams, ObjectReader& reader, SchemaRepository& schemas,
                   Findings& found) {
  StreamsCheck(config, streams, reader, schemas, found).run();
}

}  // namespace eventgate

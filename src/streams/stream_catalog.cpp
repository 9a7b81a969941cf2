#include "eventgate/streams/stream_catalog.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "eventgate/base/utf8.hpp"
#include "eventgate/json/json_text.hpp"
#include "stream_regex.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kTopics = "topics";
constexpr const char* kStream = "stream";

std::string json_text(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// Replaces `{}` by `[]` inside `value`, as PHP writes an object without members.
Json with_php_objects(const Json& value) {
  if (value.is_object() && value.empty()) return Json::array();
  if (!value.is_structured()) return value;
  Json result = value;
  for (Json& inner : result) inner = with_php_objects(inner);
  return result;
}

/// Returns `text` with a backslash before each character that means something in a regex: PHP's preg_quote.
std::string quoted_for_regex(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (std::string_view(".\\+*?[^]$(){}=!<>|:-#/").find(c) != std::string_view::npos) quoted += '\\';
    quoted += c;
  }
  return quoted;
}

/// Returns the topics of a /regex/ with prefixes as one regex, in the original's form: `/^(eqiad\.|codfw\.)job/`.
std::string topics_regex(std::string_view regex, const std::vector<std::string>& prefixes) {
  while (regex.starts_with('/')) regex.remove_prefix(1);
  while (regex.ends_with('/')) regex.remove_suffix(1);
  std::string result = "/";
  if (regex.starts_with('^')) {
    result += '^';
    regex.remove_prefix(1);
  }
  result += '(';
  for (const std::string& prefix : prefixes) result += (result.ends_with('(') ? "" : "|") + quoted_for_regex(prefix);
  result.append(")").append(regex).append("/");
  return result;
}

/// Returns the text of a number or string, as PHP converts it.
std::string scalar_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return js_number(value.get<double>());
  return json_text(value);
}

/// Returns true if `setting`, no object, meets `wanted`: a list contains it, any other value equals it as a text.
bool equals_as_text(const Json& setting, const std::string& wanted) {
  if (setting.is_boolean()) {
    return setting.get<bool>() ? wanted == "true" || wanted == "1"
                               : wanted == "false" || wanted == "0" || wanted.empty();
  }
  return (setting.is_string() || setting.is_number()) && scalar_text(setting) == wanted;
}

bool meets(const Json& setting, const StreamConstraint& constraint) {
  const Json* at = &setting;
  for (std::size_t i = 1; i < constraint.path.size() && at->is_object(); ++i) {
    const auto found = at->find(constraint.path[i]);
    if (found == at->end()) return false;
    at = &*found;
    if (i + 1 < constraint.path.size()) continue;
    return at->is_array() ? std::any_of(at->begin(), at->end(),
                                        [&](const Json& item) { return equals_as_text(item, constraint.value); })
                          : equals_as_text(*at, constraint.value);
  }
  if (at->is_array())  // `topics=a`, `topics[]=a` and `topics[0]=a` ask for the same
    return std::any_of(at->begin(), at->end(),
                       [&](const Json& item) { return equals_as_text(item, constraint.value); });
  return at == &setting && constraint.path.size() == 1 && equals_as_text(*at, constraint.value);
}

/// One declaration, written in advance.
struct Entry {
  std::string name;
  Json settings;
  std::string head;  ///< The settings and `stream`, without the closing brace.
  std::string text;  ///< The whole, for the declared name.
  bool has_topics = false;
  std::vector<std::string> prefixes;
  std::unique_ptr<RE2> regex;  ///< Null: a stream by name.

  std::vector<std::string> topics_of(std::string_view stream) const {
    if (prefixes.empty()) return {std::string(stream)};
    if (regex && stream == name) return {topics_regex(stream, prefixes)};
    std::vector<std::string> topics;
    for (const std::string& prefix : prefixes) topics.push_back(prefix + std::string(stream));
    return topics;
  }

  std::string text_of(std::string_view stream) const {
    std::string result = head;
    if (!has_topics) {
      result += ",\"topics\":[";
      for (const std::string& topic : topics_of(stream)) {
        if (!result.ends_with('[')) result += ',';
        append_json_string(result, topic);
      }
      result += ']';
    }
    return result += '}';
  }

  /// `stream` is the asked name, or the declared one.
  bool meets_all(const std::vector<StreamConstraint>& constraints, std::string_view stream) const {
    return std::all_of(constraints.begin(), constraints.end(), [&](const StreamConstraint& constraint) {
      const std::string& setting = constraint.path.front();
      if (setting == kStream && constraint.path.size() == 1)
        return constraint.value == name ||
               (regex && constraint.value.size() <= WikiStreams::kMaxName && occurs_in(*regex, constraint.value));
      if (setting == kTopics && !has_topics) return meets(Json(topics_of(stream)), constraint);
      const auto found = settings.find(setting);
      return found != settings.end() && !found->is_null() && meets(*found, constraint);
    });
  }
};

std::shared_ptr<const Entry> make_entry(const std::string& name, const Json& settings, std::unique_ptr<RE2> regex) {
  auto entry = std::make_shared<Entry>();
  entry->name = name;
  entry->settings = settings.is_object() ? settings : Json::object();
  entry->settings.erase(kStream);
  entry->regex = std::move(regex);
  const auto topics = entry->settings.find(kTopics);
  entry->has_topics = topics != entry->settings.end() && !topics->is_null();
  if (!entry->has_topics) entry->settings.erase(kTopics);
  if (const auto prefixes = entry->settings.find("topic_prefixes");
      prefixes != entry->settings.end() && prefixes->is_array())
    for (const Json& prefix : *prefixes)
      if (prefix.is_string()) entry->prefixes.push_back(prefix.get<std::string>());
  Json written = entry->settings;
  for (Json& value : written) value = with_php_objects(value);
  written[kStream] = name;
  entry->head = json_text(written);
  entry->head.pop_back();
  entry->text = entry->text_of(name);
  return entry;
}

}  // namespace

struct WikiStreams::Impl {
  const Entry* find(std::string_view stream) const {
    if (stream.size() > kMaxName) return nullptr;
    if (const auto found = by_name.find(stream); found != by_name.end()) return found->second;
    for (const Entry* const entry : regexes)
      if (occurs_in(*entry->regex, stream)) return entry;
    return nullptr;
  }

  std::vector<std::shared_ptr<const Entry>> entries;
  std::unordered_map<std::string_view, const Entry*> by_name;
  std::vector<const Entry*> regexes;
};

WikiStreams::WikiStreams() : impl_(std::make_unique<Impl>()) {}
WikiStreams::~WikiStreams() = default;

std::string WikiStreams::json(const StreamSelection& selection, std::vector<std::string>& unknown) const {
  std::string text = "{";
  const auto add = [&](std::string_view stream, const Entry& entry) {
    if (!entry.meets_all(selection.constraints, stream)) return;
    if (text.size() > 1) text += ',';
    append_json_string(text, stream);
    text += ':';
    if (stream == entry.name) {
      text += entry.text;
    } else {
      text += entry.text_of(stream);
    }
  };
  if (!selection.streams) {
    for (const auto& entry : impl_->entries) add(entry->name, *entry);
  } else {
    std::unordered_set<std::string_view> seen;
    for (const std::string& stream : *selection.streams) {
      if (!seen.insert(stream).second) continue;
      if (const Entry* const entry = impl_->find(stream)) {
        add(stream, *entry);
      } else {
        unknown.push_back(stream);
      }
    }
  }
  return text += '}';
}

StreamCatalog::StreamCatalog(const WikiDeclarations& declarations) {
  std::map<std::string, std::shared_ptr<const WikiStreams>> by_layers;
  std::unordered_map<std::string, std::shared_ptr<const Entry>> entries;  // by name and settings
  std::unordered_set<std::string> unusable;
  const auto report = [&](const std::string& name, std::string reason, bool bad_regex) {
    if (unusable.insert(name).second) unusable_.push_back({name, std::move(reason), bad_regex});
  };
  const auto entry_of = [&](const std::string& name, const Json& settings) -> std::shared_ptr<const Entry> {
    auto& known = entries[name + '\n' + json_text(settings)];
    if (known) return known;
    const std::string shown = "Stream '" + std::string(utf8_prefix(name, 100)) + "'";
    if (!settings.is_object() && !(settings.is_array() && settings.empty())) {
      if (!settings.is_null())
        report(name, shown + " is of type " + settings.type_name() + ", expected an object of settings", false);
      return nullptr;
    }
    std::unique_ptr<RE2> regex;
    if (is_stream_regex(name)) {
      std::string error;
      regex = compile_stream_regex(name, error);
      if (!regex) {
        report(name, shown + " is a bad regex: " + std::string(utf8_prefix(error, 200)), true);
        return nullptr;
      }
    }
    return known = make_entry(name, settings, std::move(regex));
  };
  const auto streams_of = [&](const std::string& wiki) {
    std::shared_ptr<const WikiStreams>& known = by_layers[declarations.layers_text(wiki)];
    if (known) return known;
    std::shared_ptr<WikiStreams> streams(new WikiStreams);
    WikiStreams::Impl& impl = *streams->impl_;
    const Json declared = declarations.of(wiki);
    for (const auto& [name, settings] : declared.items()) {
      std::shared_ptr<const Entry> entry = entry_of(name, settings);
      if (!entry) continue;
      impl.by_name.emplace(entry->name, entry.get());
      if (entry->regex) impl.regexes.push_back(entry.get());
      impl.entries.push_back(std::move(entry));
    }
    return known = std::move(streams);
  };
  default_ = streams_of("");
  for (const std::string& wiki : declarations.wikis()) by_wiki_.emplace(wiki, streams_of(wiki));
}

StreamCatalog::~StreamCatalog() = default;

const WikiStreams& StreamCatalog::of(std::string_view wiki) const {
  const auto found = by_wiki_.find(wiki);
  return found == by_wiki_.end() ? *default_ : *found->second;
}

}  // namespace eventgate

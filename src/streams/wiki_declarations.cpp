#include "eventgate/streams/wiki_declarations.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/ordered_json.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDefault = "default";
constexpr std::size_t kMaxWikiName = 64;

/// Objects with more members are searched by a table, because nlohmann's ordered object compares each key.
constexpr std::size_t kFewMembers = 16;

/// Returns true for an object. PHP, which makes the stream configs, writes an object without members as `[]`.
bool is_object(const Json& value) { return value.is_object() || (value.is_array() && value.empty()); }

/// Finds members of an object by name.
class MemberTable {
 public:
  explicit MemberTable(const Json& object) : object_(object) {
    if (object.size() <= kFewMembers) return;
    for (const auto& [key, value] : object.items()) by_name_.emplace(key, &value);
  }

  const Json* find(const std::string& key) const {
    if (object_.size() <= kFewMembers) {
      const auto found = object_.find(key);
      return found == object_.end() ? nullptr : &*found;
    }
    const auto found = by_name_.find(key);
    return found == by_name_.end() ? nullptr : found->second;
  }

 private:
  const Json& object_;
  std::unordered_map<std::string_view, const Json*> by_name_;
};

std::string wiki_or_group(const std::string& key) { return key.starts_with('+') ? key.substr(1) : key; }

/// Returns the streams that `document` declares, by name: the document itself, or that of a list of objects with
/// `stream`. Entries of a list without one are added to `problems`.
Json by_name(const Json& document, std::vector<UnusableEntry>& problems) {
  if (document.is_object()) return document;
  Json streams = Json::object();
  std::set<std::string> names;
  for (std::size_t i = 0; i < document.size(); ++i) {
    const Json& entry = document[i];
    const auto stream = entry.is_object() ? entry.find("stream") : entry.end();
    const std::string place = "entry " + std::to_string(i) + " of the list of streams";
    if (!entry.is_object() || stream == entry.end() || !stream->is_string()) {
      problems.push_back({place, place + " is no object with `stream`, the name of the stream", false});
    } else if (!names.insert(stream->get<std::string>()).second) {
      problems.push_back({place, place + " declares a stream that an earlier entry declares", false});
    } else {
      append_member(streams, stream->get<std::string>(), entry);
    }
  }
  return streams;
}

/// Returns true for an object, an empty list, and a list that has an object.
bool is_declarations(const Json& document) {
  return is_object(document) ||
         (document.is_array() &&
          std::any_of(document.begin(), document.end(), [](const Json& entry) { return entry.is_object(); }));
}

/// Returns `document` per wiki. A document by name is `default`.
Json per_wiki(const Json& document, std::vector<UnusableEntry>& problems) {
  if (!is_declarations(document)) {
    throw std::invalid_argument(std::string("Stream configs are of type ") + document.type_name() +
                                ", expected an object of stream name to settings");
  }
  Json setting = Json::object();
  if (!is_per_wiki(document)) {
    setting[kDefault] = by_name(document, problems);
    return setting;
  }
  if (document.size() > WikiDeclarations::kMaxKeys) {
    throw std::invalid_argument("Stream configs have " + std::to_string(document.size()) +
                                " keys of wikis and groups, expected at most " +
                                std::to_string(WikiDeclarations::kMaxKeys));
  }
  for (const auto& [key, streams] : document.items()) {
    if (is_declarations(streams)) {
      append_member(setting, key, by_name(streams, problems));
    } else {
      problems.push_back({key,
                          "The streams of '" + key.substr(0, kMaxWikiName) + "' are of type " + streams.type_name() +
                              ", expected an object of stream name to settings",
                          false});
    }
  }
  return setting;
}

}  // namespace

bool is_wiki_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxWikiName && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || is_ascii_digit(c) || c == '_' || c == '-';
  });
}

bool is_per_wiki(const Json& document) {
  if (!document.is_object()) return false;
  const auto& members = document.get_ref<const Json::object_t&>();
  return std::any_of(members.begin(), members.end(),
                     [](const auto& member) { return member.first == kDefault || member.first.starts_with('+'); });
}

Json laid_over(const Json& over, const Json& under) {
  if (!is_object(over) || !is_object(under)) return over;
  if (over.empty()) return under;
  if (under.empty()) return over;
  Json result = Json::object();
  const MemberTable lower(under), upper(over);
  for (const auto& [key, value] : over.items()) {
    const Json* const covered = lower.find(key);
    append_member(result, key, covered ? laid_over(value, *covered) : value);
  }
  for (const auto& [key, value] : under.items())
    if (!upper.find(key)) append_member(result, key, value);
  return result;
}

std::vector<std::string> wiki_layers(const Json& setting, const std::string& wiki,
                                     const std::vector<std::string>& groups) {
  const auto has = [&setting](const std::string& key) {
    const auto found = setting.find(key);
    return found != setting.end() && is_object(*found);
  };
  if (has(wiki)) return {wiki};
  std::vector<std::string> layers;
  if (has('+' + wiki)) layers.push_back('+' + wiki);
  for (const std::string& group : groups) {
    if (has(group)) {
      layers.push_back(group);
      return layers;
    }
    if (has('+' + group)) layers.push_back('+' + group);
  }
  if (has(kDefault)) layers.emplace_back(kDefault);
  return layers;
}

Json setting_of_wiki(const Json& setting, const std::string& wiki, const std::vector<std::string>& groups) {
  Json result;
  for (const std::string& layer : wiki_layers(setting, wiki, groups))
    result = result.is_null() ? setting.at(layer) : laid_over(result, setting.at(layer));
  return result;
}

struct WikiDeclarations::Impl {
  const std::vector<std::string>& groups_of(const std::string& wiki) const {
    static const std::vector<std::string> kNone;
    const auto found = groups.find(wiki);
    return found == groups.end() ? kNone : found->second;
  }

  Json default_settings_of(const std::string& wiki) const {
    if (!is_per_wiki(default_settings)) return default_settings;
    Json settings = setting_of_wiki(default_settings, wiki, groups_of(wiki));
    return settings.is_null() ? Json::object() : settings;
  }

  /// Calls `visit` with each key of wikis and groups, but for `default`.
  template <typename Visit>
  void each_key(Visit visit) const {
    for (const Json* const keyed : {&setting, &default_settings}) {
      if (!is_per_wiki(*keyed)) continue;
      for (const auto& [key, value] : keyed->items())
        if (key != kDefault) visit(key);
    }
  }

  std::set<std::string> all_groups() const {
    std::set<std::string> names;
    for (const auto& [wiki, of_wiki] : groups) names.insert(of_wiki.begin(), of_wiki.end());
    return names;
  }

  Json setting = Json::object();  ///< Per wiki.
  Json default_settings;
  WikiGroups groups;
  std::vector<UnusableEntry> problems;
};

WikiDeclarations::WikiDeclarations(const std::vector<Json>& documents)
    : WikiDeclarations(documents, Json::object(), {}) {}

WikiDeclarations::WikiDeclarations(const std::vector<Json>& documents, const Json& default_settings,
                                   WikiGroups groups) {
  auto impl = std::make_unique<Impl>();
  impl->default_settings = is_object(default_settings) ? default_settings : Json::object();
  impl->groups = std::move(groups);
  for (const Json& document : documents) impl->setting = laid_over(per_wiki(document, impl->problems), impl->setting);
  impl_ = std::move(impl);
}

WikiDeclarations::~WikiDeclarations() = default;
WikiDeclarations::WikiDeclarations(WikiDeclarations&&) noexcept = default;

Json WikiDeclarations::of(const std::string& wiki) const {
  Json declared = setting_of_wiki(impl_->setting, wiki, impl_->groups_of(wiki));
  if (!is_object(declared)) return Json::object();
  const Json under = impl_->default_settings_of(wiki);
  if (under.empty()) return declared.is_object() ? declared : Json::object();
  Json result = Json::object();
  for (const auto& [stream, settings] : declared.items()) append_member(result, stream, laid_over(settings, under));
  return result;
}

std::string WikiDeclarations::layers_text(const std::string& wiki) const {
  std::string text;
  const auto add = [&](const Json& setting) {
    for (const std::string& layer : wiki_layers(setting, wiki, impl_->groups_of(wiki))) text += layer + ',';
    text += ';';
  };
  add(impl_->setting);
  if (is_per_wiki(impl_->default_settings)) add(impl_->default_settings);
  return text;
}

std::vector<std::string> WikiDeclarations::wikis() const {
  std::set<std::string> names;
  const std::set<std::string> groups = impl_->all_groups();
  for (const auto& [wiki, of_wiki] : impl_->groups) names.insert(wiki);
  impl_->each_key([&](const std::string& key) {
    if (const std::string name = wiki_or_group(key); !groups.contains(name)) names.insert(name);
  });
  return {names.begin(), names.end()};
}

std::vector<std::string> WikiDeclarations::orphan_keys(const std::vector<std::string>& known) const {
  const std::set<std::string> groups = impl_->all_groups();
  std::set<std::string> orphans;
  impl_->each_key([&](const std::string& key) {
    const std::string name = wiki_or_group(key);
    const bool is_known = groups.contains(name) || impl_->groups.contains(name) || name.ends_with("wiki") ||
                          std::find(known.begin(), known.end(), name) != known.end();
    if (!is_known) orphans.insert(key);
  });
  return {orphans.begin(), orphans.end()};
}

const std::vector<UnusableEntry>& WikiDeclarations::problems() const { return impl_->problems; }

}  // namespace eventgate

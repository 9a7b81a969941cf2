#include "eventgate/readers/redaction.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "eventgate/base/utf8.hpp"
#include "lower_case.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

/// Returns the code point of `text` that begins at `at` and has `size` bytes, which must be valid.
unsigned code_point_at(std::string_view text, std::size_t at, std::size_t size) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[at + i])); };
  if (size == 1) return byte(0);
  unsigned code = byte(0) & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) code = code << 6 | (byte(i) & 0x3F);
  return code;
}

/// Returns true for what JavaScript's trim and MediaWiki's titles take as a blank, and for the underscore.
bool is_title_blank(unsigned code) {
  return code == '_' || code == ' ' || (code >= 0x09 && code <= 0x0D) || code == 0xA0 || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F ||
         code == 0x3000 || code == 0xFEFF;
}

/// A member of an object: the node of its key, and its value.
struct Member {
  std::uint32_t key;
  JsonValue value;
};

/// Returns every member at `path`, more than one if keys occur twice.
std::vector<Member> members_at(JsonValue event, const FieldPath& path) {
  std::vector<JsonValue> parents{event};
  std::vector<Member> members;
  for (const std::string& key : path.keys()) {
    members.clear();
    for (const JsonValue parent : parents) {
      if (!parent.is_object()) continue;
      for (auto at = parent.begin(); at != parent.end(); ++at) {
        const JsonValue name = *at;
        ++at;
        if (name.string_equals(key)) members.push_back({name.index(), *at});
      }
    }
    parents.clear();
    for (const Member& member : members) parents.push_back(member.value);
  }
  return members;
}

enum class Holds : std::uint8_t { no, yes, unknown };

/// Returns whether a value at `path` is one of `titles`. Unknown: one is an array or an object.
Holds has_title(JsonValue event, const FieldPath& path, const std::vector<std::string>& titles) {
  Holds holds = Holds::no;
  for (const Member& member : members_at(event, path)) {
    const JsonValue value = member.value;
    if (value.is_object() || value.is_array()) {
      holds = Holds::unknown;
      continue;
    }
    const std::string title = redaction_title(value.is_string() ? value.string() : std::string(value.source()));
    if (std::find(titles.begin(), titles.end(), title) != titles.end()) return Holds::yes;
  }
  return holds;
}

bool has_text(JsonValue event, const FieldPath& path, std::string_view text) {
  const auto members = members_at(event, path);
  return std::any_of(members.begin(), members.end(), [text](const Member& member) {
    return member.value.is_string() && member.value.string_equals(text);
  });
}

void redact(JsonValue event, const FieldPath& path, const std::optional<std::string_view>& replacement,
            RedactionEdits& edits) {
  for (const Member& member : members_at(event, path)) {
    if (replacement) {
      edits.replaced.emplace_back(member.value.index(), *replacement);
    } else {
      edits.removed.push_back(member.key);
    }
  }
}

/// Sorts, and leaves each node once. Of two replacements the first one counts.
void sort_edits(RedactionEdits& edits) {
  std::sort(edits.removed.begin(), edits.removed.end());
  edits.removed.erase(std::unique(edits.removed.begin(), edits.removed.end()), edits.removed.end());
  const auto by_node = [](const auto& a, const auto& b) { return a.first < b.first; };
  const auto same_node = [](const auto& a, const auto& b) { return a.first == b.first; };
  std::stable_sort(edits.replaced.begin(), edits.replaced.end(), by_node);
  edits.replaced.erase(std::unique(edits.replaced.begin(), edits.replaced.end(), same_node), edits.replaced.end());
}

Json json_of(const RedactionRules::Rule& rule) {
  Json json = Json::array();
  for (const FieldPath& field : rule.fields) json.push_back(field.dotted());
  json.push_back(rule.replacement ? Json(*rule.replacement) : Json());
  for (const auto& [path, titles] : rule.when) {
    json.push_back(path.dotted());
    json.push_back(titles);
  }
  return json;
}

// --- parsing

constexpr std::size_t kMaxRules = 1000;

std::optional<std::string> text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean() || value.is_null()) return value.dump();
  return std::nullopt;
}

/// Reads one rule. Returns what was expected, or an empty text.
std::string parse_rule(const Json& json, RedactionRules::Rule& rule) {
  if (!json.is_object()) return "expected an object with `fields`";
  const auto fields = json.find("fields");
  if (fields == json.end() || !fields->is_array() || fields->empty()) return "expected `fields`, a list of paths";
  for (const Json& field : *fields) {
    const std::string path = field.is_string() ? field.get<std::string>() : "";
    if (path.empty() || path == "meta") return "expected in `fields` the paths of fields, and not `meta` as a whole";
    rule.fields.emplace_back(path);
  }
  for (const auto& [name, value] : json.items()) {
    if (name == "replace") {
      rule.replacement = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    } else if (name == "remove") {
      if (value != true || json.contains("replace")) return "expected `remove: true` or `replace`, not both";
    } else if (name == "when") {
      if (!value.is_object() || value.empty()) return "expected `when`, an object of paths to values";
      for (const auto& [path, values] : value.items()) {
        std::vector<std::string> titles;
        for (const Json& one : values.is_array() ? values : Json::array({values})) {
          const auto text = text_of(one);
          if (!text) return "expected in `when` a value, or a list of values, for each path";
          titles.push_back(redaction_title(*text));
        }
        rule.when.emplace_back(FieldPath(path), std::move(titles));
      }
    } else if (name != "fields") {
      return "expected `fields`, `when`, `remove` and `replace`, not `" + name + '`';
    }
  }
  return {};
}

}  // namespace

std::string redaction_title(std::string_view title) {
  std::string result;
  bool blank = false;
  for (std::size_t at = 0; at < title.size();) {
    const Utf8Step step = utf8_step(title.data() + at, title.data() + title.size());
    const unsigned code = step.valid ? code_point_at(title, at, step.size) : 0xFFFD;
    at += step.size;
    if (is_title_blank(code)) {
      blank = true;
      continue;
    }
    if (blank && !result.empty()) result += '_';
    blank = false;
    append_utf8(result, to_unicode_lower(code));
  }
  return result;
}

RedactionRules::RedactionRules(std::vector<Rule> rules, const RedactedPages& pages, bool withholds)
    : rules_(std::move(rules)), withholds_(withholds) {
  for (const auto& [domain, titles] : pages) {
    std::vector<std::string> comparable;
    for (const std::string& title : titles) comparable.push_back(redaction_title(title));
    if (!comparable.empty()) pages_.emplace_back(domain, std::move(comparable));
  }
  Json key = Json::array({withholds_});
  for (const Rule& rule : rules_) key.push_back(json_of(rule));
  for (const auto& [domain, titles] : pages_) key.push_back(Json{{domain, titles}});
  key_ = key.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool RedactionRules::apply_pages(JsonValue event, RedactionEdits& edits) const {
  static const FieldPath kDomain("meta.domain");
  static const FieldPath kStream("meta.stream");
  static const FieldPath kTitle("title");
  static const FieldPath kPageTitle("page_title");
  static const FieldPath kPagePageTitle("page.page_title");
  for (const auto& [domain, titles] : pages_) {
    if (!has_text(event, kDomain, domain)) continue;
    const bool is_recent_change = has_text(event, kStream, "mediawiki.recentchange");
    const bool is_page_change = has_text(event, kStream, "mediawiki.page_change.v1");
    Holds title = Holds::no;
    for (const auto& [path, counts] :
         {std::pair(&kTitle, is_recent_change), std::pair(&kPageTitle, !is_recent_change && !is_page_change),
          std::pair(&kPagePageTitle, !is_recent_change || is_page_change)}) {
      if (counts) title = std::max(title, has_title(event, *path, titles));
    }
    if (title == Holds::unknown) return false;
    if (title == Holds::no) continue;
    if (is_recent_change) redact(event, FieldPath("user"), std::nullopt, edits);
    if (is_page_change) {
      redact(event, FieldPath("performer"), "{}", edits);
      redact(event, FieldPath("revision.editor"), std::nullopt, edits);
      redact(event, FieldPath("prior_state.revision.editor"), std::nullopt, edits);
    } else if (!is_recent_change) {
      redact(event, FieldPath("performer"), std::nullopt, edits);
    }
  }
  return true;
}

bool RedactionRules::apply(JsonValue event, RedactionEdits& edits) const {
  edits.clear();
  if (withholds_) return false;
  for (const Rule& rule : rules_) {
    Holds holds = Holds::yes;
    for (const auto& [path, titles] : rule.when) {
      const Holds one = has_title(event, path, titles);
      if (one == Holds::no) {
        holds = Holds::no;
        break;
      }
      if (one == Holds::unknown) holds = Holds::unknown;
    }
    if (holds == Holds::unknown) return false;
    if (holds == Holds::no) continue;
    const std::optional<std::string_view> replacement = rule.replacement;
    for (const FieldPath& field : rule.fields) redact(event, field, replacement, edits);
  }
  if (!apply_pages(event, edits)) return false;
  sort_edits(edits);
  return true;
}

ParsedRedaction parse_redaction(const Json& redact) {
  ParsedRedaction parsed;
  if (!redact.is_array() || redact.size() > kMaxRules) {
    parsed.problem = "expected a list of at most 1000 rules";
    return parsed;
  }
  for (const Json& json : redact) {
    RedactionRules::Rule rule;
    parsed.problem = parse_rule(json, rule);
    if (!parsed.problem.empty()) return parsed;
    parsed.rules.push_back(std::move(rule));
  }
  return parsed;
}

}  // namespace eventgate

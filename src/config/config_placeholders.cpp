#include "config_placeholders.hpp"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kDigits = 5;  // of a placeholder's index, behind the mark
constexpr std::size_t kMaxPlaceholders = 100000;
constexpr std::string_view kBlanks = " \t";

std::string_view trimmed(std::string_view text) {
  const std::size_t start = text.find_first_not_of(kBlanks);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kBlanks) - start + 1);
}

/// Five digits that `text` does not have. A file of 16 MB cannot have all of them in practice; if it has, the last is
/// taken.
std::string free_mark(const std::string& text) {
  std::string mark;
  for (int number = 70001; number < 99999; ++number) {
    mark = std::to_string(number);
    if (text.find(mark) == std::string::npos) break;
  }
  return mark;
}

/// What stands between `{` and `}` at `start`, which is `{`, if it is `env(...)` on one line. `end` is set behind `}`.
std::optional<std::string_view> placeholder_at(std::string_view text, std::size_t start, std::size_t& end) {
  constexpr std::string_view kStart = "env(";
  const std::size_t open = text.find_first_not_of(kBlanks, start + 1);
  if (open == std::string_view::npos || text.compare(open, kStart.size(), kStart) != 0) return std::nullopt;
  const std::size_t inner = open + kStart.size();
  for (std::size_t close = inner; close < text.size() && text[close] != '\n'; ++close) {
    if (text[close] != ')') continue;
    const std::size_t brace = text.find_first_not_of(kBlanks, close + 1);
    if (brace == std::string_view::npos || text[brace] != '}') continue;
    end = brace + 1;
    return text.substr(inner, close - inner);
  }
  return std::nullopt;
}

/// `text` as YAML reads it, null if it is empty. What is no value by itself stays a text, and so does what YAML reads
/// as null, because an option that wants a text would not find it.
Json typed(const std::string& text) {
  if (text.empty()) return {};
  const auto parsed = parse_object_text("v: " + text);
  if (!parsed || !parsed->is_object() || parsed->size() != 1 || parsed->begin().value().is_null()) return text;
  return parsed->begin().value();
}

}  // namespace

Placeholders::Placeholders(const std::string& text) : mark_(free_mark(text)) {
  const std::string_view all = text;
  std::size_t at = 0;
  for (std::size_t start = all.find('{'); start != std::string_view::npos; start = all.find('{', start)) {
    std::size_t end = 0;
    const auto inner = placeholder_at(all, start, end);
    if (!inner || placeholders_.size() >= kMaxPlaceholders) {
      ++start;
      continue;
    }
    const std::size_t comma = inner->find(',');
    Placeholder placeholder{std::string(trimmed(inner->substr(0, comma))), std::nullopt};
    const char* const value = std::getenv(placeholder.name.c_str());
    if (value && *value) {
      placeholder.value = value;
    } else if (comma != std::string_view::npos) {
      placeholder.value = std::string(trimmed(inner->substr(comma + 1)));
    }
    const std::string index = std::to_string(placeholders_.size());
    text_.append(all, at, start - at).append(mark_).append(kDigits - index.size(), '0').append(index);
    placeholders_.push_back(std::move(placeholder));
    at = start = end;
  }
  text_.append(all, at);
}

struct Placeholders::Run {
  const Placeholders& of;
  const std::string& file;
  ConfigDocument& document;
  std::set<std::string> unset = {};

  /// `text` with the values in the place of the numbers. Nothing if there are none.
  std::optional<std::string> replaced(const std::string& text) {
    std::string result;
    std::size_t done = 0;
    for (std::size_t at = text.find(of.mark_); at != std::string::npos; at = text.find(of.mark_, done)) {
      const std::string digits = text.substr(at + of.mark_.size(), kDigits);
      const bool is_index = digits.size() == kDigits && digits.find_first_not_of("0123456789") == std::string::npos;
      const std::size_t index = is_index ? std::stoul(digits) : of.placeholders_.size();
      if (index >= of.placeholders_.size()) break;
      const Placeholder& placeholder = of.placeholders_[index];
      if (!placeholder.value) unset.insert(placeholder.name);
      result.append(text, done, at - done).append(placeholder.value.value_or(""));
      done = at + of.mark_.size() + kDigits;
    }
    if (done == 0) return std::nullopt;
    return result.append(text, done);
  }

  void scalar(Json& value, const std::string& path) {
    auto text = replaced(value.is_string() ? value.get<std::string>() : value.dump());
    if (!text) return;
    value = value.is_string() ? Json(*text) : typed(*text);  // in quotes, or not
    // What is not set stays null: it is not the empty text.
    if (!value.is_null() || !text->empty()) document.texts[{file, path}] = *std::move(text);
  }

  /// The depth is bounded by the parser.
  void walk(Json& value, const std::string& path) {
    if (value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i) walk(value[i], path + '[' + std::to_string(i) + ']');
    } else if (value.is_object()) {
      const bool keys = std::any_of(value.items().begin(), value.items().end(), [this](const auto& item) {
        return item.key().find(of.mark_) != std::string::npos;
      });
      if (keys) {
        Json renamed = Json::object();
        for (const auto& [key, member] : value.items()) renamed[replaced(key).value_or(key)] = member;
        value = std::move(renamed);
      }
      for (const auto& [key, member] : value.items()) walk(member, path.empty() ? key : path + '.' + key);
    } else if (value.is_string() || value.is_number()) {
      scalar(value, path);
    }
  }
};

void Placeholders::resolve(Json& parsed, const std::string& file, ConfigDocument& document) const {
  if (placeholders_.empty()) return;
  Run run{*this, file, document};
  run.walk(parsed, "");
  for (const std::string& name : run.unset) {
    document.warnings.push_back(file + ": the variable " + name + " of the environment is not set, and {env(" + name +
                                ")} has no default: it is empty");
    document.unset_variables.push_back(document.warnings.back());
  }
}

}  // namespace eventgate

#include "config_section.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "eventgate/base/edit_distance.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr std::size_t kMaxQuoted = 80;

std::string quoted(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kMaxQuoted) text = text.substr(0, kMaxQuoted) + " ...";
  return text;
}

std::string dotted(const ConfigPath& path) {
  std::string text;
  for (const std::string& key : path) {
    if (!text.empty() && !key.starts_with('[')) text += '.';
    text += key;
  }
  return text;
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

std::string nearest(const std::string& key, const std::set<std::string>& known) {
  const std::string* best = nullptr;
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (const std::string& name : known) {
    const std::size_t edits = edit_distance(key, name);
    if (edits >= least) continue;
    least = edits;
    best = &name;
  }
  return best ? *best : std::string();
}

/// A number and the unit behind it: `1.5mb`, `10 s`. Nothing if `text` is no such thing.
std::optional<std::pair<double, std::string>> number_and_unit(const std::string& text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
  std::string unit(at, end);
  unit.erase(0, std::min(unit.find_first_not_of(' '), unit.size()));
  return std::pair(number, lower(unit));
}

std::optional<std::size_t> bytes_of(const Json& value) {
  if (value.is_number_unsigned()) return value.get<std::size_t>();
  if (!value.is_string()) return std::nullopt;
  const auto parsed = number_and_unit(value.get_ref<const std::string&>());
  if (!parsed) return std::nullopt;
  static const std::map<std::string, double, std::less<>> kUnits{
      {"", 1},        {"b", 1},        {"k", 1024},         {"kb", 1024},
      {"m", 1048576}, {"mb", 1048576}, {"g", 1073741824.0}, {"gb", 1073741824.0}};
  const auto unit = kUnits.find(parsed->second);
  if (unit == kUnits.end()) return std::nullopt;
  const double bytes = std::floor(parsed->first * unit->second);
  if (bytes > 9e15) return std::nullopt;
  return static_cast<std::size_t>(bytes);
}

std::optional<milliseconds> duration_of(const Json& value, std::optional<milliseconds> unit) {
  constexpr double kMost = 1e15;  // ms
  double millis = 0;
  if (value.is_number()) {
    const double number = value.get<double>();
    if (!unit && number != 0) return std::nullopt;
    millis = unit ? number * static_cast<double>(unit->count()) : 0;
  } else if (value.is_string()) {
    const auto parsed = number_and_unit(value.get_ref<const std::string&>());
    if (!parsed) return std::nullopt;
    if (parsed->second.empty()) return duration_of(Json(parsed->first), unit);
    static const std::map<std::string, double, std::less<>> kUnits{{"ms", 1},      {"s", 1000},    {"m", 60000},
                                                                   {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
    const auto found = kUnits.find(parsed->second);
    if (found == kUnits.end()) return std::nullopt;
    millis = parsed->first * found->second;
  } else {
    return std::nullopt;
  }
  if (!(millis >= 0 && millis < kMost)) return std::nullopt;
  return milliseconds(std::llround(millis));
}

/// The number, which may be in quotes.
std::optional<std::uint64_t> whole_number_of(const Json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (!value.is_string()) return std::nullopt;
  const std::string& text = value.get_ref<const std::string&>();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_nothing(const Json& value) {
  if (value.is_null()) return true;
  return value.is_string() && value.get_ref<const std::string&>().find_first_not_of(" \t\r\n") == std::string::npos;
}

std::string size_text(std::size_t bytes) {
  constexpr std::array<std::pair<std::size_t, const char*>, 3> kUnits{
      {{std::size_t{1} << 30, "gb"}, {std::size_t{1} << 20, "mb"}, {std::size_t{1} << 10, "kb"}}};
  for (const auto& [unit, name] : kUnits) {
    if (bytes >= unit && bytes % unit == 0) return std::to_string(bytes / unit) + name;
  }
  return std::to_string(bytes);
}

}  // namespace

std::string duration_text(milliseconds duration) {
  constexpr std::array<std::pair<long long, const char*>, 4> kUnits{
      {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}}};
  const long long millis = duration.count();
  for (const auto& [unit, name] : kUnits) {
    if (millis >= unit && millis % unit == 0) return std::to_string(millis / unit) + name;
  }
  return std::to_string(millis) + (millis == 0 ? "s" : "ms");
}

// --- the document

void ConfigDocument::merge(const std::string& file, const Json& document) {
  if (document.is_null()) return;
  if (!document.is_object()) {
    problems.push_back(file +
                       ": expected an object of options, or service-runner's layout with `services`, but it is " +
                       quoted(document));
    return;
  }
  for (const auto& [key, value] : document.items()) {
    if (key != "services") merge_value(values[key], value, {key}, {file, key});
  }
  const auto services = document.find("services");
  if (services != document.end() && !services->is_null()) merge_services(file, *services);
}

void ConfigDocument::merge_services(const std::string& file, const Json& services) {
  if (!services.is_array() || services.empty() || !services[0].is_object()) {
    problems.push_back(file + ": services is " + quoted(services) +
                       ", expected a list whose first element has `name` and `conf`");
    return;
  }
  if (services.size() > 1) {
    warnings.push_back(file + ": services has " + std::to_string(services.size()) +
                       " elements: only the first one is run");
  }
  static const std::set<std::string> kKnown{"name", "module", "entrypoint", "version", "conf"};
  for (const auto& [key, value] : services[0].items()) {
    const Origin at{file, "services[0]." + key};
    if (key == "name") {
      merge_value(values["services"]["name"], value, {"services", "name"}, at);
    } else if (key == "conf" && value.is_object()) {
      for (const auto& [name, option] : value.items()) {
        merge_value(values[name], option, {name}, {file, at.path + '.' + name});
      }
    } else if (key == "conf" && !value.is_null()) {
      problems.push_back(file + ": services[0].conf is " + quoted(value) + ", expected an object of options");
    } else if (!kKnown.contains(key)) {
      warnings.push_back(file + ": unknown key 'services[0]." + key + "' is ignored; the nearest known one is '" +
                         nearest(key, kKnown) + "'");
    }
  }
}

void ConfigDocument::merge_value(Json& into, const Json& from, const ConfigPath& path, const Origin& at) {
  // A section whose members are all commented out takes nothing away from an earlier file.
  if (from.is_null() && path.size() == 1 && into.is_object() && !into.empty()) return;
  origins[path] = at;
  if (!from.is_object()) {
    into = from;
    return;
  }
  if (!into.is_object()) into = Json::object();
  for (const auto& [key, value] : from.items()) {
    ConfigPath inner = path;
    inner.push_back(key);
    merge_value(into[key], value, inner, {at.file, at.path + '.' + key});
  }
}

ConfigDocument::Origin ConfigDocument::origin(const ConfigPath& path) const {
  ConfigPath outer = path;
  std::string rest;
  while (!outer.empty()) {
    const auto found = origins.find(outer);
    if (found != origins.end()) return {found->second.file, found->second.path + rest};
    rest = (outer.back().starts_with('[') ? "" : ".") + outer.back() + rest;
    outer.pop_back();
  }
  return {"config", dotted(path)};
}

// --- a section

ConfigPath ConfigSection::path_of(const std::string& name) const {
  ConfigPath path = path_;
  path.push_back(name);
  return path;
}

ConfigSection ConfigSection::section(const std::string& name) {
  allow_null(name);
  const Json* value = take(name);
  if (value && !value->is_object()) {
    problem(name, *value, "an object");
    value = nullptr;
  }
  return {document_, path_of(name), value};
}

ConfigSection ConfigSection::element(const std::string& name, std::size_t index, const Json& object) {
  ConfigPath path = path_of(name);
  path.push_back('[' + std::to_string(index) + ']');
  return {document_, std::move(path), &object};
}

const Json* ConfigSection::take(const std::string& name) {
  const Json* const value = take_text(name);
  return value && is_nothing(*value) ? nullptr : value;
}

const Json* ConfigSection::take_text(const std::string& name) {
  known_.insert(name);
  if (!object_) return nullptr;
  const auto found = object_->find(name);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

bool ConfigSection::refuse_nothing(const std::string& name, const std::string& expected) {
  known_.insert(name);
  if (!object_) return false;
  const auto found = object_->find(name);
  if (found == object_->end() || !is_nothing(*found)) return false;
  problem(name, *found, expected);
  return true;
}

Json ConfigSection::as_text(const std::string& name, const Json& value) const {
  const auto text_at = [this](const ConfigPath& path) -> const std::string* {
    const auto origin = document_.origin(path);
    const auto found = document_.texts.find({origin.file, origin.path});
    return found == document_.texts.end() ? nullptr : &found->second;
  };
  if (document_.texts.empty()) return value;
  const ConfigPath path = path_of(name);
  if (const std::string* text = text_at(path)) return *text;
  Json result = value;
  for (std::size_t i = 0; result.is_array() && i < result.size(); ++i) {
    ConfigPath element = path;
    element.push_back('[' + std::to_string(i) + ']');
    if (const std::string* text = text_at(element)) result[i] = *text;
  }
  return result;
}

void ConfigSection::flag(const std::string& name, bool& out) {
  if (const Json* value = take(name)) {
    if (value->is_boolean()) {
      out = value->get<bool>();
    } else if (*value == "true" || *value == "false") {  // in quotes, as a placeholder may be
      out = *value == "true";
    } else {
      problem(name, *value, "true or false");
    }
  }
  note(name, out);
}

void ConfigSection::text(const std::string& name, std::string& out) {
  if (const Json* taken = take(name)) {
    const Json value = as_text(name, *taken);
    if (!value.is_string()) {
      problem(name, value, "a string");
    } else if (has_control_characters(value.get_ref<const std::string&>())) {
      problem(name, value, "a string without control characters");
    } else {
      out = value.get<std::string>();
    }
  }
  note(name, out.empty() ? Json() : Json(out));
}

void ConfigSection::texts(const std::string& name, std::vector<std::string>& out) {
  if (const Json* value = take(name)) {
    // A variable that holds a list is read as YAML.
    const bool all_of_a_variable = value->is_array() && as_text(name, *value).is_string();
    const Json given = all_of_a_variable ? *value : as_text(name, *value);
    const Json list = given.is_string() ? Json::array({given}) : given;
    const bool good = list.is_array() && std::all_of(list.begin(), list.end(), [](const Json& text) {
                        return text.is_string() && !text.get_ref<const std::string&>().empty() &&
                               !has_control_characters(text.get_ref<const std::string&>());
                      });
    if (good) {
      out = list.get<std::vector<std::string>>();
    } else {
      problem(name, *value, "a string, or a list of strings, none of them empty");
    }
  }
  note(name, out.empty() ? Json() : Json(out));
}

void ConfigSection::field(const std::string& name, FieldPath& out) {
  if (const Json* value = take(name)) {
    if (value->is_string()) {
      out = FieldPath(value->get_ref<const std::string&>());
    } else {
      problem(name, *value, "the dotted path of an event's field, such as meta.id");
    }
  }
  note(name, out.empty() ? Json() : Json(out.dotted()));
}

void ConfigSection::fields(const std::string& name, std::vector<FieldPath>& out) {
  if (const Json* value = take(name)) {
    const Json list = value->is_string() ? Json::array({*value}) : *value;
    const bool good = list.is_array() && !list.empty() && std::all_of(list.begin(), list.end(), [](const Json& text) {
                        return text.is_string() && !text.get_ref<const std::string&>().empty();
                      });
    if (good) {
      out.clear();
      for (const Json& text : list) out.emplace_back(text.get_ref<const std::string&>());
    } else {
      problem(name, *value, "the dotted path of an event's field, such as meta.stream, or a list of them");
    }
  }
  Json paths = Json::array();
  for (const FieldPath& path : out) paths.push_back(path.dotted());
  note(name, paths.empty() ? Json() : paths);
}

void ConfigSection::size(const std::string& name, std::size_t& out, std::size_t least, std::size_t most) {
  if (const Json* value = take(name)) {
    const auto bytes = bytes_of(*value);
    if (bytes && *bytes >= least && *bytes <= most) {
      out = *bytes;
    } else {
      problem(name, *value,
              "a size such as 100kb, 4mb or a number of bytes, from " + size_text(least) + " to " + size_text(most));
    }
  }
  note(name, size_text(out));
}

void ConfigSection::duration(const std::string& name, Milliseconds& out, Milliseconds least, Milliseconds most,
                             std::optional<Milliseconds> unit) {
  if (const Json* value = take(name)) {
    const auto duration = duration_of(*value, unit);
    if (duration && *duration >= least && *duration <= most) {
      out = *duration;
    } else {
      problem(name, *value,
              "a duration such as 250ms, 10s or 5m" +
                  (unit ? ", or a number (1 is " + duration_text(*unit) + ")," : std::string(",")) + " from " +
                  duration_text(least) + " to " + duration_text(most));
    }
  }
  note(name, duration_text(out));
}

void ConfigSection::whole_number(const std::string& name, std::uint64_t& out, std::uint64_t least, std::uint64_t most) {
  if (const Json* value = take(name)) {
    const std::optional<std::uint64_t> whole = whole_number_of(*value);
    if (whole && *whole >= least && *whole <= most) {
      out = *whole;
    } else {
      problem(name, *value, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
  }
  note(name, out);
}

void ConfigSection::ignore(std::initializer_list<const char*> names) { ignored_.insert(names.begin(), names.end()); }

void ConfigSection::problem(const std::string& name, const Json& value, const std::string& expected) {
  refused_.insert(name);
  const auto origin = document_.origin(path_of(name));
  document_.problems.push_back(origin.file + ": " + origin.path + " is " + quoted(value) + ", expected " + expected);
}

void ConfigSection::warn(const std::string& name, const std::string& what) {
  const auto origin = document_.origin(path_of(name));
  document_.warnings.push_back(origin.file + ": " + origin.path + what);
}

void ConfigSection::note(const std::string& name, const Json& value) {
  if (std::any_of(path_.begin(), path_.end(), [](const std::string& key) { return key.starts_with('['); })) return;
  document_.options.emplace_back(dotted(path_of(name)), value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void ConfigSection::finish() {
  if (!object_) return;
  for (const auto& [key, value] : object_->items()) {
    const std::set<std::string>& allowed = value.is_null() ? allowed_null_ : allowed_blank_;
    if (known_.contains(key) && is_nothing(value) && !allowed.contains(key) && !refused_.contains(key))
      warn(key, value.is_null() ? " is null: it counts as not set" : " is empty: it counts as not set");
    if (known_.contains(key) || ignored_.contains(key)) continue;
    const auto origin = document_.origin(path_of(key));
    document_.warnings.push_back(origin.file + ": unknown key '" + origin.path +
                                 "' is ignored; the nearest known one is '" + nearest(key, known_) + "'");
  }
}

}  // namespace eventgate

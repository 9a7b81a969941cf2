#include "eventgate/repository/repository_lint.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "dereference.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/json/json_nodes.hpp"
#include "eventgate/json/printable.hpp"
#include "eventgate/repository/metaschema_check.hpp"
#include "eventgate/schema/compiled_schema.hpp"
#include "eventgate/schema/ecma_pattern.hpp"
#include "eventgate/schema/schema_compiler.hpp"
#include "eventgate/schema/schema_keywords.hpp"
#include "eventgate/schema/validation_error.hpp"
#include "materialize.hpp"
#include "version_changes.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kConfigName = ".jsonschema-tools.yaml";
/// The largest integer that a double holds exactly: Number.MAX_SAFE_INTEGER of JavaScript.
constexpr double kSafeInteger = 9007199254740991;

using Version = std::array<unsigned, 3>;

std::optional<Version> version_of(std::string_view text) {
  Version version{};
  for (std::size_t i = 0; i < version.size(); ++i) {
    const std::size_t end = i + 1 < version.size() ? text.find('.') : text.size();
    const std::string_view digits = text.substr(0, end);
    if (end == std::string_view::npos || digits.empty() || digits.size() > 9 ||
        digits.find_first_not_of("0123456789") != std::string_view::npos)
      return std::nullopt;
    version[i] = static_cast<unsigned>(std::stoul(std::string(digits)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return version;
}

std::string text_of(const Version& version) {
  return std::to_string(version[0]) + '.' + std::to_string(version[1]) + '.' + std::to_string(version[2]);
}

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// A regular expression of JavaScript.
class Pattern {
 public:
  Pattern(const std::string& option, const std::string& text) {
    const auto translated = re2_pattern(text);
    if (translated) re2_ = std::make_unique<RE2>(*translated, RE2::Quiet);
    if (!re2_ || !re2_->ok())
      throw std::runtime_error(std::string(kConfigName) + ": " + option + ": '" + text +
                               "': expected a regular expression" +
                               (translated ? "" : ", but it " + translated.error()));
  }
  bool found_in(const std::string& text) const { return RE2::PartialMatch(text, *re2_); }

 private:
  std::unique_ptr<RE2> re2_;
};

/// The options of a repository.
struct Options {
  fs::path base;
  std::vector<std::string> base_uris;
  std::vector<std::string> content_types{"yaml", "json"};
  std::string current_name = "current";
  std::optional<std::pair<double, double>> bounds{{-kSafeInteger, kSafeInteger}};
  std::vector<Pattern> ignored;
  std::vector<std::pair<Pattern, std::vector<std::string>>> skipped;
  bool has_config = false;
};

[[noreturn]] void fail_option(const std::string& option, const std::string& expected) {
  throw std::runtime_error(std::string(kConfigName) + ": " + option + ": expected " + expected);
}

std::vector<std::string> texts(const std::string& option, const Json& list) {
  std::vector<std::string> out;
  if (list.is_array())
    for (const Json& item : list)
      if (item.is_string()) out.push_back(item.get<std::string>());
  if (!list.is_array() || out.size() != list.size()) fail_option(option, "a list of texts");
  return out;
}

std::string text(const std::string& option, const Json& value) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) fail_option(option, "a text");
  return value.get<std::string>();
}

Options options_of(const fs::path& folder, const Json& config) {
  Options options;
  options.has_config = true;
  options.base = folder;
  for (const auto& [key, value] : config.items()) {
    if (key == "schemaBasePath") options.base = folder / text(key, value);
    if (key == "schemaBaseUris") options.base_uris = texts(key, value);
    if (key == "contentTypes") options.content_types = texts(key, value);
    if (key == "currentName") options.current_name = text(key, value);
    if (key == "ignoreSchemas")
      for (const std::string& pattern : texts(key, value)) options.ignored.emplace_back(key, pattern);
    if (key == "enforcedNumericBounds") {
      options.bounds.reset();
      if (value.is_array() && value.size() == 2 && value[0].is_number() && value[1].is_number())
        options.bounds = {value[0].get<double>(), value[1].get<double>()};
      else if (!value.is_null() && value != false)
        fail_option(key, "two numbers");
    }
    if (key == "skipSchemaTestCases") {
      if (!value.is_object()) fail_option(key, "patterns of $id, each with a list of test cases");
      for (const auto& [pattern, cases] : value.items())
        options.skipped.emplace_back(Pattern(key, pattern), texts(key, cases));
    }
  }
  if (options.content_types.empty()) fail_option("contentTypes", "at least one");
  // Relative paths are relative to the repository.
  for (std::string& uri : options.base_uris)
    if (uri.find("://") == std::string::npos) uri = (folder / uri).string();
  return options;
}

bool same_folder(const fs::path& a, const fs::path& b) {
  std::error_code ignored;
  return fs::equivalent(a, b, ignored);
}

Options find_options(const fs::path& directory, ObjectReader& reader) {
  std::error_code ignored;
  for (const fs::path& folder : {directory, fs::canonical(directory, ignored).parent_path()}) {
    if (!fs::exists(folder / kConfigName, ignored)) continue;
    const auto config = reader.read((folder / kConfigName).string());
    if (!config) throw std::runtime_error((folder / kConfigName).string() + ": " + config.error().message);
    Options options = options_of(folder, *config);
    if (same_folder(folder, directory) || same_folder(options.base, directory)) return options;
  }
  Options options;
  options.base = directory;
  if (fs::is_directory(directory / "jsonschema", ignored)) options.base = directory / "jsonschema";
  return options;
}

/// The files of one schema, in its folder.
struct Title {
  std::string name;     ///< The folder, below the base.
  std::string current;  ///< File names, as the next.
  std::map<Version, std::vector<std::string>> versions;
  std::vector<std::string> latest;
};

class RepositoryCheck {
 public:
  RepositoryCheck(Options options, ObjectReader& reader) : options_(std::move(options)), reader_(reader) {
    bases_ = options_.base_uris;
    if (bases_.empty()) bases_.push_back(options_.base.string());
    for (std::string& base : bases_)
      while (base.ends_with('/')) base.pop_back();
  }

  std::vector<std::string> problems() {
    const std::vector<Title> titles = find_titles();
    if (titles.empty()) {
      problem(options_.base.string(), "expected schemas below it, such as TITLE/1.0.0.yaml");
      return std::move(problems_);
    }
    const bool has_current = options_.has_config || std::any_of(titles.begin(), titles.end(), [](const Title& title) {
                               return !title.current.empty();
                             });
    for (const Title& title : titles) check_title(title, has_current);
    return std::move(problems_);
  }

 private:
  using SchemaResult = boost::system::result<const Json*, std::string>;

  void problem(const std::string& file, const std::string& what) { problems_.push_back(printable(file + ": " + what)); }

  std::vector<Title> find_titles() const;
  void check_title(const Title& title, bool has_current);
  const Json* check_version(const Title& title, const Version& version, const std::string& file);
  void check_place(const Title& title, const Version& version, const std::string& file, const Json& schema);
  void check_examples(const std::string& name, const Json& schema, const CompiledSchema& compiled,
                      const std::string& id);
  void check_snake_case(const std::string& name, const Json& schema);
  void check_same(const Title& title, const std::string& file, const std::string& other, const Json& schema);
  void check_current(const Title& title, const Json& current, const Version& newest, const Json& schema);

  bool skipped(const std::string& id, std::string_view test_case) const {
    return std::any_of(options_.skipped.begin(), options_.skipped.end(), [&](const auto& entry) {
      return entry.first.found_in(id) &&
             std::find(entry.second.begin(), entry.second.end(), test_case) != entry.second.end();
    });
  }
  bool ignored(const Json& schema) const {
    const std::string id = text_at(schema, "$id");
    return std::any_of(options_.ignored.begin(), options_.ignored.end(),
                       [&](const Pattern& pattern) { return pattern.found_in(id); });
  }

  /// Returns the document of a file of the repository.
  SchemaResult file_document(const std::string& name) { return document((options_.base / name).string()); }
  SchemaResult document(const std::string& place);
  /// Returns the document at a path of the repositories, for a `$ref`.
  SchemaResult at_path(const std::string& path);

  const Options options_;
  ObjectReader& reader_;
  std::vector<std::string> bases_;
  std::map<std::string, boost::system::result<Json, ReadError>> documents_;
  const RefReader refs_ = [this](const std::string& path) { return at_path(path); };
  std::vector<std::string> problems_;
};

RepositoryCheck::SchemaResult RepositoryCheck::document(const std::string& place) {
  auto found = documents_.find(place);
  if (found == documents_.end()) found = documents_.emplace(place, reader_.read(place)).first;
  if (!found->second) return found->second.error().message;
  return &*found->second;
}

RepositoryCheck::SchemaResult RepositoryCheck::at_path(const std::string& path) {
  std::string reason = "it is in none of schemaBaseUris";
  for (const std::string& base : bases_) {
    for (std::size_t i = 0; i <= options_.content_types.size(); ++i) {
      const std::string place = base + path + (i == 0 ? "" : "." + options_.content_types[i - 1]);
      const SchemaResult found = document(place);
      if (found) return found;
      if (documents_.at(place).error().kind != ReadError::Kind::not_found) reason = found.error();
    }
  }
  return reason;
}

std::vector<Title> RepositoryCheck::find_titles() const {
  std::map<std::string, Title> titles;
  const auto options = fs::directory_options::skip_permission_denied;
  for (auto it = fs::recursive_directory_iterator(options_.base, options); it != fs::recursive_directory_iterator();
       ++it) {
    const std::string file = it->path().filename().string();
    if (it->is_directory()) {
      if (file.starts_with('.') || file == "node_modules") it.disable_recursion_pending();
      continue;
    }
    std::string stem = file;
    for (const std::string& type : options_.content_types)
      if (file.ends_with("." + type)) stem = file.substr(0, file.size() - type.size() - 1);
    const auto version = version_of(stem);
    const bool current = stem == options_.current_name || file == options_.current_name;
    if (!version && !current && stem != "latest") continue;
    const std::string name = it->path().parent_path().lexically_relative(options_.base).generic_string();
    Title& title = titles[name];
    title.name = name;
    if (version) {
      title.versions[*version].push_back(file);
    } else if (current) {
      title.current = file;
    } else {
      title.latest.push_back(file);
    }
  }
  std::vector<Title> found;
  for (auto& [name, title] : titles) {
    // The file to which the others are links comes first.
    const auto rank = [&](const std::string& file) {
      const auto& types = options_.content_types;
      return std::find_if(types.begin(), types.end(), [&](const auto& type) { return file.ends_with("." + type); });
    };
    for (auto& [version, files] : title.versions)
      std::sort(files.begin(), files.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    if (!title.versions.empty() || !title.current.empty()) found.push_back(std::move(title));
  }
  return found;
}

void RepositoryCheck::check_title(const Title& title, bool has_current) {
  const Json* before = nullptr;
  Version before_version{};
  const Json* newest = nullptr;
  for (const auto& [version, files] : title.versions) {
    const Json* const schema = check_version(title, version, files.front());
    if (schema && before && before_version[0] == version[0] &&
        !skipped(text_at(*schema, "$id"), "schema-version-compatibility")) {
      const std::string path = "/" + title.name + "/" + text_of(before_version);
      const auto older = dereferenced(path, *before, refs_, RefRules::gate);
      const auto newer = dereferenced("/" + title.name + "/" + text_of(version), *schema, refs_, RefRules::gate);
      if (older && newer)
        for (const std::string& change : incompatible_changes(*older, *newer))
          problem(title.name + "/" + files.front(),
                  change + "; expected only optional fields added to " + text_of(before_version));
    }
    if (schema)
      for (std::size_t i = 1; i < files.size(); ++i) check_same(title, files[i], files.front(), *schema);
    if (schema || version[0] != before_version[0]) before = schema;
    if (schema) before_version = version;
    newest = schema;
  }
  if (title.current.empty()) {
    if (has_current) problem(title.name, "expected " + options_.current_name + ", of which its versions are made");
  } else if (const auto current = file_document(title.name + "/" + title.current); !current) {
    problem(title.name + "/" + title.current, current.error());
  } else if (!ignored(**current)) {
    if (title.versions.empty()) {
      problem(title.name + "/" + title.current, "expected a version made of it beside it");
    } else if (newest) {
      check_current(title, **current, title.versions.rbegin()->first, *newest);
    }
  }
  if (newest)
    for (const std::string& file : title.latest)
      check_same(title, file, title.versions.rbegin()->second.front(), *newest);
}

/// Returns the schema, or null if it cannot be used or is ignored.
const Json* RepositoryCheck::check_version(const Title& title, const Version& version, const std::string& file) {
  const std::string name = title.name + "/" + file;
  const SchemaResult read = file_document(name);
  if (!read) {
    problem(name, read.error());
    return nullptr;
  }
  const Json& schema = **read;
  if (ignored(schema)) return nullptr;
  check_place(title, version, name, schema);
  const std::string id = text_at(schema, "$id");
  const bool valid_skipped = skipped(id, "schema-is-valid");
  if (const auto error = check_schema(schema, valid_skipped || skipped(id, "schema-is-secure"))) {
    if (!valid_skipped) problem(name, *error);
    return nullptr;
  }
  const auto compiled = compile_schema("/" + title.name + "/" + text_of(version), schema, refs_);
  if (!compiled) {
    problem(name, compiled.error());
    return nullptr;
  }
  check_examples(name, schema, **compiled, id);
  if (options_.has_config && !skipped(id, "schema-snake-case-properties")) check_snake_case(name, schema);
  return &schema;
}

void RepositoryCheck::check_place(const Title& title, const Version& version, const std::string& file,
                                  const Json& schema) {
  const std::string id = "/" + title.name + "/" + text_of(version);
  if (text_at(schema, "$id") != id)
    problem(file, "expected the $id " + id + ", found '" + text_at(schema, "$id") + "'");
  if (text_at(schema, "title") != title.name)
    problem(file, "expected the title " + title.name + ", found '" + text_at(schema, "title") + "'");
}

void RepositoryCheck::check_examples(const std::string& name, const Json& schema, const CompiledSchema& compiled,
                                     const std::string& id) {
  const auto examples = schema.find("examples");
  if (examples == schema.end() || !examples->is_array()) return;
  const auto properties = schema.find("properties");
  const bool has_schema_uri = properties != schema.end() && properties->is_object() &&
                              properties->contains("$schema") &&
                              !skipped(id, "schema-examples-$schema-matches-schema-$id");
  const bool validate = !skipped(id, "schema-examples-are-valid");
  for (std::size_t i = 0; i < examples->size(); ++i) {
    const Json& example = (*examples)[i];
    const std::string place = "example " + std::to_string(i) + ": ";
    if (has_schema_uri && (!example.is_object() || text_at(example, "$schema") != id))
      problem(name, place + "expected its $schema to be " + id);
    if (!validate) continue;
    std::string text = example.dump();
    text.reserve(text.size() + kJsonPadding);
    JsonNodes nodes;
    Validation validation;
    if (const auto error = parse_json(text, nodes)) {
      problem(name, place + "expected " + error->expected + " at byte " + std::to_string(error->offset));
    } else if (!compiled.validate(nodes.root(), validation)) {
      problem(name, place + errors_text(validation.errors));
    }
  }
}

void RepositoryCheck::check_snake_case(const std::string& name, const Json& schema) {
  static const RE2 kSnakeCase("[$a-z]+[a-z0-9_]*");  // as jsonschema-tools has it
  each_schema(schema, "", [&](const Json& one, const std::string& pointer) {
    const auto properties = one.find("properties");
    if (properties == one.end() || !properties->is_object()) return;
    for (const auto& property : properties->items()) {
      const std::string& key = property.key();
      if (!RE2::FullMatch(key, kSnakeCase))
        problem(name, pointer + "/properties/" + key + ": expected a field name in snake_case");
    }
  });
}

void RepositoryCheck::check_same(const Title& title, const std::string& file, const std::string& other,
                                 const Json& schema) {
  const SchemaResult found = file_document(title.name + "/" + file);
  if (!found) return problem(title.name + "/" + file, found.error());
  if (const auto differs = difference(schema, **found))
    problem(title.name + "/" + file, "expected the same as in " + other + ", but it " + *differs);
}

void RepositoryCheck::check_current(const Title& title, const Json& current, const Version& newest,
                                    const Json& schema) {
  const std::string name = title.name + "/" + title.current;
  const std::string id = "/" + title.name + "/" + text_of(newest);
  const std::string own = text_at(current, "$id");
  const auto version = version_of(own.substr(own.rfind('/') + 1));
  if (!version) return problem(name, "expected an $id that ends in a version, such as " + id + ", found '" + own + "'");
  if (*version != newest)
    return problem(name, "is version " + text_of(*version) +
                             ", expected that version to be made of it; the newest is " + text_of(newest));
  auto made = dereferenced("/" + title.name + "/" + title.current, current, refs_, RefRules::jsonschema_tools);
  if (made) made = merged_all_of(*made);
  if (!made) return problem(name, "no version can be made of it: " + made.error().message);
  if (options_.bounds) set_numeric_bounds(*made, options_.bounds->first, options_.bounds->second);
  Json expected = schema;
  if (!current.contains("examples")) {
    made->erase("examples");
    expected.erase("examples");
  }
  if (const auto differs = difference(expected, *made))
    problem(name, "made a version, expected it to equal " + text_of(newest) + ", but it " + *differs);
}

}  // namespace

std::vector<std::string> repository_problems(const std::string& directory, ObjectReader& reader) {
  std::error_code ignored;
  if (!fs::is_directory(directory, ignored))
    throw std::runtime_error("'" + directory + "': expected the folder of a schema repository");
  Options options = find_options(directory, reader);
  if (!fs::is_directory(options.base, ignored))
    throw std::runtime_error(std::string(kConfigName) + ": schemaBasePath: '" + options.base.string() +
                             "': expected a directory");
  return RepositoryCheck(std::move(options), reader).problems();
}

}  // namespace eventgate

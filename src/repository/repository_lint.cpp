#include "eventgate/repository/repository_lint.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "dereference.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/json/json_nodes.hpp"
#include "eventgate/repository/metaschema_check.hpp"
#include "eventgate/repository/version_builder.hpp"
#include "eventgate/repository/version_changes.hpp"
#include "eventgate/schema/compiled_schema.hpp"
#include "eventgate/schema/schema_compiler.hpp"
#include "eventgate/schema/schema_keywords.hpp"
#include "js_value.hpp"
#include "schema_conventions.hpp"
#include "schema_difference.hpp"
#include "schema_id_pattern.hpp"
#include "written_yaml_reader.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kStructure = "repository-structure";
constexpr const char* kCurrent = "current-equals-newest-version";

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Splits a message such as `at #/properties/a: expected ...` or `#/$ref leads to ...` into JSON pointer and text.
std::pair<std::string, std::string> split_pointer(const std::string& message) {
  const bool at = message.starts_with("at #");
  if (!at && !message.starts_with("#/")) return {"", message};
  const std::size_t begin = at ? 4 : 1;
  const std::size_t end = message.find(at ? ": " : " ");
  if (end == std::string::npos) return {"", message};
  return {message.substr(begin, end - begin), message.substr(end + (at ? 2 : 1))};
}

/// The files of one schema, in its folder.
struct Title {
  std::string name;     ///< The path of the folder below the base.
  std::string current;  ///< A file name, as are the next.
  std::map<SemanticVersion, std::vector<std::string>> versions;
  std::vector<std::string> latest;
};

/// Reads each file once, however many links lead to it.
class RepositoryReader : public ObjectReader {
 public:
  /// Calls `look_first` before it reads a file. `look_first` may `put` the document of that file.
  RepositoryReader(ObjectReader& reader, std::function<void(const std::string& file)> look_first)
      : reader_(reader), look_first_(std::move(look_first)) {}

  using Read = boost::system::result<Json, ReadError>;

  Read read(const std::string& uri) override { return known(uri); }

  /// Returns the document as plain JSON. The pointer is valid as long as this object.
  boost::system::result<const Json*, std::string> plain(const std::string& uri) {
    const Read& document = known(uri);
    if (!document) return document.error().message;
    if (is_plain_json(*document)) return &*document;
    auto found = plain_.find(&*document);
    if (found == plain_.end()) found = plain_.emplace(&*document, plain_json(js_value(*document))).first;
    return &found->second;
  }

  bool has(const std::string& uri) { return documents_.contains(real(uri)); }
  /// Sets the document of a file, which is plain JSON, so that the file need not be read.
  void put(const std::string& uri, const Json& document) {
    documents_.emplace(real(uri), Read(boost::system::in_place_value, document));
  }

  /// Returns the path without symbolic links.
  const std::string& real(const std::string& uri) {
    const auto [place, is_new] = places_.try_emplace(uri, uri);
    if (is_new && uri.find("://") == std::string::npos) {
      std::error_code error;
      const fs::path path = fs::canonical(uri, error);
      if (!error) place->second = path.string();
    }
    return place->second;
  }

 private:
  const Read& known(const std::string& uri) {
    const std::string place = real(uri);
    auto found = documents_.find(place);
    if (found == documents_.end()) {
      look_first_(place);
      found = documents_.find(place);
    }
    if (found == documents_.end()) found = documents_.emplace(place, read_file(place)).first;
    return found->second;
  }

  static bool is_plain_json(const Json& value) {
    if (value.is_structured()) return std::all_of(value.begin(), value.end(), is_plain_json);
    return !value.is_binary();
  }

  Read read_file(const std::string& place) {
    if (place.ends_with(".yaml")) {
      const auto text = read_file_text(place);
      const auto written = text ? read_written_yaml(*text) : std::nullopt;
      if (written && is_plain(*written)) return Read(boost::system::in_place_value, plain_json(*written));
    }
    return reader_.read(place);
  }

  ObjectReader& reader_;
  const std::function<void(const std::string& file)> look_first_;
  std::unordered_map<std::string, std::string> places_;
  std::map<std::string, Read> documents_;
  std::map<const Json*, Json> plain_;  ///< Plain JSON of the documents that JSON cannot express.
};

class RepositoryCheck {
 public:
  RepositoryCheck(const JsonschemaToolsConfig& config, ObjectReader& reader)
      : config_(config),
        base_(config.base()),
        reader_(reader, [this](const std::string& file) { make_current_of(file); }),
        builder_(config_, reader_) {
    for (const std::string& pattern : config.ignoreSchemas) ignored_.emplace_back("ignoreSchemas", pattern);
    for (const auto& [pattern, cases] : config.skipSchemaTestCases)
      skipped_.emplace_back(SchemaIdPattern("skipSchemaTestCases", pattern), cases);
  }

  std::vector<RepositoryProblem> problems() {
    find_titles();
    if (titles_.empty()) {
      problems_.push_back({base_.string(), 0, "", kStructure, "expected schemas below it, such as TITLE/1.0.0.yaml"});
      return std::move(problems_);
    }
    const bool has_current = config_.has_file || std::any_of(titles_.begin(), titles_.end(), [](const auto& title) {
                               return !title.second.current.empty();
                             });
    for (const auto& [name, title] : titles_) make_current(title);
    for (const auto& [name, title] : titles_) check_title(title, has_current);
    return std::move(problems_);
  }

 private:
  using DocumentResult = boost::system::result<const Json*, std::string>;

  std::string path_of(const std::string& name) const { return (base_ / name).lexically_normal().string(); }

  void problem(const std::string& name, std::string pointer, const char* rule, std::string message) {
    const std::string file = path_of(name);
    std::size_t line = line_of(file, pointer);
    if (const std::size_t at = message.find("line "); line == 0 && pointer.empty() && at < 40)
      line = static_cast<std::size_t>(std::strtoul(message.c_str() + at + 5, nullptr, 10));
    problems_.push_back({file, line, std::move(pointer), rule, std::move(message)});
  }
  void problem(const std::string& name, const char* rule, std::string message) {
    problem(name, "", rule, std::move(message));
  }

  /// Returns the line of a place, or of the nearest value around it. 0: the whole file.
  std::size_t line_of(const std::string& file, std::string pointer) {
    if (pointer.empty()) return 0;
    auto found = lines_.find(file);
    if (found == lines_.end()) {
      const auto text = read_file_text(file);
      found = lines_.emplace(file, text ? lines_of(*text) : std::unordered_map<std::string, std::size_t>()).first;
    }
    while (!pointer.empty()) {
      const auto line = found->second.find(pointer);
      if (line != found->second.end()) return line->second;
      pointer.erase(pointer.rfind('/'));
    }
    return 0;
  }

  void find_titles();
  void make_current(const Title& title);
  void make_current_of(const std::string& file);
  void check_title(const Title& title, bool has_current);
  void check_structure(const Title& title);
  void check_link(const Title& title, const std::string& link, const std::string& target);
  const Json* check_version(const Title& title, const SemanticVersion& version, const std::string& file);
  void check_place(const Title& title, const SemanticVersion& version, const std::string& file, const Json& schema);
  void check_examples(const std::string& name, const Json& schema, const CompiledSchema& compiled,
                      const std::string& id);
  void check_conventions(const std::string& name, const Json& schema, const std::string& id);
  void check_same(const Title& title, const std::string& file, const std::string& other, const Json& schema);
  void check_current(const Title& title, const SemanticVersion& newest, const Json& schema);

  bool skipped(const std::string& id, std::string_view test_case) const {
    return std::any_of(skipped_.begin(), skipped_.end(), [&](const auto& entry) {
      return std::find(entry.second.begin(), entry.second.end(), test_case) != entry.second.end() &&
             entry.first.found_in(id);
    });
  }
  bool ignored(const Json& schema) const {
    const std::string id = text_at(schema, "$id");
    return std::any_of(ignored_.begin(), ignored_.end(),
                       [&](const SchemaIdPattern& pattern) { return pattern.found_in(id); });
  }

  DocumentResult file_document(const std::string& name) { return reader_.plain(path_of(name)); }
  /// Returns the document at a path of the repositories, to which a `$ref` leads.
  DocumentResult at_path(const std::string& path);

  const JsonschemaToolsConfig config_;
  const fs::path base_;
  RepositoryReader reader_;
  VersionBuilder builder_;
  std::vector<SchemaIdPattern> ignored_;
  std::vector<std::pair<SchemaIdPattern, std::vector<std::string>>> skipped_;
  const RefReader refs_ = [this](const std::string& path) { return at_path(path); };
  std::map<std::string, Title> titles_;
  std::map<std::string, VersionBuilder::Result<MadeVersion>> made_;  ///< By title.
  std::map<std::string, const Title*> by_newest_file_;
  std::set<std::string> begun_;    ///< Titles whose version is built or being built.
  std::set<std::string> as_made_;  ///< Titles whose newest version equals the one built from `current`.
  std::map<std::string, std::unordered_map<std::string, std::size_t>> lines_;
  std::vector<RepositoryProblem> problems_;
};

RepositoryCheck::DocumentResult RepositoryCheck::at_path(const std::string& path) {
  std::string reason = "it is in none of schemaBaseUris";
  for (const std::string& base : config_.base_uris()) {
    for (std::size_t i = 0; i <= config_.contentTypes.size(); ++i) {
      const std::string place = base + path + (i == 0 ? "" : "." + config_.contentTypes[i - 1]);
      DocumentResult found = reader_.plain(place);
      if (found) return found;
      if (const auto read = reader_.read(place); read.error().kind != ReadError::Kind::not_found)
        reason = found.error();
    }
  }
  return reason;
}

void RepositoryCheck::find_titles() {
  const std::string current_file = config_.current_file();
  std::error_code error;
  for (auto it = fs::recursive_directory_iterator(base_, fs::directory_options::skip_permission_denied, error);
       it != fs::recursive_directory_iterator(); it.increment(error)) {
    const std::string file = it->path().filename().string();
    if (it->is_directory(error)) {
      if (file.starts_with('.') || file == "node_modules") it.disable_recursion_pending();
      continue;
    }
    std::string stem = file;
    for (const std::string& type : config_.contentTypes)
      if (file.ends_with("." + type)) stem = file.substr(0, file.size() - type.size() - 1);
    SemanticVersion version;
    const bool is_version = read_version(stem, version);
    const bool current = file == current_file || (!config_.has_file && stem == config_.currentName);
    if (!is_version && !current && stem != "latest") continue;
    const std::string name = it->path().parent_path().lexically_relative(base_).generic_string();
    Title& title = titles_[name];
    title.name = name;
    if (is_version) {
      title.versions[version].push_back(file);
    } else if (current) {
      title.current = file;
    } else {
      title.latest.push_back(file);
    }
  }
  for (auto& [name, title] : titles_) {
    // The file comes before the links to it.
    const auto rank = [&](const std::string& file) {
      const auto& types = config_.contentTypes;
      return std::find_if(types.begin(), types.end(), [&](const auto& type) { return file.ends_with("." + type); });
    };
    for (auto& [version, files] : title.versions)
      std::sort(files.begin(), files.end(),
                [&](const auto& a, const auto& b) { return std::make_pair(rank(a), a) < std::make_pair(rank(b), b); });
  }
  std::erase_if(titles_,
                [](const auto& title) { return title.second.versions.empty() && title.second.current.empty(); });
  for (const auto& [name, title] : titles_)
    if (!title.versions.empty())
      by_newest_file_[reader_.real(path_of(name + "/" + title.versions.rbegin()->second.front()))] = &title;
}

/// Builds the version of a current. The newest version need not be read if it has the same bytes.
void RepositoryCheck::make_current(const Title& title) {
  if (title.current.empty() || !begun_.insert(title.name).second) return;
  const auto current = builder_.read_current(path_of(title.name + "/" + title.current));
  if (!current) {
    made_.emplace(title.name, current.error());
    return;
  }
  auto made = builder_.made(*current);
  if (made && made->is_plain && !title.versions.empty()) {
    const auto& [version, files] = *title.versions.rbegin();
    const std::string file = path_of(title.name + "/" + files.front());
    const auto text = read_file_text(file);
    const auto& [type, expected] = made->texts.front();
    if (version.text() == made->version && text && *text == expected) {
      as_made_.insert(title.name);
      if (!reader_.has(file)) reader_.put(file, *made->schema);
    }
  }
  made_.emplace(title.name, std::move(made));
}

/// Builds a version before its file is read for a `$ref`.
void RepositoryCheck::make_current_of(const std::string& file) {
  const auto title = by_newest_file_.find(file);
  if (title != by_newest_file_.end()) make_current(*title->second);
}

void RepositoryCheck::check_title(const Title& title, bool has_current) {
  const Json* before = nullptr;
  SemanticVersion before_version;
  const Json* newest = nullptr;
  for (const auto& [version, files] : title.versions) {
    const Json* const schema = check_version(title, version, files.front());
    if (schema && before && before_version.major == version.major &&
        !skipped(text_at(*schema, "$id"), "schema-version-compatibility")) {
      const std::string path = "/" + title.name + "/" + before_version.text();
      const auto older = dereferenced(path, *before, refs_);
      const auto newer = dereferenced("/" + title.name + "/" + version.text(), *schema, refs_);
      if (older && newer)
        for (const SchemaChange& change : incompatible_changes(*older, *newer))
          problem(title.name + "/" + files.front(), change.pointer, "schema-version-compatibility",
                  change.what + "; expected only optional fields added to " + before_version.text());
    }
    if (schema)
      for (std::size_t i = 1; i < files.size(); ++i) check_same(title, files[i], files.front(), *schema);
    if (schema || version.major != before_version.major) before = schema;
    if (schema) before_version = version;
    newest = schema;
  }
  if (title.current.empty()) {
    if (has_current)
      problem(title.name, kStructure, "expected " + config_.current_file() + ", of which its versions are made");
  } else if (newest && as_made_.contains(title.name)) {
    // There is no version to compare with.
  } else if (const auto current = file_document(title.name + "/" + title.current); !current) {
    problem(title.name + "/" + title.current, kCurrent, current.error());
  } else if (!ignored(**current)) {
    if (title.versions.empty()) {
      problem(title.name + "/" + title.current, kStructure, "expected a version made of it beside it");
    } else if (newest) {
      check_current(title, title.versions.rbegin()->first, *newest);
    }
  }
  if (newest)
    for (const std::string& file : title.latest)
      check_same(title, file, title.versions.rbegin()->second.front(), *newest);
  if (newest && config_.has_file) check_structure(title);
}

/// Checks that each version has the files that the config requires.
void RepositoryCheck::check_structure(const Title& title) {
  const std::string& first = config_.contentTypes.front();
  for (const auto& [version, files] : title.versions) {
    for (const std::string& type : config_.contentTypes)
      if (std::find(files.begin(), files.end(), version.text() + "." + type) == files.end())
        problem(title.name, kStructure, "expected " + version.text() + "." + type + ", as contentTypes says");
    if (config_.shouldSymlinkExtensionless) check_link(title, version.text(), version.text() + "." + first);
  }
  const std::string newest = title.versions.rbegin()->first.text();
  if (config_.shouldSymlinkLatest) {
    check_link(title, "latest." + first, newest + "." + first);
    if (config_.shouldSymlinkExtensionless) check_link(title, "latest", newest + "." + first);
  }
  std::error_code error;
  const std::string bare = fs::path(config_.current_file()).stem().string();
  if (bare != config_.current_file() && fs::exists(path_of(title.name + "/" + bare), error))
    problem(title.name + "/" + bare, kStructure, "expected no " + bare + " beside " + config_.current_file());
}

void RepositoryCheck::check_link(const Title& title, const std::string& link, const std::string& target) {
  const std::string name = title.name + "/" + link;
  const std::string path = path_of(name);
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (fs::is_symlink(status)) {
    const std::string found = fs::read_symlink(path, error).string();
    if (found == target) return;
    // A link may lead to the file by another path.
    if (fs::exists(path, error) && fs::equivalent(path, path_of(title.name + "/" + target), error)) return;
    problem(name, kStructure, "expected a link to " + target + ", found one to " + found);
  } else if (!fs::exists(status)) {
    problem(title.name, kStructure, "expected the link " + link + " to " + target);
  } else if (const auto text = read_file_text(path); !text || (*text != target && *text != target + "\n")) {
    problem(name, kStructure, "expected a link to " + target + ", found a file");
  }
}

/// Returns the schema of a version if it can be used and is not ignored.
const Json* RepositoryCheck::check_version(const Title& title, const SemanticVersion& version,
                                           const std::string& file) {
  const std::string name = title.name + "/" + file;
  const DocumentResult read = file_document(name);
  if (!read) {
    problem(name, "schema-is-valid", read.error());
    return nullptr;
  }
  const Json& schema = **read;
  if (ignored(schema)) return nullptr;
  check_place(title, version, name, schema);
  const std::string id = text_at(schema, "$id");
  const bool valid_skipped = skipped(id, "schema-is-valid");
  if (const auto error = check_schema(schema, valid_skipped || skipped(id, "schema-is-secure"))) {
    const bool insecure = error->find("json-schema-secure") != std::string::npos;
    if (!valid_skipped) {
      auto [pointer, message] = split_pointer(*error);
      problem(name, std::move(pointer), insecure ? "schema-is-secure" : "schema-is-valid", std::move(message));
    }
    return nullptr;
  }
  const auto compiled = compile_schema("/" + title.name + "/" + version.text(), schema, refs_);
  if (!compiled) {
    auto [pointer, message] = split_pointer(compiled.error());
    problem(name, std::move(pointer), "schema-is-valid", std::move(message));
    return nullptr;
  }
  check_examples(name, schema, **compiled, id);
  if (config_.has_file) check_conventions(name, schema, id);
  return &schema;
}

void RepositoryCheck::check_place(const Title& title, const SemanticVersion& version, const std::string& file,
                                  const Json& schema) {
  const std::string id = "/" + title.name + "/" + version.text();
  if (text_at(schema, "$id") != id)
    problem(file, schema.contains("$id") ? "/$id" : "", kStructure,
            "expected the $id " + id + ", found '" + text_at(schema, "$id") + "'");
  if (text_at(schema, "title") != title.name)
    problem(file, schema.contains("title") ? "/title" : "", kStructure,
            "expected the title " + title.name + ", found '" + text_at(schema, "title") + "'");
}

void RepositoryCheck::check_examples(const std::string& name, const Json& schema, const CompiledSchema& compiled,
                                     const std::string& id) {
  const auto examples = schema.find("examples");
  if (examples == schema.end() || !examples->is_array()) return;
  const auto properties = schema.find("properties");
  constexpr const char* kSchemaRule = "schema-examples-$schema-matches-schema-$id";
  const bool has_schema_uri = properties != schema.end() && properties->is_object() &&
                              properties->contains("$schema") && !skipped(id, kSchemaRule);
  const bool validate = !skipped(id, "schema-examples-are-valid");
  for (std::size_t i = 0; i < examples->size(); ++i) {
    const Json& example = (*examples)[i];
    const std::string pointer = "/examples/" + std::to_string(i);
    if (has_schema_uri && (!example.is_object() || text_at(example, "$schema") != id))
      problem(name, pointer, kSchemaRule, "expected its $schema to be " + id);
    if (!validate) continue;
    std::string text = example.dump();
    text.reserve(text.size() + kJsonPadding);
    JsonNodes nodes;
    Validation validation;
    if (const auto error = parse_json(text, nodes)) {
      problem(name, pointer, "schema-examples-are-valid",
              "expected " + error->expected + " at byte " + std::to_string(error->offset));
    } else if (!compiled.validate(nodes.root(), validation)) {
      problem(name, pointer, "schema-examples-are-valid", errors_text(validation.errors));
    }
  }
}

void RepositoryCheck::check_conventions(const std::string& name, const Json& schema, const std::string& id) {
  const auto report = [&](const char* rule, const std::vector<ConventionProblem>& found) {
    for (const auto& [pointer, message] : found) problem(name, pointer, rule, message);
  };
  const auto wanted = [&](const char* rule) { return !skipped(id, rule); };
  if (wanted("schema-snake-case-properties")) report("schema-snake-case-properties", snake_case_problems(schema));
  if (wanted("schema-deterministic-types")) report("schema-deterministic-types", type_problems(schema));
  if (wanted("schema-required-properties-exist")) report("schema-required-properties-exist", required_problems(schema));
  if (config_.enforcedNumericBounds && wanted("schema-enforced-numeric-bounds"))
    report("schema-enforced-numeric-bounds", bound_problems(schema, *config_.enforcedNumericBounds));
  if (wanted("schema-field-names")) report("schema-field-names", field_name_problems(schema));
}

void RepositoryCheck::check_same(const Title& title, const std::string& file, const std::string& other,
                                 const Json& schema) {
  const std::string name = title.name + "/" + file;
  const DocumentResult found = file_document(name);
  if (!found) return problem(name, kStructure, found.error());
  if (*found == &schema) return;  // a link to the same file
  if (const auto differs = difference(schema, **found))
    problem(name, differs->pointer, kStructure, "expected the same as in " + other + ", but it " + differs->message);
}

void RepositoryCheck::check_current(const Title& title, const SemanticVersion& newest, const Json& schema) {
  const std::string name = title.name + "/" + title.current;
  const auto& made = made_.at(title.name);
  if (!made) {
    problems_.push_back(made.error());
    problems_.back().rule = kCurrent;
    problems_.back().message = "no version can be made of it: " + problems_.back().message;
    return;
  }
  if (made->version != newest.text())
    return problem(
        name, "/$id", kCurrent,
        "is version " + made->version + ", expected that version to be made of it; the newest is " + newest.text());
  Json expected = schema;
  Json version = *made->schema;
  const DocumentResult current = file_document(name);
  if (current && !(*current)->contains("examples")) {  // the examples were generated
    version.erase("examples");
    expected.erase("examples");
  }
  if (const auto differs = difference(expected, version))
    problem(name, "", kCurrent,
            "made a version, expected it to equal " + newest.text() + ", but it " + differs->message);
}

}  // namespace

std::vector<RepositoryProblem> repository_problems(const JsonschemaToolsConfig& config, ObjectReader& reader) {
  std::error_code ignored;
  if (!fs::is_directory(config.base(), ignored))
    throw std::runtime_error(config.has_file
                                 ? ".jsonschema-tools.yaml: schemaBasePath: '" + config.base().string() +
                                       "': expected a directory"
                                 : "'" + config.base().string() + "': expected the folder of a schema repository");
  return RepositoryCheck(config, reader).problems();
}

}  // namespace eventgate

#include "eventgate/repository/version_builder.hpp"
#include "eventgate/base/json_pointer.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

#include "all_of_merge.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/repository/version_changes.hpp"
#include "eventgate/schema/schema_keywords.hpp"
#include "example_event.hpp"
#include "js_value.hpp"
#include "ref_replacement.hpp"
#include "schema_difference.hpp"
#include "schema_id_pattern.hpp"
#include "yaml_writer.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// Number.MAX_SAFE_INTEGER of JavaScript.
constexpr double kExactInteger = 9007199254740991;

/// Returns the line of the value at `pointer`, or of the nearest value around it.
std::size_t line_at(const std::unordered_map<std::string, std::size_t>& lines, std::string pointer) {
  for (;;) {
    const auto found = lines.find(pointer);
    if (found != lines.end()) return found->second;
    if (pointer.empty()) return 0;
    pointer.erase(pointer.rfind('/'));
  }
}

/// Returns the line of a place in a merged schema. If nobody wrote that place, it is the line of the nearest `allOf`.
std::size_t merged_line_at(const std::unordered_map<std::string, std::size_t>& lines, const std::string& pointer) {
  if (lines.contains(pointer)) return line_at(lines, pointer);
  for (std::string around = pointer; !around.empty();) {
    around.erase(around.rfind('/'));
    if (const auto branches = lines.find(around + "/allOf"); branches != lines.end()) return branches->second;
  }
  return line_at(lines, pointer);
}

/// Returns the value at a path such as `version` or `meta.version`, as lodash's get does.
const JsValue* value_at(const JsValue& schema, std::string_view path) {
  const JsValue* value = &schema;
  if (value->is_object())
    if (const JsValue* const own = value->object().find(path)) return own;
  while (value && !path.empty()) {
    const std::size_t dot = path.find('.');
    value = value->is_object() ? value->object().find(path.substr(0, dot)) : nullptr;
    path = dot == std::string_view::npos ? "" : path.substr(dot + 1);
  }
  return value;
}

std::string text_at(const JsValue& schema, std::string_view path) {
  const JsValue* const value = value_at(schema, path);
  return value && value->is_text() ? value->text() : std::string();
}

/// An integer in data keeps its digits. An integer of a keyword such as `maximum` becomes the nearest double, with
/// which validators compare, as in every version that jsonschema-tools made.
void round_keywords(const JsValue& schema, bool is_names, std::unordered_set<const void*>& seen) {
  if (!schema.is_structured() || !seen.insert(schema.identity()).second) return;
  if (schema.is_list()) {
    for (const JsValue& item : schema.list()) round_keywords(item, false, seen);
    return;
  }
  for (std::size_t i = 0; i < schema.object().members().size(); ++i) {
    const auto& [key, value] = schema.object().members()[i];
    if (!is_names && (holds_data(key) || key == "examples")) continue;
    if (value.is_number() && std::abs(value.number()) > kExactInteger)
      schema.object().set(std::string(key), value.number());
    else
      round_keywords(value, !is_names && names_schemas(key), seen);
  }
}

}  // namespace

std::string SemanticVersion::text() const {
  return std::to_string(major) + '.' + std::to_string(minor) + '.' + std::to_string(patch);
}

bool read_version(std::string_view text, SemanticVersion& version) {
  for (std::uint32_t* const number : {&version.major, &version.minor, &version.patch}) {
    if (text.empty() || text[0] < '0' || text[0] > '9') return false;
    if (text[0] == '0' && text.size() > 1 && text[1] != '.') return false;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
    if (error != std::errc() || *number > 999'999'999) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (number == &version.patch) return text.empty();
    if (!text.starts_with('.')) return false;
    text.remove_prefix(1);
  }
  return false;
}

SemanticVersion next_version(const MadeVersion& made, const std::string& published, const SemanticVersion& newest) {
  SemanticVersion version;
  read_version(made.version, version);
  const auto before = parse_authored_text(published);
  if (before && incompatible_changes(plain_json(js_value(*before)), *made.schema).empty() &&
      newest.major == version.major)
    return {newest.major, newest.minor + 1, 0};
  return {newest.major + 1, 0, 0};
}

bool says_the_same(const MadeVersion& made, const std::string& published) {
  const auto before = parse_authored_text(published);
  return before && !difference(plain_json(js_value(*before)), *made.schema);
}

struct VersionBuilder::Impl {
  Impl(const JsonschemaToolsConfig& config_, ObjectReader& reader_) : config(config_), reader(reader_) {
    for (const std::string& pattern : config.ignoreSchemas) ignored.emplace_back("ignoreSchemas", pattern);
  }

  struct Expected {
    CurrentSchema current;
    std::optional<Result<JsValue>> made;
    bool being_made = false;
  };

  RepositoryProblem problem(const CurrentSchema& current, std::string pointer, std::string message,
                            std::string rule = "schema-build") const {
    const std::size_t line = line_at(lines_of(current.text), pointer);
    return {current.file, line, std::move(pointer), std::move(rule), std::move(message)};
  }

  RepositoryProblem merge_problem(const CurrentSchema& current, const MergeProblem& merge) const {
    return {current.file, merged_line_at(lines_of(current.text), merge.pointer), merge.pointer, "schema-build",
            merge.message};
  }

  Result<JsValue> document_of(const CurrentSchema& current) const {
    const auto parsed = parse_authored_text(current.text);
    if (!parsed)
      return RepositoryProblem{current.file, line_in(parsed.error().message), "", "schema-build",
                               parsed.error().message};
    return js_value(*parsed);
  }

  /// Returns the line that a message of the reader names.
  static std::size_t line_in(std::string_view message) {
    const std::size_t at = message.find("line ");
    std::size_t line = 0;
    if (at != std::string_view::npos) std::from_chars(message.data() + at + 5, message.data() + message.size(), line);
    return line;
  }

  /// Returns the URI by which a `$ref` names a current.
  std::string uri_of(const CurrentSchema& current, const JsValue& schema) const {
    if (!current.title.empty()) return '/' + current.title + '/' + config.current_file();
    const std::string id = text_at(schema, "$id");
    return id.starts_with('/') ? id : "/current";
  }

  boost::system::result<JsValue, NoDocument> read_document(const std::string& uri) {
    std::string name = uri;
    for (const char* const extension : {".yaml", ".json"})
      if (name.ends_with(extension)) name.erase(name.size() - 5);
    if (const auto found = expected.find(name); found != expected.end() && !found->second.being_made) {
      Expected& other = found->second;
      if (!other.made) {
        other.being_made = true;
        const auto document = document_of(other.current);
        other.made = document ? built(other.current, *document, true) : Result<JsValue>(document.error());
        other.being_made = false;
      }
      if (!*other.made) return NoDocument{"which cannot be made: " + other.made->error().text()};
      return JsClones().of(**other.made);
    }
    if (uri.starts_with("http://") || uri.starts_with("https://") || uri.starts_with("file://"))
      return read_at(uri, uri);
    if (!uri.starts_with('/')) return NoDocument{"which is no path that begins with '/', and no file or http(s) URI"};
    std::string tried;
    std::string reason;
    for (const std::string& base : config.base_uris()) {
      for (const char* const extension : {"", ".yaml", ".json"}) {
        const std::string place = base + uri + extension;
        tried += (tried.empty() ? "tried " : ", ") + place;
        auto read = read_at(uri, place);
        if (read) return read;
        if (documents.at(place).error().kind != ReadError::Kind::not_found && reason.empty())
          reason = "but " + place + ": " + read.error().reason;
      }
    }
    return NoDocument{reason.empty() ? tried + ": none is there" : reason};
  }

  boost::system::result<JsValue, NoDocument> read_at(const std::string& uri, const std::string& place) {
    auto found = documents.find(place);
    if (found == documents.end()) found = documents.emplace(place, reader.read(place)).first;
    if (!found->second) return NoDocument{found->second.error().message};
    places[uri] = place;
    return js_value(*found->second);
  }

  /// Does not check version, `$id` and title.
  Result<JsValue> built(const CurrentSchema& current, const JsValue& document, bool bounded) {
    JsValue schema = document;
    if (config.shouldDereference) {
      const std::string uri = uri_of(current, document);
      const bool has_examples = document.object().has("examples");
      const auto whole =
          replaced_refs(uri, document, [this](const std::string& other) { return read_document(other); });
      if (!whole) {
        const RefProblem& found = whole.error();
        if (found.document == uri) return problem(current, found.pointer, found.message);
        const auto place = places.find(found.document);
        return problem(current, "",
                       (place == places.end() ? found.document : place->second) + " at " +
                           (found.pointer.empty() ? "/" : found.pointer) + ": " + found.message);
      }
      if (!whole->is_object()) return problem(current, "", "expected an object once every $ref is replaced");
      std::unordered_set<const void*> seen;
      round_keywords(*whole, false, seen);
      const auto merged = merged_all_of(*whole);
      if (!merged) return merge_problem(current, merged.error());
      if (!merged->is_object())
        return problem(current, "/allOf", "expected branches that some event meets, found false");
      schema = *merged;
      if (!has_examples) schema.object().erase("examples");
    } else {
      std::unordered_set<const void*> seen;
      round_keywords(schema, false, seen);
    }
    if (!bounded) return schema;
    if (config.enforcedNumericBounds) {
      schema = JsClones().of(schema);
      const auto [minimum, maximum] = *config.enforcedNumericBounds;
      set_numeric_bounds(schema, minimum, maximum);
    }
    if (config.shouldGenerateExample) add_example(current, schema);
    return schema;
  }

  void add_example(const CurrentSchema& current, const JsValue& schema) const {
    const JsValue* const examples = schema.object().find("examples");
    if (examples && !(examples->is_list() && examples->list().empty())) return;
    const std::string id = text_at(schema, config.schemaVersionField);
    // A version that has an example keeps it.
    if (const std::string version = id.substr(id.rfind('/') + 1); !version.empty() && !current.folder.empty()) {
      const fs::path file = fs::path(current.folder) / (version + '.' + config.contentTypes.front());
      if (const auto text = read_file_text(file.string())) {
        if (const auto made = parse_authored_text(*text)) {
          const JsValue before = js_value(*made);
          const JsValue* const given = before.object().find("examples");
          if (given && given->is_list() && !given->list().empty() && are_valid_examples(*given, schema)) {
            schema.object().set("examples", *given);
            return;
          }
        }
      }
    }
    if (auto example = example_event(schema, id))
      schema.object().set("examples", JsList{*std::move(example)});
    else
      schema.object().erase("examples");
  }

  static std::string written(const JsValue& value, std::string_view content_type) {
    return content_type == "json" ? written_json(value) : written_yaml(value);
  }

  const JsonschemaToolsConfig& config;
  ObjectReader& reader;
  std::vector<SchemaIdPattern> ignored;
  std::map<std::string, boost::system::result<Json, ReadError>> documents;  ///< By the place of the document.
  std::map<std::string, std::string> places;                                ///< Places of documents, by URI.
  std::map<std::string, Expected> expected;  ///< Versions that this run builds, by `$id`.
};

VersionBuilder::VersionBuilder(const JsonschemaToolsConfig& config, ObjectReader& reader)
    : impl_(std::make_unique<Impl>(config, reader)) {}
VersionBuilder::~VersionBuilder() = default;

std::vector<std::string> VersionBuilder::find_currents() const {
  const fs::path base = impl_->config.base();
  std::error_code error;
  if (!fs::is_directory(base, error))
    throw std::runtime_error("schemaBasePath: '" + base.string() + "': expected a directory");
  std::vector<std::string> files;
  const std::string name = impl_->config.current_file();
  for (auto it = fs::recursive_directory_iterator(base, fs::directory_options::skip_permission_denied, error);
       it != fs::recursive_directory_iterator(); it.increment(error)) {
    const std::string file = it->path().filename().string();
    if (it->is_directory(error)) {
      if (file.starts_with('.') || file == "node_modules") it.disable_recursion_pending();
    } else if (file == name) {
      files.push_back(it->path().lexically_normal().string());
    }
  }
  std::sort(files.begin(), files.end());
  if (!impl_->ignored.empty()) {
    std::erase_if(files, [&](const std::string& file) {
      const auto read = impl_->reader.read(file);
      if (!read || !read->contains("$id") || !(*read)["$id"].is_string()) return false;
      const auto id = (*read)["$id"].get<std::string>();
      return std::any_of(impl_->ignored.begin(), impl_->ignored.end(),
                         [&](const SchemaIdPattern& pattern) { return pattern.found_in(id); });
    });
  }
  return files;
}

VersionBuilder::Result<CurrentSchema> VersionBuilder::read_current(const std::string& file) const {
  auto text = read_file_text(file);
  if (!text) return RepositoryProblem{file, 0, "", "schema-build", text.error().message};
  CurrentSchema current{file, fs::path(file).parent_path().string(), "", *std::move(text)};
  if (current.folder.empty()) current.folder = ".";
  std::error_code error;
  const fs::path base = fs::weakly_canonical(impl_->config.base(), error);
  const std::string below = fs::weakly_canonical(current.folder, error).lexically_relative(base).generic_string();
  if (!below.empty() && below != "." && below != ".." && !below.starts_with("../")) current.title = below;
  return current;
}

void VersionBuilder::expect(const CurrentSchema& current) {
  if (current.title.empty()) return;
  const auto document = impl_->document_of(current);
  if (!document) return;
  const std::string id = text_at(*document, "$id");
  if (!id.empty()) impl_->expected.insert_or_assign(id, Impl::Expected{current, std::nullopt, false});
}

VersionBuilder::Result<MadeVersion> VersionBuilder::made(const CurrentSchema& current) {
  const auto document = impl_->document_of(current);
  if (!document) return document.error();
  const JsonschemaToolsConfig& config = impl_->config;
  const std::string& field = config.schemaVersionField;
  const bool by_id = field == "$id";
  MadeVersion made;
  made.current = current;
  made.id = text_at(*document, "$id");
  const std::string field_pointer = '/' + escape_pointer_token(field);
  const std::string given = text_at(*document, field);
  SemanticVersion version;
  if (!read_version(given.substr(given.rfind('/') + 1), version)) {
    const std::string example = current.title.empty() ? "/1.0.0" : '/' + current.title + "/1.0.0";
    const std::string expected =
        by_id ? "an $id that ends in a version, such as " + example : "a version X.Y.Z in `" + field + "`";
    const JsValue* const value = value_at(*document, field);
    return impl_->problem(current, value ? field_pointer : "",
                          "expected " + expected + ", found " + (value ? brief_json(plain_json(*value)) : "none"));
  }
  made.version = version.text();
  if (by_id && !current.title.empty()) {
    // jsonschema-tools accepts a folder whose path ends in the title, so there are published versions in such folders.
    const auto hold = [&](const std::string& key, const std::string& expected,
                          const std::string& found) -> std::optional<RepositoryProblem> {
      if (found == expected) return std::nullopt;
      RepositoryProblem wrong =
          impl_->problem(current, found.empty() ? "" : '/' + key,
                         "expected the " + key + ' ' + expected + ", as its folder says, found '" + found + "'");
      const std::string bare = found.starts_with('/') ? found.substr(1) : found;
      if (bare.empty() || !expected.ends_with('/' + bare)) return wrong;
      // Without a base in the config it is unknown where in the path a title begins.
      if (config.schemaBasePath != ".") made.warnings.push_back(std::move(wrong));
      return std::nullopt;
    };
    if (auto wrong = hold("$id", '/' + current.title + '/' + made.version, made.id)) return *std::move(wrong);
    const std::string title = text_at(*document, config.schemaTitleField);
    if (auto wrong = hold(config.schemaTitleField, current.title, title)) return *std::move(wrong);
  }
  made.references = referenced_documents(impl_->uri_of(current, *document), *document);
  std::optional<Result<JsValue>> schema;
  const auto expected = impl_->expected.find(made.id);
  if (expected != impl_->expected.end() && expected->second.current.file == current.file) {
    if (!expected->second.made) {
      expected->second.being_made = true;
      expected->second.made = impl_->built(current, *document, true);
      expected->second.being_made = false;
    }
    schema = expected->second.made;
  } else {
    schema = impl_->built(current, *document, true);
  }
  if (!*schema) return schema->error();
  for (const std::string& type : config.contentTypes) made.texts.emplace_back(type, Impl::written(**schema, type));
  made.schema = std::make_shared<const Json>(plain_json(**schema));
  made.is_plain = is_plain(**schema);
  return made;
}

VersionBuilder::Result<std::string> VersionBuilder::merged(const CurrentSchema& current, std::string_view content_type,
                                                           bool bounded) {
  const auto document = impl_->document_of(current);
  if (!document) return document.error();
  const auto schema = impl_->built(current, *document, bounded);
  if (!schema) return schema.error();
  return {boost::system::in_place_value, Impl::written(*schema, content_type)};
}

VersionBuilder::Result<std::string> VersionBuilder::merged_list(const std::vector<CurrentSchema>& currents,
                                                                std::string_view content_type) {
  JsList all;
  for (const CurrentSchema& current : currents) {
    const auto document = impl_->document_of(current);
    if (!document) return document.error();
    const auto schema = impl_->built(current, *document, false);
    if (!schema) return schema.error();
    all.push_back(*schema);
  }
  return {boost::system::in_place_value, Impl::written(all, content_type)};
}

}  // namespace eventgate

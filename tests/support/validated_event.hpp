#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/schema/schema_compiler.hpp"

/// Schemas compiled and events run through them, without the gate.
namespace eventgate {

/// An event as completed, and what is wrong with it.
struct ValidatedEvent {
  std::string event;
  std::vector<ValidationError> errors;
  /// The source texts of the numbers that count as integers, but are not written so.
  std::vector<std::string> integers;

  bool valid() const { return errors.empty(); }
};

/// A text parsed, which it keeps.
class ParsedText {
 public:
  explicit ParsedText(std::string_view text) : text_(text), size_(text.size()) {
    text_.append(kJsonPadding, '\0');
    if (const auto error = parse_json(std::string_view(text_).substr(0, size_), nodes_))
      throw std::invalid_argument("expected " + error->expected + " at " + std::to_string(error->offset) + " of " +
                                  std::string(text));
  }
  ParsedText(const ParsedText&) = delete;
  JsonValue value() const { return nodes_.root(); }

 private:
  std::string text_;
  std::size_t size_;
  JsonNodes nodes_;
};

/// Completes, if so wished, and validates.
inline ValidatedEvent validated(const CompiledSchema& schema, std::string_view text, bool complete = true) {
  ValidatedEvent result{std::string(text), {}, {}};
  auto parsed = std::make_unique<ParsedText>(text);
  EventPatch splice;
  while (complete && schema.add_defaults(parsed->value(), splice)) {
    result.event.clear();
    splice.apply(parsed->value(), result.event);
    splice.clear();
    parsed = std::make_unique<ParsedText>(result.event);
  }
  Validation validation;
  const bool valid = schema.validate(parsed->value(), validation);
  if (valid != validation.errors.empty()) throw std::logic_error("the verdict is not that of the errors");
  result.errors = validation.errors;
  for (const auto node : validation.integers)
    result.integers.emplace_back(JsonValue(parsed->value().base(), parsed->value().nodes(), node).source());
  return result;
}

/// The errors as AJV writes them.
inline nlohmann::ordered_json errors_json(const std::vector<ValidationError>& errors) {
  auto list = nlohmann::ordered_json::array();
  for (const ValidationError& error : errors) {
    nlohmann::ordered_json one = {{"keyword", error.keyword},
                                  {"dataPath", error.data_path},
                                  {"schemaPath", error.schema_path},
                                  {"params", nlohmann::ordered_json::parse(error.params)},
                                  {"message", error.message}};
    if (error.property_name) one["propertyName"] = *error.property_name;
    list.push_back(std::move(one));
  }
  return list;
}

using SchemaDocuments = std::map<std::string, nlohmann::ordered_json>;

/// Reads references from `documents`, by path or URL.
inline RefReader reader_of(const SchemaDocuments& documents) {
  return [&documents](const std::string& path) -> boost::system::result<const nlohmann::ordered_json*, std::string> {
    const auto found = documents.find(path);
    if (found == documents.end()) return path + " is not there";
    return &found->second;
  };
}

/// The schema in `text`, compiled. Throws std::invalid_argument with the compiler's error.
inline std::shared_ptr<const CompiledSchema> compiled(std::string_view text, const SchemaDocuments& documents = {},
                                                      const std::string& uri = "/test/schema/1.0.0",
                                                      const CompilerLimits& limits = {}) {
  const auto document = nlohmann::ordered_json::parse(text);
  auto schema = compile_schema(uri, document, reader_of(documents), limits);
  if (!schema) throw std::invalid_argument(schema.error());
  return *schema;
}

/// Compiles the schemas of repositories on disk.
class SchemaFolders {
 public:
  explicit SchemaFolders(std::vector<std::filesystem::path> folders) : folders_(std::move(folders)) {}

  const nlohmann::ordered_json* document(const std::string& path) {
    if (const auto known = documents_.find(path); known != documents_.end()) return &known->second;
    for (const auto& folder : folders_) {
      std::string text = file_text(folder.string() + path);
      if (text.empty()) continue;
      // A link that was checked out as a file: its text is the name of the file it leads to.
      if (text.find_first_of(" \n") == std::string::npos)
        text = file_text(std::filesystem::path(folder.string() + path).replace_filename(text));
      auto object = parse_object_text(text);
      if (!object) throw std::invalid_argument(path + ": " + object.error().message);
      return &(documents_[path] = *std::move(object));
    }
    return nullptr;
  }

  boost::system::result<std::shared_ptr<const CompiledSchema>, std::string> compile(const std::string& path) {
    const auto* root = document(path);
    if (!root) return path + " is not there";
    return compile_schema(
        path, *root,
        [this](const std::string& ref) -> boost::system::result<const nlohmann::ordered_json*, std::string> {
          const auto* found = document(ref);
          if (!found) return ref + " is not there";
          return found;
        });
  }

 private:
  static std::string file_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::vector<std::filesystem::path> folders_;
  SchemaDocuments documents_;
};

}  // namespace eventgate

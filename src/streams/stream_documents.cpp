#include "eventgate/streams/stream_documents.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

#include "eventgate/json/field_path.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

std::string json_text(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string string_member(const Json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Returns the error of the MediaWiki Action API, which sends errors with status 200. Without
/// `stream_config_object_path` (`is_enveloped` false) the document may declare a stream named `error`, so only an
/// object with the API's members is an error.
std::optional<std::string> api_error(const Json& document, bool is_enveloped) {
  const auto error = document.find("error");
  if (error == document.end()) return std::nullopt;
  const std::string code = string_member(*error, "code");
  if (!is_enveloped && (code.empty() || !error->contains("info"))) return std::nullopt;
  return "the reply is an error: " + (code.empty() ? json_text(*error) : code + ": " + string_member(*error, "info"));
}

}  // namespace

Json read_stream_document(ObjectReader& reader, const std::string& uri, const std::string& object_path,
                          const std::function<void(const std::string&)>& warn) {
  const auto document = reader.read(uri);
  if (document.has_error()) throw std::runtime_error(document.error().message);
  const Json* object = &*document;
  const FieldPath path(object_path);
  if (object->is_object()) {
    if (const auto error = api_error(*object, !path.empty())) throw std::runtime_error(*error);
    const auto warnings = object->find("warnings");
    if (!path.empty() && warnings != object->end() && !warnings->empty()) warn(json_text(*warnings));
  }
  for (const std::string& key : path.keys()) {
    if (!object->is_object() || !object->contains(key)) {
      throw std::runtime_error("expected an object at `" + path.dotted() +
                               "` (option `stream_config_object_path`), but there is no `" + key + "`");
    }
    object = &object->at(key);
  }
  const WikiDeclarations declarations(std::vector<Json>(1, *object));  // throws if it is none
  if (object->empty()) warn("no stream is declared");
  return *object;
}

Json default_stream_settings(const StreamConfigOptions& options) {
  if (options.stream_config_default_settings.empty()) return Json::object();
  auto settings = parse_object_text(options.stream_config_default_settings);
  if (!settings) throw std::runtime_error("stream_config_default_settings: " + settings.error().message);
  return *std::move(settings);
}

WikiDeclarations read_declarations(const StreamConfigOptions& options, const std::vector<std::string>& uris,
                                   ObjectReader& reader) {
  std::vector<Json> documents;
  for (const std::string& uri : uris) {
    try {
      documents.push_back(read_stream_document(reader, uri, options.stream_config_object_path, [](const auto&) {}));
    } catch (const std::exception& e) {
      throw std::runtime_error("Cannot read the stream configs at '" + uri + "': " + e.what());
    }
  }
  return {documents, default_stream_settings(options), options.stream_config_groups};
}

}  // namespace eventgate

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "document_frame.hpp"
#include "eventgate/base/utf8.hpp"
#include "eventgate/fetch/authored_document.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "json_document.hpp"
#include "yaml_document.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

ReadError invalid(std::string message) { return {ReadError::Kind::invalid, std::move(message)}; }

std::string type_with_article(const Json& value) {
  const std::string name = value.type_name();
  return name == "null" ? name : (name == "array" ? "an " : "a ") + name;
}

boost::system::result<AuthoredDocument, ReadError> parse_text(std::string_view text, std::size_t max_depth,
                                                              YamlRules rules) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return invalid("expected a JSON or YAML object, found nothing");
  }
  if (const std::size_t at = find_invalid_utf8(text); at != std::string_view::npos) {
    return invalid("expected valid UTF-8, found something else at " + line_and_column(text, at));
  }
  if (const std::size_t at = text.find('\0'); at != std::string_view::npos) {
    return invalid("expected text, found a NUL byte at " + line_and_column(text, at));
  }
  // YAML reads an HTML page of one line with a colon as a mapping. A mapping may begin with `<<` though.
  if (const std::size_t at = text.find_first_not_of(" \t\r\n"); text[at] == '<' && !text.substr(at).starts_with("<<")) {
    return invalid("expected a JSON or YAML object, found markup");
  }
  JsonDocument json = parse_json_document(text, max_depth, rules);
  AuthoredDocument document{std::move(json.value), {}};
  if (!json.error.empty()) {
    if (!json.is_syntax_error) return invalid(std::move(json.error));
    auto yaml = parse_yaml_document(text, max_depth, rules);
    if (!yaml) {
      // A text that begins as JSON is meant as JSON, so that error says more.
      const char first = text[text.find_first_not_of(" \t\r\n")];
      if (first == '{' || first == '[') return invalid("expected JSON or YAML, but as JSON: " + json.error);
      return yaml.error();
    }
    document = *std::move(yaml);
  }
  if (!document.object.is_object()) {
    return invalid("expected a JSON or YAML object, found " + type_with_article(document.object));
  }
  return document;
}

}  // namespace

boost::system::result<Json, ReadError> parse_object_text(std::string_view text, std::size_t max_depth,
                                                         YamlRules rules) {
  auto document = parse_text(text, max_depth, rules);
  if (!document) return document.error();
  // Json converts from nearly everything, so the result must be told that this is its value.
  return {boost::system::in_place_value, std::move(document->object)};
}

boost::system::result<AuthoredDocument, ReadError> parse_authored_text(std::string_view text, std::size_t max_depth) {
  return parse_text(text, max_depth, YamlRules::js_yaml);
}

}  // namespace eventgate

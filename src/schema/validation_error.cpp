#include "eventgate/schema/validation_error.hpp"

#include "eventgate/json/json_text.hpp"

namespace eventgate {

void append_error(std::string& out, const ValidationError& error) {
  out += "{\"keyword\":";
  append_json_string(out, error.keyword);
  out += ",\"dataPath\":";
  append_json_string(out, error.data_path);
  out += ",\"schemaPath\":";
  append_json_string(out, error.schema_path);
  out += ",\"params\":";
  out += error.params.empty() ? std::string_view("{}") : std::string_view(error.params);
  out += ",\"message\":";
  append_json_string(out, error.message);
  if (error.property_name) {
    out += ",\"propertyName\":";
    append_json_string(out, *error.property_name);
  }
  out += '}';
}

std::string errors_text(const std::vector<ValidationError>& errors) {
  std::size_t size = 0;
  for (const ValidationError& error : errors) size += error.data_path.size() + error.message.size() + 5;
  std::string text;
  text.reserve(size);
  for (const ValidationError& error : errors) {
    if (!text.empty()) text += ", ";
    text += '\'';
    text += error.data_path;
    text += "' ";
    text += error.message;
  }
  return text;
}

}  // namespace eventgate

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

namespace {

void append_named(std::string& out, const ValidationError& error) {
  out += '\'';
  out += error.data_path;
  out += "' ";
  out += error.message;
  if (error.hint.empty()) return;
  out += " (";
  out += error.hint;
  out += ')';
}

}  // namespace

std::string named_errors_text(const std::vector<ValidationError>& errors) {
  std::string text;
  for (const ValidationError& error : errors) {
    if (!text.empty()) text += ", ";
    append_named(text, error);
  }
  return text;
}

std::string first_error_text(const std::vector<ValidationError>& errors) {
  std::string text;
  if (errors.empty()) return text;
  append_named(text, errors.front());
  if (errors.size() > 1) text += ", and " + std::to_string(errors.size() - 1) + " more";
  return text;
}

std::string errors_hint(const std::vector<ValidationError>& errors) {
  std::string text;
  for (const ValidationError& error : errors) {
    if (error.hint.empty()) continue;
    if (!text.empty()) text += ", ";
    text += error.data_path.empty() ? "the event" : "'" + error.data_path + "'";
    text += ' ';
    text += error.hint;
  }
  return text;
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

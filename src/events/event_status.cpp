#include "eventgate/events/event_status.hpp"

#include "eventgate/events/json_text.hpp"

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

void append_status(std::string& out, const EventStatus& status) {
  out.reserve(out.size() + status.event.size() + 256 * (status.errors.size() + 1));
  out += status.kind == EventStatus::Kind::invalid ? "{\"status\":\"invalid\",\"event\":"
                                                   : "{\"status\":\"error\",\"event\":";
  out += status.event;
  out += ",\"context\":{";
  switch (status.kind) {
    case EventStatus::Kind::invalid: {
      out += "\"errors\":[";
      bool first = true;
      for (const ValidationError& error : status.errors) {
        if (!first) out += ',';
        first = false;
        append_error(out, error);
      }
      out += "],\"errorsText\":";
      append_json_string(out, errors_text(status.errors));
      break;
    }
    case EventStatus::Kind::error:
      out += "\"message\":";
      append_json_string(out, status.message);
      if (status.has_delivery)
        out += status.delivery == Delivery::unknown ? ",\"delivery\":\"unknown\"" : ",\"delivery\":\"not_produced\"";
      if (status.has_delivery && !status.retry) out += ",\"retry\":false";
      break;
  }
  out += "},\"index\":";
  out += std::to_string(status.index);
  out += '}';
}

}  // namespace eventgate

#include "eventgate/gate/event_status.hpp"

#include "eventgate/json/json_text.hpp"

namespace eventgate {

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
  if (const std::string hint = errors_hint(status.errors); !hint.empty()) {
    out += ",\"hint\":";
    append_json_string(out, hint);
  }
  out += '}';
}

}  // namespace eventgate

#include "eventgate/events/event_status.hpp"

namespace eventgate {

std::string errors_text(const std::vector<ValidationError>& errors) {
  std::string text;
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

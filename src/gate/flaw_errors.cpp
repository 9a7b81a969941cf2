#include "flaw_errors.hpp"

#include <algorithm>
#include <string_view>

#include "eventgate/base/utf8.hpp"
#include "eventgate/schema/ajv_text.hpp"
#include "eventgate/schema/compiled_schema.hpp"

namespace eventgate {

namespace {

std::string_view message_of(JsonInteropIssue::Kind kind) {
  switch (kind) {
    case JsonInteropIssue::Kind::lone_surrogate:
      return "should NOT have a lone surrogate";
    case JsonInteropIssue::Kind::not_a_double:
      return "should be a number within a double";
    case JsonInteropIssue::Kind::invalid_utf8:
      return "should be valid UTF-8";
  }
  return {};
}

ValidationError flaw_error(JsonValue event, const JsonInteropIssue& flaw) {
  const bool is_byte = flaw.kind == JsonInteropIssue::Kind::invalid_utf8;
  const std::uint32_t offset = (is_byte ? flaw.offset : event.nodes()[flaw.node].begin) - event.node().begin;
  const std::string at = std::to_string(offset);
  return {"json",
          to_valid_utf8(data_path(event, flaw.node)),
          "#",
          "{\"offset\":" + at + "}",
          std::string(message_of(flaw.kind)),
          std::nullopt,
          "is at byte " + at + " of the event"};
}

}  // namespace

std::string data_path(JsonValue event, std::uint32_t node) {
  std::string path;
  std::string buffer;
  JsonValue at = event;
  while (at.index() != node && (at.is_object() || at.is_array())) {
    std::size_t index = 0;
    auto child = at.begin();
    if (at.is_object()) {
      JsonValue key = *child;
      while (node >= key.node().next) {
        ++child;
        if (node < (*child).node().next) break;
        ++child;
        key = *child;
      }
      if ((*child).index() == key.index()) return path;
      path += js_property(key.string(buffer));
    } else {
      for (; node >= (*child).node().next; ++child) ++index;
      path += '[' + std::to_string(index) + ']';
    }
    at = *child;
  }
  return path;
}

std::vector<ValidationError> flaw_errors(JsonValue event, std::span<const JsonInteropIssue> flaws) {
  std::vector<ValidationError> errors;
  for (const JsonInteropIssue& flaw : flaws.first(std::min(flaws.size(), kMaxErrors)))
    errors.push_back(flaw_error(event, flaw));
  if (flaws.size() > kMaxErrors)
    errors.push_back({"maxErrors", "", "#", "{\"limit\":" + std::to_string(kMaxErrors) + "}", "has more errors"});
  return errors;
}

}  // namespace eventgate

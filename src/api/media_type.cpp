#include "media_type.hpp"

#include <algorithm>
#include <cstddef>

#include "eventgate/base/ascii.hpp"

namespace eventgate {

namespace {

/// Returns the end of the first parameter: a semicolon outside quotes (RFC 9110, section 5.6.6), or the end.
std::size_t parameter_end(std::string_view parameters) {
  bool quoted = false;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i] == '"') {
      quoted = !quoted;
    } else if (quoted && parameters[i] == '\\') {
      ++i;
    } else if (!quoted && parameters[i] == ';') {
      return i;
    }
  }
  return parameters.size();
}

}  // namespace

MediaType media_type(std::string_view content_type) {
  if (content_type == "application/json") return MediaType::json;  // most requests
  const std::size_t semicolon = content_type.find(';');
  const std::string_view type = trim(content_type.substr(0, semicolon));
  if (!equals_ignoring_case(type, "application/json") && !equals_ignoring_case(type, "text/plain") &&
      !equals_ignoring_case(type, "application/reports+json"))
    return MediaType::other;
  if (semicolon == std::string_view::npos) return MediaType::json;
  std::string_view parameters = content_type.substr(semicolon + 1);
  while (!parameters.empty()) {
    const std::size_t end = parameter_end(parameters);
    const std::string_view parameter = parameters.substr(0, end);
    parameters.remove_prefix(std::min(parameters.size(), end + 1));
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos || !equals_ignoring_case(trim(parameter.substr(0, equals)), "charset"))
      continue;
    std::string_view charset = trim(parameter.substr(equals + 1));
    if (charset.size() >= 2 && charset.front() == '"' && charset.back() == '"')
      charset = charset.substr(1, charset.size() - 2);
    // US-ASCII is a subset of UTF-8.
    const bool is_utf8 = equals_ignoring_case(charset, "utf-8") || equals_ignoring_case(charset, "utf8") ||
                         equals_ignoring_case(charset, "us-ascii");
    if (!is_utf8) return MediaType::not_utf8;
  }
  return MediaType::json;
}

bool begins_as_json(std::string_view body) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (body.starts_with(kByteOrderMark)) body.remove_prefix(kByteOrderMark.size());
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (body[first] == '{' || body[first] == '[');
}

}  // namespace eventgate

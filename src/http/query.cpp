#include "eventgate/http/query.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "eventgate/base/percent.hpp"
#include "eventgate/base/utf8.hpp"

namespace eventgate {

namespace {

/// Decodes a name or value of a query. JavaScript's decodeURIComponent decodes all of it or nothing.
std::string decode(std::string_view text) {
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '+', ' ');
  if (text.find('%') == std::string_view::npos) return plain;
  std::optional<std::string> decoded = percent_decode_strict(plain);
  if (!decoded || find_invalid_utf8(*decoded) != std::string::npos) return plain;
  return *std::move(decoded);
}

}  // namespace

Query parse_query(std::string_view query) {
  Query parameters;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view parameter = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (parameter.empty()) continue;
    const std::size_t equals = parameter.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : parameter.substr(equals + 1);
    parameters.emplace_back(decode(parameter.substr(0, equals)), decode(value));
  }
  return parameters;
}

bool has_parameter(const Query& query, std::string_view name) {
  return std::any_of(query.begin(), query.end(), [&](const auto& parameter) { return parameter.first == name; });
}

}  // namespace eventgate

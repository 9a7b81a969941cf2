#include "schema_uri.hpp"

#include <array>
#include <cstddef>

#include "eventgate/base/ascii.hpp"
#include "eventgate/repository/schema_repository.hpp"

namespace eventgate {
namespace {

/// Limit of a schema_uri, bytes.
constexpr std::size_t kMaxUriSize = 1024;

std::string_view last_segment(std::string_view key) {
  const auto slash = key.rfind('/');
  return slash == std::string_view::npos ? key : key.substr(slash + 1);
}

}  // namespace

bool is_remote(std::string_view uri) { return uri.starts_with("http://") || uri.starts_with("https://"); }

std::string_view without_hash(std::string_view uri) {
  if (uri.ends_with('#')) uri.remove_suffix(1);
  return uri;
}

std::string_view schema_key(std::string_view schema_uri) {
  schema_uri = without_hash(schema_uri);
  if (schema_uri.starts_with('/')) schema_uri.remove_prefix(1);
  return schema_uri;
}

bool is_latest(std::string_view key) {
  const std::string_view name = last_segment(key);
  return name == "latest" || name.starts_with("latest.");
}

bool has_extension(std::string_view key) {
  const std::string_view name = last_segment(key);
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot + 1 == name.size()) return false;
  return name.find_first_not_of("0123456789", dot + 1) != std::string_view::npos;
}

SchemaUriForm schema_uri_form(std::string_view schema_uri) {
  static constexpr auto allowed = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._~+-")) {
      table[static_cast<unsigned char>(c)] = true;
    }
    return table;
  }();

  std::string_view rest = without_hash(schema_uri);
  if (rest.empty() || rest.size() > kMaxUriSize) return SchemaUriForm::illegal;
  if (is_ascii_letter(rest[0])) {
    const auto colon = rest.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+.-");
    if (colon != std::string_view::npos && rest[colon] == ':') return SchemaUriForm::absolute;
  }
  if (rest[0] == '/') rest.remove_prefix(1);
  for (;;) {
    std::size_t end = 0;
    while (end < rest.size() && allowed[static_cast<unsigned char>(rest[end])]) ++end;
    const std::string_view segment = rest.substr(0, end);
    if (segment.empty() || segment == "." || segment == "..") return SchemaUriForm::illegal;
    if (end == rest.size()) return SchemaUriForm::path;
    if (rest[end] != '/') return SchemaUriForm::illegal;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace eventgate

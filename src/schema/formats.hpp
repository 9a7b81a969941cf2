#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace eventgate {

/// The formats of AJV 6 in its "fast" mode.
enum class Format : std::uint8_t {
  date,
  time,
  date_time,
  uri,
  uri_reference,
  uri_template,
  url,
  email,
  hostname,
  ipv4,
  ipv6,
  regex,
  uuid,
  json_pointer,
  json_pointer_uri_fragment,
  relative_json_pointer,
};

/// The format a schema calls `name`, if there is one.
std::optional<Format> format_named(std::string_view name);

/// The names of all formats, for an error message.
std::string_view format_names();

/// Whether `text` (UTF-8) is of `format`, exactly as AJV's regular expression for it decides. Linear.
bool matches_format(Format format, std::string_view text);

}  // namespace eventgate

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace eventgate {

/// The formats of AJV 6 in its mode "fast".
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

/// Returns the format named `name`, or nullopt.
std::optional<Format> format_named(std::string_view name);

/// Returns the names of all formats, for an error message.
std::string_view format_names();

/// Returns true if `text` (UTF-8) has the format, exactly as AJV's regular expression decides. O(size of `text`).
bool matches_format(Format format, std::string_view text);

}  // namespace eventgate

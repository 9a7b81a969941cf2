#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

// The values of YAML's plain scalars, by the core schema of YAML 1.2 (section 10.3.2), with the timestamps of js-yaml.

namespace eventgate {

/// Returns the value of a scalar without quotes and tag: null, a boolean, a number, a timestamp as a string, or `text`.
nlohmann::ordered_json plain_scalar(const std::string& text);

/// Returns a timestamp as js-yaml reads it and JSON.stringify writes it: `2001-12-15T02:59:43.100Z`. Returns nullopt if
/// `text` is no timestamp, or no time of the calendar.
std::optional<std::string> yaml_timestamp(std::string_view text);

}  // namespace eventgate

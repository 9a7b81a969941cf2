#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace eventgate {

/// Returns a sentence for each key in the declaration of a stream that the gate does not read, but that looks like one
/// that it does: it differs by a letter or two, as `schema_titel` does, or stands in the wrong place, as `eventgate`
/// beside `producers` does. Other keys are settings of other services. Pure.
///
///     'schema_titel': expected `schema_title`
///     'eventgate': expected in `producers`
std::vector<std::string> misplaced_settings(const nlohmann::ordered_json& declaration);

}  // namespace eventgate

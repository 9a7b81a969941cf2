#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventgate {

/// The parameters of a query as name and value, decoded, in the order sent.
using Query = std::vector<std::pair<std::string, std::string>>;

/// Parses the parameters of `query`, which begins after the `?`. `+` is a space. If a `%` of a name or value begins no
/// escape, or the decoded text is no UTF-8, all its escapes stay as they are, as in the original.
Query parse_query(std::string_view query);

/// Returns true if `query` has a parameter named `name`.
bool has_parameter(const Query& query, std::string_view name);

}  // namespace eventgate

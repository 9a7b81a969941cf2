#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace eventgate {

/// Returns the value of `number`, a JSON number that is an integer written with a fraction or an exponent, such as
/// `1.0`. Returns nullopt if the value does not fit 64 bits.
std::optional<std::int64_t> integer_literal(std::string_view number);

}  // namespace eventgate

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventgate {

/// What the gate may know of the request that brought an event. What it refers to must live as long as the request's
/// events are worked on.
struct RequestContext {
  /// The one place where time enters.
  std::chrono::system_clock::time_point received_at;

  /// The request's header fields: the value of the first field named `name` (any case), bytes as sent.
  std::optional<std::string_view> header(std::string_view name) const {
    return find_header ? find_header(headers, name) : std::nullopt;
  }
  const void* headers = nullptr;
  std::optional<std::string_view> (*find_header)(const void* headers, std::string_view name) = nullptr;

  /// The query's parameters, decoded, in order. Their names are exact.
  std::vector<std::pair<std::string, std::string>> query;
  /// The first parameter named `name`.
  std::optional<std::string_view> query_parameter(std::string_view name) const {
    for (const auto& [key, value] : query)
      if (key == name) return value;
    return std::nullopt;
  }

  /// The address of the socket's other end, without port.
  std::string remote_address;
};

}  // namespace eventgate

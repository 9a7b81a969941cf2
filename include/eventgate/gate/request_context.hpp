#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventgate {

/// What the gate knows of the request that brought events: its time, header fields, query and remote address.
///
/// `headers` must outlive the processing of the request's events.
struct RequestContext {
  /// The time of receipt. The gate reads no other clock for an event.
  std::chrono::system_clock::time_point received_at;

  /// Returns the value of the first header field named `name`, in any case, as the client sent it.
  std::optional<std::string_view> header(std::string_view name) const {
    return find_header ? find_header(headers, name) : std::nullopt;
  }
  const void* headers = nullptr;  ///< Passed to `find_header`.
  std::optional<std::string_view> (*find_header)(const void* headers, std::string_view name) = nullptr;

  /// The decoded parameters of the query, in order.
  std::vector<std::pair<std::string, std::string>> query;
  /// Returns the value of the first parameter named exactly `name`.
  std::optional<std::string_view> query_parameter(std::string_view name) const {
    for (const auto& [key, value] : query)
      if (key == name) return value;
    return std::nullopt;
  }

  /// The address of the socket's remote end, without port.
  std::string remote_address;
};

}  // namespace eventgate

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "eventgate/base/timestamp.hpp"
#include "eventgate/base/uuid.hpp"

// Ids and times as JSON strings, with their quotes.

namespace eventgate {

/// A UUID in quotes.
struct UuidJson {
  std::array<char, kUuidSize + 2> text;

  std::string_view view() const { return {text.data(), text.size()}; }
};

/// Returns a random UUID. No allocation: each event that lacks an id gets one.
inline UuidJson random_uuid_json() {
  UuidJson uuid;
  uuid.text.front() = uuid.text.back() = '"';
  write_random_uuid(uuid.text.data() + 1);
  return uuid;
}

/// Returns `time` as ISO 8601 with milliseconds, in quotes.
inline std::string timestamp_json(std::chrono::system_clock::time_point time) {
  std::string text;
  text.reserve(sizeof("\"2020-04-02T19:11:20.942Z\""));
  text += '"';
  append_timestamp(text, time);
  text += '"';
  return text;
}

}  // namespace eventgate

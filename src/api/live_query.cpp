#include "live_query.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <utility>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/timestamp.hpp"
#include "eventgate/json/json_text.hpp"

namespace eventgate {

namespace {

/// Bytes of the value of a parameter. It is compared with every event.
constexpr std::size_t kMaxValue = 256;

using Wrong = std::optional<std::string>;

/// Reads a list of outcomes, separated by commas.
Wrong read_outcomes(std::string_view list, LiveFilter& filter) {
  filter.accepted = filter.invalid = filter.error = filter.rejected = false;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t comma = std::min(list.find(',', begin), list.size());
    const std::string_view name = trim(list.substr(begin, comma - begin));
    begin = comma + 1;
    if (name == "accepted") {
      filter.accepted = true;
    } else if (name == "invalid") {
      filter.invalid = true;
    } else if (name == "error") {
      filter.error = true;
    } else if (name == "rejected") {
      filter.rejected = true;
    } else if (name == "refused") {
      filter.invalid = filter.error = filter.rejected = true;
    } else {
      return "There is no outcome " + json_string(name) +
             ": expected accepted, invalid, error, rejected or refused, or several with commas between them.";
    }
  }
  return std::nullopt;
}

Wrong read_time(const std::string& name, const std::string& value, std::int64_t& time) {
  const auto parsed = parse_timestamp(value);
  if (!parsed) return "`" + name + "` is " + json_string(value) + ": expected a time as in 2026-11-30T13:33:05.000Z.";
  time = *parsed;
  return std::nullopt;
}

Wrong read_parameter(const std::string& name, const std::string& value, LiveFilter& filter) {
  if (value.size() > kMaxValue)
    return "`" + name + "` has " + std::to_string(value.size()) + " bytes: expected at most " +
           std::to_string(kMaxValue) + ".";
  if (name == "stream") {
    filter.stream = value;
  } else if (name == "schema") {
    filter.schema = value;
  } else if (name == "outcome") {
    return read_outcomes(value, filter);
  } else if (name == "text") {
    filter.text = to_ascii_lower(std::string_view(value));
  } else if (name == "reason") {
    filter.reason = value;
  } else if (name == "path") {
    filter.path = value;
  } else {
    return read_time(name, value, name == "since" ? filter.since : filter.until);
  }
  return std::nullopt;
}

}  // namespace

std::string unknown_parameter(const std::string& name, std::string_view expected) {
  return "There is no parameter " + json_string(name) + ": expected " + std::string(expected) + ".";
}

std::string repeated_parameter(const std::string& name) { return "`" + name + "` is there twice: expected it once."; }

Wrong read_live_filter(const Query& query, LiveParameters parameters, LiveFilter& filter) {
  static const std::set<std::string, std::less<>> kNames{"stream", "schema", "outcome"};
  static const std::set<std::string, std::less<>> kMoreNames{"text", "reason", "path", "since", "until"};
  const bool takes_more = parameters == LiveParameters::events;
  std::set<std::string_view> seen;
  for (const auto& [name, value] : query) {
    if (!kNames.contains(name) && !(takes_more && kMoreNames.contains(name)))
      return unknown_parameter(
          name, takes_more ? "`stream`, `schema`, `outcome`, `text`, `reason`, `path`, `since`, `until`, or nothing"
                           : "`stream`, `schema`, `outcome`, or nothing");
    if (!seen.insert(name).second) return repeated_parameter(name);
    if (value.empty()) continue;
    if (Wrong wrong = read_parameter(name, value, filter)) return wrong;
  }
  return std::nullopt;
}

}  // namespace eventgate

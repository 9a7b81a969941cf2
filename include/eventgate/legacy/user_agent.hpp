#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace eventgate {

/// A user agent as the original's `userAgent` has it.
struct UserAgent {
  std::string browser_family = "Other";
  std::optional<std::string> browser_major, browser_minor;
  std::string os_family = "Other";
  std::optional<std::string> os_major, os_minor;
  std::string device_family = "Other";
  bool is_bot = false;
  bool is_mediawiki = false;
  std::string wmf_app_version = "-";
};

/// Sets the members that are read from the text itself: `is_bot`, which also needs `device_family`, `is_mediawiki` and
/// `wmf_app_version`. O(size of `text`). Thread-safe.
void set_wikimedia_members(UserAgent& user_agent, std::string_view text);

/// Returns the JSON object of the members that have a value.
std::string user_agent_json(const UserAgent& user_agent);

}  // namespace eventgate

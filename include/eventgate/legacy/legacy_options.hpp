#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventgate {

/// The versions of the schema that stands in the place of one of the wiki's.
struct LegacySchema {
  std::optional<std::string> version;             ///< Of every revision that is not listed. Nullopt: these are refused.
  std::map<std::int64_t, std::string> revisions;  ///< Revision to version.
};

/// The options of the section `legacy`. The members have the names of the options; docs/config.md describes each.
struct LegacyOptions {
  enum class Answer : std::uint8_t { received, outcome };
  enum class Bots : std::uint8_t { accept, mark, drop };

  std::vector<std::string> routes{"/beacon/event", "/beacon/event.gif", "/event", "/event.gif"};
  /// By the name of the wiki's schema. The entry `*` is for the names that are not listed.
  std::map<std::string, LegacySchema, std::less<>> schemas;
  Answer answer = Answer::received;
  std::vector<std::string> web_hosts;  ///< Empty: any host is an own one.
  bool web_host_required = false;
  Bots bots = Bots::accept;
  std::string user_agent_regexes;    ///< Empty: user agents are not parsed.
  std::size_t max_query = 8 * 1024;  ///< Bytes, as sent.
  bool ip = false;
};

/// The entry of `LegacyOptions::schemas` for names that have none of their own.
inline constexpr char kAnyLegacySchema[] = "*";

/// Returns true if the wiki can have a schema named `name`: 1 to 63 of a-z, A-Z, 0-9, `_` and `-`. Pure.
bool is_legacy_schema_name(std::string_view name);

}  // namespace eventgate

#include "eventgate/legacy/user_agent.hpp"

#include <re2/re2.h>

#include <algorithm>

#include "eventgate/base/ascii.hpp"
#include "eventgate/json/json_text.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kApp = "WikipediaApp/";
constexpr std::string_view kMediaWiki = "mediawiki";

/// What the text of a bot contains, and how it begins. `.` matches no line end.
constexpr char kBotPattern[] =
    "(?:.*(?:bot|spider|WordPress|AppEngine|AppleDictionaryService|Python-urllib|python-requests|"
    "Google-HTTP-Java-Client|[Ff]acebook|[Yy]ahoo|RockPeaks|http).*|"
    "(?:goo wikipedia|MediaWikiCrawler-Google|wikiwix-bot|Java|curl|PHP|Faraday|HTTPC|Ruby|\\.NET|Python|Apache|"
    "Scrapy|PycURL|libwww|Zend|wget|nodemw|WinHttpRaw|Twisted|com\\.eusoft|Lagotto|Peggo|Recuweb|check_http|Magnus|"
    "MLD|Jakarta|find-link|J\\. River|projectplan9|ADmantX|httpunit|LWP|iNaturalist|WikiDemo|FSResearchIt|livedoor|"
    "Microsoft Monitoring|MediaWiki|User:|User_talk:|github|tools.wmflabs.org|Blackboard Safeassign|Damn Small XSS|"
    "\\S+@\\S+\\.[a-zA-Z]{2,3}).*)\\n?";

bool looks_like_bot(std::string_view text) {
  static const RE2 pattern(kBotPattern);
  const std::string_view bare = trim(text, "\"");
  return RE2::FullMatch(re2::StringPiece(bare.data(), bare.size()), pattern);
}

/// Returns what stands between the first and the second `/` of the first word, or `-`.
std::string app_version(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  if (text.find(kApp) == std::string_view::npos) return "-";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  text = text.substr(0, text.find_first_of(kBlanks));
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return "-";
  text.remove_prefix(slash + 1);
  return std::string(text.substr(0, text.find('/')));
}

}  // namespace

void set_wikimedia_members(UserAgent& user_agent, std::string_view text) {
  user_agent.is_bot =
      user_agent.device_family == "Spider" || (user_agent.device_family == "Other" && looks_like_bot(text));
  user_agent.is_mediawiki = to_ascii_lower(text).find(kMediaWiki) != std::string::npos;
  user_agent.wmf_app_version = app_version(text);
}

std::string user_agent_json(const UserAgent& user_agent) {
  std::string json = "{";
  const auto add = [&json](std::string_view key, const std::optional<std::string>& value) {
    if (!value) return;
    if (json.size() > 1) json += ',';
    json.append("\"").append(key).append("\":");
    append_json_string(json, *value);
  };
  add("browser_family", user_agent.browser_family);
  add("browser_major", user_agent.browser_major);
  add("browser_minor", user_agent.browser_minor);
  add("device_family", user_agent.device_family);
  json.append(",\"is_bot\":").append(user_agent.is_bot ? "true" : "false");
  json.append(",\"is_mediawiki\":").append(user_agent.is_mediawiki ? "true" : "false");
  add("os_family", user_agent.os_family);
  add("os_major", user_agent.os_major);
  add("os_minor", user_agent.os_minor);
  add("wmf_app_version", user_agent.wmf_app_version);
  return json + "}";
}

}  // namespace eventgate

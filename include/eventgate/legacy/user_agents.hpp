#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "eventgate/legacy/user_agent.hpp"
#include "eventgate/legacy/user_agent_rules.hpp"

namespace eventgate {

/// A user agent that was parsed.
struct ParsedUserAgent {
  std::string json;  ///< The object of its members, for `useragent`.
  bool is_bot;
  bool is_mediawiki;
};

/// Parses user agents by a file of rules, and keeps the last ones.
///
/// Thread-safe.
class UserAgents {
 public:
  /// User agents that are kept. One takes about its text twice and 400 bytes.
  static constexpr std::size_t kMaxKept = 10'000;
  /// Code points of a user agent. A longer one is not parsed, as in the original.
  static constexpr std::size_t kMaxSize = 800;

  /// Reads and compiles the rules in the file `path`. Throws std::runtime_error, which names it, if they cannot be
  /// used.
  explicit UserAgents(std::string path);

  /// Returns the user agent `text`, or null if it is too long to be parsed. Bytes that are no UTF-8 become U+FFFD. Sets
  /// `was_kept` to whether it was parsed before.
  std::shared_ptr<const ParsedUserAgent> find(std::string_view text, bool& was_kept);

  /// Reads the file again. Call the result to use the new rules. Throws as the constructor does; the old rules stay.
  std::function<void()> reload();

 private:
  struct Entry {
    std::string text;
    std::shared_ptr<const ParsedUserAgent> parsed;
  };

  std::shared_ptr<const UserAgentRules> read() const;

  const std::string path_;
  std::mutex mutex_;
  std::shared_ptr<const UserAgentRules> rules_;
  std::list<Entry> kept_;                                                    // the last one used is first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> places_;  // the keys refer to `kept_`
};

/// Parses `text` by `rules`.
UserAgent parse_user_agent(const UserAgentRules& rules, std::string_view text);

}  // namespace eventgate

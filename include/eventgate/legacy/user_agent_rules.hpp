#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// ua-parser's rules (https://github.com/ua-parser/uap-core, docs/specification.md): three lists of regular expressions
// in YAML, of which the first one that matches says what a browser, an operating system and a device is.
//
//     user_agent_parsers:
//       - regex: '(Firefox)/(\d+)\.(\d+)'
//         family_replacement: 'Firefox $1'       # optional; without it the groups are the fields, in order

namespace eventgate {

/// The fields that a rule gives, in the order of the list's `*_replacement` keys. All nullopt: no rule matches.
using RuleFields = std::vector<std::optional<std::string>>;

/// The rules of one file, compiled.
///
/// Immutable, so any thread may use it.
class UserAgentRules {
 public:
  /// Compiles the rules in `yaml`. Fails with what was expected where. Takes a quarter of a second for uap-core 0.16.
  static boost::system::result<std::shared_ptr<const UserAgentRules>, std::string> compile(std::string_view yaml);
  ~UserAgentRules();

  /// Return family, major, minor and patch; family, major, minor, patch and patch_minor; family, brand and model.
  /// O(size of `text`) for each rule whose words occur in it. `text` is UTF-8.
  RuleFields browser(std::string_view text) const;
  RuleFields os(std::string_view text) const;
  RuleFields device(std::string_view text) const;

  std::size_t size() const;

 private:
  struct Impl;
  explicit UserAgentRules(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate

// Any bytes as a user agent: the rules whose words occur in it give what all rules in turn would give, and the object
// made of it is JSON.

#include <re2/re2.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/base/utf8.hpp"
#include "eventgate/json/json_nodes.hpp"
#include "eventgate/legacy/user_agents.hpp"
#include "require.hpp"

namespace {

using namespace eventgate;

/// Regular expressions with what those of uap-core have: groups, classes, long repetitions, no words at all.
struct Pattern {
  const char* regex;
  bool ignores_case;
};
constexpr std::array<Pattern, 9> kPatterns{{{R"((Fire(?:fox|bird))/(\d+)\.(\d+)\.?(\d+)?)", false},
                                            {R"(^(Opera)/(\d+).{0,100}Mini)", false},
                                            {R"((?:k)(ind|ey)/(\w{1,25}))", true},
                                            {R"((straße|öl)[ /](.{0,30}) )", true},
                                            {R"((?:bot|spider|crawl)s?\b)", true},
                                            {R"(; *([^;/]+) Build[/ ])", false},
                                            {R"((\d\d)$)", false},
                                            {R"([a-c]x|[^ -~])", false},
                                            {R"((?:iPhone|iPad|iPod).*?OS (\d+)_(\d+))", false}}};

/// Rules whose family is the number of the rule.
std::string make_rules() {
  std::string rules = "user_agent_parsers:\n";
  for (std::size_t i = 0; i < kPatterns.size(); ++i)
    rules += std::string("  - {regex: '") + kPatterns[i].regex + "', family_replacement: 'R" + std::to_string(i) + "'" +
             (kPatterns[i].ignores_case ? ", regex_flag: i}\n" : "}\n");
  return rules +
         "os_parsers: [{regex: '(Windows) NT (\\d+)\\.(\\d+)', os_v1_replacement: ' $2$9 '}]\n"
         "device_parsers: [{regex: '; *([^;/]+) Build[/ ]', model_replacement: '$1'}, {regex: '()bot'}]\n";
}

/// Returns the family of the first rule that matches, tried in turn.
std::string family_in_turn(std::string_view text) {
  static const std::vector<std::unique_ptr<RE2>> patterns = [] {
    std::vector<std::unique_ptr<RE2>> all;
    for (const Pattern& pattern : kPatterns) {
      RE2::Options options;
      options.set_case_sensitive(!pattern.ignores_case);
      all.push_back(std::make_unique<RE2>(pattern.regex, options));
    }
    return all;
  }();
  for (std::size_t i = 0; i < patterns.size(); ++i)
    if (RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *patterns[i])) return "R" + std::to_string(i);
  return "Other";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::shared_ptr<const UserAgentRules> rules = *UserAgentRules::compile(make_rules());
  const std::string text = to_valid_utf8({reinterpret_cast<const char*>(data), size});
  require(rules->browser(text)[0].value_or("Other") == family_in_turn(text), "the first rule that matches wins");
  const UserAgent parsed = parse_user_agent(*rules, text);
  std::string json = user_agent_json(parsed);
  const std::size_t end = json.size();
  json.append(kJsonPadding, ' ');
  JsonNodes nodes;
  require(!parse_json(std::string_view(json).substr(0, end), nodes), "the object is JSON");
  require(nodes.root().is_object() && nodes.interop_issues.empty(), "without flaws");
  return 0;
}

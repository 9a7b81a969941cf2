#include "eventgate/legacy/user_agent_rules.hpp"

#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/quote.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "text_finder.hpp"

namespace eventgate {

namespace {

using Json = nlohmann::ordered_json;

/// Bytes of a rule's automaton and its caches. Some rules with long repetitions do not fit; they get the next bound.
constexpr std::int64_t kRuleMemory = 512 << 10;
constexpr std::int64_t kLargeRuleMemory = 8 << 20;
/// A rule file beyond it is an error: uap-core has 1175 rules.
constexpr std::size_t kMaxRules = 20'000;
constexpr std::size_t kMaxGroups = 10;  // the whole match, and $1 to $9

/// A field of a list's rules.
struct FieldKey {
  const char* replacement;  ///< The key of its replacement.
  std::size_t group;        ///< The group that is the field of a rule without replacement. 0: none.
};
constexpr std::array<FieldKey, 4> kBrowserFields{
    {{"family_replacement", 1}, {"v1_replacement", 2}, {"v2_replacement", 3}, {"v3_replacement", 4}}};
constexpr std::array<FieldKey, 5> kOsFields{{{"os_replacement", 1},
                                             {"os_v1_replacement", 2},
                                             {"os_v2_replacement", 3},
                                             {"os_v3_replacement", 4},
                                             {"os_v4_replacement", 5}}};
constexpr std::array<FieldKey, 3> kDeviceFields{
    {{"device_replacement", 1}, {"brand_replacement", 0}, {"model_replacement", 1}}};

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Returns `text` in lower case as far as it decides which words of rules occur in it. The Kelvin sign is the only
/// character beside A to Z that RE2 takes for an ASCII letter in another case and that words do not have themselves.
std::string lower_case(std::string_view text, bool is_plain) {
  std::string lower = to_ascii_lower(text);
  if (is_plain) return lower;
  constexpr std::string_view kKelvin = "\xE2\x84\xAA";
  for (std::size_t at = lower.find(kKelvin); at != std::string::npos; at = lower.find(kKelvin, at))
    lower.replace(at, kKelvin.size(), "k");
  return lower;
}

/// Returns `replacement` with `$1` to `$9` replaced by the groups, without white space at its ends. Nullopt if that is
/// empty.
std::optional<std::string> fill_in(std::string_view replacement, std::span<const re2::StringPiece> groups) {
  std::string filled;
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    const bool is_group = replacement[i] == '$' && i + 1 < replacement.size() && is_ascii_digit(replacement[i + 1]);
    if (!is_group) {
      filled += replacement[i];
      continue;
    }
    const auto group = static_cast<std::size_t>(replacement[++i] - '0');
    if (group > 0 && group < groups.size()) filled.append(groups[group].data(), groups[group].size());
  }
  const std::string_view bare = trim(filled, " \t\n\v\f\r");
  return bare.empty() ? std::nullopt : std::optional<std::string>(bare);
}

/// One of the three lists.
class RuleList {
 public:
  /// Returns an empty text, or what was expected.
  std::string read(const Json& document, const char* name, std::span<const FieldKey> keys);
  RuleFields first_match(std::string_view text) const;
  std::size_t size() const { return rules_.size(); }

 private:
  struct Rule {
    std::vector<std::string> replacements;  // by field; empty: the group counts
  };

  std::string add(const Json& rule);
  RuleFields fields_of(const Rule& rule, std::span<const re2::StringPiece> groups) const;

  std::span<const FieldKey> keys_;
  std::vector<Rule> rules_;
  re2::FilteredRE2 patterns_;
  TextFinder words_;
  std::vector<int> foreign_words_;  // words with characters beyond ASCII
};

std::string RuleList::read(const Json& document, const char* name, std::span<const FieldKey> keys) {
  keys_ = keys;
  const auto found = document.find(name);
  if (found == document.end() || !found->is_array()) return std::string(name) + ": expected a list of rules";
  if (found->size() > kMaxRules)
    return std::string(name) + ": expected at most " + std::to_string(kMaxRules) + " rules";
  for (const Json& rule : *found)
    if (const std::string problem = add(rule); !problem.empty())
      return std::string(name) + "[" + std::to_string(rules_.size()) + "]: " + problem;
  if (rules_.empty()) return std::string(name) + ": expected at least one rule";
  std::vector<std::string> words;
  patterns_.Compile(&words);
  for (std::size_t i = 0; i < words.size(); ++i)
    if (!is_ascii(words[i])) foreign_words_.push_back(static_cast<int>(i));
  words_ = TextFinder(words);
  return {};
}

std::string RuleList::add(const Json& rule) {
  if (!rule.is_object()) return "expected an object";
  const auto text = [&rule](const char* key, std::string& out) {
    const auto member = rule.find(key);
    if (member == rule.end()) return true;
    if (!member->is_string()) return false;
    out = member->get<std::string>();
    return true;
  };
  std::string pattern;
  std::string flag;
  if (!text("regex", pattern) || pattern.empty()) return "expected a string at `regex`";
  if (!text("regex_flag", flag) || (!flag.empty() && flag != "i")) return "expected `i` at `regex_flag`";
  Rule added;
  for (const FieldKey& key : keys_)
    if (!text(key.replacement, added.replacements.emplace_back()))
      return "expected a string at `" + std::string(key.replacement) + "`";

  RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(flag.empty());
  int index = 0;
  RE2::ErrorCode error = RE2::NoError;
  for (const std::int64_t memory : {kRuleMemory, kLargeRuleMemory}) {
    options.set_max_mem(memory);
    error = patterns_.Add(pattern, options, &index);
    if (error != RE2::ErrorPatternTooLarge) break;
  }
  if (error != RE2::NoError) return "expected a regular expression of RE2's syntax: " + quote(pattern);
  rules_.push_back(std::move(added));
  return {};
}

RuleFields RuleList::fields_of(const Rule& rule, std::span<const re2::StringPiece> groups) const {
  RuleFields fields(keys_.size());
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const std::size_t group = keys_[i].group;
    if (!rule.replacements[i].empty()) {
      fields[i] = fill_in(rule.replacements[i], groups);
    } else if (group > 0 && group < groups.size() && !groups[group].empty()) {
      fields[i].emplace(groups[group].data(), groups[group].size());
    }
  }
  return fields;
}

RuleFields RuleList::first_match(std::string_view text) const {
  thread_local std::vector<int> words;
  thread_local std::vector<bool> seen;
  thread_local std::vector<int> candidates;
  words.clear();
  const bool is_plain = is_ascii(text);
  words_.find(lower_case(text, is_plain), words, seen);
  // Words in other alphabets are taken as found, which only adds candidates: RE2's rules of case need not be repeated.
  if (!is_plain) words.insert(words.end(), foreign_words_.begin(), foreign_words_.end());
  patterns_.AllPotentials(words, &candidates);
  const re2::StringPiece piece(text.data(), text.size());
  for (const int candidate : candidates) {
    const RE2& pattern = patterns_.GetRE2(candidate);
    std::array<re2::StringPiece, kMaxGroups> groups;
    const auto count =
        std::min<std::size_t>(static_cast<std::size_t>(pattern.NumberOfCapturingGroups()) + 1, kMaxGroups);
    if (!pattern.Match(piece, 0, piece.size(), RE2::UNANCHORED, groups.data(), static_cast<int>(count))) continue;
    RuleFields fields =
        fields_of(rules_[static_cast<std::size_t>(candidate)], std::span<const re2::StringPiece>(groups).first(count));
    if (fields[0]) return fields;
  }
  return RuleFields(keys_.size());
}

}  // namespace

struct UserAgentRules::Impl {
  RuleList browsers, systems, devices;
};

UserAgentRules::UserAgentRules(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
UserAgentRules::~UserAgentRules() = default;

boost::system::result<std::shared_ptr<const UserAgentRules>, std::string> UserAgentRules::compile(
    std::string_view yaml) {
  const auto document = parse_object_text(yaml);
  if (!document) return "expected YAML: " + document.error().message;
  auto impl = std::make_unique<Impl>();
  std::string problem = impl->browsers.read(*document, "user_agent_parsers", kBrowserFields);
  if (problem.empty()) problem = impl->systems.read(*document, "os_parsers", kOsFields);
  if (problem.empty()) problem = impl->devices.read(*document, "device_parsers", kDeviceFields);
  if (!problem.empty()) return problem;
  return std::shared_ptr<const UserAgentRules>(new UserAgentRules(std::move(impl)));
}

RuleFields UserAgentRules::browser(std::string_view text) const { return impl_->browsers.first_match(text); }
RuleFields UserAgentRules::os(std::string_view text) const { return impl_->systems.first_match(text); }
RuleFields UserAgentRules::device(std::string_view text) const { return impl_->devices.first_match(text); }

std::size_t UserAgentRules::size() const {
  return impl_->browsers.size() + impl_->systems.size() + impl_->devices.size();
}

}  // namespace eventgate

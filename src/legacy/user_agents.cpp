#include "eventgate/legacy/user_agents.hpp"

#include <stdexcept>
#include <utility>

#include "eventgate/base/utf8.hpp"
#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {

namespace {

/// Bytes of a file of rules: uap-core's has 200 KB.
constexpr std::size_t kMaxFile = std::size_t{16} << 20;

}  // namespace

UserAgent parse_user_agent(const UserAgentRules& rules, std::string_view text) {
  UserAgent parsed;
  RuleFields browser = rules.browser(text);
  if (browser[0]) parsed.browser_family = *std::move(browser[0]);
  parsed.browser_major = std::move(browser[1]);
  parsed.browser_minor = std::move(browser[2]);
  RuleFields os = rules.os(text);
  if (os[0]) parsed.os_family = *std::move(os[0]);
  parsed.os_major = std::move(os[1]);
  parsed.os_minor = std::move(os[2]);
  RuleFields device = rules.device(text);
  if (device[0]) parsed.device_family = *std::move(device[0]);
  set_wikimedia_members(parsed, text);
  return parsed;
}

UserAgents::UserAgents(std::string path) : path_(std::move(path)), rules_(read()) {}

std::shared_ptr<const UserAgentRules> UserAgents::read() const {
  const auto fail = [this](const std::string& reason) {
    throw std::runtime_error("'" + path_ + "': expected ua-parser's rules (legacy.user_agent_regexes): " + reason);
  };
  const auto text = read_file_text(path_, kMaxFile);
  if (!text) fail(text.error().message);
  auto rules = UserAgentRules::compile(*text);
  if (!rules) fail(rules.error());
  return *std::move(rules);
}

std::function<void()> UserAgents::reload() {
  return [this, rules = read()] {
    const std::lock_guard lock(mutex_);
    rules_ = rules;
    places_.clear();
    kept_.clear();
  };
}

std::shared_ptr<const ParsedUserAgent> UserAgents::find(std::string_view text, bool& was_kept) {
  std::shared_ptr<const UserAgentRules> rules;
  was_kept = false;
  {
    const std::lock_guard lock(mutex_);
    if (const auto place = places_.find(text); place != places_.end()) {
      was_kept = true;
      kept_.splice(kept_.begin(), kept_, place->second);
      return place->second->parsed;
    }
    rules = rules_;
  }
  if (text.size() > kMaxSize * 4) return nullptr;
  const std::string valid = to_valid_utf8(text);
  if (count_code_points(valid) > kMaxSize) return nullptr;
  const UserAgent parsed = parse_user_agent(*rules, valid);
  auto result = std::make_shared<const ParsedUserAgent>(
      ParsedUserAgent{user_agent_json(parsed), parsed.is_bot, parsed.is_mediawiki});

  const std::lock_guard lock(mutex_);
  // Another thread may have parsed it meanwhile, or a reload may have replaced the rules.
  if (rules != rules_ || places_.contains(text)) return result;
  if (kept_.size() >= kMaxKept) {
    places_.erase(kept_.back().text);
    kept_.pop_back();
  }
  kept_.push_front({std::string(text), result});
  places_.emplace(kept_.front().text, kept_.begin());
  return result;
}

}  // namespace eventgate

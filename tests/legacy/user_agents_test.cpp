#include "eventgate/legacy/user_agents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "legacy/text_finder.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::string rules_with(const std::string& browsers) {
  return "user_agent_parsers: [" + browsers + "]\nos_parsers: [{regex: 'os'}]\ndevice_parsers: [{regex: 'device'}]\n";
}

/// Returns family, major and minor by one list of rules, with commas between them.
std::string browser(const std::string& rules, std::string_view text) {
  const auto compiled = UserAgentRules::compile(rules_with(rules));
  if (!compiled) return compiled.error();
  const RuleFields fields = (*compiled)->browser(text);
  std::string all;
  for (std::size_t i = 0; i < 3; ++i) all += (i == 0 ? "" : ",") + fields[i].value_or("-");
  return all;
}

TEST(TextFinder, FindsEachTextOnce) {
  const TextFinder finder({"he", "she", "his", "hers", "", "x"});
  std::vector<int> found;
  std::vector<bool> seen;
  finder.find("ushers ushers", found, seen);
  std::ranges::sort(found);
  EXPECT_EQ(found, (std::vector<int>{0, 1, 3}));
  found.clear();
  finder.find("", found, seen);
  EXPECT_TRUE(found.empty());
}

TEST(TextFinder, WithoutTexts_FindsNothing) {
  std::vector<int> found;
  std::vector<bool> seen;
  TextFinder(std::vector<std::string>{}).find("abc", found, seen);
  EXPECT_TRUE(found.empty());
}

TEST(UserAgentRules, FirstRuleThatMatches_Wins) {
  const std::string rules = "{regex: '(Fire)/(\\d+)'}, {regex: '(Firefox|Fire)/(\\d+)\\.(\\d+)'}";
  EXPECT_EQ(browser(rules, "Fire/1.2"), "Fire,1,-");
  EXPECT_EQ(browser(rules, "Firefox/1.2"), "Firefox,1,2");
  EXPECT_EQ(browser(rules, "Opera/1.2"), "-,-,-");
}

TEST(UserAgentRules, Replacements_HaveGroups) {
  EXPECT_EQ(browser("{regex: '(\\w+)/(\\d+)', family_replacement: ' $1 of $9$2 ', v1_replacement: '7'}", "a/3"),
            "a of 3,7,-");
}

TEST(UserAgentRules, RuleWithoutFamily_IsPassedOver) {
  EXPECT_EQ(browser("{regex: '()x'}, {regex: '(x)'}", "x"), "x,-,-");
}

TEST(UserAgentRules, FlagI_IgnoresCaseAlsoOfTheKelvinSign) {
  EXPECT_EQ(browser("{regex: '(kind)', regex_flag: i}", "KIND"), "KIND,-,-");
  EXPECT_EQ(browser("{regex: '(kind)', regex_flag: i}", "\xE2\x84\xAAind"), "\xE2\x84\xAAind,-,-");
  EXPECT_EQ(browser("{regex: '(straße)', regex_flag: i}", "STRAẞE"), "STRAẞE,-,-");
  EXPECT_EQ(browser("{regex: '(öl)', regex_flag: i}", "ÖL"), "ÖL,-,-");
  EXPECT_EQ(browser("{regex: '(kind)'}", "KIND"), "-,-,-");
}

TEST(UserAgentRules, BadFiles_AreNamed) {
  EXPECT_THAT(browser("{regex: '(a'}", ""), HasSubstr("user_agent_parsers[0]: expected a regular expression"));
  EXPECT_THAT(browser("{regex: '(?=a)'}", ""), HasSubstr("RE2"));
  EXPECT_THAT(browser("{regex: 5}", ""), HasSubstr("expected a string at `regex`"));
  EXPECT_THAT(browser("{regex: a, regex_flag: x}", ""), HasSubstr("`regex_flag`"));
  EXPECT_THAT(browser("{regex: a, v1_replacement: 7}", ""), HasSubstr("`v1_replacement`"));
  EXPECT_THAT(browser("5", ""), HasSubstr("expected an object"));
  EXPECT_THAT(browser("", ""), HasSubstr("at least one rule"));
  EXPECT_THAT(UserAgentRules::compile("user_agent_parsers: []").error(), HasSubstr("at least one rule"));
  EXPECT_THAT(UserAgentRules::compile("{}").error(), HasSubstr("user_agent_parsers: expected a list"));
  EXPECT_THAT(UserAgentRules::compile("[").error(), HasSubstr("expected YAML"));
}

TEST(UserAgent, Bots_AreKnownByTheirWords) {
  const auto is_bot = [](std::string_view text, const char* device = "Other") {
    UserAgent user_agent;
    user_agent.device_family = device;
    set_wikimedia_members(user_agent, text);
    return user_agent.is_bot;
  };
  for (const char* const bot : {"okhttp/4.12.0", "curl/7", ".NET CLR", "User:Foo", "me@example.org tool", "Facebook",
                                "a spider", "WikiDemo/1", "\"curl/7\""})
    EXPECT_TRUE(is_bot(bot)) << bot;
  for (const char* const other :
       {"", "-", "Wget/1", "a curl", "Bot", "MyTool (User:Example; a@example.org)", "me@x", "curl\nx", "x\nbot"})
    EXPECT_FALSE(is_bot(other)) << other;
  EXPECT_FALSE(is_bot("bot", "Mac"));
  EXPECT_TRUE(is_bot("x", "Spider"));
}

TEST(UserAgent, AppVersion_IsThatOfTheFirstWord) {
  const auto version = [](std::string_view text) {
    UserAgent user_agent;
    set_wikimedia_members(user_agent, text);
    return user_agent.wmf_app_version;
  };
  EXPECT_EQ(version("WikipediaApp/5.3.1.1011 (iOS 10.0.2; Phone)"), "5.3.1.1011");
  EXPECT_EQ(version("Mozilla/5.0 WikipediaApp/2.7"), "5.0");
  EXPECT_EQ(version("x WikipediaApp/2.7"), "-");
  EXPECT_EQ(version("WikipediaApp/"), "");
  EXPECT_EQ(version("WikipediaApp"), "-");
}

struct UserAgentsTest : testing::Test {
  UserAgentsTest() { write("{regex: '(Fire\\w*)/(\\d+)'}"); }
  void write(const std::string& rules) { std::ofstream(path) << rules_with(rules); }
  static std::string family(UserAgents& user_agents, std::string_view text, bool* was_kept = nullptr) {
    bool kept = false;
    const auto parsed = user_agents.find(text, kept);
    if (was_kept) *was_kept = kept;
    return parsed ? nlohmann::json::parse(parsed->json)["browser_family"] : nlohmann::json("too long");
  }
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/rules.yaml";
};

TEST_F(UserAgentsTest, KeepsSoManyAndForgetsTheLeastRecentlyUsed) {
  UserAgents user_agents(path);
  bool was_kept = true;
  EXPECT_EQ(family(user_agents, "Firefox/1", &was_kept), "Firefox");
  EXPECT_FALSE(was_kept);
  for (std::size_t i = 0; i < UserAgents::kMaxKept - 1; ++i) family(user_agents, "x" + std::to_string(i));
  family(user_agents, "Firefox/1", &was_kept);
  EXPECT_TRUE(was_kept);
  family(user_agents, "one more");
  family(user_agents, "x0", &was_kept);
  EXPECT_FALSE(was_kept) << "the one not used for the longest time went";
  family(user_agents, "Firefox/1", &was_kept);
  EXPECT_TRUE(was_kept);
}

TEST_F(UserAgentsTest, TooLongOnes_AreNotParsed) {
  UserAgents user_agents(path);
  EXPECT_EQ(family(user_agents, std::string(800, 'x')), "Other");
  EXPECT_EQ(family(user_agents, std::string(801, 'x')), "too long");
  std::string wide;
  for (int i = 0; i < 800; ++i) wide += "\xE2\x98\x86";
  EXPECT_EQ(family(user_agents, wide), "Other") << "characters count, not bytes";
  EXPECT_EQ(family(user_agents, wide + "x"), "too long");
  EXPECT_EQ(family(user_agents, "Firefox/1 \xFF"), "Firefox") << "no UTF-8";
}

TEST_F(UserAgentsTest, Reload_UsesNewRulesOrKeepsTheOldOnes) {
  UserAgents user_agents(path);
  EXPECT_EQ(family(user_agents, "Firefox/1"), "Firefox");
  write("{regex: '(Fire\\w*)/(\\d+)', family_replacement: New}");
  const auto use = user_agents.reload();
  EXPECT_EQ(family(user_agents, "Firefox/1"), "Firefox");
  use();
  EXPECT_EQ(family(user_agents, "Firefox/1"), "New");
  write("{regex: '('}");
  EXPECT_THAT([&] { user_agents.reload(); }, ThrowsMessage<std::runtime_error>(HasSubstr(path)));
  EXPECT_EQ(family(user_agents, "Firefox/1"), "New");
}

TEST_F(UserAgentsTest, FileThatIsNotThere_IsNamed) {
  EXPECT_THAT([] { UserAgents("/nowhere/regexes.yaml"); },
              ThrowsMessage<std::runtime_error>(HasSubstr("'/nowhere/regexes.yaml': expected ua-parser's rules")));
}

}  // namespace
}  // namespace eventgate

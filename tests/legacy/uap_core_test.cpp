// uap-core's own tests, which its package brings.

#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "beacon_harness.hpp"
#include "eventgate/legacy/user_agent_rules.hpp"

namespace eventgate {
namespace {

using nlohmann::ordered_json;

std::string text_of(const ordered_json& value) { return value.is_string() ? value.get<std::string>() : ""; }

/// Runs the cases of a file. `keys` are the fields of a rule, in order.
void run_cases(const std::string& file, const std::vector<std::string>& keys,
               const std::function<RuleFields(std::string_view)>& parse) {
  const std::string path = uap_core_folder() + "/" + file;
  const auto text = read_file_text(path, std::size_t{64} << 20);
  ASSERT_TRUE(text) << path << ": " << text.error().message;
  const auto document = parse_object_text(*text);
  ASSERT_TRUE(document) << path << ": " << document.error().message;
  std::size_t passed = 0;
  std::size_t cases = 0;
  for (const ordered_json& one : (*document)["test_cases"]) {
    ++cases;
    const RuleFields fields = parse(text_of(one["user_agent_string"]));
    bool good = true;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const std::string found = fields[i].value_or(i == 0 ? "Other" : "");
      if (one.contains(keys[i])) good = good && found == text_of(one[keys[i]]);
      if (!good) {
        EXPECT_EQ(found, text_of(one[keys[i]])) << keys[i] << " of " << one["user_agent_string"];
        break;
      }
    }
    if (good) ++passed;
  }
  std::cout << "uap-core: " << passed << " of " << cases << " cases of " << file << " pass\n";
  EXPECT_EQ(passed, cases);
  EXPECT_GT(cases, 100u);
}

TEST(UapCore, OwnTests) {
  if (uap_core_folder().empty()) GTEST_SKIP() << "uap-core is not here: ./dev test unpacks it";
  const auto text = read_file_text(uap_core_folder() + "/regexes.yaml", std::size_t{16} << 20);
  ASSERT_TRUE(text);
  const auto rules = UserAgentRules::compile(*text);
  ASSERT_TRUE(rules) << rules.error();
  run_cases("tests/test_ua.yaml", {"family", "major", "minor", "patch"},
            [&](std::string_view ua) { return (*rules)->browser(ua); });
  run_cases("tests/test_os.yaml", {"family", "major", "minor", "patch", "patch_minor"},
            [&](std::string_view ua) { return (*rules)->os(ua); });
  run_cases("tests/test_device.yaml", {"family", "brand", "model"},
            [&](std::string_view ua) { return (*rules)->device(ua); });
}

}  // namespace
}  // namespace eventgate

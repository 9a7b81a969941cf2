#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "eventgate/config/config.hpp"
#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

boost::system::result<Config, ConfigProblems> read(const std::string& yaml) {
  return config_of(*parse_object_text(yaml), "c.yaml");
}

Config config(const std::string& yaml) {
  auto result = read(yaml);
  if (!result) throw std::runtime_error(result.error().problems.front());
  return *std::move(result);
}

std::string problem(const std::string& yaml) {
  const auto result = read(yaml);
  return result ? "" : result.error().problems.front();
}

TEST(StreamOptions, UrisAreATextOrAList) {
  EXPECT_THAT(config("stream_config_uri: a.yaml").streams.stream_config_uri, ElementsAre("a.yaml"));
  EXPECT_THAT(config("stream_config_uri: [a.yaml, 'http://h/']").streams.stream_config_uri,
              ElementsAre("a.yaml", "http://h/"));
  EXPECT_THAT(problem("stream_config_uri: [a.yaml, 'ftp://h/']"), HasSubstr("ftp://h/"));
  EXPECT_THAT(problem("stream_config_uri: [a.yaml, '']"), HasSubstr("none of them empty"));
}

TEST(StreamOptions, WikisGroupsAndServiceAreRead) {
  const Config read = config(
      "{stream_config_groups: {enwiki: [wikipedia, large]}, stream_config_wiki: enwiki, "
      "stream_config_default_settings: "
      "{topic_prefixes: [eqiad.]}, stream_config_service: {path: /w/api.php, wikis: {En.Wikipedia.org: enwiki}}}");
  EXPECT_THAT(read.streams.stream_config_groups, ElementsAre(Pair("enwiki", ElementsAre("wikipedia", "large"))));
  EXPECT_EQ(read.streams.stream_config_wiki, "enwiki");
  EXPECT_EQ(read.streams.stream_config_default_settings, R"({"topic_prefixes":["eqiad."]})");
  EXPECT_EQ(read.api.stream_service.path, "/w/api.php");
  EXPECT_EQ(read.api.stream_service.own_wiki, "enwiki");
  EXPECT_THAT(read.api.stream_service.wikis, ElementsAre(Pair("en.wikipedia.org", "enwiki")));
}

TEST(StreamOptions, BadValues_AreProblems) {
  for (const auto& [yaml, expected] : std::vector<std::pair<std::string, std::string>>{
           {"stream_config_groups: {enwiki: wikipedia}", "a list of names of groups"},
           {"stream_config_groups: {En: [a]}", "a wiki's name as key"},
           {"stream_config_groups: [a]", "an object of a wiki"},
           {"stream_config_wiki: Meta", "1 to 64 of a-z"},
           {"stream_config_default_settings: [a]", "an object of settings"},
           {"stream_config_default_settings: {default: 5}", "for each wiki and group"},
           {"stream_config_service: {path: w/api.php}", "a path that no other route has"},
           {"stream_config_service: {path: /V1/events}", "a path that no other route has"},
           {"stream_config_service: {path: '/a{b}'}", "a path that no other route has"},
           {"stream_config_service: {wikis: {h: En}}", "a wiki's name"},
           {"canary: {interval: 5s}", "whole seconds, 10s or more"},
           {"canary: {interval: 10500ms}", "whole seconds, 10s or more"}})
    EXPECT_THAT(problem(yaml), HasSubstr(expected)) << yaml;
}

TEST(StreamOptions, CanariesAreOffUnlessTheyHaveAnInterval) {
  EXPECT_EQ(config("{}").gate.canary_interval.count(), 0);
  const Config with = config("{canary: {interval: 15m}, service_name: gate}");
  EXPECT_EQ(with.gate.canary_interval, std::chrono::minutes(15));
  EXPECT_EQ(with.gate.service_name, "gate");
}

}  // namespace
}  // namespace eventgate

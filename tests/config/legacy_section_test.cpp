#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eventgate/config/config.hpp"

namespace eventgate {
namespace {

using nlohmann::ordered_json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A config with the section `legacy`, in the Wikimedia set-up.
boost::system::result<Config, ConfigProblems> with_legacy(const std::string& legacy, const std::string& more = "{}") {
  ordered_json document = {{"stream_config_uri", "streams.yaml"}};
  document["legacy"] = ordered_json::parse(legacy);
  document.update(ordered_json::parse(more));
  return config_of(document, "config.yaml");
}

Config config(const std::string& legacy, const std::string& more = "{}") {
  auto read = with_legacy(legacy, more);
  if (read) return *std::move(read);
  for (const std::string& problem : read.error().problems) ADD_FAILURE() << problem;
  return {};
}

std::vector<std::string> problems(const std::string& legacy, const std::string& more = "{}") {
  const auto read = with_legacy(legacy, more);
  return read ? std::vector<std::string>() : read.error().problems;
}

TEST(LegacySection, WithoutMembers_ThereAreNoBeacons) {
  EXPECT_FALSE(config("{}").legacy);
  EXPECT_FALSE(config("null").legacy);
  EXPECT_TRUE(config(R"({"schemas": {"Test": "1.0.0"}})").legacy);
}

TEST(LegacySection, ReadsEveryOption) {
  const LegacyOptions legacy = *config(R"({
    "routes": ["/x/y"], "schemas": {"Test": "1.3.0", "Edit": {"13457736": "1.0.0", "default": "1.1.0"}, "*": "1.0.0"},
    "answer": "outcome", "web_hosts": ["wikipedia.org"], "web_host_required": true, "bots": "drop",
    "user_agent_regexes": "/r.yaml", "max_query": "4kb", "ip": true})")
                                    .legacy;
  EXPECT_THAT(legacy.routes, ElementsAre("/x/y"));
  EXPECT_EQ(legacy.schemas.at("Test").version, "1.3.0");
  EXPECT_EQ(legacy.schemas.at("Edit").version, "1.1.0");
  EXPECT_EQ(legacy.schemas.at("Edit").revisions.at(13457736), "1.0.0");
  EXPECT_EQ(legacy.schemas.at("*").version, "1.0.0");
  EXPECT_EQ(legacy.answer, LegacyOptions::Answer::outcome);
  EXPECT_THAT(legacy.web_hosts, ElementsAre("wikipedia.org"));
  EXPECT_TRUE(legacy.web_host_required);
  EXPECT_EQ(legacy.bots, LegacyOptions::Bots::drop);
  EXPECT_EQ(legacy.user_agent_regexes, "/r.yaml");
  EXPECT_EQ(legacy.max_query, 4096u);
  EXPECT_TRUE(legacy.ip);
}

TEST(LegacySection, DefaultsAreThoseOfTheOldBackEnd) {
  const LegacyOptions legacy = *config(R"({"schemas": {"Test": "1.0.0"}})").legacy;
  EXPECT_THAT(legacy.routes, ElementsAre("/beacon/event", "/beacon/event.gif", "/event", "/event.gif"));
  EXPECT_EQ(legacy.answer, LegacyOptions::Answer::received);
  EXPECT_EQ(legacy.bots, LegacyOptions::Bots::accept);
  EXPECT_EQ(legacy.max_query, 8192u);
  EXPECT_FALSE(legacy.web_host_required);
  EXPECT_FALSE(legacy.ip);
}

TEST(LegacySection, BadValues_AreProblems) {
  for (const char* const legacy : {R"({"schemas": 1})",
                                   R"({"schemas": {"a/b": "1.0.0"}})",
                                   R"({"schemas": {"Test": 1}})",
                                   R"({"schemas": {"Test": "../1"}})",
                                   R"({"schemas": {"Test": {"x": "1.0.0"}}})",
                                   R"({"schemas": {"Test": {}}})",
                                   R"({"schemas": {"Test": {"1": 1}}})",
                                   R"({"answer": "later"})",
                                   R"({"bots": "hide"})",
                                   R"({"bots": "drop"})",
                                   R"({"bots": "mark"})",
                                   R"({"routes": []})",
                                   R"({"routes": ["beacon"]})",
                                   R"({"routes": ["/a?b"]})",
                                   R"({"routes": ["/v1/events"]})",
                                   R"({"routes": ["/Healthz"]})",
                                   R"({"routes": ["/"]})",
                                   R"({"routes": ["/a/"]})",
                                   R"({"web_hosts": ["a:1"]})",
                                   R"({"web_hosts": [".org"]})",
                                   R"({"max_query": 0})",
                                   R"({"max_query": "2mb"})",
                                   R"({"ip": "x"})",
                                   R"({"web_host_required": 5})"})
    EXPECT_THAT(problems(legacy), testing::SizeIs(1)) << legacy;
  EXPECT_THAT(problems(R"({"routes": ["/w/api.php"]})", R"({"stream_config_service": {"path": "/w/api.php"}})"),
              ElementsAre(HasSubstr("paths that no other route has")));
}

TEST(LegacySection, WhatHasNoEffect_IsWarnedOf) {
  EXPECT_THAT(config(R"({"ip": true})").warnings, Contains(HasSubstr("every beacon is refused")));
  EXPECT_THAT(config(R"({"schemas": {"T": "1.0.0"}, "max_query": "16kb"})").warnings,
              Contains(HasSubstr("does not fit into `max_header_size`")));
  EXPECT_THAT(config(R"({"schemas": {"T": "1.0.0"}})", R"({"stream_field": "stream"})").warnings,
              Contains(HasSubstr("not the first of `stream_field`")));
  EXPECT_THAT(config(R"({"schemas": {"T": "1.0.0"}})").warnings, IsEmpty());
}

}  // namespace
}  // namespace eventgate

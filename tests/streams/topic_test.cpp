#include "eventgate/streams/topic.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "eventgate/base/topic_name.hpp"

namespace eventgate {
namespace {

TEST(TopicName, IsPrefixAndStream) { EXPECT_EQ(topic_name("dc1.", "test.event", nullptr), "dc1.test.event"); }

TEST(TopicName, IsTheBareStreamOfLegacyEvents) {
  EXPECT_EQ(topic_name("dc1.", "eventlogging_Search", nullptr), "eventlogging_Search");
}

TEST(TopicName, IsTheBareStreamIfItsConfigSaysSo) {
  StreamConfig config;
  config.without_topic_prefix = true;
  EXPECT_EQ(topic_name("dc1.", "test.event", &config), "test.event");
}

TEST(TopicName, IsHeldToKafkasRule) {
  EXPECT_TRUE(is_topic_name("aZ09._-"));
  EXPECT_TRUE(is_topic_name(std::string(249, 'a')));
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a b"), std::string("a/b"),
        std::string("\xc3\xa9"), std::string("a\0", 2), std::string(250, 'a')})
    EXPECT_FALSE(is_topic_name(bad)) << bad;
}

TEST(StreamOfSchemaUri, HasOnlyWhatATopicMayHave) {
  EXPECT_EQ(stream_of_schema_uri("/test/0.0.1"), "test_0.0.1");
  EXPECT_EQ(stream_of_schema_uri("//a b/\xc3\xa9-1#"), "a_b___-1_");
  EXPECT_EQ(stream_of_schema_uri("/"), "");
}

TEST(RetentionOfTopic, IsThatOfItsStreamElseOfTheOption) {
  using std::chrono::hours;
  const StreamConfigs configs(nlohmann::ordered_json::parse(R"({"a": {"schema_title": "a", "retention": "36h"},
    "b": {"schema_title": "a", "retention": "none"}, "c": {"schema_title": "a"}, "d": {"retention": 5},
    "/^jobs/": {"schema_title": "a", "retention": "2d"}})"));
  const auto kept_for = [&](const char* topic) {
    return retention_of_topic(&configs, "eqiad.", hours(90 * 24), topic);
  };
  EXPECT_EQ(kept_for("eqiad.a"), hours(36));
  EXPECT_EQ(kept_for("codfw.a"), hours(36));
  EXPECT_EQ(kept_for("a"), hours(36));
  EXPECT_EQ(kept_for("eqiad.b"), std::nullopt);
  EXPECT_EQ(kept_for("eqiad.c"), hours(90 * 24));
  EXPECT_EQ(kept_for("eqiad.unknown"), hours(90 * 24));
  EXPECT_EQ(kept_for("eqiad.jobs.x"), hours(48));
  EXPECT_EQ(kept_for("eqiad.d"), std::nullopt);  // what its setting means is not known
  EXPECT_EQ(retention_of_topic(nullptr, "", hours(0), "a"), std::nullopt);
}

}  // namespace
}  // namespace eventgate

#include "cli/restart_options.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace eventgate {
namespace {

Config config(const std::string& yaml) { return *config_of(*parse_object_text(yaml), "c.yaml"); }

std::string restart(const std::string& in_use, const std::string& fresh) {
  return options_for_restart(config(in_use), config(fresh));
}

TEST(RestartOptions, AreThoseThatDifferButForLogging) {
  EXPECT_EQ(restart("port: 1", "port: 1"), "");
  EXPECT_EQ(restart("{port: 1, logging: {level: info}}", "{port: 1, logging: {level: debug}}"), "");
  EXPECT_EQ(restart("{port: 1, topic_prefix: a.}", "{port: 2, max_body_size: 1mb}"),
            "port, max_body_size, topic_prefix");
  EXPECT_EQ(restart("kafka: {conf: {metadata.broker.list: a}}", "kafka: {conf: {metadata.broker.list: b}}"),
            "kafka.conf");
}

TEST(RestartOptions, ASecretIsFoundAndNotShown) {
  EXPECT_EQ(restart("kafka: {conf: {metadata.broker.list: a, sasl.password: one}}",
                    "kafka: {conf: {metadata.broker.list: a, sasl.password: two}}"),
            "kafka (a secret)");
}

}  // namespace
}  // namespace eventgate

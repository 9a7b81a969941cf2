#include "eventgate/gate/event_status.hpp"

#include <gtest/gtest.h>

namespace eventgate {
namespace {

std::string text_of(const EventStatus& status) {
  std::string text;
  append_status(text, status);
  return text;
}

EventStatus error() {
  EventStatus status;
  status.index = 7;
  status.event = R"({"a":1})";
  status.message = "a \"message\"";
  return status;
}

TEST(EventStatus, InvalidOneHasItsErrorsTwice) {
  EventStatus status;
  status.kind = EventStatus::Kind::invalid;
  status.event = "5";
  status.errors = {{"type", ".test", "#/properties/test/type", R"({"type":"string"})", "should be string"}};
  EXPECT_EQ(text_of(status),
            R"({"status":"invalid","event":5,"context":{"errors":[{"keyword":"type","dataPath":".test",)"
            R"("schemaPath":"#/properties/test/type","params":{"type":"string"},"message":"should be string"}],)"
            R"("errorsText":"'.test' should be string"},"index":0})");
}

TEST(EventStatus, HintNamesWhatTheTextsLeaveOut) {
  EventStatus status;
  status.kind = EventStatus::Kind::invalid;
  status.event = "5";
  status.errors = {{"additionalProperties", ".meta", "#/a", "{}", "should NOT have additional properties", std::nullopt,
                    "has 'strem'; did you mean 'stream'?"},
                   {"type", ".test", "#/b", "{}", "should be string"},
                   {"enum", "", "#/c", "{}", "should be equal to one of the allowed values", std::nullopt,
                    "has to be one of [1,2]"}};
  EXPECT_TRUE(text_of(status).ends_with(
      R"(,"index":0,"hint":"'.meta' has 'strem'; did you mean 'stream'?, the event has to be one of [1,2]"})"))
      << text_of(status);
}

TEST(EventStatus, ErrorHasItsMessage) {
  EXPECT_EQ(text_of(error()), R"({"status":"error","event":{"a":1},"context":{"message":"a \"message\""},"index":7})");
}

TEST(EventStatus, ErrorOfDeliverySaysWhatIsKnown) {
  EventStatus status = error();
  status.has_delivery = true;
  EXPECT_EQ(text_of(status).substr(34),
            R"("context":{"message":"a \"message\"","delivery":"not_produced"},"index":7})");
  status.delivery = Delivery::unknown;
  status.retry = false;
  EXPECT_EQ(text_of(status).substr(34),
            R"("context":{"message":"a \"message\"","delivery":"unknown","retry":false},"index":7})");
}

}  // namespace
}  // namespace eventgate

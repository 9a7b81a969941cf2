#include "api/event_replies.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace eventgate {
namespace {

using nlohmann::json;

EventStatus invalid(std::size_t index) {
  EventStatus status;
  status.kind = EventStatus::Kind::invalid;
  status.index = index;
  status.event = R"({"n":1.0})";
  status.errors = {{"type", ".n", "#/properties/n/type", R"({"type":"string"})", "should be string"}};
  return status;
}

EventStatus error(std::size_t index) {
  EventStatus status;
  status.index = index;
  status.event = "null";
  status.message = "it \"failed\"";
  return status;
}

ProcessResult result_of(std::size_t events, std::vector<EventStatus> invalid_ones, std::vector<EventStatus> errors) {
  ProcessResult result;
  result.event_count = events;
  result.invalid = std::move(invalid_ones);
  result.error = std::move(errors);
  return result;
}

TEST(EventReplies, AllProducedIs201WithoutABody) {
  const Response response = processed_response(result_of(3, {}, {}));
  EXPECT_EQ(response.status, 201u);
  EXPECT_EQ(response.reason, "All 3 out of 3 events were accepted.");
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(response.content_type, "");
}

TEST(EventReplies, AllInvalidIs400WithTheInvalidOnesAlone) {
  const Response response = processed_response(result_of(1, {invalid(0)}, {}));
  EXPECT_EQ(response.status, 400u);
  EXPECT_EQ(response.reason, "1 out of 1 events were invalid and not accepted.");
  EXPECT_EQ(
      response.body,
      R"({"invalid":[{"status":"invalid","event":{"n":1.0},"context":{"errors":[{"keyword":"type","dataPath":".n",)"
      R"("schemaPath":"#/properties/n/type","params":{"type":"string"},"message":"should be string"}],)"
      R"("errorsText":"'.n' should be string"},"index":0}]})");
}

TEST(EventReplies, TheNoteIsTheReasonOfTheFirstFailure) {
  EXPECT_EQ(failure_note(result_of(3, {}, {})), "");
  EXPECT_EQ(failure_note(result_of(1, {invalid(0)}, {})), "'.n' should be string");
  EXPECT_EQ(failure_note(result_of(4, {invalid(2)}, {error(1)})), "event 1: it \"failed\"");
  EventStatus long_one = error(0);
  long_one.message = std::string(600, 'x');
  EXPECT_EQ(failure_note(result_of(1, {}, {long_one})), std::string(500, 'x') + " ...");
}

TEST(EventReplies, SomeProducedIs207) {
  const Response response = processed_response(result_of(4, {invalid(1)}, {error(2), error(3)}));
  EXPECT_EQ(response.status, 207u);
  EXPECT_EQ(response.reason, "1 out of 4 events were accepted, but 3 failed (1 invalid and 2 errored).");
  const json body = json::parse(response.body);
  EXPECT_EQ(body["invalid"].size(), 1u);
  EXPECT_EQ(body["error"][1],
            json::parse(R"({"status": "error", "event": null, "context": {"message": "it \"failed\""}, "index": 3})"));
}

TEST(EventReplies, NoneProducedAndAnErrorIs500) {
  const Response response = processed_response(result_of(2, {invalid(0)}, {error(1)}));
  EXPECT_EQ(response.status, 500u);
  EXPECT_EQ(response.reason, "2 out of 2 events had failures and were not accepted. (1 invalid and 1 errored).");
}

TEST(EventReplies, FailedDeliveryIsNotProducedOrUnknown) {
  for (const auto& [delivery, name] :
       {std::pair(Delivery::unknown, "unknown"), std::pair(Delivery::not_produced, "not_produced")}) {
    EventStatus status = error(0);
    status.has_delivery = true;
    status.delivery = delivery;
    const json body = json::parse(processed_response(result_of(1, {}, {status})).body);
    EXPECT_EQ(body["error"][0]["context"], json({{"message", "it \"failed\""}, {"delivery", name}}));
    EXPECT_EQ(body["invalid"], json::array());
  }
}

TEST(EventReplies, HastyIs202) {
  const Response response = hasty_response(2);
  EXPECT_EQ(response.status, 202u);
  EXPECT_EQ(response.reason, "2 events hastily received.");
}

TEST(EventReplies, BodyWithoutEventsIs400) {
  EXPECT_EQ(empty_body_response().status, 400u);
  EXPECT_EQ(empty_body_response().reason, "Request body was empty. Must provide JSON encoded events.");
}

}  // namespace
}  // namespace eventgate

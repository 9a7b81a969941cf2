#include "eventgate/http/response.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace eventgate {
namespace {

TEST(Response, ProblemSaysWhatWasExpectedAndTakesAnyBytes) {
  const Response response = problem(413, "expected \"less\" \xff", Request());
  EXPECT_EQ(response.status, 413u);
  EXPECT_EQ(nlohmann::json::parse(response.body),
            nlohmann::json::parse(R"({"status": 413, "type": "payload_too_large", "title": "Payload Too Large",
              "detail": "expected \"less\" \ufffd", "method": "", "uri": ""})"));
}

TEST(Response, RejectionIsAProblemWithACause) {
  const Response response = rejection(400, "why", "timeout", Request());
  EXPECT_EQ(response.rejection_cause, "timeout");
  EXPECT_EQ(response.body, problem(400, "why", Request()).body);
  EXPECT_EQ(retry_later("why", "stopping", Request()).extra_headers, "retry-after: 1\r\n");
  EXPECT_EQ(retry_later("why", "stopping", Request()).status, 503u);
}

TEST(Response, MinimalResponseHasNoBody) {
  const Response response = minimal_response(431, "headers_too_large");
  EXPECT_TRUE(response.minimal_headers);
  EXPECT_EQ(response.body, "");
}

TEST(Response, StatusThatIsNeverSentHasNoPhrase) {
  EXPECT_EQ(reason_phrase(413), "Payload Too Large");
  EXPECT_EQ(reason_phrase(418), "Unknown");
}

}  // namespace
}  // namespace eventgate

#include "cli/request_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/log_file.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;

constexpr std::chrono::microseconds kDuration{1500};

TEST(RequestLog, AsJsonThePartsAreFields) {
  const LogFile file;
  log_request({"POST", "/v1/events", 400, "Bad Request", "no \"events\"", kDuration});
  const auto line = file.line();
  EXPECT_EQ(line["msg"], "Request answered");
  EXPECT_EQ(line["method"], "POST");
  EXPECT_EQ(line["target"], "/v1/events");
  EXPECT_EQ(line["status"], 400);
  EXPECT_EQ(line["reason"], "Bad Request");
  EXPECT_EQ(line["note"], "no \"events\"");
  EXPECT_EQ(line["milliseconds"], 1.5);
}

TEST(RequestLog, TheLevelIsThatOfTheStatus) {
  const LogFile file;
  for (const unsigned status : {201U, 302U, 207U, 404U, 500U, 503U})
    log_request({"GET", "/", status, "", "", kDuration});
  std::vector<int> levels;
  for (const auto& line : file.lines()) levels.push_back(line["level"]);
  EXPECT_THAT(levels, testing::ElementsAre(30, 30, 40, 40, 50, 50));
}

TEST(RequestLog, ALongTargetIsCut) {
  const LogFile file;
  log_request({"GET", std::string(201, 'x'), 404, "Not Found", "", kDuration});
  EXPECT_EQ(file.line()["target"], std::string(200, 'x'));
}

TEST(RequestLog, ForPeopleItIsOneLine) {
  ::setenv("CLICOLOR_FORCE", "1", 1);
  ::setenv("NO_COLOR", "1", 1);
  LoggingOptions options;
  options.readable_on_terminal = true;
  {
    const LogFile file(options);
    log_request({"POST", "/v1/events", 400, "None is accepted.", "'.a' is bad", kDuration});
    log_request({"GET", "/a\n\x1b[2Jb", 200, "OK", "", kDuration});
    log_request({"", "", 400, "Bad Request", "", kDuration});
    log_request({"GET", std::string(201, 'x'), 404, "Not Found", "", kDuration});
    const auto lines = file.texts();
    ASSERT_EQ(lines.size(), 4u);
    EXPECT_THAT(lines[0], HasSubstr(" WARN  POST /v1/events: 400 None is accepted: '.a' is bad  (1.5 ms)"));
    EXPECT_THAT(lines[1], HasSubstr(" INFO  GET /a\\n\\u001b[2Jb: 200 OK  (1.5 ms)"));
    EXPECT_THAT(lines[2], HasSubstr(" WARN  (no request): 400 Bad Request  (1.5 ms)"));
    EXPECT_THAT(lines[3], HasSubstr("GET " + std::string(200, 'x') + "...: 404"));
  }
  ::unsetenv("CLICOLOR_FORCE");
  ::unsetenv("NO_COLOR");
}

}  // namespace
}  // namespace eventgate

#include "eventgate/schema/validation_error.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "support/paths.hpp"

namespace eventgate {
namespace {

ValidationError validation_error(std::string data_path, std::string message) {
  ValidationError error;
  error.data_path = std::move(data_path);
  error.message = std::move(message);
  return error;
}

TEST(ErrorsText, EqualsAjvsWithAnEmptyDataVariable) {
  EXPECT_EQ(errors_text({validation_error(".v", "should be integer"), validation_error(".v", "should be string")}),
            "'.v' should be integer, '.v' should be string");
}

TEST(ErrorsText, DataPathIsEmpty_QuotesStay) {
  EXPECT_EQ(errors_text({validation_error("", "should NOT have additional properties")}),
            "'' should NOT have additional properties");
}

TEST(ErrorsText, NoErrorsGiveNoText) {
  EXPECT_EQ(errors_text({}), "");
  EXPECT_EQ(named_errors_text({}), "");
  EXPECT_EQ(first_error_text({}), "");
  EXPECT_EQ(errors_hint({}), "");
}

TEST(ErrorsText, NamedOneHasTheHints) {
  ValidationError unknown = validation_error(".meta", "should NOT have additional properties");
  unknown.hint = "has 'strem'";
  const std::vector<ValidationError> errors{unknown, validation_error(".v", "should be string")};
  EXPECT_EQ(named_errors_text(errors),
            "'.meta' should NOT have additional properties (has 'strem'), '.v' should be string");
  EXPECT_EQ(first_error_text(errors), "'.meta' should NOT have additional properties (has 'strem'), and 1 more");
  EXPECT_EQ(errors_hint(errors), "'.meta' has 'strem'");
  EXPECT_EQ(errors_text(errors), "'.meta' should NOT have additional properties, '.v' should be string");
}

TEST(ErrorsText, EqualsThatOfEveryRecordedReply) {
  const std::filesystem::path recordings = shared_dir() + "/golden/default.jsonl";
  if (!std::filesystem::exists(recordings)) GTEST_SKIP() << recordings << " is not there";
  int compared = 0;
  const std::function<void(const nlohmann::json&)> compare_all = [&](const nlohmann::json& value) {
    if (value.is_object() && value.contains("errorsText") && value.contains("errors")) {
      std::vector<ValidationError> errors;
      for (const auto& error : value["errors"]) errors.push_back(validation_error(error["dataPath"], error["message"]));
      EXPECT_EQ(errors_text(errors), value["errorsText"]);
      ++compared;
    } else if (value.is_structured()) {
      for (const auto& member : value) compare_all(member);
    } else if (value.is_string()) {
      const nlohmann::json inner = nlohmann::json::parse(value.get<std::string>(), nullptr, false);
      if (inner.is_structured()) compare_all(inner);
    }
  };
  std::ifstream lines(recordings);
  for (std::string line; std::getline(lines, line);) {
    // One line has a lone surrogate, which nlohmann refuses.
    const nlohmann::json recording = nlohmann::json::parse(line, nullptr, false);
    if (!recording.is_discarded()) compare_all(recording);
  }
  EXPECT_GT(compared, 50);
}

}  // namespace
}  // namespace eventgate

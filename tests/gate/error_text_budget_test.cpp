#include "gate/error_text_budget.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace eventgate {
namespace {

ValidationError error_of(std::size_t path) {
  return {"type", std::string(path, 'p'), "#/type", "{}", "should be string"};
}

/// Bytes of the errors in a reply.
std::size_t texts_size(const ProcessResult& result) {
  std::string out;
  for (const EventStatus& status : result.invalid) {
    for (const ValidationError& error : status.errors) append_error(out, error);
    out += errors_text(status.errors);
  }
  return out.size();
}

EventStatus invalid(std::vector<ValidationError> errors) {
  EventStatus status;
  status.kind = EventStatus::Kind::invalid;
  status.errors = std::move(errors);
  return status;
}

TEST(ErrorTextBudget, ShortOnes_StayAsTheyAre) {
  ProcessResult result;
  ErrorTextBudget budget(100, result);
  std::vector<ValidationError> errors(100, error_of(10));
  budget.limit_errors(errors);
  EXPECT_EQ(errors.size(), 100u);
  std::string message(1000, 'm');
  budget.limit_message(message);
  EXPECT_EQ(message, std::string(1000, 'm'));
}

TEST(ErrorTextBudget, UpToTheBound_NoneIsLeftOutAndBeyondItAllAre) {
  ProcessResult result;
  ErrorTextBudget budget(0, result);
  std::size_t whole = 0;
  for (int i = 0; i < 1000; ++i) {
    std::vector<ValidationError> errors(10, error_of(300));
    budget.limit_errors(errors);
    if (errors.size() == 10) ++whole;
    result.invalid.push_back(invalid(std::move(errors)));
  }
  // An error takes some 750 bytes.
  EXPECT_GT(whole, 125u);
  EXPECT_LT(whole, 145u);
  EXPECT_GT(texts_size(result), ErrorTextBudget::kMinimum * 9 / 10);
  EXPECT_LT(texts_size(result), ErrorTextBudget::kMinimum + 1000 * 130);
  EXPECT_EQ(result.invalid.back().errors.size(), 1u);
  EXPECT_EQ(result.invalid.back().errors[0].keyword, "maxErrors");
}

TEST(ErrorTextBudget, LongMessage_IsCutBetweenCharactersOnceTheBoundIsReached) {
  ProcessResult result;
  ErrorTextBudget budget(0, result);
  EXPECT_TRUE(budget.spend(ErrorTextBudget::kMinimum - 100));
  std::string message = "m";
  for (int i = 0; i < 500; ++i) message += "\xc3\xa9";
  budget.limit_message(message);
  EXPECT_LE(message.size(), ErrorTextBudget::kShortMessage + 12);
  EXPECT_THAT(message, testing::EndsWith("\xc3\xa9 ... (cut)"));
  EXPECT_TRUE(budget.spend(100));
  EXPECT_FALSE(budget.spend(1));
}

TEST(ErrorTextBudget, BoundIsFourTimesTheBody) {
  ProcessResult result;
  ErrorTextBudget budget(ErrorTextBudget::kMinimum, result);
  EXPECT_TRUE(budget.spend(4 * ErrorTextBudget::kMinimum));
  EXPECT_FALSE(budget.spend(1));
}

}  // namespace
}  // namespace eventgate

#include "gate/error_texts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "eventgate/gate/event_gate.hpp"

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

TEST(ErrorTexts, ShortOnes_StayAsTheyAre) {
  ProcessResult result;
  ErrorTexts texts(100, result);
  std::vector<ValidationError> errors(100, error_of(10));
  texts.bound(errors);
  EXPECT_EQ(errors.size(), 100u);
  std::string message(1000, 'm');
  texts.bound(message);
  EXPECT_EQ(message, std::string(1000, 'm'));
}

TEST(ErrorTexts, UpToTheBound_NoneIsLeftOutAndBeyondItAllAre) {
  ProcessResult result;
  ErrorTexts texts(0, result);
  std::size_t whole = 0;
  for (int i = 0; i < 1000; ++i) {
    std::vector<ValidationError> errors(10, error_of(300));
    texts.bound(errors);
    if (errors.size() == 10) ++whole;
    result.invalid.push_back(invalid(std::move(errors)));
  }
  // An error takes some 750 bytes.
  EXPECT_GT(whole, 125u);
  EXPECT_LT(whole, 145u);
  EXPECT_GT(texts_size(result), ErrorTexts::kLeast * 9 / 10);
  EXPECT_LT(texts_size(result), ErrorTexts::kLeast + 1000 * 130);
  EXPECT_EQ(result.invalid.back().errors.size(), 1u);
  EXPECT_EQ(result.invalid.back().errors[0].keyword, "maxErrors");
}

TEST(ErrorTexts, LongMessage_IsCutBetweenCharactersOnceTheBoundIsReached) {
  ProcessResult result;
  ErrorTexts texts(0, result);
  EXPECT_TRUE(texts.admit(ErrorTexts::kLeast - 100));
  std::string message = "m";
  for (int i = 0; i < 500; ++i) message += "\xc3\xa9";
  texts.bound(message);
  EXPECT_LE(message.size(), ErrorTexts::kShortMessage + 12);
  EXPECT_THAT(message, testing::EndsWith("\xc3\xa9 ... (cut)"));
  EXPECT_TRUE(texts.admit(100));
  EXPECT_FALSE(texts.admit(1));
}

TEST(ErrorTexts, BoundIsFourTimesTheBody) {
  ProcessResult result;
  ErrorTexts texts(ErrorTexts::kLeast, result);
  EXPECT_TRUE(texts.admit(4 * ErrorTexts::kLeast));
  EXPECT_FALSE(texts.admit(1));
}

}  // namespace
}  // namespace eventgate

#include "eventgate/gate/live_counts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace eventgate {
namespace {

LiveEvent event(std::string_view stream, std::int64_t received_at = 0, LiveOutcome outcome = LiveOutcome::accepted) {
  LiveEvent made;
  made.stream = stream;
  made.schema_uri = "/a/1.0.0";
  made.received_at = received_at;
  made.outcome = outcome;
  return made;
}

LiveFilter of_stream(const std::string& stream) {
  LiveFilter filter;
  filter.stream = stream;
  return filter;
}

TEST(LiveCounts, MoreNamesThanTheBound_AreCountedTogether) {
  LiveCounts counts;
  for (std::size_t i = 0; i < LiveCounts::kMaxNames + 5; ++i) counts.add(event(std::to_string(i)));
  counts.add(event("0"));
  LiveSummary summary;
  counts.fill(summary);
  EXPECT_EQ(summary.names.size(), LiveCounts::kMaxNames);
  EXPECT_EQ(summary.unlisted, 5u);
  EXPECT_EQ(summary.totals[0], LiveCounts::kMaxNames + 6);
  EXPECT_EQ(counts.count({}).unlisted, 0u);
  EXPECT_EQ(counts.count(of_stream("0")).outcomes[0], 2u);
  EXPECT_EQ(counts.count(of_stream("0")).unlisted, 5u);
  LiveFilter invalid = of_stream("0");
  invalid.accepted = false;
  EXPECT_EQ(counts.count(invalid).unlisted, 0u);
}

TEST(LiveCounts, MoreReasonsThanTheBound_AreCountedTogether) {
  LiveCounts counts;
  EventStatus status;
  for (std::size_t i = 0; i < LiveCounts::kMaxReasons + 3; ++i) {
    status.errors = {{"type", "." + std::to_string(i), "#", "{}", "wrong"}};
    LiveEvent failed = event("s", 1000, LiveOutcome::invalid);
    failed.status = &status;
    counts.add(failed);
  }
  LiveSummary summary;
  counts.fill(summary);
  EXPECT_EQ(summary.reasons.size(), LiveCounts::kMaxReasons);
  EXPECT_EQ(summary.unlisted_reasons, 3u);
}

TEST(LiveCounts, ReasonsOfElementsOfAnArrayAreOne) {
  LiveCounts counts;
  EventStatus status;
  for (const char* const path : {".a[0].b", ".a[17].b", ".a['0'].b"}) {
    status.errors = {{"type", path, "#", "{}", "wrong"}};
    LiveEvent failed = event("s", 1000, LiveOutcome::invalid);
    failed.status = &status;
    counts.add(failed);
  }
  LiveSummary summary;
  counts.fill(summary);
  ASSERT_EQ(summary.reasons.size(), 2u);
  const auto& both = summary.reasons[summary.reasons[0].path == ".a[].b" ? 0 : 1];
  EXPECT_EQ(both.path, ".a[].b");
  EXPECT_EQ(both.count, 2u);
}

TEST(LiveCounts, NamesWithAnyCharacterAreToldApart) {
  LiveCounts counts;
  LiveEvent first = event("a\n1:b");
  first.schema_uri = "c";
  LiveEvent second = event("a");
  second.schema_uri = "\n1:bc";
  for (int i = 0; i < 2; ++i) {
    counts.add(first);
    counts.add(second);
  }
  EXPECT_EQ(counts.count(of_stream("a")).outcomes[0], 2u);
  EXPECT_EQ(counts.count(of_stream("a\n1:b")).outcomes[0], 2u);
}

TEST(LiveCounts, SecondsOlderThanFiveMinutesGo) {
  LiveCounts counts;
  counts.add(event("s", 1'000'000));
  counts.add(event("s", 1'000'999));
  counts.add(event("s", 1'299'000));
  LiveSummary before;
  counts.fill(before);
  EXPECT_EQ(before.seconds.size(), 2u);
  counts.add(event("s", 1'300'000));  // in the place of the first
  counts.add(event("s", 1'000'000));  // too late for it
  LiveSummary after;
  counts.fill(after);
  ASSERT_EQ(after.seconds.size(), 2u);
  for (const auto& second : after.seconds) EXPECT_EQ(second.outcomes[0], 1u) << second.second;
  EXPECT_EQ(after.totals[0], 5u);
}

TEST(LiveCounts, RequestsRefusedWholeHaveNoNames) {
  LiveCounts counts;
  LiveEvent rejected = event("", 1000, LiveOutcome::rejected);
  rejected.schema_uri = {};
  rejected.cause = "body_too_large";
  counts.add(rejected);
  LiveSummary summary;
  counts.fill(summary);
  EXPECT_TRUE(summary.names.empty());
  ASSERT_EQ(summary.reasons.size(), 1u);
  EXPECT_EQ(summary.reasons[0].reason, "body_too_large");
  EXPECT_EQ(counts.count(of_stream("*")).outcomes[3], 0u);
  EXPECT_EQ(counts.count({}).outcomes[3], 1u);
}

}  // namespace
}  // namespace eventgate

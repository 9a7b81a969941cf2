#include "eventgate/telemetry/ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include <atomic>
#include <limits>
#include <map>
#include <thread>

#include "support/ledger_samples.hpp"

namespace eventgate {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::system_clock;
using testing::ElementsAre;
using testing::IsEmpty;

const system_clock::time_point kStart{milliseconds(1'795'315'140'000)};

std::int64_t at(system_clock::time_point time) {
  return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}

struct LedgerTest : testing::Test {
  Metrics metrics{"gate"};
  Ledger ledger{metrics, kStart};

  LedgerSamples samples() const { return LedgerSamples(metrics.text()); }

  /// Age of each stream that has one, in seconds.
  std::map<std::string, double> ages(system_clock::time_point now) const {
    std::map<std::string, double> result;
    for (const auto& family : ledger.families(now))
      if (family.name == "eventgate_stream_event_age_seconds")
        for (const auto& metric : family.metric) result[metric.label.back().value] = metric.gauge.value;
    return result;
  }
};

TEST_F(LedgerTest, EachOutcomeIsItsOwnSeriesAndTheRestIsInFlight) {
  LedgerAccount& account = ledger.account("s");
  ledger.arrived(20);
  account.received(15, at(kStart));
  account.refused(FailureCause::invalid, 2);
  account.refused(FailureCause::title);
  account.produced(4);
  account.spooled(3);
  account.delivery_unknown();
  account.lost();
  const LedgerSamples text = samples();
  EXPECT_EQ(text.value("received_total", "s"), 15);
  EXPECT_EQ(text.refused("s"), (std::map<std::string, double>{{"invalid", 2}, {"title", 1}}));
  EXPECT_EQ(text.value("produced_total", "s"), 4);
  EXPECT_EQ(text.value("spooled_total", "s"), 3);
  EXPECT_EQ(text.value("delivery_unknown_total", "s"), 1);
  EXPECT_EQ(text.value("lost_total", "s"), 1);
  EXPECT_EQ(text.value("in_flight", "s"), 3);
  EXPECT_EQ(text.unjudged(), 5);
  EXPECT_EQ(text.imbalance(), "");
}

TEST_F(LedgerTest, ARefusalHasTheNameOfItsCause) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kFailureCauseCount; ++i)
    names.push_back(failure_cause_name(static_cast<FailureCause>(i)));
  EXPECT_THAT(names, ElementsAre("invalid", "malformed_json", "field", "schema", "stream", "title", "topic", "key",
                                 "record", "not_produced", "legacy_empty", "legacy_truncated", "legacy_malformed",
                                 "legacy_not_object", "legacy_no_schema", "legacy_unknown_schema",
                                 "legacy_unknown_revision", "legacy_web_host", "legacy_bot", "legacy_too_long"));
}

// Each scrape balances while threads are between an event and its outcome; no count goes back from one to the next; and
// at the end each event is where it went.
TEST_F(LedgerTest, BalancesAtEveryScrapeWhileThreadsCount) {
  constexpr int kThreads = 4;
  constexpr int kScrapes = 300;
  const std::vector<std::string> streams{"a", "b"};
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> received{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 100 || !over; ++i) {
        LedgerAccount& account = ledger.account(streams[(i + t) % 2]);
        ledger.arrived(3);
        account.received(3, at(kStart));
        received += 3;
        switch (i % 6) {
          case 0:
            account.produced(3);
            break;
          case 1:
            account.refused(static_cast<FailureCause>(i / 6 % kFailureCauseCount), 3);
            break;
          case 2:
            account.lost(3);
            break;
          case 3:
            account.delivery_unknown(3);
            break;
          case 4:
            account.spooled(3);
            ledger.spool_stored("t", 3);
            ledger.spool_replayed("t", 2);
            ledger.spool_dropped("t");
            break;
          default:
            account.produced(1);
            account.refused(FailureCause::not_produced, 2);
        }
      }
    });
  std::map<std::string, double> last;
  std::string wrong;
  for (int i = 0; i < kScrapes && wrong.empty(); ++i) {
    // The counts alone are read so fast that they meet every place between two of them.
    for (int read = 0; read < 1000; ++read)
      if (ledger.account("a").counts().in_flight() > std::numeric_limits<std::uint64_t>::max() / 2)
        wrong = "more outcomes than events; ";
    const LedgerSamples text = samples();
    wrong += text.imbalance();
    for (const auto& [series, value] : text.counters()) {
      if (value < last[series]) wrong += series + " went back";
      last[series] = value;
    }
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, "");
  const LedgerSamples end = samples();
  EXPECT_EQ(end.imbalance(), "");
  EXPECT_EQ(end.value("in_flight", "a") + end.value("in_flight", "b"), 0);
  EXPECT_EQ(end.value("received_total", "a") + end.value("received_total", "b"), static_cast<double>(received));
  EXPECT_EQ(end.unjudged(), 0);
  EXPECT_EQ(end.value("spool_records", "unknown"), 0);
}

TEST_F(LedgerTest, ARecordInTheSpoolCountsForTheStreamOfItsTopic) {
  ledger.declare({{"s", "dc1.s"}}, kStart);
  LedgerAccount& made_up = ledger.account("job.1");
  ledger.set_topic_once(made_up, "dc1.job.1");
  ledger.spool_found("dc1.s", 7);
  ledger.spool_stored("dc1.s", 3);
  ledger.spool_replayed("dc1.s", 5);
  ledger.spool_acknowledged_late("dc1.s", 2);
  ledger.spool_dropped("dc1.s");
  ledger.spool_stored("dc1.job.1");
  const LedgerSamples text = samples();
  EXPECT_EQ(text.value("spool_found_total", "s"), 7);
  EXPECT_EQ(text.value("spool_stored_total", "s"), 3);
  EXPECT_EQ(text.value("spool_replayed_total", "s"), 5);
  EXPECT_EQ(text.value("spool_acknowledged_late_total", "s"), 2);
  EXPECT_EQ(text.value("spool_dropped_total", "s"), 1);
  EXPECT_EQ(text.value("spool_records", "s"), 2);
  EXPECT_EQ(text.value("spool_records", "job.1"), 1);
  EXPECT_EQ(text.imbalance(), "");
}

TEST_F(LedgerTest, RecordWhoseTopicIsDeclaredMeanwhile_LeavesTheAccountThatItEntered) {
  ledger.spool_found("dc1.s", 2);
  ledger.declare({{"s", "dc1.s"}}, kStart);
  ledger.spool_replayed("dc1.s", 2);
  EXPECT_EQ(samples().value("spool_records", "unknown"), 0);
  EXPECT_EQ(samples().imbalance(), "");
}

TEST_F(LedgerTest, StreamsBeyondTheBoundCountAsUnknownAndDeclaredOnesNever) {
  for (std::size_t i = 0; i < Ledger::kMaxUndeclared; ++i)
    EXPECT_EQ(ledger.account("job." + std::to_string(i)).stream(), "job." + std::to_string(i));
  EXPECT_EQ(ledger.account("one.more").stream(), "unknown");
  ledger.declare({{"declared", "declared"}}, kStart);
  EXPECT_EQ(ledger.account("declared").stream(), "declared");
  EXPECT_EQ(ledger.account("job.7").stream(), "job.7");
}

TEST_F(LedgerTest, AgeIsSinceTheLastEventOrSinceTheDeclarationIfNoneCame) {
  ledger.declare({{"busy", "busy"}, {"silent", "silent"}}, kStart);
  ledger.account("busy").received(1, at(kStart + seconds(50)));
  ledger.account("by.regex").received(1, at(kStart + seconds(50)));
  EXPECT_EQ(ages(kStart + seconds(90)), (std::map<std::string, double>{{"busy", 40}, {"silent", 90}}));
  EXPECT_EQ(ages(kStart)["busy"], 0);
}

TEST_F(LedgerTest, AgeIsOfStreamsThatAreDeclaredNow) {
  ledger.declare({{"old", "old"}, {"kept", "kept"}}, kStart);
  ledger.declare({{"kept", "kept"}, {"new", "new"}}, kStart + seconds(60));
  EXPECT_EQ(ages(kStart + seconds(90)), (std::map<std::string, double>{{"kept", 90}, {"new", 30}}));
  ledger.declare({{"old", "old"}}, kStart + seconds(120));
  EXPECT_EQ(ages(kStart + seconds(121)), (std::map<std::string, double>{{"old", 1}}));
}

TEST_F(LedgerTest, Row_HasTheCountsSinceTheRowBefore) {
  LedgerAccount& account = ledger.account("s");
  ledger.account("quiet");
  account.received(5, at(kStart));
  account.produced(2);
  account.refused(FailureCause::key);
  auto rows = ledger.take_rows(kStart + minutes(1));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].stream, "s");
  EXPECT_EQ(rows[0].begin, kStart);
  EXPECT_EQ(rows[0].end, kStart + minutes(1));
  EXPECT_EQ(rows[0].counts.received, 5u);
  EXPECT_EQ(rows[0].in_flight_before, 0u);
  EXPECT_EQ(rows[0].in_flight_after, 2u);

  EXPECT_THAT(ledger.take_rows(kStart + minutes(2)), IsEmpty());

  account.received(1, at(kStart));
  account.produced(3);
  rows = ledger.take_rows(kStart + minutes(3));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].begin, kStart + minutes(2));
  EXPECT_EQ(rows[0].counts.received, 1u);
  EXPECT_EQ(rows[0].counts.produced, 3u);
  EXPECT_EQ(rows[0].counts.all_refused(), 0u);
  EXPECT_EQ(rows[0].in_flight_before, 2u);
  EXPECT_EQ(rows[0].in_flight_after, 0u);
}

TEST_F(LedgerTest, ChangeInTheSpoolAlone_MakesARow) {
  ledger.spool_found("t", 4);
  ledger.take_rows(kStart + minutes(1));
  ledger.spool_replayed("t", 3);
  const auto rows = ledger.take_rows(kStart + minutes(2));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].counts.spool_replayed, 3u);
  EXPECT_EQ(rows[0].in_spool_before, 4u);
  EXPECT_EQ(rows[0].in_spool_after, 1u);
}

TEST(Ledger, IsInTheMetricsForAsLongAsItLives) {
  Metrics metrics("gate");
  {
    const Ledger ledger(metrics);
    EXPECT_THAT(metrics.text(),
                testing::HasSubstr("\neventgate_ledger_received_total{service=\"gate\",stream=\"unknown\"} 0"));
  }
  EXPECT_THAT(metrics.text(), testing::Not(testing::HasSubstr("eventgate_ledger_")));
}

}  // namespace
}  // namespace eventgate

#include "eventgate/delivery/fan_out.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <exception>

#include "eventgate/telemetry/telemetry.hpp"
#include "support/memory_sink.hpp"

namespace eventgate {
namespace {

using Outcomes = std::vector<std::string>;

/// Two sinks in memory, `kafka` and `file`, and the I/O thread's context.
struct TwoSinks {
  boost::asio::io_context context{1};
  std::shared_ptr<SinkMemory> kafka = std::make_shared<SinkMemory>();
  std::shared_ptr<SinkMemory> file = std::make_shared<SinkMemory>();
  Metrics metrics{"test"};
  Telemetry telemetry{metrics};
};

/// A sink that refuses the records whose value is among `values`.
void refuse(SinkMemory& sink, std::vector<std::string> values, DeliveryFailure failure) {
  sink.judge = [values = std::move(values), failure](const KeptRecord& record) -> std::optional<DeliveryFailure> {
    if (std::find(values.begin(), values.end(), record.value) == values.end()) return std::nullopt;
    return failure;
  };
}

std::string outcome_text(const std::optional<DeliveryFailure>& outcome) {
  if (!outcome) return "delivered";
  return (outcome->delivery == Delivery::unknown ? "unknown: " : "not_produced: ") + outcome->message;
}

/// Produces a record for each of `values`, and returns their outcomes as text.
Outcomes produce(TwoSinks& sinks, FanOut& fan_out, const std::vector<std::string>& values) {
  Outcomes outcomes;
  const auto run = [&]() -> Task<void> {
    std::vector<Record> records;
    for (const std::string& value : values) records.push_back({"topic", std::nullopt, value, 1, nullptr});
    const std::span<Record> all(records);
    DeliveryBatch& batch = fan_out.hand_over(all, Assurance::guaranteed, sinks.context.get_executor());
    co_await fan_out.wait(batch, Assurance::guaranteed);
    std::vector<Outcome> results;
    fan_out.collect_outcomes(batch, records.size(), results);
    batch.release();
    for (const Outcome& outcome : results) outcomes.push_back(outcome_text(outcome.failure));
  };
  spawn(sinks.context.get_executor(), run(), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
  sinks.context.run();
  return outcomes;
}

FanOut one_sink(TwoSinks& sinks, std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
  std::vector<std::unique_ptr<Sink>> all;
  all.push_back(std::make_unique<MemorySink>("kafka", sinks.kafka));
  return FanOut(std::move(all), timeout, sinks.telemetry);
}

FanOut both_sinks(TwoSinks& sinks) {
  std::vector<std::unique_ptr<Sink>> all;
  all.push_back(std::make_unique<MemorySink>("kafka", sinks.kafka));
  all.push_back(std::make_unique<MemorySink>("file", sinks.file));
  return FanOut(std::move(all), std::chrono::seconds(10), sinks.telemetry);
}

TEST(FanOut, TwoSinks_EachGetsEveryRecordInOrder) {
  TwoSinks sinks;
  FanOut fan_out = both_sinks(sinks);
  EXPECT_EQ(produce(sinks, fan_out, {"a", "b"}), (Outcomes{"delivered", "delivered"}));
  for (const auto& sink : {sinks.kafka, sinks.file}) {
    ASSERT_EQ(sink->records.size(), 2u);
    EXPECT_EQ(sink->records[0].value, "a");
    EXPECT_EQ(sink->records[1].value, "b");
  }
}

TEST(FanOut, NoRecords_NoOutcomes) {
  TwoSinks sinks;
  FanOut fan_out = both_sinks(sinks);
  EXPECT_EQ(produce(sinks, fan_out, {}), Outcomes());
}

TEST(FanOut, OneSinkFails_ItsFailureIsTheOutcome) {
  TwoSinks sinks;
  refuse(*sinks.kafka, {"b"}, {Delivery::not_produced, "Broker: Message size too large"});
  FanOut fan_out = one_sink(sinks);
  EXPECT_EQ(produce(sinks, fan_out, {"a", "b", "c"}),
            (Outcomes{"delivered", "not_produced: Broker: Message size too large", "delivered"}));
}

TEST(FanOut, OneOfTwoSinksFails_OutcomeIsUnknown) {
  TwoSinks sinks;
  refuse(*sinks.file, {"b"}, {Delivery::not_produced, "disk full"});
  FanOut fan_out = both_sinks(sinks);
  EXPECT_EQ(produce(sinks, fan_out, {"a", "b"}), (Outcomes{"delivered", "unknown: file: disk full"}));
}

TEST(FanOut, BothSinksFail_OutcomeIsNotProduced) {
  TwoSinks sinks;
  refuse(*sinks.kafka, {"a"}, {Delivery::not_produced, "down"});
  refuse(*sinks.file, {"a"}, {Delivery::not_produced, "disk full"});
  FanOut fan_out = both_sinks(sinks);
  EXPECT_EQ(produce(sinks, fan_out, {"a"}), (Outcomes{"not_produced: kafka: down; file: disk full"}));
}

TEST(FanOut, BothSinksFailAndOneIsUnknown_OutcomeIsUnknown) {
  TwoSinks sinks;
  refuse(*sinks.kafka, {"a"}, {Delivery::unknown, "gone"});
  refuse(*sinks.file, {"a"}, {Delivery::not_produced, "disk full"});
  FanOut fan_out = both_sinks(sinks);
  EXPECT_EQ(produce(sinks, fan_out, {"a"}), (Outcomes{"unknown: kafka: gone; file: disk full"}));
}

TEST(FanOut, NoReportInTime_OutcomeIsUnknown) {
  TwoSinks sinks;
  sinks.kafka->silent = true;
  FanOut fan_out = one_sink(sinks, std::chrono::milliseconds(150));
  EXPECT_EQ(produce(sinks, fan_out, {"a"}), (Outcomes{"unknown: Local: Message timed out"}));
  fan_out.stop(std::chrono::steady_clock::now());  // the late report still finds its handle
}

TEST(FanOut, HastyRecordHasNoReport_WaitHasNoTimeout) {
  TwoSinks sinks;
  sinks.kafka->silent = true;
  FanOut fan_out = one_sink(sinks, std::chrono::milliseconds(1));
  bool done = false;
  const auto run = [&]() -> Task<void> {
    Record record{"topic", std::nullopt, "a", 1, nullptr};
    const std::span<Record> all(&record, 1);
    DeliveryBatch& batch = fan_out.hand_over(all, Assurance::hasty, sinks.context.get_executor());
    co_await fan_out.wait(batch, Assurance::hasty);
    batch.release();
    done = true;
  };
  spawn(sinks.context.get_executor(), run(), [](std::exception_ptr) {});
  sinks.context.run_for(std::chrono::milliseconds(300));  // well over the timeout of guaranteed ones
  EXPECT_FALSE(done);
  fan_out.stop(std::chrono::steady_clock::now());
  sinks.context.restart();
  sinks.context.run();
  EXPECT_TRUE(done);
}

TEST(FanOut, OneSinkIsNotReady_ItsReasonIsReturned) {
  TwoSinks sinks;
  FanOut fan_out = both_sinks(sinks);
  EXPECT_EQ(fan_out.not_ready_reason(), std::nullopt);
  sinks.file->not_ready_reason = "no space";
  EXPECT_EQ(fan_out.not_ready_reason(), "no space");
}

TEST(FanOut, PrefetchMetadata_ReachesEverySink) {
  TwoSinks sinks;
  FanOut fan_out = both_sinks(sinks);
  fan_out.prefetch_metadata("topic");
  EXPECT_EQ(sinks.kafka->prefetched_topics, std::vector<std::string>{"topic"});
  EXPECT_EQ(sinks.file->prefetched_topics, std::vector<std::string>{"topic"});
}

TEST(FanOut, OutcomeHasThePlaceOfTheSinkThatToldIt) {
  TwoSinks sinks;
  FanOut fan_out = both_sinks(sinks);
  sinks.kafka->silent = true;
  std::vector<Outcome> results;
  const auto run = [&]() -> Task<void> {
    std::vector<Record> records(2, Record{"topic", std::nullopt, "value", 1, nullptr});
    const std::span<Record> all(records);
    DeliveryBatch& batch = fan_out.hand_over(all, Assurance::guaranteed, sinks.context.get_executor());
    sinks.kafka->unsettled[0]->sink_data.partition = 3;
    sinks.kafka->unsettled[0]->sink_data.offset = 0;
    for (DeliveryHandle* const handle : sinks.kafka->unsettled) handle->succeed();
    co_await fan_out.wait(batch, Assurance::guaranteed);
    fan_out.collect_outcomes(batch, records.size(), results);
    batch.release();
  };
  spawn(sinks.context.get_executor(), run(), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
  sinks.context.run();
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].partition, 3);
  EXPECT_EQ(results[0].offset, 0);
  EXPECT_EQ(results[1].partition, -1);
  EXPECT_EQ(results[1].offset, -1);
}

}  // namespace
}  // namespace eventgate

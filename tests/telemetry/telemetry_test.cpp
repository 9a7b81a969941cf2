#include "eventgate/telemetry/telemetry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "support/log_file.hpp"
#include "support/paths.hpp"

namespace eventgate {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

/// Sample lines of the text, without comments: the series to its value.
std::map<std::string, std::string> samples(const Metrics& metrics) {
  std::map<std::string, std::string> result;
  std::istringstream text(metrics.text());
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("#")) continue;
    const auto space = line.rfind(' ');
    result[line.substr(0, space)] = line.substr(space + 1);
  }
  return result;
}

struct TelemetryTest : testing::Test {
  LogFile log{LogLevel::debug};
  Metrics metrics{"gate"};
  Telemetry telemetry{metrics};

  std::string value(const std::string& series) const {
    const auto all = samples(metrics);
    const auto found = all.find(series);
    return found == all.end() ? "none" : found->second;
  }
};

TEST_F(TelemetryTest, AProducedEventCountsByStreamAndSchema) {
  telemetry.event_produced("test.event", "/test/event/1.0.0");
  telemetry.event_produced("test.event", "/test/event/1.0.0", 4);
  EXPECT_EQ(
      value(R"(eventgate_events_produced_total{service="gate",schema_uri="/test/event/1.0.0",stream="test.event"})"),
      "5");
  EXPECT_EQ(value(R"(eventgate_events_total{service="gate",outcome="produced"})"), "5");
  EXPECT_TRUE(log.texts().empty());
}

TEST_F(TelemetryTest, AnInvalidEventCountsByErrorTypeAndIsLoggedAtDebug) {
  telemetry.event_refused("test.event", "unknown", FailureCause::malformed_json, "");
  EXPECT_EQ(
      value(
          R"(eventgate_validation_errors_total{service="gate",error_type="malformed_json",schema_uri="unknown",stream="test.event"})"),
      "1");
  EXPECT_EQ(value(R"(eventgate_events_total{service="gate",outcome="invalid"})"), "1");
  EXPECT_EQ(log.line()["level"], 20);
}

TEST_F(TelemetryTest, AClientsMistakeIsLoggedAtDebugAndAFailedDeliveryWarns) {
  telemetry.event_refused("s", "/u", FailureCause::schema, "Failed loading schema at /u");
  telemetry.event_refused("s", "/u", FailureCause::not_produced, "Local: Message timed out");
  EXPECT_EQ(value(R"(eventgate_event_errors_total{service="gate",cause="schema",schema_uri="/u",stream="s"})"), "1");
  EXPECT_EQ(value(R"(eventgate_event_errors_total{service="gate",cause="not_produced",schema_uri="/u",stream="s"})"),
            "1");
  EXPECT_EQ(value(R"(eventgate_events_total{service="gate",outcome="error"})"), "2");
  EXPECT_EQ(log.lines().at(0)["level"], 20);
  EXPECT_EQ(log.lines().at(1)["level"], 40);
  EXPECT_EQ(log.lines().at(1)["message"], "Local: Message timed out");
}

TEST_F(TelemetryTest, EveryLostHastyEventCountsButTheLogIsNotFlooded) {
  for (int i = 0; i < 10000; ++i) telemetry.hasty_event_lost("s", "/u", "Local: Message timed out");
  EXPECT_EQ(value(R"(eventgate_hasty_events_lost_total{service="gate",schema_uri="/u",stream="s"})"), "10000");
  EXPECT_EQ(value(R"(eventgate_events_total{service="gate",outcome="hasty_lost"})"), "10000");
  EXPECT_EQ(log.line()["level"], 50);
  EXPECT_LT(log.texts().size(), 1000u);
}

TEST_F(TelemetryTest, AFailedErrorEventCountsAndIsAnErrorInTheLog) {
  telemetry.error_event_failed("Broker: Unknown topic or partition");
  EXPECT_EQ(value(R"(eventgate_error_events_failed_total{service="gate"})"), "1");
  EXPECT_EQ(log.line()["level"], 50);
}

TEST_F(TelemetryTest, ReceivedEventsAndBytesAddUp) {
  telemetry.events_received(3);
  telemetry.body_received(1000);
  telemetry.body_received(24);
  EXPECT_EQ(value(R"(eventgate_events_total{service="gate",outcome="received"})"), "3");
  EXPECT_EQ(value(R"(eventgate_received_bytes_total{service="gate"})"), "1024");
}

TEST_F(TelemetryTest, ARequestIsInTheOriginalsHistogram) {
  telemetry.request_answered("v1/events", "POST", 201, milliseconds(40));
  telemetry.request_answered("", "GET", 200, milliseconds(40));
  const std::string bucket = "express_router_request_duration_seconds_bucket";
  const std::string labels = R"({service="gate",method="POST",path="v1/events",status="201",le=)";
  EXPECT_EQ(value(bucket + labels + "\"0.03\"}"), "0");
  for (const std::string le : {"0.05", "0.1", "0.3", "1", "+Inf"}) {
    EXPECT_EQ(value(bucket + labels + "\"" + le + "\"}"), "1") << le;
  }
  EXPECT_EQ(
      value(R"(express_router_request_duration_seconds_count{service="gate",method="GET",path="root",status="200"})"),
      "1");
}

TEST_F(TelemetryTest, UnknownMethod_CountsAsUnknown) {
  telemetry.request_answered("v1/events", "BREW\"", 405, milliseconds(1));
  EXPECT_EQ(
      value(
          R"(express_router_request_duration_seconds_count{service="gate",method="unknown",path="v1/events",status="405"})"),
      "1");
}

TEST_F(TelemetryTest, ConnectionsGoUpAndDown) {
  telemetry.connection_opened();
  telemetry.connection_opened();
  telemetry.connection_closed();
  EXPECT_EQ(value(R"(eventgate_connections{service="gate"})"), "1");
  EXPECT_EQ(value(R"(eventgate_connections_total{service="gate"})"), "2");
}

TEST_F(TelemetryTest, RefusedRequestsCountByCause) {
  telemetry.request_rejected("body_too_large");
  telemetry.accept_paused(10000);
  EXPECT_EQ(value(R"(eventgate_rejected_requests_total{service="gate",cause="body_too_large"})"), "1");
  EXPECT_EQ(value(R"(eventgate_accept_pauses_total{service="gate"})"), "1");
  EXPECT_EQ(log.line()["connections"], "10000");
}

TEST_F(TelemetryTest, SchemasCountByHowTheyWereFound) {
  telemetry.schema_hit();
  telemetry.schema_miss();
  telemetry.schema_loaded("/a", milliseconds(5));
  telemetry.schema_failed("/b", "");
  telemetry.schema_failed("/c", "unknown format \"x\"");
  EXPECT_EQ(value(R"(eventgate_schema_cache_hits_total{service="gate"})"), "1");
  EXPECT_EQ(value(R"(eventgate_schema_cache_misses_total{service="gate"})"), "1");
  EXPECT_EQ(value(R"(eventgate_schema_load_duration_seconds_count{service="gate"})"), "1");
  EXPECT_EQ(value(R"(eventgate_schema_failures_total{service="gate",cause="not_found"})"), "1");
  EXPECT_EQ(value(R"(eventgate_schema_failures_total{service="gate",cause="unusable"})"), "1");
  std::vector<int> levels;
  for (const auto& line : log.lines()) levels.push_back(line["level"]);
  EXPECT_THAT(levels, testing::ElementsAre(30, 20, 40));
}

TEST_F(TelemetryTest, ARefreshThatFailsAgainAndAgainWarnsOnce) {
  telemetry.stream_configs_read("http://h/", 3);
  for (int i = 0; i < 3; ++i) telemetry.stream_configs_failed("http://h/", "refused");
  telemetry.stream_configs_read("http://h/", 4);
  telemetry.stream_configs_read("http://h/", 4);
  telemetry.stream_configs_failed("http://h/", "refused");
  EXPECT_EQ(value(R"(eventgate_stream_config_failures_total{service="gate"})"), "4");
  EXPECT_EQ(value(R"(eventgate_stream_config_reads_total{service="gate"})"), "3");
  EXPECT_EQ(value(R"(eventgate_streams{service="gate"})"), "4");
  std::vector<int> levels;
  for (const auto& line : log.lines()) levels.push_back(line["level"]);
  EXPECT_THAT(levels, testing::ElementsAre(30, 40, 30, 20, 40));
}

TEST_F(TelemetryTest, AStreamWithoutASchemaIsCountedAndWarnedOf) {
  telemetry.stream_without_schema("lost.event", "lost");
  EXPECT_EQ(value(R"(eventgate_streams_without_schema_total{service="gate"})"), "1");
  EXPECT_EQ(log.line()["level"], 40);
  EXPECT_EQ(log.line()["stream"], "lost.event");
  EXPECT_EQ(log.line()["schema_title"], "lost");
}

TEST_F(TelemetryTest, RecordsInFlightAreThoseNeitherDeliveredNorFailed) {
  telemetry.record_handed_over("guaranteed", 3);
  telemetry.record_delivered("guaranteed", milliseconds(7));
  telemetry.record_failed("guaranteed", "dc1.test", "_MSG_TIMED_OUT", "Local: Message timed out");
  EXPECT_EQ(value(R"(eventgate_records_total{service="gate",producer="guaranteed"})"), "3");
  EXPECT_EQ(value(R"(eventgate_records_in_flight{service="gate",producer="guaranteed"})"), "1");
  EXPECT_EQ(value(R"(eventgate_delivery_duration_seconds_bucket{service="gate",producer="guaranteed",le="0.01"})"),
            "1");
  EXPECT_EQ(value(R"(eventgate_record_failures_total{service="gate",cause="_MSG_TIMED_OUT",producer="guaranteed"})"),
            "1");
  EXPECT_EQ(log.line()["topic"], "dc1.test");
}

TEST_F(TelemetryTest, RecordsDeliveredTogetherCountAsMany) {
  const auto bucket = [this](const char* bound) {
    return value(R"(eventgate_delivery_duration_seconds_bucket{service="gate",producer="file",le=")" +
                 std::string(bound) + R"("})");
  };
  telemetry.record_handed_over("file", 150);
  telemetry.record_delivered("file", milliseconds(5), 100);
  telemetry.record_delivered("file", milliseconds(250), 40);
  telemetry.record_delivered("file", std::chrono::seconds(60), 9);
  EXPECT_EQ(value(R"(eventgate_records_in_flight{service="gate",producer="file"})"), "1");
  EXPECT_EQ(bucket("0.0025"), "0");
  EXPECT_EQ(bucket("0.005"), "100");
  EXPECT_EQ(bucket("0.1"), "100");
  EXPECT_EQ(bucket("0.25"), "140");
  EXPECT_EQ(bucket("+Inf"), "149");
  EXPECT_EQ(value(R"(eventgate_delivery_duration_seconds_sum{service="gate",producer="file"})"), "550.5");
}

TEST_F(TelemetryTest, ProducersErrorsAndLateReportsCount) {
  telemetry.late_delivery("hasty", true);
  telemetry.late_delivery("hasty", false);
  telemetry.producer_error("hasty", "_ALL_BROKERS_DOWN", "1/1 brokers are down");
  telemetry.producer_log("hasty", 3, "FAIL", "Connect failed");
  telemetry.producer_log("hasty", 7, "BROKER", "state");
  telemetry.sink_warning("file", "slow");
  EXPECT_EQ(value(R"(eventgate_late_deliveries_total{service="gate",outcome="delivered",producer="hasty"})"), "1");
  EXPECT_EQ(value(R"(eventgate_late_deliveries_total{service="gate",outcome="failed",producer="hasty"})"), "1");
  EXPECT_EQ(value(R"(eventgate_producer_errors_total{service="gate",cause="_ALL_BROKERS_DOWN",producer="hasty"})"),
            "1");
  EXPECT_EQ(value(R"(eventgate_sink_warnings_total{service="gate",sink="file"})"), "1");
  std::vector<int> levels;
  for (const auto& line : log.lines()) levels.push_back(line["level"]);
  EXPECT_THAT(levels, testing::ElementsAre(40, 50, 20, 40));
}

TEST_F(TelemetryTest, ConsumersErrorsCount) {
  telemetry.consumer_error("live", "_ALL_BROKERS_DOWN", "1/1 brokers are down");
  telemetry.consumer_log("replay", 3, "FAIL", "Connect failed");
  EXPECT_EQ(value(R"(eventgate_consumer_errors_total{service="gate",cause="_ALL_BROKERS_DOWN",consumer="live"})"), "1");
  ASSERT_EQ(log.lines().size(), 2u);
  EXPECT_EQ(log.lines()[0]["consumer"], "live");
  EXPECT_EQ(log.lines()[1]["message"], "Connect failed");
}

TEST_F(TelemetryTest, ObservedValuesAreInTheText) {
  telemetry.observe_stream_config_age([] { return 12.5; });
  telemetry.observe_inflight_bytes([] { return 1024; });
  telemetry.observe_cached_schemas([] { return 7; });
  EXPECT_EQ(value(R"(eventgate_stream_config_age_seconds{service="gate"})"), "12.5");
  EXPECT_EQ(value(R"(eventgate_inflight_bytes{service="gate"})"), "1024");
  EXPECT_EQ(value(R"(eventgate_cached_schemas{service="gate"})"), "7");
}

TEST_F(TelemetryTest, ThreadsAddToTheSameSeries) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) telemetry.event_produced(i % 2 ? "a" : "b", "/u");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(value(R"(eventgate_events_produced_total{service="gate",schema_uri="/u",stream="a"})"), "2000");
  EXPECT_EQ(value(R"(eventgate_events_produced_total{service="gate",schema_uri="/u",stream="b"})"), "2000");
}

TEST_F(TelemetryTest, AnotherGateInTheSameThreadHasItsOwnSeries) {
  telemetry.event_produced("a", "/u");
  Metrics other("other");
  Telemetry(other).event_produced("a", "/u", 2);
  EXPECT_EQ(value(R"(eventgate_events_produced_total{service="gate",schema_uri="/u",stream="a"})"), "1");
  EXPECT_EQ(samples(other)[R"(eventgate_events_produced_total{service="other",schema_uri="/u",stream="a"})"], "2");
}

// A producer's statistics as librdkafka 2.0.2 writes them, shortened.
constexpr std::string_view kStatistics = R"({
  "name": "gate-producer-hasty#producer-1", "client_id": "gate-producer-hasty", "type": "producer",
  "ts": 5016483227792, "time": 1527060869, "age": 9, "replyq": 1, "msg_cnt": 22710, "msg_size": 704010,
  "msg_max": 500000, "msg_size_max": 1073741824, "simple_cnt": 0, "metadata_cache_cnt": 2,
  "brokers": {"localhost:9092/2": {"name": "localhost:9092/2", "nodeid": 2, "nodename": "localhost:9092",
    "source": "learned", "state": "UP", "stateage": 9057234, "outbuf_cnt": 3, "outbuf_msg_cnt": 4, "waitresp_cnt": 5,
    "waitresp_msg_cnt": 6, "tx": 320, "txbytes": 84283332, "txidle": 1, "req": {}, "txerrs": 7, "txretries": 8,
    "req_timeouts": 9, "rx": 10, "rxbytes": 15708, "rxerrs": 11, "rxcorriderrs": 12, "rxpartial": 13, "rxidle": 1,
    "zbuf_grow": 14, "buf_grow": 15, "wakeups": 591067, "connects": 1, "disconnects": 0,
    "int_latency": {"min": 86, "max": 59375, "avg": 23726, "sum": 5694616664, "stddev": 13982, "cnt": 240012},
    "outbuf_latency": {"min": 1}, "rtt": {"min": 1580, "max": 3389, "avg": 2349, "sum": 79868, "cnt": 34},
    "throttle": {"min": 16, "max": 17, "avg": 18, "sum": 19, "cnt": 20},
    "toppars": {"test-0": {"topic": "test", "partition": 0}}}},
  "topics": {"test": {"topic": "test", "age": 1, "metadata_age": 9060, "batchsize": {"min": 99},
    "partitions": {"0": {"partition": 0, "broker": 2, "leader": 2, "desired": false, "unknown": false, "msgq_cnt": 1,
      "msgq_bytes": 31, "xmit_msgq_cnt": 21, "xmit_msgq_bytes": 22, "fetchq_cnt": 0, "txmsgs": 2150617,
      "txbytes": 66669127, "rxmsgs": 0, "rxbytes": 0, "msgs": 2160510},
      "-1": {"partition": -1, "leader": -1, "desired": false, "unknown": true}}}}
})";

TEST_F(TelemetryTest, StatisticsSetTheGaugesOfProducerBrokersTopicsAndPartitions) {
  telemetry.producer_statistics("hasty", kStatistics);
  const std::string instance = R"({service="gate",handle="gate-producer-hasty#producer-1",)";
  const std::string producer = R"(producer_type="hasty")";
  const std::string broker = instance + R"(name="localhost:9092/2",nodeid="2",)" + producer;
  EXPECT_EQ(value("eventgate_rdkafka_msg_cnt" + instance + producer + R"(,type="producer"})"), "22710");
  EXPECT_EQ(value("eventgate_rdkafka_broker_state" + broker + R"(,type="producer"})"), "4");
  EXPECT_EQ(value("eventgate_rdkafka_broker_rtt_avg" + broker + R"(,type="producer"})"), "2349");
  EXPECT_EQ(value("eventgate_rdkafka_broker_toppars_partition" + broker + R"(,topic="test",type="producer"})"), "0");
  const std::string topic = producer + R"(,topic="test",type="producer"})";
  EXPECT_EQ(value("eventgate_rdkafka_topic_metadata_age" + instance + topic), "9060");
  EXPECT_EQ(value("eventgate_rdkafka_topic_partition_msgq_bytes" + instance + R"(partition="0",)" + topic), "31");
  EXPECT_EQ(value("eventgate_rdkafka_topic_partition_unknown" + instance + R"(partition="-1",)" + topic), "1");
}

TEST_F(TelemetryTest, GaugesOfBrokersNoLongerInTheStatistics_AreRemoved) {
  telemetry.producer_statistics("hasty", kStatistics);
  telemetry.producer_statistics("guaranteed", kStatistics);
  telemetry.producer_statistics("hasty", R"({"name": "n", "type": "producer", "brokers": {}, "topics": {}})");
  EXPECT_THAT(metrics.text(), Not(HasSubstr(R"(partition="0",producer_type="hasty")")));
  EXPECT_THAT(metrics.text(), HasSubstr(R"(partition="0",producer_type="guaranteed")"));
}

TEST_F(TelemetryTest, StatisticsThatAreNoObjectAreCountedAndWarned) {
  for (const std::string_view json : {"", "{", "[]", "null"}) telemetry.producer_statistics("hasty", json);
  EXPECT_EQ(value(R"(eventgate_statistics_failures_total{service="gate"})"), "4");
  EXPECT_EQ(log.line()["level"], 40);
}

TEST_F(TelemetryTest, StatisticsOfUnexpectedTypesAreLeftOut) {
  telemetry.producer_statistics(
      "hasty", R"({"ts": "x", "time": 5, "brokers": [1], "topics": {"t": 7, "u": {"partitions": 3}}})");
  EXPECT_THAT(metrics.text(), HasSubstr("eventgate_rdkafka_time{"));
  EXPECT_THAT(metrics.text(), Not(HasSubstr("eventgate_rdkafka_ts{")));
}

/// Name to labels, of the samples; the suffixes of histograms are dropped, and so is `le`.
std::map<std::string, std::set<std::string>> names_and_labels(const Metrics& metrics) {
  std::map<std::string, std::set<std::string>> result;
  for (const auto& [series, unused] : samples(metrics)) {
    std::string name = series.substr(0, series.find('{'));
    for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
      if (name.starts_with("express_") && name.ends_with(suffix)) name.resize(name.size() - suffix.size());
    }
    std::set<std::string>& labels = result[name];
    for (std::size_t at = series.find('{'); at != std::string::npos; at = series.find("\",", at + 1)) {
      const std::size_t begin = series.find_first_not_of("{\",", at);
      labels.insert(series.substr(begin, series.find('=', begin) - begin));
    }
    labels.erase("le");
  }
  return result;
}

TEST_F(TelemetryTest, EveryMetricOfTheOriginalIsThereWithItsLabels) {
  std::ifstream golden(shared_dir() + "/golden/metrics.txt");
  if (!golden) GTEST_SKIP() << "the original's metrics.txt is not there";
  telemetry.event_produced("s", "/u");
  telemetry.event_refused("s", "/u", FailureCause::invalid, "");
  telemetry.request_answered("v1/events", "POST", 201, milliseconds(1));
  telemetry.producer_statistics("hasty", kStatistics);
  const auto ours = names_and_labels(metrics);
  int compared = 0;
  for (std::string line; std::getline(golden, line);) {
    if (line.starts_with("#") || line.empty()) continue;
    const std::string name = line.substr(0, line.find(' '));
    std::set<std::string> labels;
    std::istringstream list(line.substr(line.rfind("| ") + 2));
    for (std::string label; std::getline(list, label, ',');) labels.insert(label);
    ASSERT_TRUE(ours.contains(name)) << name;
    EXPECT_EQ(ours.at(name), labels) << name;
    ++compared;
  }
  EXPECT_EQ(compared, 57);
}

}  // namespace
}  // namespace eventgate

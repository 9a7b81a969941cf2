#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "conformance/golden.hpp"
#include "eventgate/base/timestamp.hpp"
#include "eventgate/cli/service.hpp"
#include "support/kafka_broker.hpp"

// Holds the gate to the recorded replies and records of the original in Wikimedia's set-up (golden/README.md).

namespace eventgate {
namespace {

using golden::json;

const std::string kErrorTopic = "dc1.eventgate.error";

/// The set-up the recordings were made with.
Config wikimedia_config(const std::string& brokers) {
  Config config;
  config.num_workers = 1;
  config.logging.level = LogLevel::fatal;
  config.http.port = 0;
  config.http.interface = "127.0.0.1";
  config.http.max_body_size = 10 << 20;
  config.api.test_events =
      R"([{"$schema":"/test/0.0.1","meta":{"stream":"test.event","id":"12345678-1234-5678-1234-567812345678"},"test":"example string"}])";
  config.schema.schema_base_uris = golden::schema_base_uris();
  config.streams.stream_config_uri = {golden::kGolden + "/stream-config.yaml"};
  config.gate.wikimedia = true;
  config.gate.stream_field = {FieldPath("meta.stream")};
  config.gate.topic_prefix = "dc1.";
  config.gate.error_stream = "eventgate.error";
  config.gate.schema_uri_query_param = "schema_uri";
  config.gate.stream_query_param = "stream";
  config.gate.id_field = FieldPath("meta.id");
  config.gate.dt_field = FieldPath("meta.dt");
  config.gate.user_agent = "eventgate-wm";
  KafkaSinkOptions kafka;
  kafka.user_agent = "eventgate-wm";
  kafka.guaranteed.conf = {{"metadata.broker.list", brokers}, {"compression.codec", "snappy"},
                           {"message.max.bytes", "4194304"},  {"log.connection.close", "false"},
                           {"broker.address.family", "v4"},   {"queue.buffering.max.ms", "10"}};
  kafka.hasty.conf = kafka.guaranteed.conf;
  kafka.hasty.conf["queue.buffering.max.ms"] = "1000";
  config.kafka = kafka;
  return config;
}

/// A record in the recordings' form.
json record_of(const std::string& topic, const ConsumedRecord& record) {
  json found{{"topic", topic}, {"ts", record.timestamp}, {"key", nullptr}, {"value", json::parse(record.value)}};
  if (record.key) found["key"] = json::parse(*record.key);
  return found;
}

/// Only what both records have in their values, of error events: the recordings' are of an older schema. `raw_event` is
/// not a re-serialisation any more (number 6).
json comparable(json record, const json& other) {
  const json& value = record["value"];
  const std::string dt = value.contains("meta") ? value["meta"].value("dt", "") : "";
  // A made time is the record's.
  if (golden::is_made_time(dt) && parse_timestamp(dt) == record["ts"].get<std::int64_t>()) record["ts"] = "made";
  if (record["topic"] == kErrorTopic) {
    record["ts"] = "made";
    for (const char* name : {"$schema", "raw_event"}) record["value"].erase(name);
    json common = json::object();
    for (const auto& [name, field] : record["value"].items())
      if (other["value"].contains(name)) common[name] = field;
    if (common.contains("meta"))
      for (const auto& [name, field] : record["value"]["meta"].items())
        if (!other["value"]["meta"].contains(name)) common["meta"].erase(name);
    record["value"] = common;
  }
  return golden::by_form(record);
}

TEST(Golden, WikimediaSetUp) {
  if (!golden::have_recordings()) GTEST_SKIP() << "the recordings of the original are not here: " << golden::kGolden;
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaBroker broker;  // its own: topics have the recordings' names
  const json expected = golden::expectations();
  const std::vector<json> cases = golden::read_lines(golden::kGolden + "/wikimedia.jsonl");

  std::map<std::string, std::vector<HttpReply>> replies;
  {
    Service service(wikimedia_config(broker.address()));
    for (const json& recorded : cases)
      replies[recorded["name"]] = golden::replies_to(service.port(), golden::request_bytes(recorded), 1);
    EXPECT_TRUE(service.stop());
  }

  std::set<std::string> topics{kErrorTopic};
  for (const json& recorded : cases)
    for (const json& record : recorded.value("produced", json::array())) topics.insert(record["topic"]);
  std::vector<json> records;
  for (const std::string& topic : topics)
    for (const ConsumedRecord& record : broker.records(topic)) records.push_back(record_of(topic, record));

  const auto take = [&](const auto& is_it) {
    const auto found = std::find_if(records.begin(), records.end(), is_it);
    if (found == records.end()) return false;
    records.erase(found);
    return true;
  };
  golden::Tally tally;
  for (const json& recorded : cases) {
    const std::string name = recorded["name"];
    const json* instead = expected.contains(name) ? &expected[name] : nullptr;
    const std::string request = golden::request_bytes(recorded);
    std::string difference;
    if (instead) {
      // Of these cases only error events are expected, each with the bytes that were sent.
      std::size_t produced = 0;
      while (produced < instead->value("produced", std::size_t{0}) && take([&](const json& record) {
               return record["topic"] == kErrorTopic &&
                      request.find(record["value"]["raw_event"].get<std::string>()) != std::string::npos;
             }))
        ++produced;
      difference = golden::difference_from_expected(*instead, replies[name], produced);
    } else {
      difference = golden::difference_from_recording(recorded, replies[name]);
      for (const json& wanted : recorded.value("produced", json::array()))
        if (!take([&](const json& record) {
              return record["topic"] == wanted["topic"] && comparable(record, wanted) == comparable(wanted, record) &&
                     (record["topic"] != kErrorTopic ||
                      request.find(record["value"]["raw_event"].get<std::string>()) != std::string::npos);
            }))
          difference += " not produced: " + wanted.dump();
    }
    tally.add(name, difference, instead);
  }
  tally.print("Wikimedia");
  EXPECT_EQ(tally.matches, tally.cases);
  EXPECT_EQ(tally.matches, 31u);
  EXPECT_THAT(tally.open, testing::IsEmpty());
  EXPECT_TRUE(records.empty()) << "produced besides: " << json(records).dump();
}

}  // namespace
}  // namespace eventgate

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

#include "conformance/eventstreams_server.hpp"
#include "conformance/recorded_topics.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/kafka_broker.hpp"
#include "support/temporary_folder.hpp"
#include "support/topic_writer.hpp"

// Holds the program, started with a config of EventStreams and reading a real Kafka, to the recorded replies of
// EventStreams (golden/eventstreams.md).

namespace eventgate {
namespace {

using golden::json;

TopicWriter::Written written(const json& record) {
  const SourceRecord recorded = recorded_record(record);
  return {record["topic"], recorded.value, recorded.timestamp, recorded.key, recorded.partition};
}

void write_setup(TopicWriter& writer, const json& setup) {
  for (const json& topic : setup["topics"])
    writer.create_topic(topic["topic"], topic["partitions"], topic["config"].get<std::map<std::string, std::string>>());
  std::vector<TopicWriter::Written> records;
  for (const json& record : setup["records"]) records.push_back(written(record));
  writer.write(records);
  for (const json& deleted : setup["delete_records"])
    writer.delete_records(deleted["topic"], deleted["partition"], deleted["before_offset"]);
}

/// The config of EventStreams that the recordings were made with, for one profile.
json config_of(const json& setup, const std::string& profile, const std::string& stream_config,
               const std::string& brokers) {
  json config = setup["profiles"][profile];
  config["stream_config_uri"] = stream_config;
  config["schema_base_uris"] = json::array({shared_dir() + "/data/schema-repos/primary/jsonschema"});
  config["schema_latest_version"] = "latest";
  if (!config.contains("cors")) config["cors"] = "*";
  config["kafka"] = setup["service"]["kafka"];
  config["kafka"]["metadata.broker.list"] = brokers;
  config["canary_events"] = "sent";
  return config;
}

TEST(KafkaEventStreams, RepliesAreThoseOfTheRecordings) {
  const auto recordings = golden::read_event_streams();
  if (!recordings) GTEST_SKIP() << "the recordings of EventStreams are not here: " << golden::kEventStreams;
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  const KafkaBroker broker({"auto.create.topics.enable=false", "message.max.bytes=4000000"});
  TopicWriter writer(broker.address());
  write_setup(writer, recordings->setup);
  const TemporaryFolder folder;
  const std::string stream_config = folder.write("streams.json", recordings->setup["stream_config"].dump());
  for (const auto& [profile, options] : recordings->setup["profiles"].items()) {
    const json config = config_of(recordings->setup, profile, stream_config, broker.address());
    const GateProcess gate({}, config.dump());
    golden::hold_all({gate.port(), [&writer](const json& record) { writer.write({written(record)}); }}, *recordings,
                     profile);
  }
}

// --- profile `chaos`: what a running stream and a new one are sent while the broker fails

/// One of its cases, with a topic and a gate of its own.
class ChaosCase {
 public:
  ChaosCase(const golden::EventStreams& recordings, json recorded, KafkaBroker& broker)
      : recorded_(std::move(recorded)), broker_(broker), topic_("eqiad." + recorded_["name"].get<std::string>()) {
    writer_ = std::make_unique<TopicWriter>(broker_.address());
    writer_->create_topic(topic_);
    const json streams{{"c", {{"topics", json::array({topic_})}}}};
    const json config =
        config_of(recordings.setup, "default", folder_.write("streams.json", streams.dump()), broker_.address());
    gate_ = std::make_unique<GateProcess>(std::vector<std::string>{}, config.dump());
    EXPECT_TRUE(becomes([this] { return ready_status() == 200; }));
  }

  /// Returns what differs from the recording.
  std::string run() {
    for (const json& step : recorded_["steps"]) take(step);
    if (connection_ && reply_.status == 200) {
      const bool is_to_end = recorded_["connection"] == "closed by server";
      connection_->read_body(reply_, [&](const std::string& body) { return !is_to_end && has_all(body); });
      if (is_to_end && !connection_->is_ended()) return "the body is not ended";
    }
    json expected = recorded_;
    // The topic has another name here.
    expected["delivered"] = json::object();
    for (const auto& [partition, offsets] : delivered_.items()) expected["delivered"][partition] = offsets;
    expected["body"] = "";
    return golden::difference(json{{"topics", json::array()}, {"stream_config", json::object()}}, expected, reply_);
  }

 private:
  void take(const std::string& step) {
    if (step == "connect") {
      connection_ = std::make_unique<golden::RawConnection>(gate_->port());
      connection_->send("GET /v2/stream/c HTTP/1.1\r\nHost: localhost\r\n\r\n");
      EXPECT_TRUE(connection_->read_head(reply_)) << "no head";
      if (reply_.status == 200)
        connection_->read_body(reply_, [](const std::string& body) { return body.find("id: ") != std::string::npos; });
    } else if (step.starts_with("produce ")) {
      produce(step[8] - '0', step.ends_with("partition 1") ? 1 : 0);
    } else if (step == "freeze" || step == "kill -9") {
      step == "freeze" ? broker_.freeze() : broker_.kill();
      is_away_ = true;
    } else if (step == "thaw" || step == "restart") {
      step == "thaw" ? broker_.thaw() : broker_.restart();
      is_away_ = false;
    } else if (step == "delete topic") {
      writer_->delete_topic(topic_);
    } else if (step == "create topic") {
      writer_->create_topic(topic_);
    } else if (step == "partitions: 2") {
      writer_->add_partitions(topic_, 2);
    } else if (step == "SIGTERM") {
      connection_->read_body(reply_, [this](const std::string& body) { return has_all(body); });
      gate_->signal(SIGTERM);
    } else {
      // A time. What it was waited for shows otherwise.
      EXPECT_TRUE(step.ends_with(" s")) << step;
      if (is_away_) {
        EXPECT_TRUE(becomes([this] { return ready_status() == 503; })) << step;
      }
    }
  }

  void produce(int number, std::int32_t partition) {
    const std::string text = std::to_string(number);
    const std::string value = R"({"$schema":"/test/event/1.0.0","meta":{"stream":"c","id":"66666666-0000-4000-8000-)" +
                              std::string(12 - text.size(), '0') + text +
                              R"(","dt":"2026-11-30T00:00:00.000Z"},"test":"chaos )" + text + "\"}";
    const auto offsets =
        TopicWriter(broker_.address()).write({{topic_, value, 1795910400000 + number, std::nullopt, partition}});
    delivered_[topic_ + '/' + std::to_string(partition)].push_back(offsets.front());
    ++produced_;
    connection_->read_body(reply_, [this](const std::string& body) { return has_all(body); });
  }

  bool has_all(const std::string& body) const {
    return golden::messages_of("text/event-stream", body).size() >= produced_;
  }

  unsigned ready_status() const { return HttpClient(gate_->port()).get("/readyz").status; }

  const json recorded_;
  KafkaBroker& broker_;
  const std::string topic_;
  const TemporaryFolder folder_;
  std::unique_ptr<TopicWriter> writer_;
  std::unique_ptr<GateProcess> gate_;
  std::unique_ptr<golden::RawConnection> connection_;
  golden::StreamReply reply_;
  json delivered_ = json::object();
  std::size_t produced_ = 0;
  bool is_away_ = false;
};

TEST(KafkaEventStreams, RepliesWhileTheBrokerFailsAreThoseOfTheRecordings) {
  const auto recordings = golden::read_event_streams();
  if (!recordings) GTEST_SKIP() << "the recordings of EventStreams are not here: " << golden::kEventStreams;
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaBroker broker({"auto.create.topics.enable=false"});
  std::size_t cases = 0, same = 0;
  for (const json& recorded : recordings->cases) {
    if (recorded["profile"] != "chaos") continue;
    ++cases;
    const std::string found = ChaosCase(*recordings, recorded, broker).run();
    EXPECT_EQ(found, "") << recorded["name"];
    same += found.empty() ? 1 : 0;
    const std::string first = recorded["steps"][0];  // those that end with the broker away
    if (first == "freeze") broker.thaw();
    if (first == "kill -9") broker.restart();
  }
  std::printf("profile chaos: %zu of %zu cases match the recordings\n", same, cases);
  EXPECT_GT(cases, 0u);
}

}  // namespace
}  // namespace eventgate

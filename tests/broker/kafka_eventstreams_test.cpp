#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

#include "conformance/eventstreams_server.hpp"
#include "conformance/recorded_topics.hpp"
#include "support/gate_process.hpp"
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

}  // namespace
}  // namespace eventgate

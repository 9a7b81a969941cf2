// The source of the read side in front of a cluster of three brokers, whose leaders move.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "eventgate/kafka/kafka_source.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "support/kafka_cluster.hpp"
#include "support/source_reading.hpp"
#include "support/topic_writer.hpp"

namespace eventgate {
namespace {

TEST(KafkaClusterSource, LeadersMove_EachRecordIsReadOnce) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaCluster cluster;
  cluster.create_topic("topic", KafkaCluster::Placement{{1, 2, 3}, {2, 3, 1}}, {{"min.insync.replicas", "2"}});
  Metrics metrics("test");
  Telemetry telemetry(metrics);
  KafkaSourceOptions options;
  options.conf["metadata.broker.list"] = cluster.address();
  const auto source = make_kafka_source(std::move(options), telemetry);
  TopicWriter writer(cluster.address());
  TailReader reader(*source, "topic", {{{"topic", 0}, 0}, {{"topic", 1}, 0}});

  constexpr std::size_t kAtOnce = 50;
  std::size_t written = 0;
  const auto write = [&] {
    std::vector<TopicWriter::Written> records;
    for (std::size_t i = 0; i < kAtOnce; ++i, ++written)
      records.push_back({"topic", "{}", 1700000000000, std::nullopt, static_cast<std::int32_t>(i % 2)});
    writer.write(records);
  };
  write();
  for (const int node : {1, 2}) {
    cluster.kill(node);
    write();
    ASSERT_TRUE(reader.read_records(written));
    cluster.restart(node);
    cluster.wait_for_sync("topic", 2);
    write();
    ASSERT_TRUE(reader.read_records(written));
  }

  std::vector<std::int64_t> next(2, 0);
  for (const SourceRecord& record : reader.all().records)
    EXPECT_EQ(record.offset, next.at(static_cast<std::size_t>(record.partition))++);
  EXPECT_EQ(reader.all().records.size(), written);
  EXPECT_THAT(reader.all().gaps, testing::IsEmpty());
  EXPECT_EQ(fetch_all(*source, {"topic", 1}, 0, 1000).size(), written / 2);
}

}  // namespace
}  // namespace eventgate

// Many readers come back to a gate that was restarted: what Kafka sends for them.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "support/event_stream_client.hpp"
#include "support/gate_process.hpp"
#include "support/kafka_broker.hpp"
#include "support/temporary_folder.hpp"
#include "support/topic_writer.hpp"

namespace eventgate {
namespace {

constexpr std::size_t kReaders = 20;
constexpr std::size_t kRecordSize = 2000;

/// Bytes that the broker has written to sockets and files.
double written_by(const KafkaBroker& broker) {
  std::string pid;
  std::ifstream(std::filesystem::path(broker.ca_file()).parent_path() / "pid") >> pid;
  std::ifstream in("/proc/" + pid + "/io");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("wchar: ")) return std::strtod(line.c_str() + 7, nullptr);
  return 0;
}

/// A reader that comes back with its last id.
struct Reader {
  std::unique_ptr<EventStreamClient> client;
  std::string id;
  std::multiset<std::int64_t> numbers;

  void connect(std::uint16_t port) { client = std::make_unique<EventStreamClient>(port, "/v2/stream/a", id); }

  /// Reads until it has `count` events, or an id if that is 0.
  bool read_until(std::size_t count) {
    return becomes(
        [&] {
          for (const SseBlock& block : client->read(std::chrono::milliseconds(10))) {
            if (block.id) id = *block.id;
            if (!block.data.empty() && block.event != "gap")
              numbers.insert(std::stoll(block.data.substr(block.data.find(":") + 1)));
          }
          return !id.empty() && numbers.size() >= count;
        },
        std::chrono::seconds(60));
  }
};

class KafkaRestart : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
    broker_ = std::make_unique<KafkaBroker>();
    writer_ = std::make_unique<TopicWriter>(broker_->address());
    writer_->create_topic("one");
    writer_->create_topic("two");
    folder_.write("streams.yaml", "a: {topics: [one, two]}\n");
  }

  void start_gate() {
    gate_ = std::make_unique<GateProcess>(std::vector<std::string>(),
                                          "streams: true\nintake: false\nstream_config_uri: " + folder_.path() +
                                              "/streams.yaml\nkafka: {streams: {conf: {metadata.broker.list: '" +
                                              broker_->address() + "'}}}\n");
  }

  /// In small batches, because Kafka sends whole ones, also for one record.
  void write(std::size_t count) {
    for (const std::size_t end = written_ + count; written_ < end;) {
      std::vector<TopicWriter::Written> records;
      for (std::size_t i = 0; i < 8 && written_ < end; ++i, ++written_)
        records.push_back(
            {written_ % 2 == 0 ? "one" : "two",
             "{\"n\":" + std::to_string(written_) + ",\"text\":\"" + std::string(kRecordSize, 'x') + "\"}",
             1700000000000 + static_cast<std::int64_t>(written_), std::nullopt, 0});
      writer_->write(records);
    }
  }

  std::unique_ptr<KafkaBroker> broker_;
  std::unique_ptr<TopicWriter> writer_;
  TemporaryFolder folder_;
  std::unique_ptr<GateProcess> gate_;
  std::size_t written_ = 0;
};

TEST_F(KafkaRestart, ReadersComeBack_KafkaSendsEachRecordTwiceAtMost) {
  start_gate();
  std::vector<Reader> readers(kReaders);
  for (Reader& reader : readers) reader.connect(gate_->port());
  for (Reader& reader : readers) ASSERT_TRUE(reader.read_until(0));
  const double before = written_by(*broker_);
  write(200);
  // Each stops somewhere else.
  for (std::size_t i = 0; i < kReaders; ++i) ASSERT_TRUE(readers[i].read_until(1 + i * 4));
  for (Reader& reader : readers) reader.client.reset();
  gate_->signal(SIGTERM);
  EXPECT_EQ(gate_->wait(), 0);
  write(200);
  start_gate();
  // A new one is the first, and wants the end.
  Reader fresh;
  fresh.connect(gate_->port());
  ASSERT_TRUE(fresh.read_until(0));
  for (Reader& reader : readers) reader.connect(gate_->port());
  for (Reader& reader : readers) ASSERT_TRUE(reader.read_until(written_));
  for (const Reader& reader : readers) {
    ASSERT_EQ(reader.numbers.size(), written_);
    EXPECT_EQ(std::set<std::int64_t>(reader.numbers.begin(), reader.numbers.end()).size(), written_);
  }
  // Kafka writes each record to its log, and at most twice to the gate.
  const double bytes = static_cast<double>(written_ * kRecordSize);
  EXPECT_LT((written_by(*broker_) - before) / bytes, 3.3);
  write(1);
  ASSERT_TRUE(fresh.read_until(1));
}

}  // namespace
}  // namespace eventgate

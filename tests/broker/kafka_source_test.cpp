// The source of the read side, against a real Kafka.
#include "eventgate/kafka/kafka_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <numeric>

#include "eventgate/telemetry/telemetry.hpp"
#include "support/becomes.hpp"
#include "support/kafka_broker.hpp"
#include "support/source_reading.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_certificate.hpp"
#include "support/topic_writer.hpp"

namespace eventgate {

bool operator==(const PartitionBounds& a, const PartitionBounds& b) {
  return a.partition == b.partition && a.begin == b.begin && a.end == b.end;
}
bool operator==(const RecordGap& a, const RecordGap& b) {
  return a.partition == b.partition && a.from == b.from && a.to == b.to;
}
bool operator==(const RecordPlace& a, const RecordPlace& b) {
  return a.offset == b.offset && a.timestamp == b.timestamp;
}
bool operator==(const TailRead::Started& a, const TailRead::Started& b) {
  return a.partition == b.partition && a.offset == b.offset;
}
void PrintTo(const PartitionBounds& bounds, std::ostream* out) {
  *out << bounds.partition << ": " << bounds.begin << " to " << bounds.end;
}
void PrintTo(const RecordGap& gap, std::ostream* out) { *out << gap.partition << ": " << gap.from << " to " << gap.to; }
void PrintTo(const RecordPlace& place, std::ostream* out) { *out << place.offset << " at " << place.timestamp; }

namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr std::int64_t kTime = 1700000000000;

class KafkaSource : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  }

  std::unique_ptr<RecordSource> source_at(const std::string& address, std::map<std::string, std::string> conf = {}) {
    KafkaSourceOptions options;
    options.conf = std::move(conf);
    options.conf["metadata.broker.list"] = address;
    // What a producer needs, and a group that is not to be joined.
    options.conf.insert({{"compression.codec", "snappy"}, {"linger.ms", "10"}, {"group.id", "never-joined"}});
    return make_kafka_source(std::move(options), telemetry_);
  }
  std::unique_ptr<RecordSource> shared_source(std::map<std::string, std::string> conf = {}) {
    return source_at(KafkaBroker::shared().address(), std::move(conf));
  }

  /// `count` records whose values are numbers from `first` on, a second apart.
  static std::vector<TopicWriter::Written> numbered(const std::string& topic, int count, int first = 0,
                                                    std::int32_t partition = 0) {
    std::vector<TopicWriter::Written> records;
    for (int i = first; i < first + count; ++i)
      records.push_back({topic, std::to_string(i), kTime + i * 1000, std::nullopt, partition});
    return records;
  }
  static std::vector<std::string> numbers(int count, int first = 0) {
    std::vector<std::string> found;
    for (int i = first; i < first + count; ++i) found.push_back(std::to_string(i));
    return found;
  }

  Metrics metrics_{"test"};
  Telemetry telemetry_{metrics_};
};

/// With a source, a writer, and the name of a topic that is not there yet.
class KafkaSourceOfTopic : public KafkaSource {
 protected:
  void SetUp() override {
    KafkaSource::SetUp();
    if (IsSkipped()) return;
    writer_ = std::make_unique<TopicWriter>(KafkaBroker::shared().address());
    source_ = shared_source();
    topic_ = fresh_topic();
  }

  std::unique_ptr<TopicWriter> writer_;
  std::unique_ptr<RecordSource> source_;
  std::string topic_;
};

TEST_F(KafkaSourceOfTopic, BoundsOfTopics_AbsentOneIsNotCreated) {
  const std::vector<std::string> topics{topic_, topic_ + ".absent", "/no topic"};
  EXPECT_FALSE(source_->bounds(topics, soon())->at(0).exists);
  writer_->create_topic(topic_, 2);
  writer_->write(numbered(topic_, 10, 0, 1));
  writer_->delete_records(topic_, 1, 4);

  const auto bounds = source_->bounds(topics, soon());
  ASSERT_TRUE(bounds) << bounds.error().message;
  ASSERT_THAT(*bounds, SizeIs(3));
  EXPECT_TRUE(bounds->at(0).exists);
  EXPECT_THAT(bounds->at(0).partitions, ElementsAre(PartitionBounds{0, 0, 0}, PartitionBounds{1, 4, 10}));
  EXPECT_FALSE(bounds->at(1).exists);
  EXPECT_FALSE(bounds->at(2).exists);
  EXPECT_EQ(writer_->leaders(topic_ + ".absent"), 0);
  EXPECT_EQ(source_->away_reason(), std::nullopt);
}

TEST_F(KafkaSourceOfTopic, OffsetsAtTimes_TiesAndDisorder) {
  writer_->create_topic(topic_);
  std::vector<TopicWriter::Written> records;
  for (const int seconds_later : {10, 30, 20, 30, 40, 40})
    records.push_back({topic_, "{}", kTime + seconds_later, std::nullopt, 0});
  for (const auto& record : records) writer_->write({record});

  const PartitionId id{topic_, 0};
  const std::vector<PartitionTime> times{{id, kTime},      {id, kTime + 20},     {id, kTime + 31},
                                         {id, kTime + 41}, {{topic_, 1}, kTime}, {{topic_ + ".absent", 0}, kTime},
                                         {id, -5},         {{topic_, -1}, kTime}};
  const auto offsets = source_->offsets_at(times, soon());
  ASSERT_TRUE(offsets) << offsets.error().message;
  EXPECT_THAT(*offsets, ElementsAre(Optional(0), Optional(1), Optional(4), std::nullopt, std::nullopt, std::nullopt,
                                    Optional(0), std::nullopt));
}

TEST_F(KafkaSourceOfTopic, RecordsAtOffsets) {
  writer_->create_topic(topic_);
  writer_->write(numbered(topic_, 10));
  writer_->delete_records(topic_, 0, 4);

  const PartitionId id{topic_, 0};
  const std::vector<PartitionOffset> offsets{
      {id, 5}, {id, 2}, {id, 10}, {id, 99}, {{topic_, 7}, 0}, {{topic_ + ".absent", 0}, 0}, {id, 9}};
  const auto places = source_->records_at(offsets, soon());
  ASSERT_TRUE(places) << places.error().message;
  EXPECT_THAT(*places,
              ElementsAre(Optional(RecordPlace{5, kTime + 5000}), Optional(RecordPlace{4, kTime + 4000}), std::nullopt,
                          std::nullopt, std::nullopt, std::nullopt, Optional(RecordPlace{9, kTime + 9000})));
}

TEST_F(KafkaSourceOfTopic, FetchGivesTheBytesOfEachRecord) {
  writer_->create_topic(topic_);
  const std::string bytes("\0\xff{", 3);
  writer_->write(
      {{topic_, bytes, kTime, bytes, 0}, {topic_, std::nullopt, kTime + 1, "key", 0}, {topic_, "", kTime + 2, "", 0}});

  const auto fetched = source_->fetch({topic_, 0}, 0, 1 << 20, soon());
  ASSERT_TRUE(fetched) << fetched.error().message;
  ASSERT_THAT(fetched->records, SizeIs(3));
  EXPECT_EQ(fetched->records[0].value, bytes);
  EXPECT_EQ(fetched->records[0].key, bytes);
  EXPECT_EQ(fetched->records[0].timestamp, kTime);
  EXPECT_EQ(fetched->records[1].value, std::nullopt);
  EXPECT_EQ(fetched->records[1].key, "key");
  EXPECT_EQ(fetched->records[2].value, "");
  EXPECT_EQ(fetched->records[2].offset, 2);
  EXPECT_EQ(fetched->next, 3);
  EXPECT_EQ(fetched->gap, std::nullopt);
  EXPECT_TRUE(source_->fetch({topic_, 0}, 3, 1 << 20, soon())->at_end);
}

TEST_F(KafkaSourceOfTopic, FetchOfWhatIsGone_IsAGap) {
  writer_->create_topic(topic_);
  writer_->write(numbered(topic_, 10));
  writer_->delete_records(topic_, 0, 4);

  std::vector<RecordGap> gaps;
  const auto records = fetch_all(*source_, {topic_, 0}, 1, 100, &gaps);
  EXPECT_THAT(gaps, ElementsAre(RecordGap{0, 1, 4}));
  ASSERT_THAT(records, SizeIs(6));
  EXPECT_EQ(records[0].offset, 4);

  // The topic may have been made anew since the offset was known.
  gaps.clear();
  EXPECT_THAT(fetch_all(*source_, {topic_, 0}, 50, 100, &gaps), SizeIs(6));
  EXPECT_THAT(gaps, ElementsAre(RecordGap{0, 50, 4}));

  const auto absent = source_->fetch({topic_ + ".absent", 0}, 7, 100, soon());
  ASSERT_TRUE(absent) << absent.error().message;
  EXPECT_EQ(absent->next, 7);
  EXPECT_TRUE(absent->at_end);
  EXPECT_TRUE(source_->fetch({topic_, 3}, 0, 100, soon())->at_end);
}

TEST_F(KafkaSourceOfTopic, ManyReplaysOfOnePartition_EachGetsEveryRecord) {
  writer_->create_topic(topic_);
  constexpr int kCount = 5000;
  auto records = numbered(topic_, kCount);
  for (auto& record : records) record.value->resize(700, ' ');
  writer_->write(records);

  std::vector<std::future<bool>> replays;
  for (std::int64_t start = 0; start < 12; ++start) {
    replays.push_back(std::async(std::launch::async, [&, start] {
      const auto found = fetch_all(*source_, {topic_, 0}, start * 100, 256 << 10);
      if (found.size() != static_cast<std::size_t>(kCount - start * 100)) return false;
      for (std::size_t i = 0; i < found.size(); ++i)
        if (found[i].offset != start * 100 + static_cast<std::int64_t>(i)) return false;
      return true;
    }));
  }
  for (auto& replay : replays) EXPECT_TRUE(replay.get());
}

TEST_F(KafkaSourceOfTopic, TailGivesWhatComes) {
  writer_->create_topic(topic_, 2);
  writer_->write(numbered(topic_, 5));
  writer_->write(numbered(topic_, 3, 100, 1));
  TailReader reader(*source_, topic_, {{{topic_, 0}, 5}, {{topic_, 1}, 1}});
  ASSERT_TRUE(reader.read_records(2));
  writer_->write(numbered(topic_, 2, 5));
  ASSERT_TRUE(reader.read_records(4));
  EXPECT_THAT(reader.values(), ElementsAre("101", "102", "5", "6"));
  EXPECT_THAT(reader.all().started, UnorderedElementsAre(TailRead::Started{0, 5}, TailRead::Started{1, 1}));
  EXPECT_THAT(reader.all().gaps, IsEmpty());
  EXPECT_TRUE(becomes([&] { return reader.lag() == 0; }));
}

TEST_F(KafkaSourceOfTopic, TailOfATopicToCome_ReadsItAndItsNewPartitionsFromTheBeginning) {
  TailReader reader(*source_, topic_, {});
  writer_->create_topic(topic_);
  writer_->write(numbered(topic_, 3));
  ASSERT_TRUE(reader.read_records(3));
  writer_->add_partitions(topic_, 3);
  writer_->write(numbered(topic_, 2, 10, 1));
  writer_->write(numbered(topic_, 2, 20, 2));
  ASSERT_TRUE(reader.read_records(7));
  EXPECT_THAT(reader.values(), UnorderedElementsAre("0", "1", "2", "10", "11", "20", "21"));
  EXPECT_THAT(reader.all().started,
              UnorderedElementsAre(TailRead::Started{0, 0}, TailRead::Started{1, 0}, TailRead::Started{2, 0}));
  EXPECT_THAT(reader.all().gaps, IsEmpty());
}

TEST_F(KafkaSourceOfTopic, TailFindsItsOffsetDeleted_GoesOnAtTheFirstThereIs) {
  writer_->create_topic(topic_);
  writer_->write(numbered(topic_, 10));
  writer_->delete_records(topic_, 0, 6);
  TailReader reader(*source_, topic_, {{{topic_, 0}, 2}});
  ASSERT_TRUE(reader.read_records(4));
  EXPECT_THAT(reader.all().gaps, ElementsAre(RecordGap{0, 2, 6}));
  EXPECT_EQ(reader.values(), numbers(4, 6));
}

TEST_F(KafkaSourceOfTopic, TopicIsMadeAnew_TailReadsItFromTheBeginning) {
  writer_->create_topic(topic_);
  writer_->write(numbered(topic_, 100));
  TailReader reader(*source_, topic_, {{{topic_, 0}, 0}});
  ASSERT_TRUE(reader.read_records(100));
  writer_->delete_topic(topic_);
  writer_->create_topic(topic_);
  TopicWriter(KafkaBroker::shared().address()).write(numbered(topic_, 5, 1000));
  ASSERT_TRUE(reader.read_records(105));
  EXPECT_THAT(reader.all().gaps, ElementsAre(RecordGap{0, 100, 0}));
  EXPECT_EQ(reader.all().records.back().offset, 4);
  EXPECT_EQ(reader.all().records.back().value, "1004");
}

TEST_F(KafkaSourceOfTopic, TopicMadeAnewIsLongerThanTheOldOne_TailReadsAllOfIt) {
  writer_->create_topic(topic_);
  writer_->write(numbered(topic_, 10));
  TailReader reader(*source_, topic_, {{{topic_, 0}, 0}});
  ASSERT_TRUE(reader.read_records(10));
  writer_->write(numbered(topic_, 1, 10));
  ASSERT_TRUE(reader.read_records(11));
  writer_->delete_topic(topic_);
  writer_->create_topic(topic_);
  TopicWriter(KafkaBroker::shared().address()).write(numbered(topic_, 50, 1000));
  EXPECT_TRUE(reader.read_until([&](const TailRead& all) {
    std::set<std::string> values;
    for (const SourceRecord& record : all.records) values.insert(record.value.value_or(""));
    return values.size() == 61;
  }));
}

TEST_F(KafkaSourceOfTopic, TwoTailsOfOneTopic_EachGetsEveryRecord) {
  writer_->create_topic(topic_);
  writer_->write(numbered(topic_, 10));
  TailReader one(*source_, topic_, {{{topic_, 0}, 0}});
  TailReader two(*source_, topic_, {{{topic_, 0}, 5}});
  ASSERT_TRUE(one.read_records(10));
  ASSERT_TRUE(two.read_records(5));
  { const TailReader third(*source_, topic_, {}); }
  writer_->write(numbered(topic_, 1, 10));
  ASSERT_TRUE(one.read_records(11));
  ASSERT_TRUE(two.read_records(6));
  EXPECT_EQ(one.values(), numbers(11));
  EXPECT_EQ(two.values(), numbers(6, 5));
}

TEST_F(KafkaSourceOfTopic, TransactionsAreReadOnceCommitted_TheirControlRecordsAreNoGap) {
  writer_->create_topic(topic_);
  TopicWriter transactions(KafkaBroker::shared().address(), topic_);
  transactions.begin();
  transactions.write(numbered(topic_, 2));
  transactions.commit();
  transactions.begin();
  transactions.write(numbered(topic_, 2, 10));
  transactions.abort();
  writer_->write(numbered(topic_, 1, 20));

  std::vector<RecordGap> gaps;
  const std::vector<std::string> topics{topic_};
  const auto end = [&] { return source_->bounds(topics, soon())->at(0).partitions.at(0).end; };
  ASSERT_TRUE(becomes([&] { return end() == 7; }));  // five records and two control records
  const auto committed = fetch_all(*source_, {topic_, 0}, 2, 1, &gaps);
  ASSERT_THAT(committed, SizeIs(1));
  EXPECT_EQ(committed[0].value, "20");
  EXPECT_THAT(gaps, IsEmpty());
  TailReader reader(*source_, topic_, {{{topic_, 0}, 0}});
  ASSERT_TRUE(reader.read_records(3));
  EXPECT_THAT(reader.values(), ElementsAre("0", "1", "20"));
  EXPECT_THAT(reader.all().gaps, IsEmpty());

  transactions.begin();
  transactions.write(numbered(topic_, 1, 30));
  EXPECT_EQ(end(), 7);
  transactions.commit();
  ASSERT_TRUE(reader.read_records(4));
  EXPECT_EQ(reader.values().back(), "30");

  const auto uncommitted = shared_source({{"isolation.level", "read_uncommitted"}});
  EXPECT_THAT(fetch_all(*uncommitted, {topic_, 0}, 0, 1), SizeIs(6));
}

TEST_F(KafkaSourceOfTopic, Stopped_CallsReturn) {
  writer_->create_topic(topic_);
  source_->stop();
  const std::vector<std::string> topics{topic_};
  const auto bounds = source_->bounds(topics, soon());
  ASSERT_FALSE(bounds);
  EXPECT_EQ(bounds.error().kind, SourceFailure::Kind::stopped);
  const auto fetched = source_->fetch({topic_, 0}, 0, 1, soon());
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().kind, SourceFailure::Kind::stopped);
}

/// Tests with a broker of their own, which fails.
class KafkaSourceOutage : public KafkaSource {
 protected:
  void SetUp() override {
    KafkaSource::SetUp();
    if (IsSkipped()) return;
    broker_ = std::make_unique<KafkaBroker>();
    source_ = source_at(broker_->address());
    writer_ = std::make_unique<TopicWriter>(broker_->address());
    writer_->create_topic("topic");
  }
  /// Destroyed while the broker answers, in this order.
  void TearDown() override {
    writer_.reset();
    source_.reset();
  }

  bool away() {
    return becomes([&] { return source_->away_reason().has_value(); }, seconds(60));
  }
  bool back() {
    return becomes([&] { return !source_->away_reason().has_value(); }, seconds(60));
  }

  std::unique_ptr<KafkaBroker> broker_;
  std::unique_ptr<RecordSource> source_;
  std::unique_ptr<TopicWriter> writer_;
};

TEST_F(KafkaSourceOutage, BrokerIsKilledAndFrozen_TailGoesOnWhereItWas) {
  TailReader reader(*source_, "topic", {{{"topic", 0}, 0}});
  writer_->write(numbered("topic", 10));
  ASSERT_TRUE(reader.read_records(10));
  broker_->kill();
  ASSERT_TRUE(away());
  const std::vector<std::string> topics{"topic"};
  const auto bounds = source_->bounds(topics, soon(seconds(1)));
  ASSERT_FALSE(bounds);
  EXPECT_EQ(bounds.error().kind, SourceFailure::Kind::away);
  EXPECT_FALSE(source_->fetch({"topic", 0}, 0, 1, soon(seconds(1))));
  broker_->restart();
  ASSERT_TRUE(back());
  writer_->write(numbered("topic", 10, 10));
  ASSERT_TRUE(reader.read_records(20));

  broker_->freeze();
  ASSERT_TRUE(away());
  broker_->thaw();
  ASSERT_TRUE(back());
  writer_->write(numbered("topic", 10, 20));
  ASSERT_TRUE(reader.read_records(30));
  EXPECT_EQ(reader.values(), numbers(30));
  EXPECT_THAT(reader.all().gaps, IsEmpty());
  EXPECT_THAT(fetch_all(*source_, {"topic", 0}, 0, 100), SizeIs(30));
}

TEST_F(KafkaSource, CertificatesThatHaveChangedAreReadAgain_TailGoesOnWhereItWas) {
  KafkaBroker kafka({"--tls"});
  TopicWriter writer(kafka.address());
  writer.create_topic("topic");
  writer.write(numbered("topic", 3));
  const TemporaryFolder folder;
  const std::string ca = folder.write("ca.pem", TestCertificate("DNS:other.example").pem());
  const auto source = source_at(kafka.tls_address(), {{"security.protocol", "ssl"}, {"ssl.ca.location", ca}});
  TailReader reader(*source, "topic", {{{"topic", 0}, 0}});
  EXPECT_FALSE(source->fetch({"topic", 0}, 0, 1, soon(seconds(1))));

  folder.write("ca.pem", "no certificate");
  EXPECT_THROW(source->reload(), std::invalid_argument);
  std::filesystem::copy_file(kafka.ca_file(), ca, std::filesystem::copy_options::overwrite_existing);
  source->reload();  // not put to use
  source->reload()();
  ASSERT_TRUE(reader.read_records(3));
  EXPECT_THAT(fetch_all(*source, {"topic", 0}, 0, 1), SizeIs(3));

  std::ofstream(ca, std::ios::app) << "\n";
  source->reload()();
  writer.write(numbered("topic", 2, 3));
  ASSERT_TRUE(reader.read_records(5));
  EXPECT_EQ(reader.values(), numbers(5));
  EXPECT_THAT(reader.all().gaps, IsEmpty());
  EXPECT_THAT(fetch_all(*source, {"topic", 0}, 0, 1), SizeIs(5));
}

TEST_F(KafkaSource, CompactionLeavesOffsetsOut_NoGapAndNoTopicMadeAnew) {
  const KafkaBroker broker({"log.cleaner.backoff.ms=100"});
  const auto source = source_at(broker.address());
  TopicWriter writer(broker.address());
  writer.create_topic("topic", 1,
                      {{"cleanup.policy", "compact"},
                       {"segment.ms", "100"},
                       {"min.cleanable.dirty.ratio", "0.01"},
                       {"max.compaction.lag.ms", "100"}});
  TailReader reader(*source, "topic", {{{"topic", 0}, 0}});
  std::vector<SourceRecord> left;
  std::vector<RecordGap> gaps;
  std::int64_t written = 0;
  // A segment is compacted when a record comes after its time.
  ASSERT_TRUE(becomes(
      [&] {
        writer.write({{"topic", std::to_string(written), kTime + written, written == 0 ? "first" : "key", 0}});
        ++written;
        left = fetch_all(*source, {"topic", 0}, 1, 100, &gaps);
        return !left.empty() && left.front().offset > 2;
      },
      seconds(120)));
  EXPECT_THAT(gaps, IsEmpty());
  EXPECT_EQ(left.back().offset, written - 1);
  const std::vector<PartitionOffset> second{{{"topic", 0}, 1}};
  EXPECT_GT(source->records_at(second, soon())->at(0)->offset, 2);
  // A partition that is noticed shows that the tail has been compared with the topic since.
  for (const int partitions : {2, 3}) {
    writer.add_partitions("topic", partitions);
    writer.write({{"topic", "new", kTime, "key", partitions - 1}});
    ASSERT_TRUE(reader.read_records(static_cast<std::size_t>(written + partitions - 1)));
  }
  EXPECT_EQ(reader.all().records.size(), static_cast<std::size_t>(written) + 2);
  EXPECT_THAT(reader.all().gaps, IsEmpty());
}

TEST_F(KafkaSourceOutage, NoGroupIsJoinedAndNothingCommitted) {
  writer_->write(numbered("topic", 10));
  TailReader reader(*source_, "topic", {{{"topic", 0}, 0}});
  ASSERT_TRUE(reader.read_records(10));
  EXPECT_THAT(fetch_all(*source_, {"topic", 0}, 0, 100), SizeIs(10));
  EXPECT_THAT(writer_->groups(), IsEmpty());
  EXPECT_EQ(writer_->leaders("__consumer_offsets"), 0);
}

TEST_F(KafkaSourceOutage, BrokerIsAwayAtTheStart_TailBeginsWhenItIsThere) {
  writer_->write(numbered("topic", 10));
  broker_->kill();
  const auto late = source_at(broker_->address());
  EXPECT_TRUE(late->away_reason().has_value());
  TailReader reader(*late, "topic", {{{"topic", 0}, 4}});
  broker_->restart();
  ASSERT_TRUE(reader.read_records(6));
  EXPECT_EQ(reader.values(), numbers(6, 4));
}

}  // namespace
}  // namespace eventgate

#include "kafka_lookup.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "eventgate/base/topic_name.hpp"

namespace eventgate {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAnswerTimeout{1000};  // for one answer of a broker; a stop waits so long
constexpr milliseconds kRetryPause{100};
constexpr milliseconds kKnownFor{1000};
constexpr std::int64_t kBeginning = RD_KAFKA_OFFSET_BEGINNING;
constexpr std::int64_t kEnd = RD_KAFKA_OFFSET_END;

struct ListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
};
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, ListDeleter>;

bool is_unknown(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return true;
    default:
      return false;
  }
}

std::string partition_name(const rd_kafka_topic_partition_t& partition) {
  return std::string(partition.topic) + "/" + std::to_string(partition.partition);
}

}  // namespace

std::shared_ptr<KafkaConsumer> KafkaLookup::consumer() const {
  const std::lock_guard lock(mutex_);
  return consumer_;
}

void KafkaLookup::change_consumer(std::shared_ptr<KafkaConsumer> consumer) {
  const std::lock_guard lock(mutex_);
  consumer_.swap(consumer);
}

bool KafkaLookup::pause(milliseconds time) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, time, [this] { return stopped_.load(); });
}

void KafkaLookup::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  wake_.notify_all();
}

SourceFailure KafkaLookup::away(std::string_view cause, const std::string& reason) const {
  telemetry_.consumer_error(consumer_purpose_name(ConsumerPurpose::look_up), cause, reason);
  return {SourceFailure::Kind::away, "Kafka did not answer in time: " + reason};
}

std::optional<SourceFailure> KafkaLookup::retry(Deadline deadline,
                                                const std::function<Attempt(milliseconds timeout)>& attempt) {
  Attempt last{RD_KAFKA_RESP_ERR__TIMED_OUT, ""};
  for (;;) {
    if (stopped_) return stopped();
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (left <= milliseconds(0)) break;
    last = attempt(std::min(left, kAnswerTimeout));
    if (last.error == RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
    const auto rest = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (rest > milliseconds(0)) pause(std::min(rest, kRetryPause));
  }
  return away(rd_kafka_err2name(last.error),
              (last.what.empty() ? "" : last.what + ": ") + std::string(rd_kafka_err2str(last.error)));
}

KafkaLookup::Attempt KafkaLookup::ask_partition_counts(std::span<const std::string> topics,
                                                       std::vector<PartitionCount>& counts, milliseconds timeout) {
  bool any = false;
  const std::shared_ptr<KafkaConsumer> client = consumer();
  for (const std::string& topic : topics) any = (is_topic_name(topic) && client->topic(topic) != nullptr) || any;
  counts.assign(topics.size(), std::nullopt);
  if (!any) return {};
  const struct rd_kafka_metadata* metadata = nullptr;
  // Asks for all topics that have a handle, which are those of the read side.
  if (const auto error = rd_kafka_metadata(client->handle(), 0, nullptr, &metadata, static_cast<int>(timeout.count())))
    return {error, "metadata"};
  const std::unique_ptr<const struct rd_kafka_metadata, void (*)(const struct rd_kafka_metadata*)> owned(
      metadata, rd_kafka_metadata_destroy);
  std::map<std::string_view, const rd_kafka_metadata_topic*> found;
  for (int i = 0; i < metadata->topic_cnt; ++i) found.emplace(metadata->topics[i].topic, &metadata->topics[i]);
  const auto now = Clock::now();
  for (std::size_t i = 0; i < topics.size(); ++i) {
    if (!is_topic_name(topics[i])) continue;
    const auto topic = found.find(topics[i]);
    if (topic == found.end()) return {RD_KAFKA_RESP_ERR__TIMED_OUT, topics[i]};
    if (!is_unknown(topic->second->err)) {
      if (topic->second->err != RD_KAFKA_RESP_ERR_NO_ERROR) return {topic->second->err, topics[i]};
      counts[i] = topic->second->partition_cnt;
    }
    const std::lock_guard lock(mutex_);
    known_[topics[i]] = {counts[i], now};
  }
  return {};
}

KafkaLookup::Attempt KafkaLookup::ask_offsets(std::vector<Question>& questions, milliseconds timeout) {
  const std::shared_ptr<KafkaConsumer> client = consumer();
  std::vector<Question*> rest;
  rest.reserve(questions.size());
  for (Question& question : questions) rest.push_back(&question);
  // One question about a partition a request: librdkafka gives all of them the same answer.
  while (!rest.empty()) {
    const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(rest.size())));
    std::set<std::pair<std::string_view, std::int32_t>> partitions;
    std::vector<Question*> asked;
    std::vector<Question*> later;
    for (Question* question : rest) {
      if (!partitions.emplace(question->topic, question->partition).second) {
        later.push_back(question);
        continue;
      }
      rd_kafka_topic_partition_list_add(list.get(), question->topic.c_str(), question->partition)->offset =
          question->time;
      asked.push_back(question);
    }
    if (const auto error = rd_kafka_offsets_for_times(client->handle(), list.get(), static_cast<int>(timeout.count())))
      return {error, partition_name(list->elems[0])};
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const rd_kafka_topic_partition_t& answer = list->elems[i];
      if (answer.err != RD_KAFKA_RESP_ERR_NO_ERROR) return {answer.err, partition_name(answer)};
      asked[i]->offset = answer.offset;
    }
    rest = std::move(later);
  }
  return {};
}

SourceResult<std::vector<TopicBounds>> KafkaLookup::bounds(std::span<const std::string> topics, Deadline deadline) {
  std::vector<TopicBounds> found;
  const auto attempt = [&](milliseconds timeout) -> Attempt {
    std::vector<PartitionCount> counts;
    if (Attempt failed = ask_partition_counts(topics, counts, timeout); failed.error != 0) return failed;
    std::vector<Question> questions;
    for (std::size_t i = 0; i < topics.size(); ++i)
      for (std::int32_t partition = 0; partition < counts[i].value_or(0); ++partition)
        for (const std::int64_t time : {kBeginning, kEnd}) questions.push_back({topics[i], partition, time, 0});
    if (Attempt failed = ask_offsets(questions, timeout); failed.error != 0) return failed;
    found.clear();
    auto question = questions.begin();
    for (const PartitionCount& count : counts) {
      TopicBounds& topic = found.emplace_back();
      topic.exists = count.has_value();
      for (std::int32_t partition = 0; partition < count.value_or(0); ++partition, question += 2)
        topic.partitions.push_back({partition, question[0].offset, question[1].offset});
    }
    return {};
  };
  if (auto failure = retry(deadline, attempt)) return *failure;
  return found;
}

SourceResult<std::vector<std::optional<std::int64_t>>> KafkaLookup::offsets_at(std::span<const PartitionTime> times,
                                                                               Deadline deadline) {
  std::vector<std::optional<std::int64_t>> found;
  std::vector<std::string> topics;
  for (const PartitionTime& time : times) topics.push_back(time.id.topic);
  const auto attempt = [&](milliseconds timeout) -> Attempt {
    std::vector<PartitionCount> counts;
    if (Attempt failed = ask_partition_counts(topics, counts, timeout); failed.error != 0) return failed;
    std::vector<Question> questions;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < times.size(); ++i) {
      const PartitionId& id = times[i].id;
      if (id.partition < 0 || id.partition >= counts[i].value_or(0)) continue;
      // Negative times have a meaning of their own in the protocol.
      questions.push_back({topics[i], id.partition, std::max<std::int64_t>(times[i].timestamp, 0), 0});
      places.push_back(i);
    }
    if (Attempt failed = ask_offsets(questions, timeout); failed.error != 0) return failed;
    found.assign(times.size(), std::nullopt);
    for (std::size_t i = 0; i < questions.size(); ++i)
      if (questions[i].offset >= 0) found[places[i]] = questions[i].offset;
    return {};
  };
  if (auto failure = retry(deadline, attempt)) return *failure;
  return found;
}

SourceResult<bool> KafkaLookup::exists(const PartitionId& id, Deadline deadline) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = known_.find(id.topic);
    if (known != known_.end() && id.partition < known->second.count.value_or(0) &&
        Clock::now() - known->second.at < kKnownFor)
      return true;
  }
  std::vector<PartitionCount> counts;
  if (auto failure = retry(deadline, [&](milliseconds timeout) {
        return ask_partition_counts(std::span(&id.topic, 1), counts, timeout);
      }))
    return *failure;
  return id.partition >= 0 && id.partition < counts[0].value_or(0);
}

SourceResult<bool> KafkaLookup::probe(Deadline deadline) {
  std::vector<std::string> topics;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [topic, ignored] : known_) topics.push_back(topic);
  }
  const auto attempt = [&](milliseconds timeout) -> Attempt {
    const struct rd_kafka_metadata* metadata = nullptr;
    const std::shared_ptr<KafkaConsumer> client = consumer();
    const auto error = rd_kafka_metadata(client->handle(), topics.empty() ? 1 : 0, nullptr, &metadata,
                                         static_cast<int>(timeout.count()));
    if (metadata != nullptr) rd_kafka_metadata_destroy(metadata);
    return {error, "metadata"};
  };
  if (auto failure = retry(deadline, attempt)) return *failure;
  return true;
}

}  // namespace eventgate

#include "kafka_tail.hpp"

#include <algorithm>
#include <utility>

#include "kafka_fetcher.hpp"

namespace eventgate {
namespace {

// The queue of a topic holds some MB. After so many bytes it may have been full, and broker threads sleep.
constexpr std::size_t kWakeBytes = std::size_t{256} << 10;
// A broker thread that sleeps while a partition begins wakes after a second by itself.
constexpr int kMaxWakes = 20;

}  // namespace

KafkaTail::KafkaTail(std::string topic, std::shared_ptr<KafkaConsumer> consumer, std::span<const PartitionOffset> from,
                     std::function<void()> on_readable, std::function<void()> request_check)
    : topic_(std::move(topic)),
      on_readable_(std::move(on_readable)),
      request_check_(std::move(request_check)),
      consumer_(std::move(consumer)),
      queue_(consumer_->make_queue()) {
  rd_kafka_queue_cb_event_enable(queue_.get(), handle_queue_event, this);
  const std::lock_guard lock(mutex_);
  for (const PartitionOffset& offset : from) {
    Partition& partition = partitions_[offset.id.partition];
    if (partition.reading) continue;
    start(offset.id.partition, partition, offset.offset);
    started_.push_back({offset.id.partition, offset.offset});
  }
}

void KafkaTail::close() {
  const std::lock_guard notify_lock(notify_mutex_);
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  closed_ = true;
  rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr);
  for (auto& [number, partition] : partitions_) stop(number, partition);
  queue_.reset();
}

const KafkaConsumer* KafkaTail::consumer() const {
  const std::lock_guard lock(mutex_);
  return consumer_.get();
}

void KafkaTail::change_consumer(std::shared_ptr<KafkaConsumer> consumer) {
  const std::lock_guard notify_lock(notify_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    std::vector<std::int32_t> reading;
    rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr);
    for (auto& [number, partition] : partitions_) {
      if (partition.reading) reading.push_back(number);
      stop(number, partition);
    }
    queue_.reset();
    consumer_ = std::move(consumer);
    queue_ = consumer_->make_queue();
    rd_kafka_queue_cb_event_enable(queue_.get(), handle_queue_event, this);
    for (const std::int32_t number : reading) start(number, partitions_[number], partitions_[number].next);
  }
  // What had come to the old queue has perhaps told `awaited_` already.
  notify();
}

void KafkaTail::handle_queue_event(rd_kafka_t*, void* self) { static_cast<KafkaTail*>(self)->notify(); }

void KafkaTail::notify() {
  if (awaited_.exchange(false)) on_readable_();
}

void KafkaTail::start(std::int32_t number, Partition& partition, std::int64_t offset) {
  partition.next = offset;
  partition.reading = true;
  partition.broken = false;
  partition.beyond_end = false;
  starting_ = true;
  wakes_ = 0;
  consumer_->start(topic_, number, offset, *queue_);
}

void KafkaTail::stop(std::int32_t number, Partition& partition) {
  if (partition.reading) consumer_->stop(topic_, number);
  partition.reading = false;
}

void KafkaTail::restart(std::int32_t number, Partition& partition, std::int64_t to) {
  const std::int64_t from = partition.next;
  stop(number, partition);
  partition = {};
  start(number, partition, to);
  if (from == to) return;
  const auto told =
      std::find_if(gaps_.begin(), gaps_.end(), [&](const RecordGap& gap) { return gap.partition == number; });
  if (told == gaps_.end()) {
    gaps_.push_back({number, from, to});
  } else {
    told->to = to;
  }
}

void KafkaTail::read(TailRead& into, std::size_t max_bytes) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  bool added = !started_.empty() || !gaps_.empty();
  into.started.insert(into.started.end(), started_.begin(), started_.end());
  into.gaps.insert(into.gaps.end(), gaps_.begin(), gaps_.end());
  started_.clear();
  gaps_.clear();
  for (std::size_t bytes = 0; bytes < max_bytes;) {
    KafkaMessage message(rd_kafka_consume_queue(queue_.get(), 0));
    if (!message) {
      if (bytes_since_wake_ >= kWakeBytes) {
        bytes_since_wake_ = 0;
        consumer_->wake();
      }
      if (added || awaited_.exchange(true)) return;
      // What came before `awaited_` was set has called nobody.
      message.reset(rd_kafka_consume_queue(queue_.get(), 0));
      if (!message) return;
      awaited_ = false;
    }
    added = take(*message, into, bytes) || added;
  }
}

bool KafkaTail::take(const rd_kafka_message_t& message, TailRead& into, std::size_t& bytes) {
  const auto found = partitions_.find(message.partition);
  if (found == partitions_.end()) return false;
  Partition& partition = found->second;
  switch (message.err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: {
      if (message.offset < partition.next || !partition.reading) return false;  // read before
      starting_ = false;
      const SourceRecord& record = into.records.emplace_back(source_record(message));
      bytes += record.size();
      bytes_since_wake_ += record.size();
      partition.next = record.offset + 1;
      partition.last = RecordPlace{record.offset, record.timestamp};
      if (!partition.witness) partition.witness = partition.last;
      return true;
    }
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      partition.broken = true;
      request_check_();
      return false;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      request_check_();
      return false;
    default:
      consumer_->report(message);
      return false;
  }
}

std::int64_t KafkaTail::lag() const {
  const std::lock_guard lock(mutex_);
  std::int64_t sum = 0;
  for (const auto& [ignored, partition] : partitions_) sum += std::max<std::int64_t>(0, partition.end - partition.next);
  return sum;
}

void KafkaTail::LogCheck::decide(const std::optional<RecordPlace>& record) {
  if (expected && found && *found <= *expected) {
    log = *found == *expected ? Log::same : Log::other;
  } else if (record && record->offset == witness.offset) {
    log = record->timestamp == witness.timestamp ? Log::same : Log::other;
  }  // else the record is gone, which retention and compaction do
}

std::vector<KafkaTail::LogCheck> KafkaTail::begin_check() {
  const std::lock_guard lock(mutex_);
  std::vector<LogCheck> checks;
  for (auto& [number, partition] : partitions_) {
    partition.checked_next = partition.next;
    partition.checked_broken = partition.broken;
    partition.checked_last = partition.last;
    if (!partition.witness) continue;
    LogCheck& check = checks.emplace_back();
    check.partition = number;
    check.timestamp = partition.witness->timestamp;
    check.expected = partition.witness_lookup;
    check.witness = *partition.witness;
  }
  return checks;
}

void KafkaTail::reconcile(const TopicBounds& bounds, const std::vector<LogCheck>& checks) {
  const std::lock_guard notify_lock(notify_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    // Twice, because a broker that has just started may not know the topic at once.
    if (!std::exchange(absent_, !bounds.exists) && absent_) return;
    for (auto& [number, partition] : partitions_)
      if (static_cast<std::size_t>(number) >= bounds.partitions.size()) stop(number, partition);
    for (const PartitionBounds& partition : bounds.partitions) {
      const auto check = std::find_if(checks.begin(), checks.end(),
                                      [&](const LogCheck& one) { return one.partition == partition.partition; });
      reconcile_partition(partition, check == checks.end() ? nullptr : &*check);
    }
    if (started_.empty() && gaps_.empty()) return;
  }
  notify();
}

void KafkaTail::reconcile_partition(const PartitionBounds& bounds, const LogCheck* check) {
  const auto [place, is_new] = partitions_.try_emplace(bounds.partition);
  Partition& partition = place->second;
  if (is_new) {
    start(bounds.partition, partition, bounds.begin);
    partition.end = bounds.end;
    started_.push_back({bounds.partition, bounds.begin});
    return;
  }
  const bool was_beyond_end = std::exchange(partition.beyond_end, bounds.end < partition.checked_next);
  const bool is_there = partition.checked_next >= bounds.begin && partition.checked_next <= bounds.end;
  using Log = LogCheck::Log;
  const Log log = check == nullptr ? Log::unknown : check->log;
  if (log == Log::other) {  // NOLINT(bugprone-branch-clone): the surest cases come first
    restart(bounds.partition, partition, bounds.begin);
  } else if (!partition.reading) {  // the topic was absent
    restart(bounds.partition, partition, log == Log::same && is_there ? partition.next : bounds.begin);
  } else if (partition.broken && partition.checked_broken) {
    restart(bounds.partition, partition, is_there ? partition.next : bounds.begin);
  } else if (partition.beyond_end && was_beyond_end) {
    // Twice, because a new leader may not know the end at once.
    restart(bounds.partition, partition, bounds.begin);
  } else if (check != nullptr) {
    // What was read before this check is of this log. At offset 0 a time tells nothing: a new log has it there, too.
    const bool is_kept = log == Log::same && check->found && *check->found > 0;
    partition.witness_lookup = is_kept ? check->found : std::nullopt;
    if (!is_kept) partition.witness = partition.checked_last;
  }
  partition.end = bounds.end;
}

bool KafkaTail::wake_if_started() {
  const std::lock_guard lock(mutex_);
  if (closed_ || !starting_ || wakes_ >= kMaxWakes) return false;
  ++wakes_;
  consumer_->wake();
  return true;
}

}  // namespace eventgate

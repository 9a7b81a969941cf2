#include "kafka_fetcher.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace eventgate {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kIdleSessionTime{5};
constexpr milliseconds kPollTime{20};  // then broker threads are woken again

std::optional<std::string> text_of(const void* bytes, std::size_t size) {
  if (bytes == nullptr) return std::nullopt;
  return std::string(static_cast<const char*>(bytes), size);
}

}  // namespace

SourceRecord source_record(const rd_kafka_message_t& message) {
  SourceRecord record;
  record.partition = message.partition;
  record.offset = message.offset;
  rd_kafka_timestamp_type_t ignored;
  record.timestamp = rd_kafka_message_timestamp(&message, &ignored);
  record.key = text_of(message.key, message.key_len);
  record.value = text_of(message.payload, message.len);
  return record;
}

KafkaFetcher::KafkaFetcher(std::function<std::shared_ptr<KafkaConsumer>()> make_client, std::size_t max_clients,
                           AfterUse after_use, KafkaLookup& lookup)
    : make_client_(std::move(make_client)), max_clients_(max_clients), after_use_(after_use), lookup_(lookup) {}

KafkaFetcher::~KafkaFetcher() {
  while (!sessions_.empty()) end_session(sessions_.begin());
}

SourceResult<FetchedRecords> KafkaFetcher::fetch(const PartitionId& id, std::int64_t offset, std::size_t max_bytes,
                                                 Deadline deadline) {
  FetchedRecords found;
  found.next = offset;
  for (;;) {
    Sessions::iterator session = take_idle(id, found.next);
    if (session == sessions_.end()) {
      // librdkafka waits for a topic that does not exist, so that is asked for first.
      const SourceResult<bool> exists = lookup_.exists(id, deadline);
      if (!exists) return exists.error();
      if (!*exists) {
        found.at_end = true;
        return found;
      }
      session = acquire(id, found.next, deadline);
    }
    if (session == sessions_.end()) {
      if (lookup_.is_stopped()) return lookup_.stopped();
      return lookup_.away("_TIMED_OUT", id.topic + ": all clients that read old records are busy");
    }
    std::string error;
    const End end = read(*session, max_bytes, deadline, found, error);
    release(session, after_use_ == AfterUse::keep && end == End::enough);
    switch (end) {
      case End::enough:
        return found;
      case End::at_end:
        found.at_end = true;
        return found;
      case End::stopped:
        return lookup_.stopped();
      case End::timeout:
        return lookup_.away("_TIMED_OUT", id.topic + "/" + std::to_string(id.partition) + ": " +
                                              (error.empty() ? "no records came" : error));
      case End::gone:
      case End::unknown: {
        if (!found.records.empty()) return found;
        const SourceResult<bool> more = skip_gap(id, deadline, found);
        if (!more) return more.error();
        if (!*more) return found;
        break;
      }
    }
  }
}

SourceResult<bool> KafkaFetcher::skip_gap(const PartitionId& id, Deadline deadline, FetchedRecords& found) {
  const SourceResult<std::vector<TopicBounds>> bounds = lookup_.bounds(std::span(&id.topic, 1), deadline);
  if (!bounds) return bounds.error();
  const TopicBounds& topic = bounds->front();
  if (!topic.exists || id.partition < 0 || static_cast<std::size_t>(id.partition) >= topic.partitions.size()) {
    found.at_end = true;
    return false;
  }
  const PartitionBounds& partition = topic.partitions[static_cast<std::size_t>(id.partition)];
  if (found.next >= partition.begin && found.next <= partition.end)
    return lookup_.pause(kPollTime);  // a broker has answered late
  // Beyond the end of a topic that was made anew, all of its records are wanted.
  const std::int64_t to = partition.begin;
  found.gap = RecordGap{id.partition, found.gap ? found.gap->from : found.next, to};
  found.next = to;
  found.at_end = to == partition.end;
  return !found.at_end;
}

KafkaFetcher::End KafkaFetcher::read(Session& session, std::size_t max_bytes, Deadline deadline, FetchedRecords& found,
                                     std::string& error) {
  std::size_t bytes = 0;
  while (bytes < max_bytes || found.records.empty()) {
    if (lookup_.is_stopped()) return End::stopped;
    KafkaMessage message(rd_kafka_consume_queue(session.queue.get(), 0));
    if (!message) {
      session.consumer->wake();
      if (!found.records.empty()) return End::enough;
      const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
      if (left <= milliseconds(0)) return End::timeout;
      message.reset(rd_kafka_consume_queue(session.queue.get(), static_cast<int>(std::min(left, kPollTime).count())));
      if (!message) continue;
    }
    switch (message->err) {
      case RD_KAFKA_RESP_ERR_NO_ERROR:
        if (message->offset < session.next) break;
        found.records.push_back(source_record(*message));
        bytes += found.records.back().size();
        session.next = message->offset + 1;
        found.next = session.next;
        break;
      case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        // Control records of transactions may be between the last record and the end.
        found.next = std::max(found.next, message->offset);
        return End::at_end;
      case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return End::gone;
      case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return End::unknown;
      default:
        error = session.consumer->report(*message);
        break;
    }
  }
  return End::enough;
}

KafkaFetcher::Sessions::iterator KafkaFetcher::take_idle(const PartitionId& id, std::int64_t offset) {
  const std::lock_guard lock(mutex_);
  const auto session = std::find_if(sessions_.begin(), sessions_.end(), [&](const Session& one) {
    return !one.busy && one.next == offset && one.id == id;
  });
  if (session != sessions_.end()) session->busy = true;
  return session;
}

KafkaFetcher::Sessions::iterator KafkaFetcher::acquire(const PartitionId& id, std::int64_t offset, Deadline deadline) {
  std::unique_lock lock(mutex_);
  while (!lookup_.is_stopped()) {
    if (KafkaConsumer* consumer = free_consumer(id)) {
      if (sessions_.size() < kMaxSessions) return open(*consumer, id, offset);
      if (const auto other = least_recently_used(nullptr); other != sessions_.end()) {
        end_session(other);
        return open(*consumer, id, offset);
      }
    } else if (const auto own = least_recently_used(&id); own != sessions_.end()) {
      KafkaConsumer& taken = *own->consumer;
      end_session(own);
      return open(taken, id, offset);
    }
    if (freed_.wait_until(lock, deadline) == std::cv_status::timeout) break;
  }
  return sessions_.end();
}

KafkaFetcher::Sessions::iterator KafkaFetcher::open(KafkaConsumer& consumer, const PartitionId& id,
                                                    std::int64_t offset) {
  sessions_.push_back({id, &consumer, consumer.make_queue(), offset, true, Clock::now()});
  consumer.start(id.topic, id.partition, offset, *sessions_.back().queue);
  return std::prev(sessions_.end());
}

KafkaConsumer* KafkaFetcher::free_consumer(const PartitionId& id) {
  KafkaConsumer* best = nullptr;
  std::ptrdiff_t fewest = 0;
  for (const auto& consumer : consumers_) {
    const auto is_its = [&](const Session& session) { return session.consumer == consumer.get(); };
    if (std::any_of(sessions_.begin(), sessions_.end(),
                    [&](const Session& session) { return is_its(session) && session.id == id; }))
      continue;
    const std::ptrdiff_t count = std::count_if(sessions_.begin(), sessions_.end(), is_its);
    if (best != nullptr && count >= fewest) continue;
    best = consumer.get();
    fewest = count;
  }
  if (best == nullptr && consumers_.size() < max_clients_) best = consumers_.emplace_back(make_client_()).get();
  return best;
}

KafkaFetcher::Sessions::iterator KafkaFetcher::least_recently_used(const PartitionId* id) {
  auto best = sessions_.end();
  for (auto session = sessions_.begin(); session != sessions_.end(); ++session)
    if (!session->busy && (id == nullptr || session->id == *id) &&
        (best == sessions_.end() || session->used < best->used))
      best = session;
  return best;
}

void KafkaFetcher::end_session(Sessions::iterator session) {
  session->consumer->stop(session->id.topic, session->id.partition);
  sessions_.erase(session);
}

void KafkaFetcher::release(Sessions::iterator session, bool keep) {
  const std::lock_guard lock(mutex_);
  session->busy = false;
  session->used = Clock::now();
  if (!keep || is_given_up(*session->consumer)) end_session(session);
  freed_.notify_all();
}

void KafkaFetcher::serve() {
  const std::lock_guard lock(mutex_);
  for (const auto& consumer : consumers_) consumer->serve();
}

void KafkaFetcher::end_unused() {
  std::vector<std::shared_ptr<KafkaConsumer>> ended;  // destroyed without the lock
  const std::lock_guard lock(mutex_);
  const auto before = Clock::now() - kIdleSessionTime;
  for (auto session = sessions_.begin(); session != sessions_.end();) {
    const auto at = session++;
    if (!at->busy && at->used < before) end_session(at);
  }
  for (std::shared_ptr<KafkaConsumer>& consumer : given_up_)
    if (std::none_of(sessions_.begin(), sessions_.end(),
                     [&](const Session& session) { return session.consumer == consumer.get(); }))
      ended.push_back(std::move(consumer));
  std::erase(given_up_, nullptr);
}

void KafkaFetcher::give_up_clients() {
  const std::lock_guard lock(mutex_);
  std::move(consumers_.begin(), consumers_.end(), std::back_inserter(given_up_));
  consumers_.clear();
  for (auto session = sessions_.begin(); session != sessions_.end();) {
    const auto at = session++;
    if (!at->busy) end_session(at);
  }
}

bool KafkaFetcher::is_given_up(const KafkaConsumer& consumer) const {
  return std::any_of(given_up_.begin(), given_up_.end(), [&](const auto& one) { return one.get() == &consumer; });
}

void KafkaFetcher::notify() {
  const std::lock_guard lock(mutex_);
  freed_.notify_all();
}

}  // namespace eventgate

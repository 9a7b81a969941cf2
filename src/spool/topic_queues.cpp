#include "topic_queues.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/spool/spool_store.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "spool_inbox.hpp"
#include "spool_state.hpp"

namespace eventgate {
namespace {

TopicQueue* take(std::unordered_map<std::int64_t, TopicQueue*>& attempts, std::int64_t id) {
  const auto found = attempts.find(id);
  if (found == attempts.end()) return nullptr;
  TopicQueue* const queue = found->second;
  attempts.erase(found);
  return queue;
}

void note_spooled_at(TopicQueue& queue, std::int64_t spooled_at) {
  if (spooled_at > 0 && (queue.oldest_spooled_at == 0 || spooled_at < queue.oldest_spooled_at))
    queue.oldest_spooled_at = spooled_at;
}

}  // namespace

TopicQueues::TopicQueues(SpoolInbox& inbox, SpoolState& state, Telemetry& telemetry)
    : inbox_(inbox), state_(state), telemetry_(telemetry) {}

const TopicQueue* TopicQueues::find(const std::string& topic) const {
  const auto found = queues_.find(topic);
  return found == queues_.end() ? nullptr : found->second.get();
}

TopicQueue& TopicQueues::get(const std::string& topic) {
  std::unique_ptr<TopicQueue>& queue = queues_[topic];
  if (!queue) {
    queue = std::make_unique<TopicQueue>();
    queue->topic = topic;
  }
  return *queue;
}

void TopicQueues::add_stored(const std::string& topic, std::int64_t id, bool attempt_in_flight,
                             std::int64_t spooled_at) {
  TopicQueue& queue = get(topic);
  note_spooled_at(queue, spooled_at);
  ++queue.records;
  queue.read_up_to = std::min(queue.read_up_to, id - 1);
  if (!attempt_in_flight) return;
  ++queue.first_attempts;
  queue.in_use.insert(id);
  first_attempts_.emplace(id, &queue);
}

bool TopicQueues::remove(TopicQueue& queue, std::int64_t id) {
  queue.in_use.erase(id);
  // Another process may have added records that are not counted yet. Records in use are always counted.
  if (!queue.has_replayable_records()) return false;
  inbox_.remove_spooled(queue.topic, 1);
  if (--queue.records > 0) return false;
  if (queue.delivered > 0) {
    const bool was_replayed = queue.replay_started != std::chrono::steady_clock::time_point();
    telemetry_.spooled_records_delivered(
        queue.topic, queue.delivered,
        was_replayed ? std::chrono::steady_clock::now() - queue.replay_started : std::chrono::steady_clock::duration(),
        queue.oldest_spooled_at);
  }
  queues_.erase(std::string(queue.topic));
  return true;
}

TopicQueue* TopicQueues::end_first_attempt(std::int64_t id) {
  TopicQueue* const queue = take(first_attempts_, id);
  if (queue != nullptr) --queue->first_attempts;
  return queue;
}

void TopicQueues::begin_replay(TopicQueue& queue, std::int64_t id, std::int64_t spooled_at,
                               std::chrono::steady_clock::time_point now) {
  note_spooled_at(queue, spooled_at);
  if (queue.replay_started == std::chrono::steady_clock::time_point()) queue.replay_started = now;
  replays_.emplace(id, &queue);
  ++queue.replaying;
}

TopicQueue* TopicQueues::end_replay(std::int64_t id) {
  TopicQueue* const queue = take(replays_, id);
  if (queue != nullptr) --queue->replaying;
  return queue;
}

void TopicQueues::recount(SpoolStore& store) {
  const auto topics = store.topics();
  if (!topics) {
    telemetry_.sink_warning("spool", topics.error().message);
    return;
  }
  std::unordered_map<std::string, std::size_t> counts;
  for (const auto& each : *topics) counts[each.topic] = each.records;
  for (const auto& [topic, queue] : queues_) counts.try_emplace(topic, 0);
  std::vector<std::string> empty_topics;
  for (const auto& [topic, count] : counts) {
    TopicQueue& queue = get(topic);
    // A record in use that another process has removed counts until its attempt ends.
    const SpoolResult<std::size_t> stored = store.count_queued({queue.in_use.begin(), queue.in_use.end()});
    if (!stored) {
      telemetry_.sink_warning("spool", stored.error().message);
      return;
    }
    const std::size_t now = count + queue.in_use.size() - std::min(*stored, std::min(count, queue.in_use.size()));
    const std::size_t before = std::exchange(queue.records, now);
    if (now > before) {
      inbox_.add_spooled(topic, now - before);
      telemetry_.spool_found(topic, now - before);
    } else if (before > now) {
      inbox_.remove_spooled(topic, before - now);
      telemetry_.spool_dropped(topic, before - now);
    }
    if (now == 0) empty_topics.push_back(topic);
    queue.read_up_to = 0;
  }
  for (const std::string& topic : empty_topics) queues_.erase(topic);
  publish_count();
}

void TopicQueues::publish_count() {
  std::size_t records = 0;
  for (const auto& [topic, queue] : queues_) records += queue->records;
  state_.records = records;
}

}  // namespace eventgate

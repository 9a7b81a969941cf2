#include "replayer.hpp"

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/telemetry/telemetry.hpp"
#include "spool_state.hpp"
#include "spool_writer.hpp"
#include "topic_queues.hpp"

namespace eventgate {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kSpool = "spool";
constexpr std::size_t kMaxReplaying = 10000;                 // records under way to Kafka
constexpr std::size_t kMaxReadRecords = 256;                 // in one read of a topic
constexpr std::size_t kMaxReadBytes = std::size_t{4} << 20;  // in one read of a topic
constexpr milliseconds kMinPause{10};                        // between two reads of a topic with records to send
constexpr milliseconds kPauseWhenEmpty{100};                 // after a read that found no record
constexpr milliseconds kPauseAfterReadError{1000};
constexpr milliseconds kPauseAfterOutage{500};
constexpr milliseconds kPauseAfterTopicFailure{10000};  // an operator has to mend the topic

}  // namespace

struct Replayer::ReplayHandle final : DeliveryHandle {
  ReplayHandle(DeliveryListener& listener, std::int64_t of) : DeliveryHandle(listener), id(of) {}
  const std::int64_t id;
};

void Replayer::ReplayListener::handle_settled(DeliveryHandle& handle) noexcept {
  const std::unique_ptr<ReplayHandle> replay(static_cast<ReplayHandle*>(&handle));
  inbox.add_report({replay->id, true, replay->take_failure()});
}

Replayer::Replayer(std::size_t records_per_second, Sink& kafka, TopicQueues& queues, SpoolWriter& writer,
                   SpoolInbox& inbox, const SpoolState& state, Telemetry& telemetry)
    : rate_(records_per_second),
      kafka_(kafka),
      queues_(queues),
      writer_(writer),
      state_(state),
      telemetry_(telemetry),
      listener_(inbox) {}

void Replayer::replay(Clock::time_point now) {
  if (queues_.is_empty() || state_.is_stopping() || kafka_.not_ready_reason()) return;
  std::size_t room = std::min(rate_.room(now), kMaxReplaying - std::min(queues_.replay_count(), kMaxReplaying));
  recount_needed_ = false;
  for (const auto& [topic, queue] : queues_.all()) {
    if (room == 0) break;
    room -= replay_topic(*queue, room, now);
  }
  if (recount_needed_) queues_.recount(writer_.store());
}

/// Sends up to `max_records` records of `queue`. Returns how many.
std::size_t Replayer::replay_topic(TopicQueue& queue, std::size_t max_records, Clock::time_point now) {
  if (!queue.has_replayable_records() || now < queue.retry_at) return 0;
  if (queue.failing) {
    // Starting again before every report has come would change the order.
    if (queue.replaying > 0) return 0;
    queue.failing = false;
    queue.read_up_to = 0;
  }
  const std::vector<SpooledRecord> found = read_records(queue, max_records, now);
  std::vector<Record> records;
  std::vector<Assurance> assurances;
  for (const SpooledRecord& record : found) {
    if (queues_.has_first_attempt(record.id)) {
      queue.retry_at = now + kMinPause;
      break;
    }
    queue.read_up_to = record.id;
    if (!queue.in_use.insert(record.id).second) continue;
    if (record.damaged) {
      writer_.set_aside_later(record.id, queue, "it is damaged: its checksum is not that of its content");
      continue;
    }
    queues_.begin_replay(queue, record.id, record.spooled_at, now);
    records.push_back(view_record(record));
    records.back().topic = queue.topic;
    records.back().handle = new ReplayHandle(listener_, record.id);
    assurances.push_back(record.assurance);
  }
  rate_.use(records.size());
  for (std::size_t begin = 0, end; begin < records.size(); begin = end) {
    for (end = begin + 1; end < records.size() && assurances[end] == assurances[begin];) ++end;
    kafka_.produce(std::span(records).subspan(begin, end - begin), assurances[begin]);
  }
  return records.size();
}

/// Reads the next records of `queue`. Returns none, and sets a pause, if there are none or they cannot be read.
std::vector<SpooledRecord> Replayer::read_records(TopicQueue& queue, std::size_t max_records, Clock::time_point now) {
  auto found =
      writer_.store().read_topic(queue.topic, queue.read_up_to, std::min(max_records, kMaxReadRecords), kMaxReadBytes);
  if (!found) {
    queue.retry_at = now + kPauseAfterReadError;
    telemetry_.sink_warning(kSpool, found.error().message);
    if (found.error().damaged && !repaired_) recount_needed_ = repaired_ = writer_.repair();
    return {};
  }
  if (found->empty()) {
    queue.retry_at = now + kPauseWhenEmpty;
    // Another process has removed them.
    recount_needed_ = recount_needed_ || (queue.read_up_to == 0 && queue.in_use.empty());
    queue.read_up_to = 0;
  }
  return *std::move(found);
}

void Replayer::handle_report(AttemptReport report, Clock::time_point now) {
  TopicQueue* const queue = queues_.end_replay(report.id);
  if (queue == nullptr) return;
  if (!report.failure) {
    writer_.remove_later(report.id, *queue, false);
    return;
  }
  if (report.failure->scope == FailureScope::record) {
    writer_.set_aside_later(report.id, *queue, std::move(report.failure->message));
    return;
  }
  const bool topic_failed = report.failure->scope == FailureScope::topic;
  queue->in_use.erase(report.id);
  queue->failing = true;
  queue->retry_at = now + (topic_failed ? kPauseAfterTopicFailure : kPauseAfterOutage);
  if (topic_failed)
    telemetry_.sink_warning(
        kSpool, "records of the topic '" + queue->topic + "' stay in the spool: " + report.failure->message);
}

Replayer::Clock::time_point Replayer::next_run(Clock::time_point now, Clock::time_point latest) const {
  if (state_.is_stopping() || kafka_.not_ready_reason()) return latest;
  for (const auto& [topic, queue] : queues_.all())
    if (queue->has_replayable_records()) latest = std::min(latest, std::max(now + kMinPause, queue->retry_at));
  return latest;
}

}  // namespace eventgate

#include "spool_writer.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <span>
#include <string_view>
#include <unordered_set>

#include "eventgate/telemetry/telemetry.hpp"
#include "first_attempts.hpp"
#include "handle_settlement.hpp"
#include "spool_state.hpp"
#include "topic_queues.hpp"

namespace eventgate {
namespace {

constexpr std::string_view kSpool = "spool";
constexpr std::size_t kLogReserve = std::size_t{12} << 20;  // bytes that the store's write-ahead log may need
constexpr std::size_t kMinRoom = std::size_t{256} << 10;    // bytes; the spool is full if less is free
constexpr std::chrono::milliseconds kRetryPause{100};       // for a record without room; between removals

}  // namespace

SpoolWriter::SpoolWriter(const SpoolOptions& options, Sink& kafka, FirstAttempts& first_attempts, TopicQueues& queues,
                         SpoolInbox& inbox, SpoolState& state, Telemetry& telemetry)
    : options_(options),
      kafka_(kafka),
      first_attempts_(first_attempts),
      queues_(queues),
      inbox_(inbox),
      state_(state),
      telemetry_(telemetry),
      store_(options.path, SpoolStore::Access::own) {
  report_warnings();
}

void SpoolWriter::add(std::vector<PendingWrite> writes) {
  std::move(writes.begin(), writes.end(), std::back_inserter(waiting_));
}

void SpoolWriter::handle_first_attempts(std::vector<AttemptReport> reports, Clock::time_point now) {
  if (reports.empty()) return;
  std::unordered_map<std::int64_t, PendingWrite*> waiting;
  for (PendingWrite& write : waiting_)
    if (write.attempt_in_flight) waiting.emplace(write.record.id, &write);
  std::vector<PendingWrite> kept;
  for (AttemptReport& report : reports) {
    const std::int64_t id = report.id;
    if (TopicQueue* const queue = queues_.end_first_attempt(id)) {
      if (!report.failure) {
        remove_later(id, *queue, true);
      } else {
        queue->in_use.erase(id);
        queue->read_up_to = std::min(queue->read_up_to, id - 1);
      }
    } else if (const auto unwritten = unwritten_.find(id); unwritten != unwritten_.end()) {
      PendingWrite write = std::move(unwritten->second);
      unwritten_.erase(unwritten);
      write.attempt_in_flight = false;
      if (report.failure && report.failure->scope == FailureScope::transient && can_wait_for_room(write)) {
        write.failure = std::move(report.failure);
        kept.push_back(std::move(write));
      } else {
        settle(write, std::move(report.failure));
      }
    } else if (const auto found = waiting.find(id); found != waiting.end()) {
      found->second->attempt_in_flight = false;
      found->second->failure = std::move(report.failure);
      found->second->attempt_reported = true;
    }
  }
  if (!waiting.empty()) {
    std::erase_if(waiting_, [this](PendingWrite& write) {
      const bool is_final =
          !write.failure || write.failure->scope == FailureScope::record || write.failure->scope == FailureScope::topic;
      if (!write.attempt_reported || !is_final) return false;
      auto failure = std::move(write.failure);
      settle(write, std::move(failure));
      return true;
    });
  }
  keep_waiting(std::move(kept), now);
}

/// Without room, an already answered record waits for it until the sink stops. The gate's `max_inflight_bytes` bounds
/// the memory of such records.
bool SpoolWriter::can_wait_for_room(const PendingWrite& write) const {
  return write.already_answered && !write.attempt_in_flight && !state_.is_stopping();
}

/// Keeps records that wait for room, in the order in which they came.
void SpoolWriter::keep_waiting(std::vector<PendingWrite> writes, Clock::time_point now) {
  if (writes.empty()) return;
  for (PendingWrite& write : writes) {
    write.wait_until = now + kRetryPause;
    waiting_.push_back(std::move(write));
  }
  std::sort(waiting_.begin(), waiting_.end(),
            [](const PendingWrite& a, const PendingWrite& b) { return a.record.id < b.record.id; });
}

/// Settles a record that the store does not have.
void SpoolWriter::settle(const PendingWrite& write, std::optional<DeliveryFailure> failure) {
  if (failure) {
    if (write.maybe_stored) failure->delivery = Delivery::unknown;  // the next start may find and replay it
    settle_failed(*write.client_handle, write.record.assurance, std::move(*failure), telemetry_);
  } else {
    settle_delivered(*write.client_handle, write.record.assurance, telemetry_);
  }
  inbox_.remove_spooled(write.record.topic, 1);
}

void SpoolWriter::write_pending(Clock::time_point now) {
  std::vector<PendingWrite> to_store, to_kafka, still_waiting;
  const bool kafka_is_ready = !waiting_.empty() && !state_.is_stopping() && !kafka_.not_ready_reason();
  std::unordered_set<std::string> stored_topics;  // no later record of these may overtake
  for (PendingWrite& write : waiting_) {
    const std::string& topic = write.record.topic;
    const bool may_skip_store = kafka_is_ready && (stored_topics.empty() || !stored_topics.contains(topic));
    const Destination destination = choose_destination(write, may_skip_store, now);
    const bool holds_topic = destination == Destination::store || destination == Destination::wait_for_retry;
    if (kafka_is_ready && holds_topic) stored_topics.insert(topic);
    (destination == Destination::store   ? to_store
     : destination == Destination::kafka ? to_kafka
                                         : still_waiting)
        .push_back(std::move(write));
  }
  waiting_ = std::move(still_waiting);
  write(std::move(to_store));
  send_to_kafka(std::move(to_kafka));
}

SpoolWriter::Destination SpoolWriter::choose_destination(PendingWrite& write, bool may_skip_store,
                                                         Clock::time_point now) const {
  const bool waits_for_room = state_.is_full() && can_wait_for_room(write);
  if (waits_for_room && write.failure) {
    if (write.wait_until == Clock::time_point()) write.wait_until = now + kRetryPause;
    if (now < write.wait_until) return Destination::wait_for_retry;
  }
  const bool has_time = waits_for_room || (!write.failure && now < write.wait_until);
  if (!may_skip_store || write.attempt_in_flight || !has_time) return Destination::store;
  const TopicQueue* const queue = queues_.find(write.record.topic);
  if (queue == nullptr) return Destination::kafka;
  if (queue->has_replayable_records() || queue->first_attempts > 0 || queue->failing) return Destination::store;
  if (waits_for_room) write.wait_until = now + kRetryPause;
  return Destination::wait_for_topic;
}

void SpoolWriter::send_to_kafka(std::vector<PendingWrite> writes) {
  for (std::size_t begin = 0, end; begin < writes.size(); begin = end) {
    const Assurance assurance = writes[begin].record.assurance;
    for (end = begin + 1; end < writes.size() && writes[end].record.assurance == assurance;) ++end;
    const AttemptBatchPointer batch = new AttemptBatch(end - begin, assurance, writes[begin].client_handle->executor());
    batch->own_records.assign(std::make_move_iterator(writes.begin() + static_cast<std::ptrdiff_t>(begin)),
                              std::make_move_iterator(writes.begin() + static_cast<std::ptrdiff_t>(end)));
    for (std::size_t i = 0; i < batch->size; ++i) {
      const PendingWrite& own = batch->own_records[i];
      FirstAttempt& attempt = batch->all[i];
      attempt.id = own.record.id;
      attempt.client_handle = own.client_handle;
      attempt.record = view_record(own.record);
      attempt.record.already_answered = own.already_answered;
    }
    first_attempts_.hand_over(batch);
    for (const PendingWrite& own : batch->own_records) inbox_.remove_spooled(own.record.topic, 1);
  }
}

/// Writes `writes`, removes delivered records and sets undeliverable ones aside, in one transaction.
void SpoolWriter::write(std::vector<PendingWrite> writes) {
  if (writes.empty() && removals_.empty() && undeliverables_.empty()) return;
  const std::int64_t spooled_at = wall_clock_milliseconds();
  std::size_t free_room = writes.empty() ? 0 : room();
  std::size_t count = 0;  // number of `writes` that have room
  std::vector<const SpooledRecord*> added;
  for (; count < writes.size() && !disk_failed_; ++count) {
    SpooledRecord& record = writes[count].record;
    if (size_of(record) > free_room) break;
    free_room -= size_of(record);
    record.spooled_at = spooled_at;
    added.push_back(&record);
  }
  std::vector<std::int64_t> removed;
  for (const Removal& removal : removals_) removed.push_back(removal.id);
  std::vector<std::pair<std::int64_t, std::string>> set_aside;
  for (const Undeliverable& record : undeliverables_) set_aside.emplace_back(record.id, record.reason);

  SpoolError error;
  const bool done = apply({added, removed, set_aside}, error);
  if (done) {
    complete_removals();
    for (std::size_t i = 0; i < count; ++i) complete_stored(writes[i]);
  } else {
    disk_failed_ = true;
    set_full_reason(error.message);
  }
  std::vector<PendingWrite> kept;
  for (std::size_t i = done ? count : 0; i < writes.size(); ++i) {
    writes[i].maybe_stored = writes[i].maybe_stored || (i < count && error.uncertain);
    if (std::optional<PendingWrite> waiting = keep_unwritten(std::move(writes[i]))) kept.push_back(*std::move(waiting));
  }
  keep_waiting(std::move(kept), Clock::now());
  queues_.publish_count();
  if (!writes.empty()) check_room();
}

/// Counts the records that have left the store or were set aside.
void SpoolWriter::complete_removals() {
  for (const Removal& removal : std::exchange(removals_, {})) {
    telemetry_.record_unspooled(removal.queue->topic, removal.late);
    ++removal.queue->delivered;
    if (queues_.remove(*removal.queue, removal.id)) shrink_ = queues_.is_empty();
  }
  for (const Undeliverable& record : std::exchange(undeliverables_, {})) {
    ++state_.set_aside;
    telemetry_.spooled_record_set_aside(record.queue->topic, record.id, record.reason);
    if (queues_.remove(*record.queue, record.id)) shrink_ = queues_.is_empty();
  }
}

/// Returns why a record is in the store and not in Kafka.
std::string SpoolWriter::spooling_cause(const PendingWrite& write) const {
  if (write.failure) return write.failure->message;
  if (auto reason = kafka_.not_ready_reason()) return *std::move(reason);
  return "Kafka has not acknowledged it in time (spool.after)";
}

/// Tells the client that the store has the record.
void SpoolWriter::complete_stored(PendingWrite& write) {
  const std::string& topic = write.record.topic;
  if (queues_.find(topic) == nullptr) telemetry_.spooling_started(topic, spooling_cause(write));
  queues_.add_stored(topic, write.record.id, write.attempt_in_flight, write.record.spooled_at);
  telemetry_.record_spooled(write.record.topic);
  settle_spooled(*write.client_handle, write.record.assurance, telemetry_);
}

/// Handles a record that has no room or could not be written. Returns it if it waits for room. Otherwise it gets the
/// result of its first attempt, or fails.
std::optional<PendingWrite> SpoolWriter::keep_unwritten(PendingWrite write) {
  if (write.attempt_in_flight) {
    const std::int64_t id = write.record.id;
    unwritten_.emplace(id, std::move(write));
    return std::nullopt;
  }
  if (can_wait_for_room(write)) return write;
  DeliveryFailure failure = state_.capacity_failure();
  if (write.failure) {
    if (write.failure->delivery == Delivery::unknown) failure.delivery = Delivery::unknown;
    failure.message = write.failure->message + "; " + failure.message;
  }
  settle(write, std::move(failure));
  return std::nullopt;
}

/// Applies `changes`. If the file is damaged, repairs it and tries again. Returns false and sets `error` if that fails.
bool SpoolWriter::apply(const SpoolStore::Changes& changes, SpoolError& error) {
  auto done = store_.apply(changes);
  if (!done && done.error().damaged && repair()) {
    queues_.recount(store_);
    done = store_.apply(changes);
  }
  if (!done) error = done.error();
  return done.has_value();
}

bool SpoolWriter::repair() {
  try {
    store_.repair();
  } catch (const std::exception& failed) {
    telemetry_.sink_warning(kSpool, failed.what());
    return false;
  }
  report_warnings();
  return true;
}

void SpoolWriter::report_warnings() {
  const std::vector<std::string>& warnings = store_.warnings();
  for (; reported_warnings_ < warnings.size(); ++reported_warnings_)
    telemetry_.sink_warning(kSpool, warnings[reported_warnings_]);
}

/// Returns the bytes that records may take, by `max_bytes` and by the free space of the disk.
std::size_t SpoolWriter::room() const {
  const std::size_t used = store_.bytes(), reserve = options_.min_free + kLogReserve;
  const std::size_t free = store_.free_bytes();
  const std::size_t in_store = options_.max_bytes - std::min(used, options_.max_bytes);
  return std::min(in_store, free - std::min(free, reserve));
}

/// Sets why the spool has no room. An empty `reason` means that it has.
void SpoolWriter::set_full_reason(const std::string& reason) {
  if (!state_.set_full_reason(reason)) return;
  telemetry_.sink_warning(kSpool, reason.empty() ? "the spool has room again" : "the spool has no room: " + reason);
}

void SpoolWriter::check_room() {
  state_.bytes = store_.bytes();
  if (disk_failed_) return;
  if (room() >= kMinRoom) return set_full_reason("");
  set_full_reason(state_.bytes + kMinRoom > options_.max_bytes
                      ? "it has " + std::to_string(state_.bytes) + " bytes (spool.max_bytes)"
                      : "the disk has " + std::to_string(store_.free_bytes()) + " bytes free (spool.min_free)");
}

void SpoolWriter::run_maintenance() {
  if (store_.changed_by_others()) changed_externally_ = true;
  if (changed_externally_) {
    queues_.recount(store_);
    // The numbers are exact only without records in use, so it counts again until there are none.
    changed_externally_ = queues_.has_attempts() || !removals_.empty();
  }
  disk_failed_ = false;
  store_.discard_uncertain();
  check_room();
  const auto oldest = store_.oldest_spooled_at();
  state_.oldest_spooled_at = oldest && *oldest ? **oldest : 0;
  if (const auto count = store_.set_aside_count()) state_.set_aside = *count;
  if (shrink_ && queues_.is_empty()) shrink_ = store_.shrink();
}

SpoolWriter::Clock::time_point SpoolWriter::next_run(Clock::time_point now, Clock::time_point latest) const {
  if (!queues_.is_empty() || state_.is_full() || !removals_.empty()) latest = std::min(latest, now + kRetryPause);
  for (const PendingWrite& write : waiting_) latest = std::min(latest, write.wait_until);
  return latest;
}

}  // namespace eventgate

#include "first_attempts.hpp"

#include <boost/asio/post.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handle_settlement.hpp"
#include "spool_inbox.hpp"
#include "spool_state.hpp"

namespace eventgate {

FirstAttempts::FirstAttempts(const SpoolOptions& options, Sink& kafka, SpoolInbox& inbox, const SpoolState& state,
                             Telemetry& telemetry)
    : options_(options),
      guaranteed_limit_(options.after + kafka.linger(Assurance::guaranteed)),
      hasty_limit_(options.after + kafka.linger(Assurance::hasty)),
      kafka_(kafka),
      inbox_(inbox),
      state_(state),
      telemetry_(telemetry) {}

void FirstAttempts::hand_over(const AttemptBatchPointer& batch) {
  static thread_local std::vector<Record> records;
  records.clear();
  for (FirstAttempt& attempt : batch->attempts()) {
    attempt.batch = batch.get();
    attempt.set_listener(*this);
    records.push_back(attempt.record);
    records.back().handle = &attempt;
    records.back().already_answered =
        false;  // a record that finds the queue full must wait here and not in Kafka's sink
  }
  in_flight_ += batch->size;
  intrusive_ptr_add_ref(batch.get());  // dropped with the last report
  const Clock::time_point now = Clock::now();
  batch->metadata_deadline = now + options_.warm_up;
  inbox_.add_deadline(now + (batch->assurance == Assurance::guaranteed ? guaranteed_limit_ : hasty_limit_), batch);
  kafka_.produce(records, batch->assurance);
}

void FirstAttempts::handle_settled(DeliveryHandle& handle) noexcept {
  FirstAttempt& attempt = static_cast<FirstAttempt&>(handle);
  AttemptBatch& batch = *attempt.batch;
  auto failure = attempt.take_failure();
  if (!failure) {
    if (attempt.state.exchange(FirstAttempt::ended) == FirstAttempt::copied) {
      inbox_.add_report({attempt.id, false, std::nullopt});
    } else {
      --in_flight_;
      attempt.client_handle->sink_data.partition = attempt.sink_data.partition;
      attempt.client_handle->sink_data.offset = attempt.sink_data.offset;
      settle_delivered(*attempt.client_handle, batch.assurance, telemetry_);
    }
  } else if (failure->scope == FailureScope::record || failure->scope == FailureScope::topic) {
    if (attempt.state.exchange(FirstAttempt::ended) == FirstAttempt::copied) {
      inbox_.add_report({attempt.id, false, std::move(failure)});
    } else {
      --in_flight_;
      settle_failed(*attempt.client_handle, batch.assurance, std::move(*failure), telemetry_);
    }
  } else {
    attempt.failure = std::move(failure);
    if (attempt.state.exchange(FirstAttempt::failed) == FirstAttempt::copied) {
      inbox_.add_report({attempt.id, false, std::move(attempt.failure)});
    } else if (batch.owns_texts()) {
      copy_failed(batch);
    } else if (!batch.copy_posted.exchange(true)) {
      // The client's request owns the texts, and it ends on its I/O thread.
      boost::asio::post(batch.executor, [this, pointer = AttemptBatchPointer(&batch)] {
        pointer->copy_posted = false;
        copy_failed(*pointer);
      });
    }
  }
  if (batch.unreported.fetch_sub(1, std::memory_order_acq_rel) == 1) intrusive_ptr_release(&batch);
}

/// Copies the failed attempts, and with `include_in_flight` those without a report. Runs on the batch's I/O thread,
/// unless the batch owns its texts.
void FirstAttempts::copy(AttemptBatch& batch, bool include_in_flight) {
  const bool has_room = !state_.is_full() && inbox_.has_room();
  std::vector<FirstAttempt*> sources;
  std::vector<PendingWrite> copies;
  std::vector<FirstAttempt*> lost;
  for (FirstAttempt& attempt : batch.attempts()) {
    const FirstAttempt::State state = attempt.state.load(std::memory_order_acquire);
    if (state != FirstAttempt::failed && !(include_in_flight && state == FirstAttempt::in_flight)) continue;
    const bool can_wait = attempt.record.already_answered && state == FirstAttempt::failed;
    if ((!has_room && !can_wait) || (!batch.owns_texts() && attempt.client_handle->timed_out())) {
      // An attempt in flight is copied or lost when its report comes.
      if (state == FirstAttempt::failed) lost.push_back(&attempt);
      continue;
    }
    PendingWrite& copied = copies.emplace_back();
    sources.push_back(&attempt);
    copied.record = copy_record(attempt.record, attempt.id, batch.assurance);
    copied.client_handle = attempt.client_handle;
    copied.already_answered = attempt.record.already_answered;
  }
  if (!copies.empty()) {
    inbox_.add_claimed(std::move(copies), [&](std::size_t i, PendingWrite& copied) {
      FirstAttempt& attempt = *sources[i];
      FirstAttempt::State in_flight = FirstAttempt::in_flight, failed = FirstAttempt::failed;
      if (include_in_flight && attempt.state.compare_exchange_strong(in_flight, FirstAttempt::copied)) {
        copied.attempt_in_flight = true;
      } else if (attempt.state.compare_exchange_strong(failed, FirstAttempt::ended)) {
        copied.failure = std::move(attempt.failure);
      } else {
        return false;  // delivered meanwhile
      }
      --in_flight_;
      return true;
    });
  }
  for (FirstAttempt* attempt : lost) {
    FirstAttempt::State failed = FirstAttempt::failed;
    if (!attempt->state.compare_exchange_strong(failed, FirstAttempt::ended)) continue;
    --in_flight_;
    settle_failed(*attempt->client_handle, batch.assurance, std::move(*attempt->failure), telemetry_);
  }
}

void FirstAttempts::handle_deadline(AttemptBatchPointer batch) {
  if (batch->unreported.load(std::memory_order_acquire) == 0) return;
  if (batch->owns_texts()) {
    expire(batch);
  } else {
    const IoExecutor executor = batch->executor;
    boost::asio::post(executor, [this, batch = std::move(batch)] { expire(batch); });
  }
}

void FirstAttempts::expire(const AttemptBatchPointer& batch) {
  const Clock::time_point now = Clock::now();
  if (now < batch->metadata_deadline && !state_.is_stopping() && !kafka_.not_ready_reason() &&
      prefetch_missing_metadata(*batch)) {
    inbox_.add_deadline(now + options_.after, batch);
  } else {
    copy_unreported(*batch);
  }
}

/// Asks for the metadata of the topics in flight that have none. Returns true if there are any.
bool FirstAttempts::prefetch_missing_metadata(const AttemptBatch& batch) {
  bool missing = false;
  std::string_view last_topic;
  for (const FirstAttempt& attempt : batch.attempts()) {
    if (attempt.state != FirstAttempt::in_flight) continue;
    if (!batch.owns_texts() && attempt.client_handle->timed_out()) continue;
    if (attempt.record.topic == last_topic) continue;
    last_topic = attempt.record.topic;
    const std::string topic(last_topic);
    if (kafka_.has_metadata(topic)) continue;
    kafka_.prefetch_metadata(topic);
    missing = true;
  }
  return missing;
}

}  // namespace eventgate

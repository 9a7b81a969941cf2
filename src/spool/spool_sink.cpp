#include "eventgate/spool/spool_sink.hpp"

#include <pthread.h>

#include <atomic>
#include <csignal>
#include <span>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "eventgate/telemetry/telemetry.hpp"
#include "first_attempts.hpp"
#include "handle_settlement.hpp"
#include "replayer.hpp"
#include "spool_inbox.hpp"
#include "spool_state.hpp"
#include "spool_writer.hpp"
#include "topic_queues.hpp"

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kMaintenanceInterval{1000};
constexpr milliseconds kMaxFlushTime{5000};  // for Kafka's sink to deliver its records at the stop
constexpr milliseconds kStopReserve{500};    // the end of the time to stop, for writing the rest to the store

/// The sink's threads: `produce` runs on I/O threads and FirstAttempts on any thread. Both hand work to the spool's
/// thread through the inbox. That thread alone uses the writer, the replayer and the queues.
class SpoolSink final : public Sink {
 public:
  SpoolSink(SpoolOptions options, std::unique_ptr<Sink> kafka, Telemetry& telemetry);
  ~SpoolSink() override { stop(Clock::now()); }

  std::string_view name() const override { return kafka_->name(); }
  void produce(std::span<const Record> records, Assurance assurance) override;
  bool borrows_record_text() const override { return true; }
  void prefetch_metadata(const std::string& topic) override { kafka_->prefetch_metadata(topic); }
  std::function<void()> reload() override { return kafka_->reload(); }
  std::optional<std::string> not_ready_reason() const override;
  std::optional<std::string> degraded_reason() const override;
  std::optional<std::string> overload_reason() const override;
  bool has_metadata(const std::string& topic) const override { return kafka_->has_metadata(topic); }
  milliseconds linger(Assurance assurance) const override { return kafka_->linger(assurance); }
  void stop(Clock::time_point deadline) override;

 private:
  /// The spool's thread.
  void run();
  void handle_reports(std::vector<AttemptReport> reports, Clock::time_point now);
  void run_maintenance(Clock::time_point now);
  void wait_for_first_attempts(Clock::time_point until) const;

  const SpoolOptions options_;
  const std::unique_ptr<Sink> kafka_;
  Telemetry& telemetry_;
  std::atomic<std::int64_t> next_id_{1};
  std::atomic<bool> stopped_{false};
  SpoolState state_;
  SpoolInbox inbox_;
  FirstAttempts first_attempts_;

  // The spool's thread only.
  TopicQueues queues_;
  SpoolWriter writer_;
  Replayer replayer_;
  Clock::time_point last_maintenance_{};
  std::thread thread_;
};

SpoolSink::SpoolSink(SpoolOptions options, std::unique_ptr<Sink> kafka, Telemetry& telemetry)
    : options_(std::move(options)),
      kafka_(std::move(kafka)),
      telemetry_(telemetry),
      first_attempts_(options_, *kafka_, inbox_, state_, telemetry),
      queues_(inbox_, state_, telemetry),
      writer_(options_, *kafka_, first_attempts_, queues_, inbox_, state_, telemetry),
      replayer_(options_.replay_rate, *kafka_, queues_, writer_, inbox_, state_, telemetry) {
  next_id_ = writer_.store().last_id().value() + 1;
  queues_.recount(writer_.store());
  run_maintenance(Clock::now());
  telemetry_.observe_spool([this] { return static_cast<double>(state_.records.load()); },
                           [this] { return static_cast<double>(state_.bytes.load()); },
                           [this] { return state_.oldest_age_seconds(); },
                           [this] { return static_cast<double>(state_.set_aside.load()); });
  thread_ = std::thread([this] { run(); });
}

void SpoolSink::produce(std::span<const Record> records, Assurance assurance) {
  if (records.empty()) return;
  const std::int64_t first_id =
      next_id_.fetch_add(static_cast<std::int64_t>(records.size()), std::memory_order_relaxed);
  const bool full = state_.is_full();
  std::vector<bool> queues_behind;  // whether a record waits behind others of its topic; empty if none does
  if (inbox_.has_spooled_topics()) queues_behind = inbox_.find_spooled(records);
  const bool stopping = state_.is_stopping();
  const bool refuse_all = stopping || (full && kafka_->not_ready_reason());
  const auto goes_to_kafka = [&](std::size_t i) { return !refuse_all && (queues_behind.empty() || !queues_behind[i]); };
  std::size_t attempt_count = 0;
  for (std::size_t i = 0; i < records.size(); ++i) attempt_count += goes_to_kafka(i) ? 1 : 0;
  AttemptBatchPointer attempts;
  if (attempt_count > 0) attempts = new AttemptBatch(attempt_count, assurance, records.front().handle->executor());
  std::vector<PendingWrite> writes;
  std::vector<DeliveryHandle*> refused;
  std::size_t next_attempt = 0;
  const Clock::time_point wait_until = Clock::now() + options_.after;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Record& record = records[i];
    const std::int64_t id = first_id + static_cast<std::int64_t>(i);
    if (goes_to_kafka(i)) {
      FirstAttempt& attempt = attempts->all[next_attempt++];
      attempt.client_handle = record.handle;
      attempt.record = record;
      attempt.id = id;
    } else if (stopping || ((refuse_all || full) && !record.already_answered)) {
      refused.push_back(record.handle);
    } else {
      PendingWrite& write = writes.emplace_back();
      write.record = copy_record(record, id, assurance);
      write.client_handle = record.handle;
      write.already_answered = record.already_answered;
      write.wait_until = wait_until;
    }
  }
  if (!writes.empty())
    for (const PendingWrite& write : inbox_.add(std::move(writes))) refused.push_back(write.client_handle);
  if (attempts) first_attempts_.hand_over(attempts);
  for (DeliveryHandle* handle : refused) settle_failed(*handle, assurance, state_.capacity_failure(), telemetry_);
}

std::optional<std::string> SpoolSink::not_ready_reason() const {
  return state_.is_full() ? kafka_->not_ready_reason() : std::nullopt;
}

std::optional<std::string> SpoolSink::overload_reason() const {
  if (!state_.is_full()) return std::nullopt;
  if (const auto reason = kafka_->not_ready_reason()) return *reason + "; " + state_.capacity_failure().message;
  return std::nullopt;
}

std::optional<std::string> SpoolSink::degraded_reason() const {
  std::string text;
  if (const auto reason = kafka_->not_ready_reason()) text = *reason;
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
  if (const std::size_t records = state_.records; records > 0)
    add(std::to_string(records) + " records are in the spool");
  if (state_.is_full()) add("the spool has no room: " + state_.full_reason());
  return text.empty() ? std::nullopt : std::optional(text);
}

void SpoolSink::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);

  Clock::time_point next = Clock::now();
  for (;;) {
    SpoolInbox::Work work = inbox_.wait(next);
    for (AttemptBatchPointer& batch : work.expired) first_attempts_.handle_deadline(std::move(batch));
    writer_.add(std::move(work.writes));
    handle_reports(std::move(work.reports), work.now);
    writer_.write_pending(work.now);
    if (!work.finishing) replayer_.replay(work.now);
    const Clock::time_point now = Clock::now();
    if (now - last_maintenance_ >= kMaintenanceInterval) run_maintenance(now);
    next = replayer_.next_run(now, writer_.next_run(now, now + kMaintenanceInterval));
    if (work.finishing && inbox_.is_empty()) break;
  }
}

void SpoolSink::handle_reports(std::vector<AttemptReport> reports, Clock::time_point now) {
  std::vector<AttemptReport> first_attempts;
  for (AttemptReport& report : reports) {
    if (report.is_replay) {
      replayer_.handle_report(std::move(report), now);
    } else {
      first_attempts.push_back(std::move(report));
    }
  }
  writer_.handle_first_attempts(std::move(first_attempts), now);
}

void SpoolSink::run_maintenance(Clock::time_point now) {
  last_maintenance_ = now;
  replayer_.allow_repair();
  writer_.run_maintenance();
}

void SpoolSink::wait_for_first_attempts(Clock::time_point until) const {
  while (first_attempts_.in_flight() > 0 && Clock::now() < until) std::this_thread::sleep_for(milliseconds(1));
}

void SpoolSink::stop(Clock::time_point deadline) {
  if (stopped_.exchange(true)) return;
  state_.set_stopping();
  inbox_.wake(false);
  // Each attempt is acknowledged, or copied to the store when its time is over.
  wait_for_first_attempts(deadline - kStopReserve);
  const Clock::time_point now = Clock::now();
  kafka_->stop(kafka_->not_ready_reason() ? now : std::min(deadline - kStopReserve, now + kMaxFlushTime));
  wait_for_first_attempts(std::max(deadline, now + kStopReserve));
  inbox_.wake(true);
  thread_.join();
}

}  // namespace

std::unique_ptr<Sink> make_spool_sink(SpoolOptions options, std::unique_ptr<Sink> kafka, Telemetry& telemetry) {
  return std::make_unique<SpoolSink>(std::move(options), std::move(kafka), telemetry);
}

}  // namespace eventgate

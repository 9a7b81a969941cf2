#pragma once

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "eventgate/io/deadline_timers.hpp"
#include "eventgate/io/task.hpp"

namespace eventgate {

/// What is known of an event whose produce failed: see spec "delivery".
enum class Delivery : std::uint8_t {
  not_produced,  ///< It is not in Kafka and never will be.
  unknown,       ///< It may be there now or later.
};

/// How far the failure of a record reaches, which says what sending it again is worth.
enum class FailureScope : std::uint8_t {
  transient,  ///< An outage that passes: the same record may be taken later.
  topic,      ///< The topic: it is missing or forbidden until an operator changes that.
  record,     ///< The record: Kafka will never take it.
  capacity,   ///< Queue or spool is full now: the sender should retry later.
};

/// Why a record was not delivered.
struct DeliveryFailure {
  Delivery delivery;
  std::string message;
  FailureScope scope = FailureScope::transient;
  bool denied = false;  ///< The gate has no right to produce it: sending it again is of no use until that changes.
  /// The record's value, of a hasty record that will never be taken, where the sink still has it. Else null.
  std::shared_ptr<const std::string> value = nullptr;

  /// CompletionQueue true if the same record may be taken when it is sent again.
  bool worth_retry() const noexcept { return scope != FailureScope::record && !denied; }
};

class DeliveryBatch;
class DeliveryHandle;

/// What goes on once a batch is settled that no coroutine waits for.
class CompletionHandler {
 public:
  virtual ~CompletionHandler() = default;

  /// Called once, on the batch's I/O thread, when every slot is settled.
  virtual void settled(DeliveryBatch& batch) noexcept = 0;
};

/// Who is told of a slot that belongs to no batch.
class DeliveryListener {
 public:
  /// Called once, on the thread that settles `slot`, which may be destroyed here.
  virtual void settled(DeliveryHandle& slot) noexcept = 0;

 protected:
  ~DeliveryListener() = default;
};

/// The place where the fate of one record in one sink is written.
///
/// Exactly one call of `succeed` or `fail`, on any thread; the slot must not be touched after it.
class DeliveryHandle {
 public:
  DeliveryHandle() = default;
  explicit DeliveryHandle(DeliveryListener& listener) : listener_(&listener) {}

  void succeed() noexcept;
  /// The record is on this machine's disk, from where it will be delivered.
  void acknowledge_spooled() noexcept;
  void fail(DeliveryFailure failure) noexcept;

  /// Whether its client was already answered `unknown`: a report that comes now is late.
  bool timed_out() const noexcept { return state_.load(std::memory_order_acquire) == kAbandoned; }

  /// The I/O thread that waits, of a slot of a batch. To be asked before the slot is settled.
  const IoExecutor& executor() const noexcept;

  /// For the listener: nothing if it succeeded.
  std::optional<DeliveryFailure> take_failure() noexcept { return std::move(failure_); }

  /// The sink's own, for as long as the slot is: what it must know of the record again when the report comes.
  struct Note {
    std::int64_t timestamp = 0;
    bool already_answered = false;
  } note;

 protected:
  void listen(DeliveryListener& listener) { listener_ = &listener; }

 private:
  friend class DeliveryBatch;
  static constexpr std::uint8_t kPending = 0, kSettled = 1, kAbandoned = 2;
  DeliveryBatch* batch_ = nullptr;
  DeliveryListener* listener_ = nullptr;    // instead of a batch
  std::optional<DeliveryFailure> failure_;  // in place: settling must not need memory
  bool on_disk_ = false;
  std::atomic<std::uint8_t> state_{kPending};
};

/// The deliveries of one request: made by the producer, one slot for each record and sink, waited for once.
///
/// Made and waited for on one I/O thread (exactly one `wait`, then `release`; or `on_complete`); its slots may be
/// settled anywhere. It lives until every slot is settled and it is released, so a report that comes after the deadline
/// finds it.
class DeliveryBatch : private Deadline {
 public:
  static DeliveryBatch* make(IoExecutor executor, std::size_t slots);

  DeliveryHandle& slot(std::size_t index) { return slots()[index]; }
  std::size_t size() const { return size_; }

  struct Waiting {
    bool await_ready() const noexcept { return batch.begin_wait(); }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) const noexcept {
      batch.wait_suspended(ResumeHandle(coroutine), timeout);
    }
    void await_resume() const noexcept {}
    DeliveryBatch& batch;
    std::chrono::steady_clock::duration timeout;
  };

  /// To be awaited: goes on once every slot is settled or, if `timeout` is not zero, when it is over (up to
  /// DeadlineTimers::kSweep before).
  Waiting wait(std::chrono::steady_clock::duration timeout) { return {*this, timeout}; }

  /// In place of `wait` and `release`: tells `handler` once every slot is settled, perhaps before this returns. It
  /// keeps the I/O thread's context at work until then.
  void on_complete(std::unique_ptr<CompletionHandler> handler) noexcept;

  /// After `wait`: the failure of a slot, or null if it succeeded. A slot not yet settled is abandoned: it failed with
  /// `unknown` and `timed_out`.
  const DeliveryFailure* failure(std::size_t index, const DeliveryFailure& timed_out);

  /// After `wait`, of a slot without a failure: whether `acknowledge_spooled` settled it.
  bool on_disk(std::size_t index) { return slot(index).on_disk_; }

  /// The maker's last word.
  void release() noexcept { unreference(); }

 private:
  friend class DeliveryHandle;
  class CompletionQueue;
  DeliveryBatch(IoExecutor executor, std::size_t slots);
  ~DeliveryBatch() override;
  // The slots lie behind it.
  DeliveryHandle* slots() { return reinterpret_cast<DeliveryHandle*>(this + 1); }
  void operator delete(void* memory) { ::operator delete(memory); }

  /// Whether all are settled already.
  bool begin_wait() noexcept;
  void wait_suspended(ResumeHandle coroutine, std::chrono::steady_clock::duration timeout) noexcept;
  void settled() noexcept;
  void resume_waiter();
  void expire() override { resume_waiter(); }
  void unreference() noexcept;

  IoExecutor executor_;
  CompletionQueue& completions_;
  std::size_t size_;
  std::atomic<std::size_t> unsettled_;     // slots; and one more until `wait` has begun
  std::atomic<std::uint32_t> references_;  // the unsettled slots together, and the maker
  // The maker's thread only: one of them.
  std::optional<ResumeHandle> waiter_;
  std::unique_ptr<CompletionHandler> handler_;
  DeliveryBatch* next_completed_ = nullptr;
};

inline const IoExecutor& DeliveryHandle::executor() const noexcept { return batch_->executor_; }

}  // namespace eventgate

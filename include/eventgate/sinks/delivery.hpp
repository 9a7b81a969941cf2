#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "eventgate/events/event_status.hpp"
#include "eventgate/io/deadlines.hpp"
#include "eventgate/io/task.hpp"

namespace eventgate {

/// Why a record was not delivered.
struct DeliveryFailure {
  Delivery delivery;
  std::string message;
};

class DeliveryBatch;

/// The place where the fate of one record in one sink is written.
///
/// Exactly one call of `succeed` or `fail`, on any thread; the slot must not be touched after it.
class DeliverySlot {
 public:
  void succeed() noexcept;
  void fail(DeliveryFailure failure) noexcept;

  /// Whether its client was already answered `unknown`: a report that comes now is late.
  bool abandoned() const noexcept { return state_.load(std::memory_order_acquire) == kAbandoned; }

  /// The I/O thread that waits. To be asked before the slot is settled.
  const IoExecutor& executor() const noexcept;

  /// The sink's own, for as long as the slot is: what it must know again when the report comes.
  std::int64_t note = 0;

 private:
  friend class DeliveryBatch;
  static constexpr std::uint8_t kPending = 0, kSettled = 1, kAbandoned = 2;
  DeliveryBatch* batch_ = nullptr;
  std::unique_ptr<DeliveryFailure> failure_;
  std::atomic<std::uint8_t> state_{kPending};
};

/// The deliveries of one request: made by the producer, one slot for each record and sink, waited for once.
///
/// Made and waited for on one I/O thread (exactly one `wait`, then `release`); its slots may be settled anywhere. It
/// lives until every slot is settled and `release` was called, so a report that comes after the deadline finds it.
class DeliveryBatch {
 public:
  static DeliveryBatch* make(IoExecutor executor, std::size_t slots);

  DeliverySlot& slot(std::size_t index) { return slots_[index]; }
  std::size_t size() const { return size_; }

  /// Returns once every slot is settled or, if `timeout` is not zero, when it is over (up to Deadlines::kSweep before).
  Task<void> wait(std::chrono::steady_clock::duration timeout);

  /// After `wait`: the failure of a slot, or null if it succeeded. A slot not yet settled is abandoned: it failed with
  /// `unknown` and `timed_out`.
  const DeliveryFailure* failure(std::size_t index, const DeliveryFailure& timed_out);

  /// The maker's last word.
  void release() noexcept;

 private:
  friend class DeliverySlot;
  struct Waiter;
  DeliveryBatch(IoExecutor executor, std::size_t slots);
  ~DeliveryBatch();
  void settled() noexcept;
  void resume();
  void unreference() noexcept;

  IoExecutor executor_;
  std::size_t size_;
  std::unique_ptr<DeliverySlot[]> slots_;
  std::atomic<std::size_t> unsettled_;     // slots; and one more until `wait` has begun
  std::atomic<std::uint32_t> references_;  // the unsettled slots together, and the maker
  std::unique_ptr<Waiter> waiter_;         // the maker's thread only
};

inline const IoExecutor& DeliverySlot::executor() const noexcept { return batch_->executor_; }

}  // namespace eventgate

#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

#include "eventgate/delivery/delivery_failure.hpp"
#include "eventgate/io/task.hpp"

namespace eventgate {

class DeliveryBatch;
class DeliveryHandle;

/// Is told when a handle that belongs to no batch is settled.
class DeliveryListener {
 public:
  /// Called once, on the thread that settles `handle`. May destroy `handle`.
  virtual void handle_settled(DeliveryHandle& handle) noexcept = 0;

 protected:
  ~DeliveryListener() = default;
};

/// Receives the result of one record in one sink. The sink settles it; a DeliveryBatch or a DeliveryListener reads it.
///
/// The sink calls exactly one of `succeed`, `acknowledge_spooled` and `fail`, on any thread. It must not touch the
/// handle after that.
class DeliveryHandle {
 public:
  DeliveryHandle() = default;
  /// `listener` must outlive this.
  explicit DeliveryHandle(DeliveryListener& listener) : listener_(&listener) {}

  /// The record is delivered.
  void succeed() noexcept;
  /// The record is synced to this machine's disk, and is delivered from there later.
  void acknowledge_spooled() noexcept;
  /// The record is not delivered, because of `failure`.
  void fail(DeliveryFailure failure) noexcept;

  /// Returns true if the client was already answered `unknown`, so that a report that comes now is late.
  bool timed_out() const noexcept { return state_.load(std::memory_order_acquire) == kTimedOut; }

  /// Returns the I/O thread that waits for the batch. Call it before the handle is settled, and only on a batch's
  /// handle.
  const IoExecutor& executor() const noexcept;

  /// For the listener: returns and clears the failure. Returns nullopt if the record was delivered.
  std::optional<DeliveryFailure> take_failure() noexcept { return std::move(failure_); }

  /// What the sink must still know about the record when its report comes, and where Kafka has it then. It lives as
  /// long as the handle.
  struct SinkData {
    std::int64_t timestamp = 0;
    std::int64_t offset = -1;     ///< Set before `succeed`, if Kafka said so.
    std::int32_t partition = -1;  ///< As `offset`.
    bool already_answered = false;
  };
  SinkData sink_data;

 protected:
  void set_listener(DeliveryListener& listener) { listener_ = &listener; }

 private:
  friend class DeliveryBatch;
  static constexpr std::uint8_t kPending = 0, kSettled = 1, kTimedOut = 2;
  DeliveryBatch* batch_ = nullptr;
  DeliveryListener* listener_ = nullptr;    // replaces the batch
  std::optional<DeliveryFailure> failure_;  // stored inline, because settling must not allocate
  bool spooled_ = false;
  std::atomic<std::uint8_t> state_{kPending};
};

}  // namespace eventgate

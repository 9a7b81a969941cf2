#pragma once

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>

#include "eventgate/delivery/delivery_handle.hpp"
#include "eventgate/io/deadline_timers.hpp"
#include "eventgate/io/task.hpp"

namespace eventgate {

/// Runs when a batch that no coroutine waits for is complete.
class CompletionHandler {
 public:
  virtual ~CompletionHandler() = default;

  /// Called once, on the batch's I/O thread, when every handle is settled.
  virtual void handle_completion(DeliveryBatch& batch) noexcept = 0;
};

/// The deliveries of one request: one handle for each record and sink. FanOut makes the batch, sinks settle its handles
/// on any thread, and the request's I/O thread waits for all of them once:
///
///     DeliveryBatch* batch = DeliveryBatch::make(executor, records.size());
///     for (std::size_t i = 0; i < records.size(); ++i) records[i].handle = &batch->handle(i);
///     sink.produce(records, assurance);
///     co_await batch->wait(timeout);
///     ... batch->failure(i, timed_out) ...
///     batch->release();
///
/// Use on one I/O thread, except for the handles. The batch deletes itself once `release` was called and every handle
/// is settled, so a report that comes after the timeout still finds its handle.
class DeliveryBatch : private Deadline {
 public:
  /// Makes a batch with `size` handles. The creator must call `release` or `on_complete`, exactly once.
  static DeliveryBatch* make(IoExecutor executor, std::size_t size);

  DeliveryHandle& handle(std::size_t index) { return handles()[index]; }
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

  /// Await the result, once. It resumes when every handle is settled or `timeout` has passed, whichever is first. The
  /// timeout may come up to DeadlineTimers::kSweep early. A timeout of zero waits without limit.
  Waiting wait(std::chrono::steady_clock::duration timeout) { return {*this, timeout}; }

  /// Replaces `wait` and `release`: calls `handler` once every handle is settled, perhaps before this returns. Until
  /// then the I/O thread's context counts as having work.
  void on_complete(std::unique_ptr<CompletionHandler> handler) noexcept;

  /// After `wait`: returns the failure of a handle, or null if it succeeded. A handle that is not settled is given up:
  /// it returns `&timed_out` now and on every later call.
  const DeliveryFailure* failure(std::size_t index, const DeliveryFailure& timed_out);

  /// After `wait`, for a handle without a failure: returns true if `acknowledge_spooled` settled it.
  bool is_spooled(std::size_t index) { return handle(index).spooled_; }

  /// Drops the creator's reference. Call once, after `wait` has returned.
  void release() noexcept { unreference(); }

 private:
  friend class DeliveryHandle;
  class CompletionQueue;
  DeliveryBatch(IoExecutor executor, std::size_t size);
  ~DeliveryBatch() override;
  // The handles follow this object in the same allocation.
  DeliveryHandle* handles() { return reinterpret_cast<DeliveryHandle*>(this + 1); }
  void operator delete(void* memory) { ::operator delete(memory); }

  /// Returns true if every handle is settled already.
  bool begin_wait() noexcept;
  void wait_suspended(ResumeHandle coroutine, std::chrono::steady_clock::duration timeout) noexcept;
  void count_settled() noexcept;
  void resume_waiter();
  void expire() override { resume_waiter(); }
  void unreference() noexcept;

  IoExecutor executor_;
  CompletionQueue& completions_;
  std::size_t size_;
  std::atomic<std::size_t> unsettled_;     // handles, and one more until `wait` has begun
  std::atomic<std::uint32_t> references_;  // one for all unsettled handles together, and one for the creator
  // At most one of the two is set. Used on the creator's thread only.
  std::optional<ResumeHandle> waiter_;
  std::unique_ptr<CompletionHandler> handler_;
  DeliveryBatch* next_completed_ = nullptr;
};

}  // namespace eventgate

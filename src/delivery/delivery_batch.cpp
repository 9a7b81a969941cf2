#include "eventgate/delivery/delivery_batch.hpp"

#include <boost/asio/execution_context.hpp>
#include <memory>
#include <mutex>
#include <new>
#include <type_traits>
#include <utility>

namespace eventgate {

/// Batches of one I/O thread that other threads have completed. The I/O thread wakes up once for all of them.
///
/// Thread-safe.
class DeliveryBatch::CompletionQueue : public boost::asio::execution_context::service {
 public:
  static inline boost::asio::execution_context::id id;

  explicit CompletionQueue(boost::asio::execution_context& context)
      : service(context), deadlines(boost::asio::use_service<DeadlineTimers>(context)) {}

  DeadlineTimers& deadlines;

  void add(DeliveryBatch& batch) {
    {
      const std::lock_guard lock(mutex_);
      *end_ = &batch;
      end_ = &batch.next_completed_;
      if (first_ != &batch) return;
    }
    boost::asio::post(batch.executor_, [this] {
      for (DeliveryBatch* next = take_all(); next != nullptr;) {
        DeliveryBatch& completed = *std::exchange(next, next->next_completed_);
        completed.resume_waiter();
        completed.unreference();
      }
    });
  }

 private:
  DeliveryBatch* take_all() {
    const std::lock_guard lock(mutex_);
    end_ = &first_;
    return std::exchange(first_, nullptr);
  }

  void shutdown() noexcept override {
    for (DeliveryBatch* batch = take_all(); batch != nullptr;)
      std::exchange(batch, batch->next_completed_)->unreference();
  }

  std::mutex mutex_;
  DeliveryBatch* first_ = nullptr;
  DeliveryBatch** end_ = &first_;
};

const IoExecutor& DeliveryHandle::executor() const noexcept { return batch_->executor_; }

void DeliveryHandle::succeed() noexcept {
  if (listener_ != nullptr) return listener_->handle_settled(*this);
  DeliveryBatch* batch = batch_;
  std::uint8_t state = kPending;
  state_.compare_exchange_strong(state, kSettled, std::memory_order_acq_rel);
  batch->count_settled();
}

void DeliveryHandle::acknowledge_spooled() noexcept {
  spooled_ = true;
  succeed();
}

static_assert(std::is_nothrow_move_constructible_v<DeliveryFailure>, "settling must not allocate");

void DeliveryHandle::fail(DeliveryFailure failure) noexcept {
  failure_.emplace(std::move(failure));
  succeed();
}

DeliveryBatch* DeliveryBatch::make(IoExecutor executor, std::size_t size) {
  static_assert(alignof(DeliveryHandle) <= alignof(DeliveryBatch) &&
                sizeof(DeliveryBatch) % alignof(DeliveryHandle) == 0);
  void* const memory = ::operator new(sizeof(DeliveryBatch) + size * sizeof(DeliveryHandle));
  return new (memory) DeliveryBatch(std::move(executor), size);
}

DeliveryBatch::DeliveryBatch(IoExecutor executor, std::size_t size)
    : executor_(std::move(executor)),
      completions_(boost::asio::use_service<CompletionQueue>(executor_.context())),
      size_(size),
      unsettled_(size + 1),
      references_(2) {
  for (std::size_t i = 0; i < size; ++i) (new (&handle(i)) DeliveryHandle())->batch_ = this;
}

DeliveryBatch::~DeliveryBatch() { std::destroy_n(handles(), size_); }

void DeliveryBatch::count_settled() noexcept {
  if (unsettled_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (!executor_.running_in_this_thread()) return completions_.add(*this);
  resume_waiter();
  unreference();
}

void DeliveryBatch::resume_waiter() {
  if (std::unique_ptr<CompletionHandler> handler = std::move(handler_)) {
    const IoExecutor executor = executor_;
    handler->handle_completion(*this);
    release();
    handler.reset();
    executor.on_work_finished();
    return;
  }
  if (!waiter_) return;  // the timeout was first
  cancel();
  ResumeHandle waiter = *std::move(waiter_);
  waiter_.reset();
  waiter.resume();
}

bool DeliveryBatch::begin_wait() noexcept {
  if (unsettled_.fetch_sub(1, std::memory_order_acq_rel) != 1) return false;
  unreference();
  return true;
}

void DeliveryBatch::wait_suspended(ResumeHandle coroutine, std::chrono::steady_clock::duration timeout) noexcept {
  // Other threads complete the batch through this thread's queue, so it runs after this line and finds the waiter.
  waiter_.emplace(std::move(coroutine));
  if (timeout.count() > 0) completions_.deadlines.set(*this, timeout);
}

void DeliveryBatch::on_complete(std::unique_ptr<CompletionHandler> handler) noexcept {
  handler_ = std::move(handler);
  executor_.on_work_started();
  if (begin_wait()) resume_waiter();
}

const DeliveryFailure* DeliveryBatch::failure(std::size_t index, const DeliveryFailure& timed_out) {
  DeliveryHandle& handle = this->handle(index);
  std::uint8_t state = DeliveryHandle::kPending;
  if (handle.state_.compare_exchange_strong(state, DeliveryHandle::kTimedOut, std::memory_order_acq_rel))
    return &timed_out;
  if (state == DeliveryHandle::kTimedOut) return &timed_out;
  return handle.failure_ ? &*handle.failure_ : nullptr;
}

void DeliveryBatch::unreference() noexcept {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

}  // namespace eventgate

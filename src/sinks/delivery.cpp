#include "eventgate/sinks/delivery.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace eventgate {

/// The suspended `wait`.
struct DeliveryBatch::Waiter : Deadline {
  virtual void resume() = 0;
  DeliveryBatch* batch = nullptr;
  void expire() override { batch->resume(); }
};

void DeliverySlot::succeed() noexcept {
  if (listener_ != nullptr) return listener_->settled(*this);
  DeliveryBatch* batch = batch_;
  std::uint8_t state = kPending;
  state_.compare_exchange_strong(state, kSettled, std::memory_order_acq_rel);
  batch->settled();
}

void DeliverySlot::succeed_on_disk() noexcept {
  on_disk_ = true;
  succeed();
}

void DeliverySlot::fail(DeliveryFailure failure) noexcept {
  failure_ = std::make_unique<DeliveryFailure>(std::move(failure));
  succeed();
}

DeliveryBatch* DeliveryBatch::make(IoExecutor executor, std::size_t slots) {
  return new DeliveryBatch(std::move(executor), slots);
}

DeliveryBatch::DeliveryBatch(IoExecutor executor, std::size_t slots)
    : executor_(std::move(executor)),
      size_(slots),
      slots_(std::make_unique<DeliverySlot[]>(slots)),
      unsettled_(slots + 1),
      references_(2) {
  for (std::size_t i = 0; i < slots; ++i) slots_[i].batch_ = this;
}

DeliveryBatch::~DeliveryBatch() = default;

void DeliveryBatch::settled() noexcept {
  if (unsettled_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  struct Reference {
    void operator()(DeliveryBatch* batch) const { batch->unreference(); }
  };
  boost::asio::dispatch(executor_, [batch = std::unique_ptr<DeliveryBatch, Reference>(this)] { batch->resume(); });
}

void DeliveryBatch::resume() {
  if (!waiter_) return;  // the deadline was first
  const std::unique_ptr<Waiter> waiter = std::move(waiter_);
  waiter->cancel();
  waiter->resume();
}

Task<void> DeliveryBatch::wait(std::chrono::steady_clock::duration timeout) {
  if (unsettled_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    unreference();
    co_return;
  }
  // Whoever settles the last slot from now on gets to this thread by its queue, so it finds the waiter.
  const auto initiate = [this, timeout](auto&& handler) {
    using Handler = std::decay_t<decltype(handler)>;
    struct WaiterWithHandler final : Waiter {
      explicit WaiterWithHandler(Handler&& h) : handler(std::move(h)) {}
      void resume() override { std::move(handler)(); }
      Handler handler;
    };
    waiter_ = std::make_unique<WaiterWithHandler>(std::forward<decltype(handler)>(handler));
    waiter_->batch = this;
    if (timeout.count() > 0) boost::asio::use_service<Deadlines>(executor_.context()).set(*waiter_, timeout);
  };
  using Token = boost::asio::use_awaitable_t<IoExecutor>;
  co_await boost::asio::async_initiate<const Token, void()>(initiate, Token());
}

const DeliveryFailure* DeliveryBatch::failure(std::size_t index, const DeliveryFailure& timed_out) {
  DeliverySlot& slot = slots_[index];
  std::uint8_t state = DeliverySlot::kPending;
  if (slot.state_.compare_exchange_strong(state, DeliverySlot::kAbandoned, std::memory_order_acq_rel))
    return &timed_out;
  return state == DeliverySlot::kAbandoned ? &timed_out : slot.failure_.get();
}

void DeliveryBatch::release() noexcept { unreference(); }

void DeliveryBatch::unreference() noexcept {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

}  // namespace eventgate

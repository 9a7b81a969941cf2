#include "eventgate/gate/schema_loads.hpp"

#include <atomic>
#include <boost/asio/post.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "eventgate/io/deadline_timers.hpp"

namespace eventgate {
namespace {

/// Returns a number for a request that loads schemas, by which the repository lets requests take turns. 0 stands for
/// the repository itself.
std::uint64_t next_request() {
  static std::atomic<std::uint64_t> requests{0};
  return requests.fetch_add(1, std::memory_order_relaxed) + 1;
}

/// The schema loads of one request. Every load in flight holds a shared_ptr to it.
class RequestLoads final : public Deadline, public std::enable_shared_from_this<RequestLoads> {
 public:
  RequestLoads(SchemaRepository& schemas, std::vector<std::string> uris, const IoExecutor& executor,
               std::function<void(std::size_t, SchemaResult)> loaded, ResumeHandle suspended)
      : schemas_(schemas),
        uris_(std::move(uris)),
        executor_(executor),
        loaded_(std::move(loaded)),
        is_done_(uris_.size()),
        suspended_(std::move(suspended)) {}

  void start(std::chrono::milliseconds timeout) {
    boost::asio::use_service<DeadlineTimers>(executor_.context()).set(*this, timeout);
    for (std::size_t i = 0; i < kMaxLoadsOfRequest; ++i) load_next();
  }

  void expire() override {
    // Keeps this alive until the waiting request is resumed.
    const auto self = shared_from_this();
    for (std::size_t i = 0; i < uris_.size(); ++i) {
      if (!is_done_[i]) loaded_(i, SchemaFailure{"it was not loaded within request_timeout"});
    }
    finish();
  }

 private:
  void load_next() {
    if (next_ == uris_.size()) return;
    const std::size_t index = next_++;
    schemas_.load(
        uris_[index],
        [self = shared_from_this(), index](SchemaResult result) {
          // The executor is copied, because the posted function may drop the last reference before `post` returns.
          const IoExecutor executor = self->executor_;
          boost::asio::post(
              executor, [self, index, result = std::move(result)]() mutable { self->store(index, std::move(result)); });
        },
        request_);
  }

  void store(std::size_t index, SchemaResult result) {
    if (!suspended_) return;
    is_done_[index] = true;
    loaded_(index, std::move(result));
    if (++done_count_ == uris_.size()) return finish();
    load_next();
  }

  void finish() {
    cancel();
    ResumeHandle waiting = *std::move(suspended_);
    suspended_.reset();
    waiting.resume();
  }

  SchemaRepository& schemas_;
  const std::vector<std::string> uris_;
  const IoExecutor executor_;
  const std::function<void(std::size_t, SchemaResult)> loaded_;
  const std::uint64_t request_ = next_request();
  std::vector<bool> is_done_;
  std::size_t next_ = 0;
  std::size_t done_count_ = 0;
  std::optional<ResumeHandle> suspended_;  // nullopt once it was resumed
};

}  // namespace

void load_schemas(SchemaRepository& schemas, std::vector<std::string> uris, std::chrono::milliseconds timeout,
                  const IoExecutor& executor, std::function<void(std::size_t, SchemaResult)> loaded,
                  ResumeHandle suspended) {
  if (uris.empty()) {
    // `suspended` must not be resumed before the suspension has returned.
    boost::asio::post(executor, [waiting = std::move(suspended)]() mutable { waiting.resume(); });
    return;
  }
  std::make_shared<RequestLoads>(schemas, std::move(uris), executor, std::move(loaded), std::move(suspended))
      ->start(timeout);
}

}  // namespace eventgate

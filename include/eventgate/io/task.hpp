#pragma once

#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

// Coroutines of the I/O threads.
//
//     Task<std::size_t> copy(ConnectionSocket& socket);   // starts when it is awaited
//     Task<void> serve(ConnectionSocket& socket) { log_size(co_await copy(socket)); }
//     spawn(executor, serve(socket));                     // starts a task that no coroutine awaits

namespace eventgate {

/// The executor of an I/O thread. The type is concrete because `any_io_executor` costs a third of a small request.
using IoExecutor = boost::asio::io_context::executor_type;

/// Allocates and frees the memory of a coroutine's frame. Each thread keeps freed frames for its next coroutines.
/// Thread-safe.
void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size) noexcept;

/// The part of a coroutine's promise that does not depend on its result.
struct TaskPromise {
  std::coroutine_handle<> awaiting = nullptr;  ///< Resumed when this one ends. Null: this one has not suspended yet.
  std::coroutine_handle<> spawned = nullptr;   ///< The outermost coroutine, which owns all frames between it and this.
  boost::asio::io_context* context = nullptr;

  std::suspend_always initial_suspend() const noexcept { return {}; }
  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }
};

/// A suspended coroutine. Resume it once, on its I/O thread. If the handle is destroyed instead, the coroutine and all
/// coroutines that await it are destroyed with their locals.
class ResumeHandle {
 public:
  template <typename Promise>
  explicit ResumeHandle(std::coroutine_handle<Promise> coroutine)
      : coroutine_(coroutine), spawned_(coroutine.promise().spawned) {}
  ResumeHandle(ResumeHandle&& other) noexcept
      : coroutine_(std::exchange(other.coroutine_, nullptr)), spawned_(other.spawned_) {}
  ResumeHandle& operator=(ResumeHandle&&) = delete;
  ~ResumeHandle() {
    if (coroutine_) spawned_.destroy();
  }

  void resume() { std::exchange(coroutine_, nullptr).resume(); }

 private:
  std::coroutine_handle<> coroutine_;
  std::coroutine_handle<> spawned_;
};

/// A coroutine of an I/O thread that returns a T. It starts when it is awaited, and is awaited once. A task that never
/// suspends costs a call and an allocation; Asio's `awaitable` costs much more, so it is not used.
///
/// A task that has suspended resumes its caller when it ends, on the same stack. So the stack grows with the depth of
/// nested tasks, not with the number of suspensions. The code nests at most 8: no task awaits itself, and none nests as
/// deep as a client asks for. The tests nest 1000.
///
/// Use on one I/O thread.
template <typename T>
class [[nodiscard]] Task {
  struct Ended {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      if (const std::coroutine_handle<> awaiting = ended.promise().awaiting) awaiting.resume();
    }
    void await_resume() const noexcept {}
  };

  struct PromiseBase : TaskPromise {
    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(static_cast<promise_type&>(*this)));
    }
    Ended final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { failure = std::current_exception(); }
    std::exception_ptr failure;
  };
  struct PromiseOfValue : PromiseBase {
    template <typename U>
    void return_value(U&& result) {
      value.emplace(std::forward<U>(result));
    }
    std::optional<T> value;
  };
  struct PromiseOfNothing : PromiseBase {
    void return_void() const noexcept {}
  };

 public:
  struct promise_type : std::conditional_t<std::is_void_v<T>, PromiseOfNothing, PromiseOfValue> {};

  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }

  struct Awaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    bool await_suspend(std::coroutine_handle<Promise> awaiting) {
      TaskPromise& promise = coroutine.promise();
      promise.spawned = awaiting.promise().spawned;
      promise.context = awaiting.promise().context;
      coroutine.resume();
      if (coroutine.done()) return false;
      promise.awaiting = awaiting;
      return true;
    }
    T await_resume() {
      if (coroutine.promise().failure) std::rethrow_exception(std::move(coroutine.promise().failure));
      if constexpr (!std::is_void_v<T>) return *std::move(coroutine.promise().value);
    }
    std::coroutine_handle<promise_type> coroutine;
  };
  Awaiter operator co_await() const noexcept { return {coroutine_}; }

 private:
  explicit Task(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
  std::coroutine_handle<promise_type> coroutine_;
};

template <typename Start>
struct Suspension {
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  void await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
    start(ResumeHandle(coroutine));
  }
  void await_resume() const noexcept {}
  Start start;
};

/// `co_await suspend_with(start)` calls `start` with a ResumeHandle, and suspends until that is resumed. It must not be
/// resumed before `start` returns. `start` must not throw.
template <typename Start>
Suspension<Start> suspend_with(Start start) {
  return {std::move(start)};
}

/// `co_await ThisExecutor()` returns the executor of the coroutine's I/O thread.
struct ThisExecutor {
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
    context = coroutine.promise().context;
    return false;
  }
  IoExecutor await_resume() const noexcept { return context->get_executor(); }
  boost::asio::io_context* context = nullptr;
};

/// The outermost coroutine, which no coroutine awaits. Only `spawn` makes one.
struct SpawnedTask {
  struct promise_type : TaskPromise {
    std::optional<boost::asio::executor_work_guard<IoExecutor>> work;
    SpawnedTask get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept {}
  };
  std::coroutine_handle<promise_type> coroutine;
};

template <typename Make>
void spawn_made(const IoExecutor& executor, Make make) {
  const std::coroutine_handle<SpawnedTask::promise_type> coroutine = make().coroutine;
  SpawnedTask::promise_type& promise = coroutine.promise();
  promise.spawned = coroutine;
  promise.context = &executor.context();
  promise.work.emplace(executor);
  boost::asio::dispatch(executor, [begin = ResumeHandle(coroutine)]() mutable { begin.resume(); });
}

/// Runs `task` on the I/O thread of `executor`; at once if the caller runs on it. An exception ends the task and is
/// dropped. Thread-safe.
inline void spawn(const IoExecutor& executor, Task<void> task) {
  spawn_made(executor, [&task] { return [](Task<void> all) -> SpawnedTask { co_await all; }(std::move(task)); });
}

/// Runs `task`, and then posts `done(std::exception_ptr)` to the executor, or `done(std::exception_ptr, T)` if the task
/// returns a T. T must have a default constructor. Thread-safe.
template <typename T, typename Done>
void spawn(const IoExecutor& executor, Task<T> task, Done done) {
  const auto run = [](IoExecutor on, Task<T> all, Done then) -> SpawnedTask {
    std::exception_ptr failure;
    if constexpr (std::is_void_v<T>) {
      try {
        co_await all;
      } catch (...) {
        failure = std::current_exception();
      }
      boost::asio::post(on, [then = std::move(then), failure]() mutable { then(failure); });
    } else {
      T result{};
      try {
        result = co_await all;
      } catch (...) {
        failure = std::current_exception();
      }
      boost::asio::post(on, [then = std::move(then), failure, result = std::move(result)]() mutable {
        then(failure, std::move(result));
      });
    }
  };
  spawn_made(executor, [&] { return run(executor, std::move(task), std::move(done)); });
}

}  // namespace eventgate

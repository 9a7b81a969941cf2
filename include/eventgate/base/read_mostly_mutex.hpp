#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>

namespace eventgate {

/// A shared mutex for data that is read with every event and written rarely. Each thread reads under a mutex of its
/// own, so readers do not contend for a cache line. A writer locks all of them.
///
/// Meets the requirements of SharedMutex that std::shared_lock and std::lock_guard need. Thread-safe. A thread must not
/// lock it twice.
class ReadMostlyMutex {
 public:
  void lock_shared() { slots_[slot_index()].mutex.lock(); }
  void unlock_shared() { slots_[slot_index()].mutex.unlock(); }
  void lock() {
    for (Slot& slot : slots_) slot.mutex.lock();
  }
  void unlock() {
    for (Slot& slot : slots_) slot.mutex.unlock();
  }

 private:
  static std::size_t slot_index() {
    static std::atomic<std::size_t> thread_count{0};
    thread_local const std::size_t index = thread_count.fetch_add(1, std::memory_order_relaxed) % kSlots;
    return index;
  }

  /// More threads than this share slots, which costs contention only.
  static constexpr std::size_t kSlots = 16;
  /// Aligned to a cache line (64 bytes).
  struct alignas(64) Slot {
    std::mutex mutex;
  };
  std::array<Slot, kSlots> slots_;
};

}  // namespace eventgate

#include "eventgate/io/task.hpp"

#include <array>
#include <cstdint>
#include <new>

// Without the pool, a sanitizer sees the lifetime of each frame.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EVENTGATE_POOLS_FRAMES 0
#else
#define EVENTGATE_POOLS_FRAMES 1
#endif

namespace eventgate {

#if EVENTGATE_POOLS_FRAMES

namespace {

constexpr std::size_t kSizeStep = 128;          // bytes between two sizes of frames
constexpr std::size_t kSizes = 16;              // larger frames, above 2 KB, are not pooled
constexpr std::uint32_t kMaxFramesOfSize = 64;  // of a thread

/// The freed frames of a thread. It has no destructor, because frames may be freed after the thread's other variables.
struct FramePool {
  struct Free {
    Free* next;
  };
  std::array<Free*, kSizes> first;
  std::array<std::uint32_t, kSizes> count;
  bool ended;
};
thread_local constinit FramePool frames{};

/// Frees the pool when the thread ends.
struct FramePoolEnd {
  bool used = false;
  ~FramePoolEnd() {
    frames.ended = true;
    for (FramePool::Free* free : frames.first)
      while (free) ::operator delete(std::exchange(free, free->next));
    frames.first = {};
  }
};
thread_local FramePoolEnd frames_end;

}  // namespace

void* allocate_frame(std::size_t size) {
  const std::size_t index = (size - 1) / kSizeStep;
  if (index >= kSizes) return ::operator new(size);
  FramePool::Free* const free = frames.first[index];
  if (!free) return ::operator new((index + 1) * kSizeStep);
  frames.first[index] = free->next;
  --frames.count[index];
  return free;
}

void free_frame(void* frame, std::size_t size) noexcept {
  const std::size_t index = (size - 1) / kSizeStep;
  if (index >= kSizes || frames.count[index] == kMaxFramesOfSize || frames.ended) return ::operator delete(frame);
  frames_end.used = true;
  frames.first[index] = new (frame) FramePool::Free{frames.first[index]};
  ++frames.count[index];
}

#else

void* allocate_frame(std::size_t size) { return ::operator new(size); }
void free_frame(void* frame, std::size_t) noexcept { ::operator delete(frame); }

#endif

}  // namespace eventgate

#include "eventgate/io/task.hpp"

#include <array>
#include <cstdint>
#include <new>

// Sanitizers are to see each frame come and go.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EVENTGATE_KEEPS_FRAMES 0
#else
#define EVENTGATE_KEEPS_FRAMES 1
#endif

namespace eventgate {

#if EVENTGATE_KEEPS_FRAMES

namespace {

constexpr std::size_t kStep = 128;      // bytes between two sizes that are kept
constexpr std::size_t kSizes = 16;      // frames larger than all of them are not kept
constexpr std::uint32_t kMaxKept = 64;  // of a size

/// Frames that were given back. Without a destructor: some may be given after those of the thread's other variables.
struct Frames {
  struct Free {
    Free* next;
  };
  std::array<Free*, kSizes> first;
  std::array<std::uint32_t, kSizes> kept;
  bool ended;
};
thread_local constinit Frames frames{};

struct FramesEnd {
  bool used = false;
  ~FramesEnd() {
    frames.ended = true;
    for (Frames::Free* free : frames.first)
      while (free) ::operator delete(std::exchange(free, free->next));
    frames.first = {};
  }
};
thread_local FramesEnd frames_end;

}  // namespace

void* take_frame(std::size_t size) {
  const std::size_t place = (size - 1) / kStep;
  if (place >= kSizes) return ::operator new(size);
  Frames::Free* const free = frames.first[place];
  if (!free) return ::operator new((place + 1) * kStep);
  frames.first[place] = free->next;
  --frames.kept[place];
  return free;
}

void give_frame(void* frame, std::size_t size) noexcept {
  const std::size_t place = (size - 1) / kStep;
  if (place >= kSizes || frames.kept[place] == kMaxKept || frames.ended) return ::operator delete(frame);
  frames_end.used = true;
  frames.first[place] = new (frame) Frames::Free{frames.first[place]};
  ++frames.kept[place];
}

#else

void* take_frame(std::size_t size) { return ::operator new(size); }
void give_frame(void* frame, std::size_t) noexcept { ::operator delete(frame); }

#endif

}  // namespace eventgate

#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace eventgate {

/// The bytes of everything in flight, and their bound `max_inflight_bytes`: requests, replies that are not sent yet,
/// and the gate's own events until their delivery is known.
///
/// Thread-safe.
class InflightBytes {
 public:
  explicit InflightBytes(std::size_t max) : max_(max) {}

  /// Returns false, and takes nothing, if the bytes would then exceed `max`.
  bool take(std::size_t bytes, std::size_t max) {
    if (bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= max) return true;
    give(bytes);
    return false;
  }
  /// Takes `bytes`, beyond the bound if need be. `take` then fails until enough is given back.
  void take_anyway(std::size_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void give(std::size_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::size_t size() const { return bytes_.load(std::memory_order_relaxed); }
  std::size_t max() const { return max_; }

 private:
  const std::size_t max_;
  std::atomic<std::size_t> bytes_{0};
};

/// One holder's part of the bytes in flight. Its destructor gives it back.
///
/// Use from one thread at a time. The InflightBytes must outlive it.
class InflightReservation {
 public:
  explicit InflightReservation(InflightBytes& all) : InflightReservation(all, all.max()) {}
  /// A share that grows only while all bytes in flight stay within `max`, which leaves the rest to others.
  InflightReservation(InflightBytes& all, std::size_t max) : all_(&all), max_(max) {}
  InflightReservation(InflightReservation&& other) noexcept
      : all_(other.all_), max_(other.max_), size_(std::exchange(other.size_, 0)) {}
  InflightReservation(const InflightReservation&) = delete;
  InflightReservation& operator=(InflightReservation&&) = delete;
  ~InflightReservation() {
    if (size_ > 0) all_->give(size_);
  }

  /// Makes this share `bytes` large. Returns false, and leaves it as it was, if that exceeds the bound.
  bool resize(std::size_t bytes) {
    if (bytes > size_) {
      if (!all_->take(bytes - size_, max_)) return false;
    } else if (bytes < size_) {
      all_->give(size_ - bytes);
    }
    size_ = bytes;
    return true;
  }

  /// Makes this share `bytes` large, beyond the bound if need be.
  void resize_anyway(std::size_t bytes) {
    if (bytes > size_) {
      all_->take_anyway(bytes - size_);
    } else if (bytes < size_) {
      all_->give(size_ - bytes);
    }
    size_ = bytes;
  }

  std::size_t size() const { return size_; }

 private:
  InflightBytes* all_;
  std::size_t max_;
  std::size_t size_ = 0;
};

/// Bytes counted for `events` events that have `text` bytes together: the text, its parsed nodes, and what an event
/// takes however short it is (its record, its delivery, its status).
constexpr std::size_t inflight_weight(std::size_t text, std::size_t events) {
  constexpr std::size_t kTexts = 2;
  constexpr std::size_t kEvent = 300;
  return kTexts * text + kEvent * events;
}

}  // namespace eventgate

#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace eventgate {

/// The bytes in flight and their bound `max_inflight_bytes`: requests, responses that are not sent yet, and the gate's
/// own events until their delivery is known.
///
/// Thread-safe.
class InflightBytes {
 public:
  explicit InflightBytes(std::size_t max) : max_(max) {}

  /// Adds `bytes`. Returns false, and adds nothing, if the sum would exceed `max`.
  bool take(std::size_t bytes, std::size_t max) {
    if (bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= max) return true;
    give(bytes);
    return false;
  }
  /// Adds `bytes`, even beyond the bound.
  void take_anyway(std::size_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void give(std::size_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::size_t size() const { return bytes_.load(std::memory_order_relaxed); }
  std::size_t max() const { return max_; }

 private:
  const std::size_t max_;
  std::atomic<std::size_t> bytes_{0};
};

/// One holder's part of the bytes in flight. The destructor releases it.
///
/// Use from one thread at a time. The InflightBytes must outlive this.
class InflightReservation {
 public:
  explicit InflightReservation(InflightBytes& all) : InflightReservation(all, all.max()) {}
  /// Makes a reservation that grows only while all bytes in flight stay within `max`. The rest is left to others.
  InflightReservation(InflightBytes& all, std::size_t max) : all_(&all), max_(max) {}
  InflightReservation(InflightReservation&& other) noexcept
      : all_(other.all_), max_(other.max_), size_(std::exchange(other.size_, 0)) {}
  InflightReservation(const InflightReservation&) = delete;
  InflightReservation& operator=(InflightReservation&&) = delete;
  ~InflightReservation() {
    if (size_ > 0) all_->give(size_);
  }

  /// Sets the size of this reservation. Returns false, and leaves it as it was, if that exceeds the bound.
  bool resize(std::size_t bytes) {
    if (bytes > size_) {
      if (!all_->take(bytes - size_, max_)) return false;
    } else if (bytes < size_) {
      all_->give(size_ - bytes);
    }
    size_ = bytes;
    return true;
  }

  /// Sets the size of this reservation, even beyond the bound.
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

/// Returns the bytes that `events` events of `text` bytes together count: the text, its parsed nodes, and the record,
/// delivery and status of each event.
constexpr std::size_t inflight_weight(std::size_t text, std::size_t events) {
  constexpr std::size_t kBytesPerTextByte = 2;  // the text, and nodes of the same size
  constexpr std::size_t kBytesPerEvent = 300;   // record, delivery and status
  return kBytesPerTextByte * text + kBytesPerEvent * events;
}

}  // namespace eventgate

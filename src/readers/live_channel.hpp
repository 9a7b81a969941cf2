#pragma once

#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "eventgate/readers/stream_request.hpp"
#include "reader_positions.hpp"
#include "stream_text.hpp"

namespace eventgate {

class StreamMetrics;

/// What the live readers of one subscription on one thread are sent: the frames of its topics in the order in which
/// they came, each with the id behind it, made once for all of them. Readers hold the number of the next entry.
///
/// Use on one thread.
class LiveChannel {
 public:
  /// Bytes of entries that are kept for readers who do not take them. Who falls further behind reads the ring.
  static constexpr std::size_t kWindow = std::size_t{1} << 20;

  LiveChannel(std::shared_ptr<const StreamRequest> request, StreamText text, ReaderPositions positions,
              StreamMetrics& metrics);

  const StreamRequest& request() const { return *request_; }
  const ReaderPositions& positions() const { return positions_; }
  /// The number of the next entry.
  std::uint64_t head() const { return first_ + entries_.size(); }
  /// The number of the oldest entry that is kept.
  std::uint64_t first() const { return first_; }

  /// Adds an item of topic number `topic`. Returns true if there is something to send.
  bool add(std::size_t topic, const RingItem& item);

  /// Returns the number of the first entry in the window.
  std::uint64_t window_begin() const;
  /// Drops all entries before number `from`.
  void drop_before(std::uint64_t from);

  /// The positions of a reader whose next entry is number `at`, which is kept.
  ReaderPositions positions_at(std::uint64_t at) const;

  /// The bytes of up to some 100 entries from number `from` on. Valid until the channel changes.
  struct Batch {
    std::vector<iovec> parts;
    std::vector<std::size_t> ends;  ///< Behind each entry: bytes from the begin of the batch.
    std::uint64_t from = 0;
    std::uint64_t until = 0;
    std::size_t events = 0;
    bool full = false;  ///< There are entries behind it.
    std::size_t bytes() const { return ends.empty() ? 0 : ends.back(); }
  };
  const Batch& batch(std::uint64_t from);

  /// Copies what of entry number `at` lies behind its first `sent` bytes.
  void append_rest(std::string& out, std::uint64_t at, std::size_t sent) const;

 private:
  struct Entry {
    std::string before;  // also the whole text of a gap
    RingItem item;
    std::size_t topic;
    bool sends_frame;
    std::size_t size;
  };

  bool is_visible(const Frame& frame);

  const std::shared_ptr<const StreamRequest> request_;
  const StreamText text_;
  ReaderPositions positions_;       // behind the last entry
  ReaderPositions base_positions_;  // before the first entry
  StreamMetrics& metrics_;
  std::deque<Entry> entries_;
  std::uint64_t first_ = 0;
  std::size_t bytes_ = 0;
  Batch batch_;
};

/// Returns true if a reader with `request` is sent `frame`, which is not skipped. Thread-safe.
bool is_visible(const StreamRequest& request, const Frame& frame);

}  // namespace eventgate

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "eventgate/readers/redaction.hpp"
#include "eventgate/source/record_source.hpp"
#include "topic_ring.hpp"

namespace eventgate {

class StreamMetrics;

/// Fills the rings of all topics that have readers: it follows their ends and makes each record a frame, once. One
/// thread does it for all of them. A topic that had no reader for a minute is not followed any more.
///
/// A ring begins at the end of its topic. When the first reader asks for something before that, `fill` reads what fits
/// into the ring, so that readers who come back after a restart find their places in it.
///
/// Thread-safe.
class RingFeeder {
 public:
  using FindRules = std::function<std::shared_ptr<const RedactionRules>(const std::string& topic)>;

  /// `find_rules` must be thread-safe. `source` and `metrics` must outlive this.
  RingFeeder(RecordSource& source, StreamMetrics& metrics, std::size_t stream_buffer, FindRules find_rules);
  ~RingFeeder();

  /// Returns the ring of `topic`. Makes it if there is none; then it begins with the last record of each partition of
  /// `bounds`. Keep the pointer as long as the ring is used.
  std::shared_ptr<TopicRing> ring(const std::string& topic, const TopicBounds& bounds);

  /// Makes the ring of a partition have the record at `offset`, if it can: it reads older records once, or waits for
  /// those that a new ring reads first. Blocks until `deadline` at most.
  void fill(const PartitionId& id, std::int64_t offset, RecordSource::Deadline deadline);

  /// Returns the ring of `topic` if there is one, or null.
  std::shared_ptr<TopicRing> find(const std::string& topic);

  /// Returns what is removed from the events of `topic` now.
  std::shared_ptr<const RedactionRules> rules(const std::string& topic) const { return find_rules_(topic); }

  /// The rules may have changed. Drops the items that were made by rules that do not hold any more: from now on no ring
  /// has one. Returns the topics of these rings.
  std::vector<std::string> change_rules();

  /// Ends the thread. The rings stay as they are.
  void stop();

 private:
  struct Feed {
    std::shared_ptr<TopicRing> ring;
    std::shared_ptr<const RedactionRules> rules;
    std::unique_ptr<RecordTail> tail;  // the thread's, once it is there
    std::shared_ptr<bool> readable =
        std::make_shared<bool>(true);  // under wake_mutex_; outlives the feed in a callback
    std::chrono::steady_clock::time_point made_at;
    std::chrono::steady_clock::time_point used_at;
    std::vector<PartitionBounds> bounds;  // when it was made
    enum class LookBack : std::uint8_t { none, running, done } look_back = LookBack::none;
  };

  using FeedWithRules = std::pair<std::shared_ptr<Feed>, std::shared_ptr<const RedactionRules>>;

  void run();
  void mark_readable(bool& readable);
  bool await_readable();
  std::vector<FeedWithRules> take_readable();
  bool feed(Feed& feed, std::shared_ptr<const RedactionRules> rules);
  void drop_unused();
  void count_skipped(const std::string& topic, std::span<const RingItem> items);
  void look_back(Feed& feed, RecordSource::Deadline deadline);
  void prepend(Feed& feed, std::span<const TopicRing::Older> parts, std::span<const SourceRecord* const> records);
  std::vector<SourceRecord> read_back(TopicRing::Older& part, const std::string& topic, std::size_t max_bytes,
                                      RecordSource::Deadline deadline);

  RecordSource& source_;
  StreamMetrics& metrics_;
  const std::size_t stream_buffer_;
  const FindRules find_rules_;

  std::mutex mutex_;  // of the feeds; the source may be called while it is held
  std::map<std::string, std::shared_ptr<Feed>> feeds_;
  std::condition_variable looked_back_;  // with mutex_
  std::mutex wake_mutex_;  // of the flags; `on_readable` takes it alone, because the source may hold its own locks then
  std::condition_variable wake_;
  bool any_readable_ = false;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace eventgate

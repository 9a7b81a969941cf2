#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
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
/// Thread-safe.
class RingFeeder {
 public:
  using FindRules = std::function<std::shared_ptr<const RedactionRules>(const std::string& topic)>;

  /// Records behind the position of the first reader with which a ring begins, so that other readers who come back find
  /// theirs in it.
  static constexpr std::int64_t kLookBack = 10'000;

  /// `find_rules` must be thread-safe. `source` and `metrics` must outlive this.
  RingFeeder(RecordSource& source, StreamMetrics& metrics, std::size_t stream_buffer, FindRules find_rules);
  ~RingFeeder();

  /// Returns the ring of `topic`. Makes it if there is none; then it begins near `wanted`, which are the positions of a
  /// reader in the partitions of `bounds`. Keep the pointer as long as the ring is used.
  std::shared_ptr<TopicRing> ring(const std::string& topic, const TopicBounds& bounds,
                                  std::span<const PartitionOffset> wanted);

  /// Returns the ring of `topic` if there is one, or null.
  std::shared_ptr<TopicRing> find(const std::string& topic);

  /// Returns what is removed from the events of `topic` now.
  std::shared_ptr<const RedactionRules> rules(const std::string& topic) const { return find_rules_(topic); }

  /// The rules may have changed. Drops the items that were made by rules that do not hold any more.
  void change_rules();

  /// Ends the thread. The rings stay as they are.
  void stop();

 private:
  struct Feed {
    std::shared_ptr<TopicRing> ring;
    std::shared_ptr<const RedactionRules> rules;
    std::unique_ptr<RecordTail> tail;  // the thread's, once it is there
    std::shared_ptr<bool> readable =
        std::make_shared<bool>(true);  // under wake_mutex_; outlives the feed in a callback
    std::chrono::steady_clock::time_point used_at;
  };

  using FeedWithRules = std::pair<std::shared_ptr<Feed>, std::shared_ptr<const RedactionRules>>;

  void run();
  void mark_readable(bool& readable);
  bool await_readable();
  std::vector<FeedWithRules> take_readable();
  bool feed(Feed& feed, const std::shared_ptr<const RedactionRules>& rules);
  void drop_unused();

  RecordSource& source_;
  StreamMetrics& metrics_;
  const std::size_t stream_buffer_;
  const FindRules find_rules_;

  std::mutex mutex_;  // of the feeds; the source may be called while it is held
  std::map<std::string, std::shared_ptr<Feed>> feeds_;
  std::mutex wake_mutex_;  // of the flags; `on_readable` takes it alone, because the source may hold its own locks then
  std::condition_variable wake_;
  bool any_readable_ = false;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace eventgate

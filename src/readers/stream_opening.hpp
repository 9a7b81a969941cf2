#pragma once

#include <atomic>
#include <boost/system/result.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eventgate/readers/stream_position.hpp"
#include "eventgate/readers/stream_request.hpp"
#include "eventgate/readers/stream_start.hpp"
#include "ring_feeder.hpp"
#include "work_pool.hpp"

namespace eventgate {

class StreamMetrics;

/// The offset at which a reader with `until` has enough of a partition.
struct StopOffset {
  PartitionId id;
  std::int64_t offset = 0;
};

/// Where the reader of a new stream begins.
struct OpenedStream {
  std::vector<StreamPosition> positions;
  std::vector<std::shared_ptr<TopicRing>> rings;        ///< Of the request's topics, in their order.
  std::vector<std::uint64_t> generations;               ///< Of the rings, before the positions were known.
  std::vector<std::string> comments;                    ///< For the preamble.
  std::vector<std::string> notices;                     ///< What the client asked for and does not get as it was meant.
  std::vector<std::pair<std::string, RecordGap>> gaps;  ///< By topic.
  std::vector<PartitionOffset> ends;                    ///< Of the partitions, when the stream was opened.
  std::vector<StopOffset> stops;                        ///< Of `until`, if that time has passed. Empty: not known yet.
};

/// A stream that is being opened. The opener fills it in; the connection waits for it.
///
/// Thread-safe.
class StreamOpening {
 public:
  StreamOpening(std::shared_ptr<const StreamRequest> request, std::int64_t connected_at)
      : request_(std::move(request)), connected_at_(connected_at) {}

  const std::shared_ptr<const StreamRequest>& request() const { return request_; }
  /// Milliseconds since 1970.
  std::int64_t connected_at() const { return connected_at_; }

  /// Calls `on_done` once when the opening is done, now if it is; it replaces the one before. Any thread may call it.
  void when_done(std::function<void()> on_done);

  /// From now on the positions are those at `connected_at`, because the client has its preamble.
  void begin_without_positions() { late_ = true; }
  bool is_late() const { return late_; }

  bool is_done() const;
  /// The result, once it is done. Call at most one of them, once.
  std::optional<StreamRefusal> refusal();
  OpenedStream take();
  /// Those of the result, while it is there.
  std::vector<std::string> notices() const;

  void finish(boost::system::result<OpenedStream, StreamRefusal> result);

 private:
  const std::shared_ptr<const StreamRequest> request_;
  const std::int64_t connected_at_;
  std::atomic<bool> late_{false};
  mutable std::mutex mutex_;
  std::function<void()> on_done_;
  std::optional<boost::system::result<OpenedStream, StreamRefusal>> result_;
};

/// Finds the positions of new streams, on threads of its own. Streams that wait are asked for together.
///
/// Thread-safe.
class StreamOpener {
 public:
  /// All must outlive this.
  StreamOpener(RecordSource& source, RingFeeder& feeder, StreamMetrics& metrics);
  ~StreamOpener() { stop(); }

  /// Opens a stream. If the source is away it goes on trying, until nobody else holds `opening`.
  void open(std::shared_ptr<StreamOpening> opening);

  /// Finds the offsets at which readers with `until` stop, which is not after now, and calls `done` with them on a
  /// thread of its own. Tries again until it succeeds or is stopped.
  void find_stops(std::vector<PartitionId> partitions, std::int64_t until,
                  std::function<void(std::vector<StopOffset>)> done);

  /// Returns true if the source has once told the bounds of all `topics`.
  bool knows(const std::vector<std::string>& topics) const;

  void stop();

 private:
  using Openings = std::vector<std::shared_ptr<StreamOpening>>;
  struct Start;

  void run_waiting();
  void try_later(Openings openings);
  bool open_all(const Openings& openings);
  bool open_one(StreamOpening& opening, std::span<const TopicBounds> bounds);
  bool resolve(std::vector<Start>& starts);
  bool find_last(const StreamRequest& request, std::vector<PlannedStart>& starts);
  std::optional<std::vector<RecordPlace>> newest_visible(const StreamRequest& request, const PlannedStart& start,
                                                         std::size_t count);
  bool find_stops_now(const std::vector<PlannedStart>& starts, std::int64_t until, std::vector<StopOffset>& into);
  OpenedStream opened(const StreamRequest& request, StartPlan plan, const std::vector<Start>& starts);
  std::optional<RecordPlace> known_record(const PartitionId& id, std::int64_t offset);
  RecordSource::Deadline deadline() const;
  template <typename T>
  bool check(const SourceResult<T>& result);

  RecordSource& source_;
  RingFeeder& feeder_;
  StreamMetrics& metrics_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Openings waiting_;
  std::vector<std::string> known_topics_;  // sorted
  std::atomic<bool> stopped_{false};
  WorkPool pool_;
};

}  // namespace eventgate

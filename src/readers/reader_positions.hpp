#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "eventgate/readers/frame.hpp"
#include "eventgate/readers/stream_position.hpp"
#include "eventgate/source/record_source.hpp"

namespace eventgate {

/// One thing that happened in a topic.
struct RingItem {
  enum class Kind : std::uint8_t {
    frame,
    started,  ///< A partition is read from `gap.to` on.
    gap,      ///< The records from `gap.from` to `gap.to` are gone.
  };
  Kind kind = Kind::frame;
  FramePtr frame;  ///< Not null if `kind` is frame.
  RecordGap gap;

  static RingItem of(Frame&& made) { return {Kind::frame, std::make_shared<const Frame>(std::move(made)), {}}; }
  /// Returns true if the partition is one of a topic that was made anew.
  bool is_new_topic() const { return kind == Kind::gap && gap.to < gap.from; }
  std::int32_t partition() const { return kind == Kind::frame ? frame->partition : gap.partition; }
  /// Bytes that count against `stream_buffer`.
  std::size_t size() const { return 160 + (frame ? frame->text.size() : 0); }
};

/// The positions of one reader, or of all live readers of one subscription, in the partitions of its topics.
///
/// Use from one thread at a time.
class ReaderPositions {
 public:
  /// What an item means at these positions.
  enum class Step : std::uint8_t {
    nothing,  ///< It is not wanted, or is sent to nobody.
    frame,    ///< Its frame is to be sent, unless a filter holds it back.
    gap,      ///< Records are missing: `gap()`.
  };

  ReaderPositions() = default;
  /// `topics` are those of the subscription; topics are numbered by their place in it.
  ReaderPositions(const std::vector<std::string>& topics, std::vector<StreamPosition> positions);

  /// Moves the position over `item` of topic number `topic`.
  Step take(std::size_t topic, const std::string& name, const RingItem& item);
  /// The topic was made anew, perhaps, since these positions were known: the next gap to a topic made anew counts for
  /// them, wherever they are.
  void mark_old(std::size_t topic);
  /// The last gap that `take` has found.
  const RecordGap& gap() const { return gap_; }

  const std::vector<StreamPosition>& all() const { return positions_; }
  /// Returns null if the partition is not known yet.
  StreamPosition* find(std::size_t topic, std::int32_t partition);
  const StreamPosition* find(std::size_t topic, std::int32_t partition) const {
    return const_cast<ReaderPositions*>(this)->find(topic, partition);
  }
  StreamPosition& find_or_add(std::size_t topic, const std::string& name, std::int32_t partition, std::int64_t offset);

 private:
  std::vector<StreamPosition> positions_;
  std::vector<std::vector<std::int32_t>> index_;           // by topic and partition; -1: not known
  std::vector<std::pair<std::size_t, std::int32_t>> old_;  // partitions, by topic
  RecordGap gap_;
};

}  // namespace eventgate

#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eventgate/readers/stream_request.hpp"
#include "eventgate/source/record_source.hpp"

// Where the reader of a new stream begins in each partition. Nothing here asks a source: `StartResolver` says what has
// to be asked, and takes the answers.

namespace eventgate {

/// What a request asks for in one partition.
struct WantedStart {
  enum class Kind : std::uint8_t {
    end,
    beginning,
    offset,  ///< `offset` as it is.
    time,    ///< The first offset whose record's time is not before `time`; else the end.
    exact,   ///< `offset`, if the record before it has time `time`; else by `time`. May repeat, never loses.
  };
  Kind kind = Kind::end;
  std::int64_t offset = 0;
  std::int64_t time = 0;  ///< Milliseconds since 1970.

  bool operator==(const WantedStart&) const = default;
};

/// A partition of a subscription with what is asked for in it.
struct PlannedStart {
  PartitionId id;
  PartitionBounds bounds;
  WantedStart wanted;
};

/// The partitions of a subscription, topic by topic, and sentences about entries that were left out.
struct StartPlan {
  std::vector<PlannedStart> starts;
  std::vector<std::string> notices;
};

/// Decides what `request` asks for in each partition. `bounds` are those of `request.topics`, in this order; a topic
/// that does not exist has no partitions, and is read from its beginning when it appears.
///
/// A partition without an entry in `Last-Event-ID` starts at the smallest time of the entries; if they have none, at
/// `since`; else at the end. Fails with `invalid_last_event_id` if no entry belongs to a partition that exists.
boost::system::result<StartPlan, StreamRefusal> plan_starts(const StreamRequest& request,
                                                            std::span<const TopicBounds> bounds);

/// Returns what `request` asks for in partition `id` if the source was away when the stream began, at `connected`
/// milliseconds since 1970: what came since then is not left out.
WantedStart start_after_outage(const StreamRequest& request, const PartitionId& id, std::int64_t connected);

/// The position at which a reader begins in one partition.
struct StartPosition {
  std::int64_t offset = 0;
  /// For ids: the time of the record before `offset`, plus 1. Nullopt: not known, or there is no such record.
  std::optional<std::int64_t> timestamp;
  /// Records that were wanted and are gone. A `from` of 0 stands for times: what is gone is before `to`.
  std::optional<RecordGap> gap;
  /// The id is of another cluster, or of a topic that was made anew: the time decided, and events may come again.
  bool by_time_instead = false;
};

/// What a source has to be asked.
struct StartQuestion {
  enum class Kind : std::uint8_t {
    record_at,  ///< The first record at or after offset `value`: `RecordSource::records_at`.
    offset_at,  ///< The first offset whose time is not before `value`: `RecordSource::offsets_at`.
  };
  Kind kind;
  std::int64_t value;

  bool operator==(const StartQuestion&) const = default;
};

/// Finds the start in one partition in at most four questions:
///
///     StartResolver resolver(wanted, bounds);
///     while (auto question = resolver.question()) resolver.answer(...);
///     use(resolver.position());
///
/// Use from one thread at a time.
class StartResolver {
 public:
  StartResolver(const WantedStart& wanted, const PartitionBounds& bounds);

  /// Returns what has to be asked next. Nullopt: the position is known.
  std::optional<StartQuestion> question() const { return question_; }

  /// The answer to `record_at`. Nullopt: there is none up to the end.
  void answer(std::optional<RecordPlace> record);
  /// The answer to `offset_at`. Nullopt: there is none.
  void answer(std::optional<std::int64_t> offset);

  const StartPosition& position() const { return position_; }

 private:
  enum class Step : std::uint8_t { check_id, find_time, check_first, find_before };

  void ask(Step step, StartQuestion::Kind kind, std::int64_t value);
  void go_to(std::int64_t offset);
  void go_by_time();
  void check_id(const std::optional<RecordPlace>& record);
  /// Goes to `offset`, or over a gap to what is kept.
  void go_to_wanted(std::int64_t offset);

  WantedStart wanted_;
  PartitionBounds bounds_;
  Step step_ = Step::find_before;
  bool may_be_same_ = false;  ///< The id may be of these records although its time does not fit.
  std::optional<StartQuestion> question_;
  StartPosition position_;
};

/// The tail of a partition, for `last`.
struct PartitionEnd {
  std::int64_t end = 0;                  ///< The offset that the next record gets.
  std::vector<RecordPlace> newest_last;  ///< The last events that the reader may see, at most N, in order.
};

/// Returns the offset in each partition from which the last `count` events of them all begin. The order is that of a
/// replay: by time, each partition's order kept.
std::vector<std::int64_t> last_starts(std::size_t count, std::span<const PartitionEnd> partitions);

/// Returns the offset at which a reader with `until` has enough of a partition: that of the first record whose time is
/// not before `until`, or `end` if there is none and `until` has passed. Nullopt: it has to wait for records.
std::optional<std::int64_t> until_offset(std::int64_t until, std::int64_t now, std::int64_t end,
                                         std::optional<std::int64_t> first_not_before);

/// Returns the comment of the preamble: `from eqiad.x/0 offset 12, 3 minutes behind`. `next` is the time of the first
/// record that the reader gets. Nullopt: there is none yet.
std::string start_comment(const PartitionId& id, const StartPosition& start, std::optional<std::int64_t> next,
                          std::int64_t now);

/// Returns the JSON of `event: gap`: topic, partition, from and to.
std::string gap_json(std::string_view topic, const RecordGap& gap);

}  // namespace eventgate

#include "eventgate/readers/stream_start.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "eventgate/json/json_text.hpp"

namespace eventgate {
namespace {

constexpr std::int64_t kBeginning = -2;
constexpr std::int64_t kMaxTime = 8'640'000'000'000'000;  // milliseconds: the range of JavaScript's Date

/// Returns the smallest time of the entries, in milliseconds since 1970. An entry with an offset, which is one of ours,
/// says that the record at `timestamp - 1` was read; a partition that is new may have another of that time.
std::optional<std::int64_t> smallest_time(const std::vector<LastEventEntry>& entries) {
  std::optional<std::int64_t> smallest;
  for (const LastEventEntry& entry : entries) {
    if (!entry.timestamp || *entry.timestamp < 0) continue;
    const std::int64_t time = entry.offset && *entry.offset >= 0 ? *entry.timestamp - 1 : *entry.timestamp;
    smallest = std::min(smallest.value_or(time), time);
  }
  return smallest;
}

WantedStart start_at(std::optional<std::int64_t> time) {
  if (!time) return {};
  if (*time <= 0) return {.kind = WantedStart::Kind::beginning};
  return {.kind = WantedStart::Kind::time, .time = std::min(*time, kMaxTime)};
}

/// Returns what `entry` asks for, or nullopt if it only says that nothing was sent yet.
std::optional<WantedStart> start_of(const LastEventEntry& entry) {
  const auto timestamp = entry.timestamp;
  if (entry.offset == kBeginning) return WantedStart{.kind = WantedStart::Kind::beginning};
  if (entry.offset && *entry.offset >= 0) {
    if (!timestamp || *timestamp < 1) return WantedStart{.kind = WantedStart::Kind::offset, .offset = *entry.offset};
    return WantedStart{.kind = WantedStart::Kind::exact, .offset = *entry.offset, .time = *timestamp - 1};
  }
  if (timestamp == kBeginning) return WantedStart{.kind = WantedStart::Kind::beginning};
  if (timestamp && *timestamp >= 0) return start_at(timestamp);
  // The original writes -1 for a partition that has sent nothing yet.
  return std::nullopt;
}

/// The starts that a request asks for, by partition.
class RequestedStarts {
 public:
  explicit RequestedStarts(const StreamRequest& request) {
    const auto time = smallest_time(request.last_event_id);
    for (const LastEventEntry& entry : request.last_event_id) {
      if (!entry.partition) continue;
      auto start = start_of(entry);
      // A -1 means the end, unless times say when the partition had sent nothing yet.
      if (!start) start = start_at(time);
      by_partition_.emplace(std::pair(entry.topic, *entry.partition), *start);
    }
    others_ = start_at(time ? time : request.since);
  }

  WantedStart at(const PartitionId& id) const {
    const auto found = by_partition_.find({id.topic, id.partition});
    return found == by_partition_.end() ? others_ : found->second;
  }

 private:
  std::map<std::pair<std::string, std::int32_t>, WantedStart> by_partition_;
  WantedStart others_;
};

}  // namespace

boost::system::result<StartPlan, StreamRefusal> plan_starts(const StreamRequest& request,
                                                            std::span<const TopicBounds> bounds) {
  const RequestedStarts requested(request);
  StartPlan plan;
  std::map<std::string_view, const TopicBounds*> known;
  for (std::size_t i = 0; i < bounds.size() && i < request.topics.size(); ++i) {
    if (bounds[i].exists) known.emplace(request.topics[i], &bounds[i]);
    for (const PartitionBounds& partition : bounds[i].partitions) {
      PartitionId id{request.topics[i], partition.partition};
      const WantedStart wanted = requested.at(id);
      plan.starts.push_back({std::move(id), partition, wanted});
    }
  }
  std::size_t missing = 0;
  std::string first_missing;
  for (const LastEventEntry& entry : request.last_event_id) {
    const auto topic = known.find(entry.topic);
    if (!entry.partition || topic == known.end()) continue;
    const auto& partitions = topic->second->partitions;
    const auto has_number = [&entry](const PartitionBounds& one) { return one.partition == *entry.partition; };
    if (std::any_of(partitions.begin(), partitions.end(), has_number)) continue;
    if (missing++ == 0) first_missing = notice_text(entry.topic) + '/' + std::to_string(*entry.partition);
  }
  if (missing == 0) return plan;
  std::string sentence = "ignored entries of Last-Event-ID, whose partitions do not exist: " + first_missing;
  if (missing > 1) sentence += " and " + std::to_string(missing - 1) + " more";
  if (missing == request.last_event_id.size()) {
    return StreamRefusal{400, "invalid_last_event_id", "Invalid Last-Event-ID",
                         "expected an entry whose partition exists; " + sentence};
  }
  plan.notices.push_back(std::move(sentence));
  return plan;
}

WantedStart start_after_outage(const StreamRequest& request, const PartitionId& id, std::int64_t connected) {
  const WantedStart wanted = RequestedStarts(request).at(id);
  return wanted.kind == WantedStart::Kind::end ? start_at(connected) : wanted;
}

StartResolver::StartResolver(const WantedStart& wanted, const PartitionBounds& bounds)
    : wanted_(wanted), bounds_(bounds) {
  const std::int64_t nearest = std::clamp(wanted.offset, bounds.begin, std::max(bounds.begin, bounds.end));
  switch (wanted.kind) {
    case WantedStart::Kind::end:
      go_to(bounds.end);
      break;
    case WantedStart::Kind::beginning:
      go_to(bounds.begin);
      break;
    case WantedStart::Kind::offset:
      if (nearest != wanted.offset) position_.gap = RecordGap{bounds.partition, wanted.offset, nearest};
      go_to(nearest);
      break;
    case WantedStart::Kind::time:
      go_by_time();
      break;
    case WantedStart::Kind::exact:
      if (wanted.offset > bounds.end) {
        go_by_time();
      } else {
        ask(Step::check_id, StartQuestion::Kind::record_at, std::max(wanted.offset - 1, bounds.begin));
      }
      break;
  }
}

void StartResolver::ask(Step step, StartQuestion::Kind kind, std::int64_t value) {
  step_ = step;
  question_ = StartQuestion{kind, value};
}

void StartResolver::go_to(std::int64_t offset) {
  position_.offset = offset;
  question_.reset();
  if (offset > bounds_.begin && !position_.timestamp)
    ask(Step::find_before, StartQuestion::Kind::record_at, offset - 1);
}

void StartResolver::go_by_time() { ask(Step::find_time, StartQuestion::Kind::offset_at, wanted_.time); }

void StartResolver::check_id(const std::optional<RecordPlace>& record) {
  const bool is_the_one_before = record && record->offset == wanted_.offset - 1;
  const bool fits =
      !record || (is_the_one_before ? record->timestamp == wanted_.time : record->timestamp >= wanted_.time);
  if (!fits) {
    position_.by_time_instead = true;
    // With the record before it gone, times out of order look like other records: then neither may be left out.
    may_be_same_ = !is_the_one_before;
    return go_by_time();
  }
  if (wanted_.offset > 0) position_.timestamp = wanted_.time + 1;
  go_to_wanted(wanted_.offset);
}

void StartResolver::go_to_wanted(std::int64_t offset) {
  if (offset < bounds_.begin) {
    position_.gap = RecordGap{bounds_.partition, offset, bounds_.begin};
    position_.timestamp.reset();
  }
  go_to(std::max(offset, bounds_.begin));
}

void StartResolver::answer(std::optional<RecordPlace> record) {
  question_.reset();
  switch (step_) {
    case Step::check_id:
      return check_id(record);
    case Step::check_first:
      // What is kept begins after the time asked for.
      if (record && record->timestamp > wanted_.time) position_.gap = RecordGap{bounds_.partition, 0, bounds_.begin};
      return;
    case Step::find_before:
      if (record && record->offset == position_.offset - 1) position_.timestamp = record->timestamp + 1;
      return;
    case Step::find_time:
      return;
  }
}

void StartResolver::answer(std::optional<std::int64_t> offset) {
  question_.reset();
  const std::int64_t found =
      std::clamp(offset.value_or(bounds_.end), bounds_.begin, std::max(bounds_.begin, bounds_.end));
  if (may_be_same_ && wanted_.offset <= found) return go_to_wanted(wanted_.offset);
  if (wanted_.kind == WantedStart::Kind::exact && wanted_.offset > bounds_.end) {
    position_.gap = RecordGap{bounds_.partition, wanted_.offset, found};
  } else if (offset && found == bounds_.begin && bounds_.begin > 0) {
    position_.offset = found;
    return ask(Step::check_first, StartQuestion::Kind::record_at, found);
  }
  go_to(found);
}

std::vector<std::int64_t> last_starts(std::size_t count, std::span<const PartitionEnd> partitions) {
  // The merge of a replay, from the front: what is left of it when `count` are left.
  std::size_t left = 0;
  for (const PartitionEnd& partition : partitions) left += partition.newest_last.size();
  std::vector<std::size_t> heads(partitions.size(), 0);
  for (; left > count; --left) {
    std::optional<std::size_t> oldest;
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      if (heads[i] == partitions[i].newest_last.size()) continue;
      const auto time = [&](std::size_t at) { return partitions[at].newest_last[heads[at]].timestamp; };
      if (!oldest || time(i) < time(*oldest)) oldest = i;
    }
    ++heads[*oldest];
  }
  std::vector<std::int64_t> starts;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    const auto& records = partitions[i].newest_last;
    starts.push_back(heads[i] < records.size() ? records[heads[i]].offset : partitions[i].end);
  }
  return starts;
}

std::optional<std::int64_t> until_offset(std::int64_t until, std::int64_t now, std::int64_t end,
                                         std::optional<std::int64_t> first_not_before) {
  if (first_not_before) return first_not_before;
  return now >= until ? std::optional(end) : std::nullopt;
}

std::string start_comment(const PartitionId& id, const StartPosition& start, std::optional<std::int64_t> next,
                          std::int64_t now) {
  std::string comment =
      "from " + id.topic + '/' + std::to_string(id.partition) + " offset " + std::to_string(start.offset);
  const std::int64_t behind = next ? (now - *next) / 1000 : 0;
  if (behind > 0) {
    static constexpr std::array<std::pair<std::int64_t, std::string_view>, 4> kUnits{
        {{86'400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}}};
    const auto& [seconds, unit] =
        *std::find_if(kUnits.begin(), kUnits.end(), [behind](const auto& one) { return behind >= one.first; });
    comment += ", " + std::to_string(behind / seconds) + ' ';
    comment += unit;
    if (behind / seconds > 1) comment += 's';
    comment += " behind";
  }
  if (start.by_time_instead)
    comment += "; the Last-Event-ID is of other records, so its time counts and events may come again";
  if (start.gap) comment += "; records before it are gone";
  return comment;
}

std::string gap_json(std::string_view topic, const RecordGap& gap) {
  std::string json = "{\"topic\":";
  append_json_string(json, topic);
  json += ",\"partition\":" + std::to_string(gap.partition) + ",\"from\":" + std::to_string(gap.from) +
          ",\"to\":" + std::to_string(gap.to) + '}';
  return json;
}

}  // namespace eventgate

#include "stream_opening.hpp"

#include <algorithm>
#include <map>

#include "eventgate/readers/frame.hpp"
#include "eventgate/telemetry/stream_metrics.hpp"
#include "live_channel.hpp"

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kThreads = 2;
constexpr std::chrono::seconds kCallTimeout{5};                  // of one call of the source
constexpr std::chrono::milliseconds kRetryDelay{500};            // after a failed call
constexpr std::size_t kMaxComments = 20;                         // of positions in a preamble
constexpr std::size_t kMaxScannedBytes = std::size_t{64} << 20;  // of a partition, for `last`

std::int64_t now_milliseconds() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Decides where a stream begins whose client has its preamble already.
StartPlan plan_after_outage(const StreamOpening& opening, std::span<const TopicBounds> bounds) {
  StartPlan plan;
  const std::vector<std::string>& topics = opening.request()->topics;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    for (const PartitionBounds& partition : bounds[i].partitions) {
      const PartitionId id{topics[i], partition.partition};
      plan.starts.push_back({id, partition, start_after_outage(*opening.request(), id, opening.connected_at())});
    }
  }
  return plan;
}

}  // namespace

void StreamOpening::when_done(std::function<void()> on_done) {
  std::function<void()> call;
  {
    const std::lock_guard lock(mutex_);
    if (result_) {
      call = std::move(on_done);
      on_done_ = nullptr;
    } else {
      on_done_ = std::move(on_done);
    }
  }
  if (call) call();
}

bool StreamOpening::is_done() const {
  const std::lock_guard lock(mutex_);
  return result_.has_value();
}

std::optional<StreamRefusal> StreamOpening::refusal() {
  const std::lock_guard lock(mutex_);
  if (!result_ || result_->has_value()) return std::nullopt;
  return result_->error();
}

OpenedStream StreamOpening::take() {
  const std::lock_guard lock(mutex_);
  return std::move(**result_);
}

std::vector<std::string> StreamOpening::notices() const {
  const std::lock_guard lock(mutex_);
  if (!result_ || result_->has_error()) return {};
  return (**result_).notices;
}

void StreamOpening::finish(boost::system::result<OpenedStream, StreamRefusal> result) {
  std::function<void()> call;
  {
    const std::lock_guard lock(mutex_);
    result_ = std::move(result);
    call = std::exchange(on_done_, nullptr);
  }
  if (call) call();
}

struct StreamOpener::Start {
  PlannedStart planned;
  StartResolver resolver;
};

StreamOpener::StreamOpener(RecordSource& source, RingFeeder& feeder, StreamMetrics& metrics)
    : source_(source), feeder_(feeder), metrics_(metrics), pool_(kThreads) {}

void StreamOpener::open(std::shared_ptr<StreamOpening> opening) {
  bool first;
  {
    const std::lock_guard lock(mutex_);
    first = waiting_.empty();
    waiting_.push_back(std::move(opening));
  }
  if (first) pool_.add([this] { run_waiting(); });
}

bool StreamOpener::knows(const std::vector<std::string>& topics) const {
  const std::lock_guard lock(mutex_);
  return std::all_of(topics.begin(), topics.end(), [this](const std::string& topic) {
    return std::binary_search(known_topics_.begin(), known_topics_.end(), topic);
  });
}

void StreamOpener::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  pool_.stop();
}

RecordSource::Deadline StreamOpener::deadline() const { return Clock::now() + kCallTimeout; }

template <typename T>
bool StreamOpener::check(const SourceResult<T>& result) {
  if (result.has_value()) {
    metrics_.source_back(source_.name());
    return true;
  }
  if (result.error().kind == SourceFailure::Kind::away) metrics_.source_away(source_.name(), result.error().message);
  return false;
}

void StreamOpener::run_waiting() {
  Openings openings;
  {
    const std::lock_guard lock(mutex_);
    openings.swap(waiting_);
  }
  if (!open_all(openings)) try_later(std::move(openings));
}

void StreamOpener::try_later(Openings openings) {
  // Those whose client has left are held by nobody else.
  std::erase_if(openings, [](const auto& opening) { return opening.use_count() == 1 || opening->is_done(); });
  {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kRetryDelay, [this] { return stopped_.load(); });
  }
  if (stopped_) return;
  for (std::shared_ptr<StreamOpening>& opening : openings) open(std::move(opening));
}

/// Returns false if the source is away.
bool StreamOpener::open_all(const Openings& openings) {
  std::vector<std::string> topics;
  for (const auto& opening : openings)
    topics.insert(topics.end(), opening->request()->topics.begin(), opening->request()->topics.end());
  std::sort(topics.begin(), topics.end());
  topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
  const auto bounds = source_.bounds(topics, deadline());
  if (!check(bounds)) return false;
  {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> known;
    std::set_union(known_topics_.begin(), known_topics_.end(), topics.begin(), topics.end(), std::back_inserter(known));
    known_topics_ = std::move(known);
  }
  bool all = true;
  for (const auto& opening : openings) {
    if (opening->is_done() || opening.use_count() == 1) continue;
    std::vector<TopicBounds> own;
    for (const std::string& topic : opening->request()->topics) {
      const auto at = std::lower_bound(topics.begin(), topics.end(), topic) - topics.begin();
      own.push_back((*bounds)[static_cast<std::size_t>(at)]);
    }
    all = open_one(*opening, own) && all;
  }
  return all;
}

bool StreamOpener::open_one(StreamOpening& opening, std::span<const TopicBounds> bounds) {
  const StreamRequest& request = *opening.request();
  StartPlan plan;
  if (opening.is_late()) {
    plan = plan_after_outage(opening, bounds);
  } else {
    auto planned = plan_starts(request, bounds);
    if (!planned) {
      opening.finish(std::move(planned).error());
      return true;
    }
    plan = *std::move(planned);
    if (request.last && request.last_event_id.empty() && !find_last(request, plan.starts)) return false;
  }
  std::vector<std::shared_ptr<TopicRing>> rings;
  std::vector<std::uint64_t> generations;
  for (std::size_t i = 0; i < request.topics.size(); ++i) {
    rings.push_back(feeder_.ring(request.topics[i], bounds[i]));
    generations.push_back(rings.back()->generation());
  }
  std::vector<Start> starts;
  for (const PlannedStart& planned : plan.starts)
    starts.push_back({planned, StartResolver(planned.wanted, planned.bounds)});
  if (!resolve(starts)) return false;
  const std::vector<PlannedStart> planned = plan.starts;
  OpenedStream stream = opened(request, std::move(plan), starts);
  stream.rings = std::move(rings);
  stream.generations = std::move(generations);
  if (request.until && *request.until <= now_milliseconds() && !find_stops_now(planned, *request.until, stream.stops))
    return false;
  opening.finish(std::move(stream));
  return true;
}

/// Returns what the ring of the partition says of the record at `offset`, or nullopt.
std::optional<RecordPlace> StreamOpener::known_record(const PartitionId& id, std::int64_t offset) {
  const std::shared_ptr<TopicRing> ring = feeder_.find(id.topic);
  if (!ring) return std::nullopt;
  if (const std::optional<RecordPlace> known = ring->record_at(id.partition, offset)) return known;
  feeder_.fill(id, offset, deadline());
  return ring->record_at(id.partition, offset);
}

/// Asks until every start is known: rings first, because they answer at once. Returns false if the source is away.
bool StreamOpener::resolve(std::vector<Start>& starts) {
  for (;;) {
    std::vector<PartitionOffset> offsets;
    std::vector<PartitionTime> times;
    std::vector<Start*> asks_offset;
    std::vector<Start*> asks_time;
    for (Start& start : starts) {
      std::optional<StartQuestion> question = start.resolver.question();
      const PartitionId& id = start.planned.id;
      while (question && question->kind == StartQuestion::Kind::record_at) {
        const std::optional<RecordPlace> known = known_record(id, question->value);
        if (!known) break;
        start.resolver.answer(known);
        question = start.resolver.question();
      }
      if (!question) continue;
      if (question->kind == StartQuestion::Kind::record_at) {
        offsets.push_back({id, question->value});
        asks_offset.push_back(&start);
      } else {
        times.push_back({id, question->value});
        asks_time.push_back(&start);
      }
    }
    if (offsets.empty() && times.empty()) return true;
    if (!offsets.empty()) {
      const auto records = source_.records_at(offsets, deadline());
      if (!check(records)) return false;
      for (std::size_t i = 0; i < asks_offset.size(); ++i) asks_offset[i]->resolver.answer((*records)[i]);
    }
    if (!times.empty()) {
      const auto found = source_.offsets_at(times, deadline());
      if (!check(found)) return false;
      for (std::size_t i = 0; i < asks_time.size(); ++i) asks_time[i]->resolver.answer((*found)[i]);
    }
  }
}

/// Returns the last events of a partition that the reader is sent, at most `count`. Looks back further and further.
std::optional<std::vector<RecordPlace>> StreamOpener::newest_visible(const StreamRequest& request,
                                                                     const PlannedStart& start, std::size_t count) {
  const PartitionBounds& bounds = start.bounds;
  const std::shared_ptr<const RedactionRules> rules = feeder_.rules(start.id.topic);
  std::int64_t back = 2 * static_cast<std::int64_t>(count) + 16;
  for (;;) {
    const std::int64_t begin = std::max(bounds.begin, bounds.end - back);
    std::vector<RecordPlace> found;
    std::size_t scanned = 0;
    for (std::int64_t at = begin; at < bounds.end;) {
      const auto fetched = source_.fetch(start.id, at, std::size_t{1} << 20, deadline());
      if (!check(fetched)) return std::nullopt;
      for (const SourceRecord& record : fetched->records) {
        scanned += record.size();
        if (record.offset >= bounds.end || (request.until && record.timestamp >= *request.until)) continue;
        const Frame frame = make_frame(start.id.topic, record, rules.get());
        if (frame.skip == SkipCause::none && is_visible(request, frame))
          found.push_back({record.offset, record.timestamp});
      }
      if (fetched->at_end || fetched->next <= at) break;
      at = fetched->next;
    }
    if (found.size() >= count || begin <= bounds.begin || scanned > kMaxScannedBytes) {
      if (found.size() > count) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(count));
      return found;
    }
    back *= 2;
  }
}

/// Sets the starts of a request with `last`. Returns false if the source is away.
bool StreamOpener::find_last(const StreamRequest& request, std::vector<PlannedStart>& starts) {
  std::vector<PartitionEnd> ends;
  for (const PlannedStart& start : starts) {
    std::optional<std::vector<RecordPlace>> newest = newest_visible(request, start, *request.last);
    if (!newest) return false;
    ends.push_back({start.bounds.end, *std::move(newest)});
  }
  const std::vector<std::int64_t> offsets = last_starts(*request.last, ends);
  for (std::size_t i = 0; i < starts.size(); ++i) starts[i].wanted = {WantedStart::Kind::offset, offsets[i], 0};
  return true;
}

/// Returns false if the source is away.
bool StreamOpener::find_stops_now(const std::vector<PlannedStart>& starts, std::int64_t until,
                                  std::vector<StopOffset>& into) {
  std::vector<PartitionTime> times;
  times.reserve(starts.size());
  for (const PlannedStart& start : starts) times.push_back({start.id, until});
  const auto found = source_.offsets_at(times, deadline());
  if (!check(found)) return false;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto stop = until_offset(until, std::max(until, now_milliseconds()), starts[i].bounds.end, (*found)[i]);
    into.push_back({starts[i].id, stop.value_or(starts[i].bounds.end)});
  }
  return true;
}

OpenedStream StreamOpener::opened(const StreamRequest& request, StartPlan plan, const std::vector<Start>& starts) {
  OpenedStream stream;
  stream.notices = request.notices;
  stream.notices.insert(stream.notices.end(), plan.notices.begin(), plan.notices.end());
  stream.comments = stream.notices;
  const std::int64_t now = now_milliseconds();
  for (const Start& start : starts) {
    const PartitionId& id = start.planned.id;
    const StartPosition& position = start.resolver.position();
    // A reader who began far behind, or at the beginning, has asked for no record yet.
    if (position.offset < start.planned.bounds.end) feeder_.fill(id, position.offset, deadline());
    stream.ends.push_back({id, start.planned.bounds.end});
    stream.positions.push_back({id.topic, id.partition, position.offset, position.timestamp});
    if (position.gap) {
      stream.gaps.emplace_back(id.topic, *position.gap);
      metrics_.gap_found(id.topic, id.partition, position.gap->from, position.gap->to);
    }
    if (position.by_time_instead)
      stream.notices.push_back("the Last-Event-ID of " + id.topic + "/" + std::to_string(id.partition) +
                               " is of another cluster or topic, so its time decides and events may come again");
    if (stream.comments.size() < kMaxComments + stream.notices.size()) {
      const bool is_behind = position.offset < start.planned.bounds.end;
      stream.comments.push_back(start_comment(id, position, is_behind ? position.timestamp : std::nullopt, now));
    }
    if (position.by_time_instead) stream.comments.push_back(stream.notices.back());
  }
  return stream;
}

void StreamOpener::find_stops(std::vector<PartitionId> partitions, std::int64_t until,
                              std::function<void(std::vector<StopOffset>)> done) {
  pool_.add([this, partitions = std::move(partitions), until, done = std::move(done)] {
    std::vector<std::string> topics;
    for (const PartitionId& id : partitions)
      if (std::find(topics.begin(), topics.end(), id.topic) == topics.end()) topics.push_back(id.topic);
    std::vector<StopOffset> stops;
    for (;;) {
      const auto bounds = source_.bounds(topics, deadline());
      std::vector<PlannedStart> starts;
      for (std::size_t i = 0; check(bounds) && i < topics.size(); ++i)
        for (const PartitionBounds& partition : (*bounds)[i].partitions)
          starts.push_back({{topics[i], partition.partition}, partition, {}});
      stops.clear();
      if (bounds.has_value() && find_stops_now(starts, until, stops)) break;
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, kRetryDelay, [this] { return stopped_.load(); })) return;
    }
    done(std::move(stops));
  });
}

}  // namespace eventgate

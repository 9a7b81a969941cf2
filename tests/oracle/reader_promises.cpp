#include "reader_promises.hpp"

#include <algorithm>

namespace eventgate {

void TopicHistory::add(const std::string& topic, std::int32_t partition, std::int64_t offset, const std::string& id) {
  Topic& of = topics_[topic];
  of.events.push_back({of.log, partition, offset, id, false});
}

void TopicHistory::delete_before(const std::string& topic, std::int32_t partition, std::int64_t offset) {
  Topic& of = topics_[topic];
  for (Event& event : of.events)
    if (event.log == of.log && event.partition == partition && event.offset < offset) event.deleted = true;
}

void TopicHistory::make_anew(const std::string& topic) {
  Topic& of = topics_[topic];
  for (Event& event : of.events) event.deleted = true;
  ++of.log;
}

void TopicHistory::settle() {
  for (auto& [name, topic] : topics_) {
    topic.settled_log = topic.log;
    topic.settled_events = topic.events.size();
  }
}

bool TopicHistory::is_anew(const std::string& topic) const {
  const auto found = topics_.find(topic);
  return found != topics_.end() && found->second.log > found->second.settled_log;
}

std::size_t TopicHistory::settled(const std::string& topic) const {
  const auto found = topics_.find(topic);
  return found == topics_.end() ? 0 : found->second.settled_events;
}

const std::vector<TopicHistory::Event>& TopicHistory::events(const std::string& topic) const {
  static const std::vector<Event> none;
  const auto found = topics_.find(topic);
  return found == topics_.end() ? none : found->second.events;
}

std::vector<std::string> TopicHistory::topics() const {
  std::vector<std::string> names;
  for (const auto& [name, ignored] : topics_) names.push_back(name);
  return names;
}

std::size_t TopicHistory::log(const std::string& topic) const {
  const auto found = topics_.find(topic);
  return found == topics_.end() ? 0 : found->second.log;
}

void ReaderPromises::begin(const std::string& topic, std::int32_t partition, std::int64_t offset) {
  partitions_[{topic, partition}].begin = offset;
}

void ReaderPromises::event(const std::string& topic, std::int32_t partition, std::int64_t offset,
                           const std::string& id) {
  partitions_[{topic, partition}].got.push_back({offset, id});
  ++times_seen_[id];
  ++events_;
}

void ReaderPromises::gap(const std::string& topic, std::int32_t partition, std::int64_t from, std::int64_t to) {
  partitions_[{topic, partition}].gaps.push_back({from, to});
  ++gaps_;
}

void ReaderPromises::settle() {
  for (auto& [name, partition] : partitions_) partition.settled_got = partition.got.size();
}

std::string ReaderPromises::place(const PartitionName& name, std::int64_t offset) const {
  return name.first + "/" + std::to_string(name.second) + " offset " + std::to_string(offset);
}

std::size_t ReaderPromises::missing(const TopicHistory& history) const {
  std::size_t count = 0;
  for (const std::string& topic : history.topics()) {
    for (const TopicHistory::Event& event : history.events(topic)) {
      if (event.deleted || times_seen_.count(event.id) > 0) continue;
      const auto partition = partitions_.find({topic, event.partition});
      const bool wanted = event.log > 0 || partition == partitions_.end() || event.offset >= partition->second.begin;
      count += wanted ? 1 : 0;
    }
  }
  return count;
}

/// Judges what has come since `settle`.
void ReaderPromises::judge_order(const PartitionName& name, const Partition& partition, const TopicHistory& history,
                                 std::set<std::string>& found) const {
  const bool anew = history.is_anew(name.first);
  const std::vector<TopicHistory::Event>& events = history.events(name.first);
  std::map<std::string, std::size_t> written;
  for (std::size_t i = 0; i < events.size(); ++i)
    if (events[i].partition == name.second) written.emplace(events[i].id, i);
  std::set<std::string> came_before;
  for (std::size_t i = 0; i < partition.settled_got; ++i) came_before.insert(partition.got[i].id);

  std::int64_t last = -1;
  for (std::size_t i = partition.settled_got; i < partition.got.size(); ++i) {
    const Got& got = partition.got[i];
    const auto found_event = written.find(got.id);
    if (found_event == written.end()) {
      found.insert(place(name, got.offset) + ": was never written: " + got.id);
      continue;
    }
    const TopicHistory::Event& event = events[found_event->second];
    if (event.offset != got.offset) {
      found.insert(place(name, got.offset) + ": was written at " + std::to_string(event.offset));
    } else if (event.log == history.log(name.first)) {
      if (came_before.contains(got.id) && !anew)
        found.insert(place(name, got.offset) + ": came again");
      else if (got.offset <= last && !anew)
        found.insert(place(name, got.offset) + ": came after offset " + std::to_string(last));
      last = std::max(last, got.offset);
    }
  }
}

void ReaderPromises::judge_partition(const PartitionName& name, const Partition& partition, const TopicHistory& history,
                                     std::set<std::string>& found) const {
  judge_order(name, partition, history, found);
  const bool anew = history.is_anew(name.first);
  std::map<std::string, const TopicHistory::Event*> written;
  for (const TopicHistory::Event& event : history.events(name.first))
    if (event.partition == name.second) written.emplace(event.id, &event);
  // Those from here on may come only once.
  const TopicHistory::Event* const unsettled = history.events(name.first).data() + history.settled(name.first);

  for (const Gap& gap : partition.gaps) {
    // A reader may hear late of a partition that is empty since.
    if (gap.to < gap.from && history.log(name.first) == 0) {
      found.insert(place(name, gap.from) + ": a gap back to " + std::to_string(gap.to));
      continue;
    }
    for (const auto& [ignored, event] : written)
      if (!event->deleted && event->offset >= gap.from && event->offset < gap.to && times_seen_.count(event->id) == 0)
        found.insert(place(name, event->offset) + ": a gap from " + std::to_string(gap.from) + " to " +
                     std::to_string(gap.to) + " has it though it is there");
  }

  for (const auto& [id, event] : written) {
    const auto seen = times_seen_.find(id);
    const std::size_t times = seen == times_seen_.end() ? 0 : seen->second;
    if (times > 1 && !anew && event >= unsettled)
      found.insert(place(name, event->offset) + ": came " + std::to_string(times) + " times");
    if (times > 0 || (event->log == 0 && event->offset < partition.begin)) continue;
    if (!event->deleted) {
      found.insert(place(name, event->offset) + ": is missing");
      continue;
    }
    // Of a log that is gone, a reader knows of the gap only by the one to the new log.
    const bool told = std::any_of(partition.gaps.begin(), partition.gaps.end(), [&](const Gap& gap) {
      return gap.from <= event->offset && (event->offset < gap.to || event->log < history.log(name.first));
    });
    if (!told && event->log == history.log(name.first))
      found.insert(place(name, event->offset) + ": is deleted, and no gap says so");
  }
}

std::vector<std::string> ReaderPromises::judge(const TopicHistory& history) {
  std::map<PartitionName, Partition> all = partitions_;
  for (const std::string& topic : history.topics())
    for (const TopicHistory::Event& event : history.events(topic)) all.try_emplace({topic, event.partition});
  std::set<std::string> found;
  for (const auto& [name, partition] : all) judge_partition(name, partition, history, found);
  std::vector<std::string> problems;
  for (const std::string& problem : std::exchange(problems_, {})) problems.push_back(problem);
  for (const std::string& problem : found)
    if (told_.insert(problem).second) problems.push_back(name_ + ": " + problem);
  return problems;
}

}  // namespace eventgate

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace eventgate {

/// What is in Kafka and what was there: each event by its place. A topic that is deleted and made anew begins another
/// log.
///
/// One thread.
class TopicHistory {
 public:
  struct Event {
    std::size_t log = 0;  ///< Of the topic, counted from 0.
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::string id;        ///< Of this event alone.
    bool deleted = false;  ///< By retention, or with its topic.
  };

  /// An event was acknowledged by Kafka.
  void add(const std::string& topic, std::int32_t partition, std::int64_t offset, const std::string& id);
  /// Retention deleted what is before `offset`.
  void delete_before(const std::string& topic, std::int32_t partition, std::int64_t offset);
  /// The topic was deleted, and one of the same name was made.
  void make_anew(const std::string& topic);
  /// Every reader has all that is there. Call `ReaderPromises::settle` of each reader, too.
  void settle();

  const std::vector<Event>& events(const std::string& topic) const;
  std::vector<std::string> topics() const;
  /// Returns the number of the topic's log now.
  std::size_t log(const std::string& topic) const;
  /// Returns true if the topic was made anew since `settle`.
  bool is_anew(const std::string& topic) const;
  /// Returns how many of `events` are older than `settle`.
  std::size_t settled(const std::string& topic) const;

 private:
  struct Topic {
    std::vector<Event> events;
    std::size_t log = 0;
    std::size_t settled_log = 0;
    std::size_t settled_events = 0;
  };
  std::map<std::string, Topic> topics_;
};

/// What one reader was sent over all its connections, in order, and the judge over it. The reader comes back with the
/// last id it has seen, each time:
///
/// - Each event that was acknowledged after the reader's first position comes exactly once.
/// - An event that is deleted may be missing, if a gap says so: `from` to `to` has its offset; or the gap is one to a
///   topic made anew, whose `from` is not after it.
/// - A gap has no event that is still there.
/// - Events of a partition come in the order of their offsets.
/// - Events of a topic that was made anew may come again and in the order of before, until every reader has all that is
///   there; none is missing. What was in the topic before may come at any time.
/// - What is sent was written, at the place that `meta` names.
///
/// One thread.
class ReaderPromises {
 public:
  explicit ReaderPromises(std::string name) : name_(std::move(name)) {}

  /// The first id of the reader: where it begins. Partitions that are not named are read from their beginning.
  void begin(const std::string& topic, std::int32_t partition, std::int64_t offset);
  void event(const std::string& topic, std::int32_t partition, std::int64_t offset, const std::string& id);
  void gap(const std::string& topic, std::int32_t partition, std::int64_t from, std::int64_t to);
  /// Something else that may not be was seen.
  void broken(const std::string& what) { problems_.push_back(name_ + ": " + what); }

  /// Every reader has all that is there: from now on nothing of it may come again, even of a topic made anew.
  void settle();

  /// Returns how many events that are still there have not come.
  std::size_t missing(const TopicHistory& history) const;

  /// Returns what is broken, each once. `history` has everything that was sent.
  std::vector<std::string> judge(const TopicHistory& history);

  std::size_t events() const { return events_; }
  std::size_t gaps() const { return gaps_; }

 private:
  using PartitionName = std::pair<std::string, std::int32_t>;
  struct Gap {
    std::int64_t from = 0;
    std::int64_t to = 0;
  };
  struct Got {
    std::int64_t offset = 0;
    std::string id;
  };
  struct Partition {
    std::int64_t begin = 0;
    std::vector<Got> got;
    std::vector<Gap> gaps;
    std::size_t settled_got = 0;  // of `got`, those before `settle`
  };

  void judge_partition(const PartitionName& name, const Partition& partition, const TopicHistory& history,
                       std::set<std::string>& found) const;
  void judge_order(const PartitionName& name, const Partition& partition, const TopicHistory& history,
                   std::set<std::string>& found) const;
  std::string place(const PartitionName& name, std::int64_t offset) const;

  const std::string name_;
  std::map<PartitionName, Partition> partitions_;
  std::map<std::string, std::size_t> times_seen_;  // by the event's id
  std::vector<std::string> problems_;
  std::set<std::string> told_;
  std::size_t events_ = 0;
  std::size_t gaps_ = 0;
};

}  // namespace eventgate

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "support/kafka_broker.hpp"

namespace eventgate {

/// What a client was told of one of its events.
enum class Answer : std::uint8_t {
  none,          ///< It was cut off, or the gate was gone.
  produced,      ///< 201, or not listed in a 207.
  promised,      ///< 202
  not_produced,  ///< Listed with `delivery` not_produced.
  unknown,       ///< Listed with `delivery` unknown.
  refused,       ///< 503
  wrong,         ///< Anything else: no answer to such a request.
};

/// An event that was sent, and what became of it.
struct SentEvent {
  std::string id;
  std::string topic;
  std::string text;                 ///< The bytes.
  std::set<std::string> additions;  ///< Names of the members that the gate adds to it.
  bool fits = true;                 ///< Not larger than the topic takes.
  std::size_t round = 0;
  std::size_t request = 0;  ///< Its place in the round.
  std::size_t gate = 0;     ///< The process it was sent to; meaningless if it was sent to none.
  bool cut = false;         ///< Its client does not wait for the answer.
  Answer answer = Answer::none;
  std::string answer_text;            ///< The answer in short.
  std::chrono::milliseconds took{0};  ///< From the first byte sent until the answer.
  std::size_t found = 0;              ///< Times it was read from Kafka.
  std::size_t error_events = 0;       ///< Error events about it that were read from Kafka.
  std::size_t filed = 0;              ///< Times it was read from a file output.
  bool spooled = false;               ///< It was in the spool when that was read.
};

/// A gate process, and how it ended, if it did.
struct GateLife {
  enum class End : std::uint8_t { none, killed, stopped };
  End end = End::none;
  /// Of a stopped one: hasty events that it says it lost in its life.
  std::size_t lost = 0;
  bool gave_up = false;            ///< Of a stopped one: the time to stop (`shutdown_timeout`) was over.
  bool lost_error_events = false;  ///< Its log says that it lost some.
  bool file = false;               ///< It had a file output beside Kafka.
};

/// What has happened in a round besides the promises.
struct RoundFaults {
  bool broker = false;   ///< It was frozen, killed, stopped or restarted.
  bool gate = false;     ///< It was killed or stopped.
  bool disk = false;     ///< The disk of a file output beside Kafka was full.
  bool leaders = false;  ///< Partitions got other leaders, by the cluster's own books.
};

/// The book of what was sent, answered and found, and the judge over it:
///
/// - 201: the event is in Kafka (or still in the spool), and in the file if there is a file output.
/// - 202: it is in Kafka, unless the process was killed (SIGKILL); or it was stopped in a round in which the broker was
///   away, leaders moved, or the time to stop was over, and its last line counts as many as lost; or the event is too
///   large for its topic, which shows later.
/// - `not_produced` and 503: it is not in Kafka, now or later, nor in a file.
/// - `unknown`: the broker was frozen, killed, stopped or restarted in that round, or a file output's disk was full, or
///   leaders moved; or Kafka had the time that the gate gives it, and gave no answer.
/// - No answer: the client cut the connection or the gate was killed or stopped in that round.
/// - Each record in Kafka is an event that was sent, byte for byte with the gate's additions at the ends of objects,
///   under its own key and time.
/// - Each error event is of an event that is too large for its topic, was not produced, and stands in it as completed.
///   An event that was refused for its size has one in Kafka, unless its process was killed or says that it lost some,
///   or the event was answered 202 and the stop took all its time.
///
/// One thread.
class Promises {
 public:
  /// `time_of_kafka`: what the gate gives Kafka for a guaranteed event. `spool`: the gates have one, which takes hasty
  /// events before Kafka refuses them.
  explicit Promises(std::chrono::milliseconds time_of_kafka, bool spool = false)
      : time_of_kafka_(time_of_kafka), spool_(spool) {}

  /// The reference stays good.
  SentEvent& add(SentEvent event);

  /// A record was read from Kafka. To be called when its round's requests are all answered.
  void find(const std::string& topic, const ConsumedRecord& record);

  /// An error event was read from Kafka.
  void find_error_event(const std::string& value);

  /// A line was read from a file output: an event or an error event.
  void find_in_file(const std::string& line);

  /// An event is in the spool, which is as good as in Kafka.
  void find_in_spool(const std::string& value);

  /// Events of `round` that are to be in Kafka, and error events, that were not found yet.
  std::size_t missing(std::size_t round, const std::vector<GateLife>& gates) const;

  /// The verdict on `round`. Everything it left in Kafka and in files has been read.
  void judge(std::size_t round, const RoundFaults& faults, const std::vector<GateLife>& gates);

  /// Something else that may not be was seen.
  void broken(std::size_t round, const std::string& what);

  /// An event as the book has it, for a message.
  static std::string described(const SentEvent& event);

  /// What was broken since the last call, as `round: what`.
  std::vector<std::pair<std::size_t, std::string>> take_broken() { return std::exchange(new_broken_, {}); }

  const std::unordered_map<std::string, SentEvent>& events() const { return events_; }
  std::size_t obligations() const { return obligations_; }
  std::size_t broken_count() const { return broken_; }
  std::size_t duplicates() const { return duplicates_; }

 private:
  /// The event of which `record` is the completed text; a broken promise and null if there is none.
  SentEvent* sent_as(const std::string& record, const std::string& where);
  bool must_be_there(const SentEvent& event, const std::vector<GateLife>& gates) const;
  /// The event that `error_event` is about, if it may be; else what is broken, and null.
  SentEvent* refused_event(const std::string& error_event, const std::string& where);
  bool needs_error_event(const SentEvent& event, const std::vector<GateLife>& gates) const;
  /// Of each gate, the hasty events it lost besides those too large, which had to be.
  std::vector<std::size_t> losses(std::size_t round, const std::vector<GateLife>& gates) const;

  const std::chrono::milliseconds time_of_kafka_;
  const bool spool_;
  std::unordered_map<std::string, SentEvent> events_;  // by id
  std::vector<std::vector<SentEvent*>> rounds_;
  std::vector<std::size_t> too_large_;  // of each gate, the hasty events of rounds judged that were
  std::vector<std::pair<std::size_t, std::string>> new_broken_;
  std::size_t obligations_ = 0;
  std::size_t broken_ = 0;
  std::size_t duplicates_ = 0;
};

/// Why `got` is not `sent` completed by exactly the string members `additions`, each at the end of an object; or
/// nothing.
std::optional<std::string> completion_problem(std::string_view sent, std::string_view got,
                                              const std::set<std::string>& additions);

/// Whether the text of a record is that of an error event.
bool is_error_event(std::string_view text);

/// The value of the first string member `name` of `text`, undecoded; empty if there is none.
std::string_view member_text(std::string_view text, std::string_view name);

}  // namespace eventgate

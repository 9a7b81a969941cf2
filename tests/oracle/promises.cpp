#include "promises.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "eventgate/base/timestamp.hpp"

namespace eventgate {

std::string_view member_text(std::string_view text, std::string_view name) {
  const std::string key = '"' + std::string(name) + "\":";
  std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  at = text.find('"', at + key.size());
  const std::size_t end = at == std::string_view::npos ? at : text.find('"', at + 1);
  return end == std::string_view::npos ? std::string_view() : text.substr(at + 1, end - at - 1);
}

std::optional<std::string> completion_problem(std::string_view sent, std::string_view got,
                                              const std::set<std::string>& additions) {
  std::set<std::string> missing = additions;
  std::size_t at = 0;
  for (const char expected : sent) {
    while (at < got.size() && got[at] != expected && expected == '}') {  // something was added to this object
      if (got[at] == ',') ++at;
      const std::size_t colon = got.find("\":\"", at);
      const std::size_t end = colon == std::string_view::npos ? colon : got.find('"', colon + 3);
      if (end == std::string_view::npos || got[at] != '"') break;
      const std::string name(got.substr(at + 1, colon - at - 1));
      if (missing.erase(name) == 0) return "has an addition too many, '" + name + "'";
      at = end + 1;
    }
    if (at >= got.size() || got[at] != expected) return "differs at byte " + std::to_string(at);
    ++at;
  }
  if (at != got.size()) return "goes on at byte " + std::to_string(at);
  if (!missing.empty()) return "lacks the addition '" + *missing.begin() + "'";
  return std::nullopt;
}

bool is_error_event(std::string_view text) {
  return text.find("\"error_type\":\"") != std::string_view::npos &&
         text.find("\"raw_event\":\"") != std::string_view::npos;
}

SentEvent& Promises::add(SentEvent event) {
  const auto [place, is_new] = events_.emplace(event.id, event);
  SentEvent& added = place->second;
  if (!is_new) broken(event.round, "the id " + event.id + " was made twice");
  if (rounds_.size() <= added.round) rounds_.resize(added.round + 1);
  rounds_[added.round].push_back(&added);
  return added;
}

void Promises::broken(std::size_t round, const std::string& what) {
  ++broken_;
  new_broken_.emplace_back(round, what);
}

std::string Promises::described(const SentEvent& event) {
  return "event " + event.id + " (request " + std::to_string(event.request) + " to gate " + std::to_string(event.gate) +
         ", topic " + event.topic + ", answer " + (event.answer_text.empty() ? "none" : event.answer_text) + ", " +
         std::to_string(event.found) + " times in Kafka)";
}

SentEvent* Promises::sent_as(const std::string& record, const std::string& where) {
  ++obligations_;
  const auto found = events_.find(std::string(member_text(record, "id")));
  if (found == events_.end()) {
    broken(rounds_.empty() ? 0 : rounds_.size() - 1, "what is in " + where + " was never sent: " + record);
    return nullptr;
  }
  SentEvent& event = found->second;
  if (const auto problem = completion_problem(event.text, record, event.additions)) {
    broken(event.round, "what is in " + where + ' ' + *problem + ": " + record + ", sent as " + event.text + ", " +
                            described(event));
    return nullptr;
  }
  return &event;
}

void Promises::find(const std::string& topic, const ConsumedRecord& record) {
  SentEvent* const event = sent_as(record.value, "Kafka");
  if (event == nullptr) return;
  if (event->found++ > 0) ++duplicates_;
  if (event->answer == Answer::not_produced || event->answer == Answer::refused)
    broken(event->round, "is in Kafka though it is not produced: " + described(*event));
  if (topic != event->topic) broken(event->round, "is in the topic " + topic + ": " + described(*event));
  if (record.key != "{\"id\":\"" + event->id + "\"}")
    broken(event->round, "has the key " + record.key.value_or("(none)") + ": " + described(*event));
  if (parse_timestamp(member_text(record.value, "dt")) != record.timestamp)
    broken(event->round, "has the time " + std::to_string(record.timestamp) + ": " + described(*event));
}

SentEvent* Promises::refused_event(const std::string& error_event, const std::string& where) {
  const auto object = nlohmann::json::parse(error_event, nullptr, false);
  const auto text = [&](const char* name) {
    return object.is_object() && object.contains(name) && object[name].is_string() ? object[name].get<std::string>()
                                                                                   : std::string();
  };
  SentEvent* const event = sent_as(text("raw_event"), "an error event in " + where);
  if (event == nullptr) return nullptr;
  const auto problem = [&](const std::string& what) -> SentEvent* {
    broken(event->round, "has an error event in " + where + what + ": " + error_event + ", " + described(*event));
    return nullptr;
  };
  if (text("error_type") != "record" || text("errored_stream_name") != event->topic) return problem(" that is wrong");
  if (event->fits) return problem(" though it fits");
  const bool may_be_refused =
      event->answer == Answer::not_produced || event->answer == Answer::promised || event->answer == Answer::none;
  return may_be_refused ? event : problem(" though its answer is another");
}

void Promises::find_error_event(const std::string& value) {
  if (SentEvent* const event = refused_event(value, "Kafka")) ++event->error_events;
}

void Promises::find_in_file(const std::string& line) {
  if (is_error_event(line)) {
    refused_event(line, "the file");
    return;
  }
  if (SentEvent* const event = sent_as(line, "the file")) ++event->filed;
}

void Promises::find_in_spool(const std::string& value) {
  if (is_error_event(value)) {
    refused_event(value, "the spool");
    return;
  }
  SentEvent* const event = sent_as(value, "the spool");
  if (event == nullptr) return;
  event->spooled = true;
  if (event->answer == Answer::not_produced || event->answer == Answer::refused)
    broken(event->round, "is in the spool though it is not produced: " + described(*event));
}

bool Promises::must_be_there(const SentEvent& event, const std::vector<GateLife>& gates) const {
  if (event.answer == Answer::produced) return true;
  return event.answer == Answer::promised && event.fits && gates[event.gate].end != GateLife::End::killed;
}

bool Promises::needs_error_event(const SentEvent& event, const std::vector<GateLife>& gates) const {
  const GateLife& gate = gates[event.gate];
  if (event.fits || gate.end == GateLife::End::killed || gate.lost_error_events) return false;
  if (event.answer == Answer::not_produced)
    return event.answer_text.find(rd_kafka_err2str(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)) != std::string::npos;
  // A stop that took all its time may end before the event is tried. An event that a file has is not refused.
  return event.answer == Answer::promised && !spool_ && !gate.file && !gate.gave_up;
}

std::vector<std::size_t> Promises::losses(std::size_t round, const std::vector<GateLife>& gates) const {
  std::vector<std::size_t> too_large = too_large_;
  too_large.resize(gates.size());
  for (const SentEvent* event : rounds_[round])
    if (event->answer == Answer::promised && !event->fits) ++too_large[event->gate];
  std::vector<std::size_t> lost;
  for (std::size_t gate = 0; gate < gates.size(); ++gate)
    lost.push_back(gates[gate].lost - std::min(gates[gate].lost, too_large[gate]));
  return lost;
}

std::size_t Promises::missing(std::size_t round, const std::vector<GateLife>& gates) const {
  if (round >= rounds_.size()) return 0;
  std::vector<std::size_t> lost = losses(round, gates);
  std::size_t count = 0;
  for (const SentEvent* event : rounds_[round]) {
    if (event->error_events == 0 && needs_error_event(*event, gates)) ++count;
    if (event->found > 0 || event->spooled || !must_be_there(*event, gates)) continue;
    if (event->answer == Answer::produced || lost[event->gate] == 0) {
      ++count;
    } else {
      --lost[event->gate];
    }
  }
  return count;
}

void Promises::judge(std::size_t round, const RoundFaults& faults, const std::vector<GateLife>& gates) {
  if (round >= rounds_.size()) return;
  std::vector<std::size_t> lost = losses(round, gates);
  too_large_.resize(gates.size());
  for (const SentEvent* event : rounds_[round]) {
    if (event->answer == Answer::promised && !event->fits) ++too_large_[event->gate];
    if (needs_error_event(*event, gates)) {
      ++obligations_;
      if (event->error_events == 0) broken(round, "has no error event: " + described(*event));
    }
    switch (event->answer) {
      case Answer::produced:
      case Answer::promised:
        if (!must_be_there(*event, gates)) break;
        ++obligations_;
        if (event->answer == Answer::produced && gates[event->gate].file && event->filed == 0)
          broken(round, "is not in the file: " + described(*event));
        if (event->found > 0 || event->spooled) break;
        if (event->answer == Answer::promised && lost[event->gate] > 0 &&
            (faults.broker || faults.leaders || gates[event->gate].gave_up)) {
          --lost[event->gate];
          break;
        }
        broken(round, "is not in Kafka: " + described(*event));
        break;
      case Answer::not_produced:
      case Answer::refused:
        ++obligations_;  // `find` looks at it
        if (event->filed > 0) broken(round, "is in a file though it is not produced: " + described(*event));
        break;
      case Answer::unknown:
        ++obligations_;
        if (!faults.broker && !faults.disk && !faults.leaders && event->took < time_of_kafka_)
          broken(round, "unknown without a cause: " + described(*event));
        break;
      case Answer::none:
        ++obligations_;
        if (!event->cut && !faults.gate) broken(round, "no answer: " + described(*event));
        break;
      case Answer::wrong:
        ++obligations_;
        broken(round, "no such answer is expected: " + described(*event));
        break;
    }
  }
}

}  // namespace eventgate

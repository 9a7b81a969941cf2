#include "eventgate/delivery/fan_out.hpp"

#include <algorithm>
#include <utility>

#include "eventgate/telemetry/telemetry.hpp"

namespace eventgate {

namespace {

/// librdkafka's text for a record without a report in time (`rd_kafka_err2str`).
constexpr std::string_view kTimedOut = "Local: Message timed out";

}  // namespace

FanOut::FanOut(std::vector<std::unique_ptr<Sink>> sinks, std::chrono::milliseconds produce_timeout,
               Telemetry& telemetry)
    : sinks_(std::move(sinks)), produce_timeout_(produce_timeout), telemetry_(telemetry) {}

DeliveryBatch& FanOut::hand_over(std::span<Record> records, Assurance assurance, const IoExecutor& executor) {
  const std::size_t count = records.size();
  // The handles of the first sink come first, then those of the second, and so on.
  DeliveryBatch& batch = *DeliveryBatch::make(executor, count * sinks_.size());
  for (std::size_t s = 0; s < sinks_.size(); ++s) {
    for (std::size_t i = 0; i < count; ++i) records[i].handle = &batch.handle(s * count + i);
    sinks_[s]->produce(records, assurance);
  }
  return batch;
}

DeliveryBatch::Waiting FanOut::wait(DeliveryBatch& batch, Assurance assurance) const {
  return batch.wait(assurance == Assurance::guaranteed ? produce_timeout_ : std::chrono::milliseconds(0));
}

void FanOut::collect_outcomes(DeliveryBatch& batch, std::size_t count, std::vector<Outcome>& outcomes) {
  static const DeliveryFailure timed_out{Delivery::unknown, std::string(kTimedOut)};
  std::vector<std::size_t> unreported;  // counts by sink; empty if every record has a report
  outcomes.clear();
  outcomes.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t failures = 0;
    std::optional<DeliveryFailure>& outcome = outcomes[i].failure;
    for (std::size_t s = 0; s < sinks_.size(); ++s) {
      const DeliveryFailure* failure = batch.failure(s * count + i, timed_out);
      if (!failure) {
        outcomes[i].spooled = outcomes[i].spooled || batch.is_spooled(s * count + i);
        if (const DeliveryHandle::SinkData& data = batch.handle(s * count + i).sink_data; data.offset >= 0) {
          outcomes[i].partition = data.partition;
          outcomes[i].offset = data.offset;
        }
        continue;
      }
      if (failure == &timed_out) {
        unreported.resize(sinks_.size());
        ++unreported[s];
      }
      ++failures;
      if (sinks_.size() == 1) {
        outcome = *failure;
        continue;
      }
      if (!outcome) outcome = DeliveryFailure{Delivery::not_produced, {}};
      if (failure->delivery == Delivery::unknown) outcome->delivery = Delivery::unknown;
      // A record that one sink will never take is not worth sending again, whatever another sink says.
      if (outcome->scope != FailureScope::record) outcome->scope = failure->scope;
      outcome->denied = outcome->denied || failure->denied;
      if (failure->value) outcome->value = failure->value;
      if (!outcome->message.empty()) outcome->message += "; ";
      outcome->message += sinks_[s]->name();
      outcome->message += ": ";
      outcome->message += failure->message;
    }
    // One sink has it and another has not.
    if (failures > 0 && failures < sinks_.size()) outcome->delivery = Delivery::unknown;
  }
  for (std::size_t s = 0; s < unreported.size(); ++s)
    if (unreported[s] > 0)
      telemetry_.sink_warning(
          sinks_[s]->name(),
          std::to_string(unreported[s]) +
              " records have no report within produce_timeout; their clients are answered `unknown`");
}

bool FanOut::borrows_record_text() const {
  return std::any_of(sinks_.begin(), sinks_.end(), [](const auto& sink) { return sink->borrows_record_text(); });
}

void FanOut::prefetch_metadata(const std::string& topic) {
  for (const auto& sink : sinks_) sink->prefetch_metadata(topic);
}

std::function<void()> FanOut::reload() {
  std::vector<std::function<void()>> uses;
  for (const auto& sink : sinks_) uses.push_back(sink->reload());
  return [uses = std::move(uses)] {
    for (const auto& use : uses) use();
  };
}

std::optional<std::string> FanOut::not_ready_reason() const {
  for (const auto& sink : sinks_)
    if (auto reason = sink->not_ready_reason()) return reason;
  return std::nullopt;
}

std::vector<std::string> FanOut::degraded_reasons() const {
  std::vector<std::string> found;
  for (const auto& sink : sinks_)
    if (auto reason = sink->degraded_reason()) found.push_back(*std::move(reason));
  return found;
}

std::optional<std::string> FanOut::overload_reason() const {
  for (const auto& sink : sinks_)
    if (auto reason = sink->overload_reason()) return reason;
  return std::nullopt;
}

void FanOut::stop(std::chrono::steady_clock::time_point deadline) {
  for (const auto& sink : sinks_) sink->stop(deadline);
}

}  // namespace eventgate

#include "eventgate/gate/live_counts.hpp"

#include <algorithm>

#include "eventgate/base/utf8.hpp"

namespace eventgate {

namespace {

std::size_t place(LiveOutcome outcome) { return static_cast<std::size_t>(outcome); }

}  // namespace

void LiveCounts::add(const LiveEvent& event) {
  ++totals_[place(event.outcome)];
  // The events of a request have the same time, and mostly the same names.
  if (!bucket_ || event.received_at != bucket_time_) find_bucket(event.received_at);
  ++bucket_->outcomes[place(event.outcome)];
  if (event.outcome != LiveOutcome::rejected) {
    if (!last_ || event.stream != last_->stream || event.schema_uri != last_->schema_uri) find_names(event);
    ++(last_ ? last_->outcomes : unlisted_)[place(event.outcome)];
    if (last_) last_->last_at = std::max(last_->last_at, event.received_at);
  }
  if (event.outcome != LiveOutcome::accepted) add_reason(event);
}

/// Sets `bucket_` to the second of an event. An event older than those counted in its place goes to `outdated_`.
void LiveCounts::find_bucket(std::int64_t received_at) {
  const std::int64_t second = std::max<std::int64_t>(received_at / 1000, 0);
  LiveSummary::Second& bucket = seconds_[static_cast<std::size_t>(second) % kSeconds];
  if (bucket.second < second) bucket = {second, {}};
  bucket_ = bucket.second == second ? &bucket : &outdated_;
  bucket_time_ = received_at;
}

/// Sets `key_` to the key of these names. Their sizes are in it, because they may have any character.
void LiveCounts::set_key(std::initializer_list<std::string_view> names) {
  key_.clear();
  for (const std::string_view name : names) key_.append(std::to_string(name.size())).append(":").append(name);
}

/// Sets `last_` to the entry of an event, or to null if there is none and no room for it.
void LiveCounts::find_names(const LiveEvent& event) {
  const std::string_view stream = utf8_prefix(event.stream, kMaxName);
  const std::string_view schema_uri = utf8_prefix(event.schema_uri, kMaxName);
  set_key({stream, schema_uri});
  last_ = nullptr;
  auto found = names_.find(key_);
  if (found == names_.end()) {
    if (names_.size() >= kMaxNames) return;
    found = names_.emplace(key_, LiveSummary::Names{std::string(stream), std::string(schema_uri)}).first;
  }
  last_ = &found->second;
}

void LiveCounts::add_reason(const LiveEvent& event) {
  const LiveReason reason = live_reason(event);
  const std::string_view schema_uri = utf8_prefix(event.schema_uri, kMaxName);
  set_key({schema_uri, reason.reason, reason.path});
  auto found = reasons_.find(key_);
  if (found == reasons_.end()) {
    if (reasons_.size() >= kMaxReasons) {
      ++unlisted_reasons_;
      return;
    }
    found = reasons_
                .emplace(key_, LiveSummary::Reason{std::string(schema_uri), std::string(reason.reason), reason.path,
                                                   event.outcome})
                .first;
  }
  ++found->second.count;
  found->second.last_at = std::max(found->second.last_at, event.received_at);
}

void LiveCounts::clear() {
  totals_ = unlisted_ = {};
  unlisted_reasons_ = 0;
  names_.clear();
  reasons_.clear();
  seconds_ = {};
  bucket_ = nullptr;
  last_ = nullptr;
}

LiveCount LiveCounts::count(const LiveFilter& filter) const {
  LiveCount result;
  if (!filter.stream && !filter.schema) {
    result.outcomes = totals_;
  } else {
    for (const auto& [key, entry] : names_) {
      if (!filter.wants_names(entry.stream, entry.schema_uri)) continue;
      for (std::size_t i = 0; i < kLiveOutcomeCount; ++i) result.outcomes[i] += entry.outcomes[i];
    }
  }
  for (std::size_t i = 0; i < kLiveOutcomeCount; ++i) {
    const bool wanted = filter.wants(static_cast<LiveOutcome>(i));
    if (!wanted) result.outcomes[i] = 0;
    if (wanted && (filter.stream || filter.schema)) result.unlisted += unlisted_[i];
  }
  return result;
}

void LiveCounts::fill(LiveSummary& summary) const {
  summary.totals = totals_;
  for (const std::uint64_t count : unlisted_) summary.unlisted += count;
  summary.unlisted_reasons = unlisted_reasons_;
  for (const auto& [key, entry] : names_) summary.names.push_back(entry);
  for (const auto& [key, entry] : reasons_) summary.reasons.push_back(entry);
  std::int64_t newest = 0;
  for (const LiveSummary::Second& second : seconds_) newest = std::max(newest, second.second);
  for (const LiveSummary::Second& second : seconds_)
    if (second.second > 0 && second.second > newest - static_cast<std::int64_t>(kSeconds))
      summary.seconds.push_back(second);
}

}  // namespace eventgate

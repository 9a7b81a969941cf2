#include "request_scratch.hpp"

#include <utility>

namespace eventgate {

namespace {

/// Request memories that a thread keeps. More are in use only while that many requests wait at once.
constexpr std::size_t kMaxFreeMemories = 64;
/// Bytes of each buffer that a kept memory may have, so that one large request does not hold memory for ever.
constexpr std::size_t kMaxKeptBytes = 64 * 1024;

}  // namespace

std::uint32_t RequestSchemas::find(std::string_view schema_uri) {
  if (last_ < entries_.size() && entries_[last_].schema_uri == schema_uri) return last_;
  if (entries_.size() <= kLinearSearchMax) {
    for (last_ = 0; last_ < entries_.size(); ++last_)
      if (entries_[last_].schema_uri == schema_uri) return last_;
    return kNone;
  }
  const auto found = numbers_.find(schema_uri);
  if (found == numbers_.end()) return kNone;
  last_ = found->second;
  return last_;
}

std::uint32_t RequestSchemas::add(std::string_view schema_uri, std::optional<SchemaResult> result) {
  last_ = size();
  entries_.push_back({schema_uri, std::move(result)});
  if (entries_.size() > kLinearSearchMax) {
    if (numbers_.empty())
      for (std::uint32_t i = 0; i < last_; ++i) numbers_.emplace(entries_[i].schema_uri, i);
    numbers_.emplace(schema_uri, last_);
  }
  return last_;
}

void RequestSchemas::clear() {
  entries_.clear();
  numbers_.clear();
  last_ = 0;
}

void LiveNotes::clear() {
  events.clear();
  added.clear();
  added_ends.clear();
  query.clear();
}

void RequestMemory::clear() {
  texts.clear();
  schemas.clear();
  event_schemas.clear();
  records.clear();
  event_indexes.clear();
  groups.clear();
  error_events.clear();
  error_event_count = 0;
  error_events_reservation.reset();
  live.clear();
}

MemoryLease::MemoryLease() {
  auto& free = pool();
  if (free.empty()) {
    memory_ = std::make_unique<RequestMemory>();
  } else {
    memory_ = std::move(free.back());
    free.pop_back();
  }
}

MemoryLease::~MemoryLease() {
  if (!memory_) return;
  if (pool().size() >= kMaxFreeMemories || memory_->error_events.capacity() > kMaxKeptBytes ||
      memory_->records.capacity() * sizeof(Record) > kMaxKeptBytes ||
      memory_->live.events.capacity() * sizeof(LiveEvent) > kMaxKeptBytes)
    return;
  memory_->clear();
  pool().push_back(std::move(memory_));
}

std::vector<std::unique_ptr<RequestMemory>>& MemoryLease::pool() {
  thread_local std::vector<std::unique_ptr<RequestMemory>> free;
  return free;
}

Workspace& workspace() {
  thread_local Workspace space;
  return space;
}

}  // namespace eventgate

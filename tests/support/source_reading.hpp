#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "eventgate/source/record_source.hpp"

namespace eventgate {

inline RecordSource::Deadline soon(std::chrono::seconds time = std::chrono::seconds(30)) {
  return std::chrono::steady_clock::now() + time;
}

/// Reads a tail of a source as the read side does: it waits for `on_readable` when there is nothing.
///
/// One thread.
class TailReader {
 public:
  TailReader(RecordSource& source, const std::string& topic, const std::vector<PartitionOffset>& from) {
    tail_ = source.tail(topic, from, [this] {
      const std::lock_guard lock(mutex_);
      readable_ = true;
      wake_.notify_all();
    });
  }

  /// Reads until `enough` of what was read so far. Returns false if it takes longer than `patience`.
  bool read_until(const std::function<bool(const TailRead&)>& enough,
                  std::chrono::seconds patience = std::chrono::seconds(60)) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!enough(all_)) {
      TailRead read;
      tail_->read(read, std::size_t{1} << 20);
      if (!read.empty()) {
        all_.started.insert(all_.started.end(), read.started.begin(), read.started.end());
        all_.gaps.insert(all_.gaps.end(), read.gaps.begin(), read.gaps.end());
        all_.records.insert(all_.records.end(), read.records.begin(), read.records.end());
        continue;
      }
      std::unique_lock lock(mutex_);
      if (!wake_.wait_until(lock, until, [this] { return std::exchange(readable_, false); })) return false;
    }
    return true;
  }
  bool read_records(std::size_t count, std::chrono::seconds patience = std::chrono::seconds(60)) {
    return read_until([&](const TailRead& all) { return all.records.size() >= count; }, patience);
  }

  const TailRead& all() const { return all_; }
  std::int64_t lag() const { return tail_->lag(); }

  /// Returns the values of the records read, in order.
  std::vector<std::string> values() const {
    std::vector<std::string> found;
    for (const SourceRecord& record : all_.records) found.push_back(record.value.value_or("(null)"));
    return found;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool readable_ = false;
  TailRead all_;
  std::unique_ptr<RecordTail> tail_;
};

/// Fetches a partition from `offset` to its end. Throws std::runtime_error if the source fails. `gaps` gets the gaps.
inline std::vector<SourceRecord> fetch_all(RecordSource& source, const PartitionId& id, std::int64_t offset,
                                           std::size_t max_bytes, std::vector<RecordGap>* gaps = nullptr) {
  std::vector<SourceRecord> found;
  for (;;) {
    SourceResult<FetchedRecords> fetched = source.fetch(id, offset, max_bytes, soon());
    if (!fetched) throw std::runtime_error(fetched.error().message);
    if (fetched->gap && gaps != nullptr) gaps->push_back(*fetched->gap);
    std::move(fetched->records.begin(), fetched->records.end(), std::back_inserter(found));
    offset = fetched->next;
    if (fetched->at_end) return found;
  }
}

}  // namespace eventgate

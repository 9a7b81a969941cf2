#pragma once

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {

/// A reader of documents that the test puts in place. Thread-safe.
class FakeObjectReader : public ObjectReader {
 public:
  /// From now on there is `text`, JSON or YAML, at `uri`.
  void put(const std::string& uri, std::string text) {
    const std::lock_guard lock(mutex_);
    documents_[uri] = std::move(text);
    errors_.erase(uri);
  }

  /// From now on, reading `uri`, or anything below it, fails so.
  void fail(const std::string& uri, ReadError::Kind kind, std::string message = "it failed") {
    const std::lock_guard lock(mutex_);
    errors_[uri] = {kind, std::move(message)};
  }

  void remove(const std::string& uri) {
    const std::lock_guard lock(mutex_);
    documents_.erase(uri);
    errors_.erase(uri);
  }

  /// From now on, reading `uri`, or anything below it, waits for `release`.
  void hold(const std::string& uri) {
    const std::lock_guard lock(mutex_);
    held_.insert(uri);
  }

  void release() {
    const std::lock_guard lock(mutex_);
    held_.clear();
    changed_.notify_all();
  }

  /// Lets `reads` reads that are held go on, now or when they come.
  void let_through(int reads) {
    const std::lock_guard lock(mutex_);
    passes_ += reads;
    changed_.notify_all();
  }

  /// Waits until `uri` has been asked for `times` times.
  void await_reads(const std::string& uri, std::ptrdiff_t times) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return std::count(reads_.begin(), reads_.end(), uri) >= times; });
  }

  /// Every URI asked for, in order.
  std::vector<std::string> reads() const {
    const std::lock_guard lock(mutex_);
    return reads_;
  }

  boost::system::result<nlohmann::ordered_json, ReadError> read(const std::string& uri) override {
    std::unique_lock lock(mutex_);
    reads_.push_back(uri);
    changed_.notify_all();
    const auto concerns = [&](const std::string& prefix) { return uri.starts_with(prefix); };
    if (std::any_of(held_.begin(), held_.end(), concerns)) {
      changed_.wait(lock, [&] { return passes_ > 0 || std::none_of(held_.begin(), held_.end(), concerns); });
      if (passes_ > 0) --passes_;
    }
    for (const auto& [prefix, error] : errors_) {
      if (concerns(prefix)) return error;
    }
    const auto found = documents_.find(uri);
    if (found == documents_.end()) return ReadError{ReadError::Kind::not_found, "no such document"};
    return parse_object_text(found->second);
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> documents_;
  std::map<std::string, ReadError> errors_;
  std::set<std::string> held_;
  int passes_ = 0;  ///< Reads that may go on although they are held.
  std::vector<std::string> reads_;
};

}  // namespace eventgate

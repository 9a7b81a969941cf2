#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "pending_record.hpp"

namespace eventgate {

class KafkaProducer;

/// Topics whose metadata is loaded ahead of their first record. Clients could make up more names, so those are ignored.
inline constexpr std::size_t kMaxPrefetchedTopics = 10000;

/// One thread that does the blocking work of both producers: it probes the brokers, loads the metadata of topics,
/// replaces failed clients, and sends single records again.
///
/// Thread-safe.
class KafkaHousekeeper {
 public:
  /// Starts the thread. `producers` must outlive it, up to `stop`. Call once.
  void start(std::vector<KafkaProducer*> producers);

  /// Makes the thread run the maintenance of both producers now.
  void request_maintenance();

  /// Makes the thread load the metadata of `topic` in both producers.
  void prefetch_metadata(const std::string& topic);

  /// Makes the thread send `record` by the client that sends each record alone. After `stop` the record fails at once.
  void produce_alone(KafkaProducer& producer, PendingRecord record);

  /// Ends maintenance. From now on the thread only sends single records.
  void end_maintenance() { maintenance_ended_ = true; }

  /// Returns true if no single record waits for its second try.
  bool is_idle() const;

  /// Ends the thread, and fails the records that still wait. Blocks until the thread has ended.
  void stop();

 private:
  void run();

  std::vector<KafkaProducer*> producers_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::pair<KafkaProducer*, PendingRecord>> single_records_;
  std::set<std::string> topics_to_prefetch_;
  bool maintenance_requested_ = false;
  bool sending_ = false;
  bool stopping_ = false;
  std::atomic<bool> maintenance_ended_{false};
  std::thread thread_;
};

}  // namespace eventgate

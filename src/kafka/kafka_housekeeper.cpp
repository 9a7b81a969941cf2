#include "kafka_housekeeper.hpp"

#include <algorithm>
#include <chrono>

#include "kafka_producer.hpp"

namespace eventgate {

using Clock = std::chrono::steady_clock;

void KafkaHousekeeper::start(std::vector<KafkaProducer*> producers) {
  producers_ = std::move(producers);
  thread_ = std::thread([this] { run(); });
}

void KafkaHousekeeper::request_maintenance() {
  const std::lock_guard lock(mutex_);
  maintenance_requested_ = true;
  wake_.notify_one();
}

void KafkaHousekeeper::prefetch_metadata(const std::string& topic) {
  const std::lock_guard lock(mutex_);
  if (topics_to_prefetch_.size() >= kMaxPrefetchedTopics || !topics_to_prefetch_.insert(topic).second) return;
  maintenance_requested_ = true;
  wake_.notify_one();
}

void KafkaHousekeeper::produce_alone(KafkaProducer& producer, PendingRecord record) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      single_records_.emplace_back(&producer, std::move(record));
      wake_.notify_one();
      return;
    }
  }
  producer.fail_pending(record);
}

bool KafkaHousekeeper::is_idle() const {
  const std::lock_guard lock(mutex_);
  return single_records_.empty() && !sending_;
}

void KafkaHousekeeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  for (auto& [producer, record] : single_records_) producer->fail_pending(record);
  single_records_.clear();
}

void KafkaHousekeeper::run() {
  Clock::time_point next = Clock::now();
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait_until(lock, next, [this] { return maintenance_requested_ || stopping_ || !single_records_.empty(); });
    if (stopping_) return;
    if (!single_records_.empty()) {
      const auto [producer, record] = std::move(single_records_.front());
      single_records_.pop_front();
      sending_ = true;
      lock.unlock();
      producer->produce_alone(record);
      lock.lock();
      sending_ = false;
      continue;
    }
    maintenance_requested_ = false;
    const std::set<std::string> topics = std::exchange(topics_to_prefetch_, {});
    lock.unlock();
    Clock::duration pause = KafkaProducer::kIdleInterval;
    for (KafkaProducer* producer : producers_) {
      for (const std::string& topic : topics) producer->prefetch_metadata(topic);
      if (!maintenance_ended_) pause = std::min(pause, producer->run_maintenance());
    }
    next = Clock::now() + pause;
    lock.lock();
  }
}

}  // namespace eventgate

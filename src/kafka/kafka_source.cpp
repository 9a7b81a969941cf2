#include "eventgate/kafka/kafka_source.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "eventgate/telemetry/telemetry.hpp"
#include "kafka_consumer.hpp"
#include "kafka_fetcher.hpp"
#include "kafka_lookup.hpp"
#include "kafka_tail.hpp"

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kReplayClients = 3;       // the client that looks positions up is the fourth beside the live one
constexpr milliseconds kCheckInterval{2000};    // new partitions, ends of topics, and whether Kafka answers
constexpr milliseconds kUnusedInterval{10000};  // while no topic is followed and Kafka answers
constexpr milliseconds kSoonestCheck{200};      // after a check that was requested
constexpr milliseconds kCheckTimeout{3000};
constexpr milliseconds kBusyTick{50};  // while a tail begins
constexpr milliseconds kIdleTick{500};

/// The tails, and the live clients that they read with. Thread-safe.
class LiveTails {
 public:
  LiveTails(KafkaSourceOptions options, Telemetry& telemetry) : options_(std::move(options)), telemetry_(telemetry) {
    consumers_.push_back(std::make_shared<KafkaConsumer>(options_, ConsumerPurpose::live, telemetry_));
  }

  std::shared_ptr<KafkaTail> add(const std::string& topic, std::span<const PartitionOffset> from,
                                 std::function<void()> on_readable, std::function<void()> request_check) {
    const std::lock_guard lock(mutex_);
    auto tail = std::make_shared<KafkaTail>(topic, free_consumer(topic), from, std::move(on_readable),
                                            std::move(request_check));
    tails_.push_back(tail);
    return tail;
  }

  void remove(const std::shared_ptr<KafkaTail>& tail) {
    tail->close();
    const std::lock_guard lock(mutex_);
    tails_.remove(tail);
  }

  std::vector<std::shared_ptr<KafkaTail>> all() const {
    const std::lock_guard lock(mutex_);
    return {tails_.begin(), tails_.end()};
  }

  /// Reports errors of the clients. Returns the text of one that concerns all brokers, or nothing.
  std::string serve() {
    std::string down;
    for (const auto& consumer : consumers())
      if (std::string text = consumer->serve(); !text.empty()) down = std::move(text);
    return down;
  }

  /// Makes all tails read on with new clients. `first` is made already. Blocks briefly. The source's thread only.
  void change_consumers(std::shared_ptr<KafkaConsumer> first) {
    std::vector<std::shared_ptr<KafkaConsumer>> old;  // destroyed without the lock, when no tail reads with them
    const std::lock_guard lock(mutex_);
    old.swap(consumers_);
    consumers_.push_back(std::move(first));
    for (const auto& tail : tails_) tail->change_consumer(free_consumer(tail->topic()));
  }

  /// Ends clients but the first that no tail reads with. Blocks briefly.
  void end_unused() {
    std::vector<std::shared_ptr<KafkaConsumer>> unused;  // destroyed without the lock
    const std::lock_guard lock(mutex_);
    for (std::size_t i = consumers_.size(); i-- > 1;) {
      if (std::any_of(tails_.begin(), tails_.end(),
                      [&](const auto& tail) { return tail->consumer() == consumers_[i].get(); }))
        continue;
      unused.push_back(std::move(consumers_[i]));
      consumers_.erase(consumers_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

 private:
  std::vector<std::shared_ptr<KafkaConsumer>> consumers() const {
    const std::lock_guard lock(mutex_);
    return consumers_;
  }

  /// A client reads a partition at one place at a time, so a second tail of a topic needs another one.
  std::shared_ptr<KafkaConsumer> free_consumer(const std::string& topic) {
    for (const auto& consumer : consumers_)
      if (std::none_of(tails_.begin(), tails_.end(),
                       [&](const auto& tail) { return tail->topic() == topic && tail->consumer() == consumer.get(); }))
        return consumer;
    return consumers_.emplace_back(std::make_shared<KafkaConsumer>(options_, ConsumerPurpose::live, telemetry_));
  }

  const KafkaSourceOptions options_;
  Telemetry& telemetry_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<KafkaConsumer>> consumers_;
  std::list<std::shared_ptr<KafkaTail>> tails_;
};

/// What a caller of `tail` owns.
class OwnedTail final : public RecordTail {
 public:
  OwnedTail(LiveTails& tails, std::shared_ptr<KafkaTail> tail) : tails_(tails), tail_(std::move(tail)) {}
  ~OwnedTail() override { tails_.remove(tail_); }
  OwnedTail(const OwnedTail&) = delete;
  OwnedTail& operator=(const OwnedTail&) = delete;

  void read(TailRead& into, std::size_t max_bytes) override { tail_->read(into, max_bytes); }
  std::int64_t lag() const override { return tail_->lag(); }

 private:
  LiveTails& tails_;
  const std::shared_ptr<KafkaTail> tail_;
};

class KafkaSource final : public RecordSource {
 public:
  KafkaSource(const KafkaSourceOptions& options, Telemetry& telemetry)
      : options_(options),
        telemetry_(telemetry),
        lookup_(std::make_shared<KafkaConsumer>(options, ConsumerPurpose::look_up, telemetry), telemetry),
        places_([this] { return lookup_.consumer(); }, 1, KafkaFetcher::AfterUse::end, lookup_),
        replays_([options,
                  &telemetry] { return std::make_shared<KafkaConsumer>(options, ConsumerPurpose::replay, telemetry); },
                 kReplayClients, KafkaFetcher::AfterUse::keep, lookup_),
        tails_(options, telemetry),
        thread_([this] { run(); }) {}

  ~KafkaSource() override {
    stop();
    thread_.join();
  }

  std::string_view name() const override { return "kafka"; }

  SourceResult<std::vector<TopicBounds>> bounds(std::span<const std::string> topics, Deadline deadline) override {
    return noted(lookup_.bounds(topics, deadline));
  }

  SourceResult<std::vector<std::optional<std::int64_t>>> offsets_at(std::span<const PartitionTime> times,
                                                                    Deadline deadline) override {
    return noted(lookup_.offsets_at(times, deadline));
  }

  SourceResult<std::vector<std::optional<RecordPlace>>> records_at(std::span<const PartitionOffset> offsets,
                                                                   Deadline deadline) override {
    std::vector<std::optional<RecordPlace>> found;
    for (const PartitionOffset& offset : offsets) {
      const SourceResult<FetchedRecords> fetched = places_.fetch(offset.id, offset.offset, 1, deadline);
      if (!fetched) return fetched.error();
      found.emplace_back();
      // A fetch beyond the end goes to the beginning.
      if (!fetched->records.empty() && fetched->records.front().offset >= offset.offset)
        found.back() = RecordPlace{fetched->records.front().offset, fetched->records.front().timestamp};
    }
    return found;
  }

  SourceResult<FetchedRecords> fetch(const PartitionId& id, std::int64_t offset, std::size_t max_bytes,
                                     Deadline deadline) override {
    return replays_.fetch(id, offset, max_bytes, deadline);
  }

  std::unique_ptr<RecordTail> tail(const std::string& topic, std::span<const PartitionOffset> from,
                                   std::function<void()> on_readable) override {
    auto tail = tails_.add(topic, from, std::move(on_readable), [this] { request_check(); });
    request_check();
    return std::make_unique<OwnedTail>(tails_, std::move(tail));
  }

  std::optional<std::string> away_reason() const override {
    const std::lock_guard lock(mutex_);
    return away_reason_;
  }

  std::function<void()> reload() override {
    std::vector<std::string> problems;  // told at the start
    const KafkaConf conf = make_consumer_conf(options_, ConsumerPurpose::look_up, problems);
    if (read_credential_files(*conf) == lookup_.consumer()->credential_files()) return [] {};
    auto look_up = std::make_shared<KafkaConsumer>(options_, ConsumerPurpose::look_up, telemetry_);
    auto live = std::make_shared<KafkaConsumer>(options_, ConsumerPurpose::live, telemetry_);
    return [this, look_up = std::move(look_up), live = std::move(live)]() mutable {
      const std::lock_guard lock(mutex_);
      next_look_up_ = std::move(look_up);
      next_live_ = std::move(live);
      check_requested_ = true;
      wake_.notify_all();
    };
  }

  void stop() override {
    lookup_.stop();
    places_.notify();
    replays_.notify();
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }

 private:
  template <typename T>
  SourceResult<T> noted(SourceResult<T> result) {
    note(result ? std::nullopt : std::optional(result.error()));
    return result;
  }

  void note(const std::optional<SourceFailure>& failure) {
    const std::lock_guard lock(mutex_);
    if (!failure) {
      away_reason_.reset();
    } else if (failure->kind == SourceFailure::Kind::away) {
      away_reason_ = failure->message;
    }
  }

  void request_check() {
    const std::lock_guard lock(mutex_);
    check_requested_ = true;
    wake_.notify_all();
  }

  /// The source's thread: errors of clients, and the tails' topics.
  void run() {
    Clock::time_point next_check = Clock::now();
    bool busy = false;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        const auto tick = Clock::now() + (busy ? kBusyTick : kIdleTick);
        wake_.wait_until(lock, std::min(tick, next_check), [this] { return stopping_ || check_requested_; });
        if (stopping_) return;
        if (std::exchange(check_requested_, false)) next_check = std::min(next_check, last_check_ + kSoonestCheck);
      }
      use_new_clients();
      serve();
      busy = false;
      for (const auto& tail : tails_.all()) busy = tail->wake_if_started() || busy;
      if (Clock::now() < next_check) continue;
      last_check_ = Clock::now();
      const bool is_used = check();
      next_check = Clock::now() + (is_used || away_reason() ? kCheckInterval : kUnusedInterval);
    }
  }

  /// After `reload`: replaces all clients.
  void use_new_clients() {
    std::shared_ptr<KafkaConsumer> look_up;
    std::shared_ptr<KafkaConsumer> live;
    {
      const std::lock_guard lock(mutex_);
      look_up = std::move(next_look_up_);
      live = std::move(next_live_);
    }
    if (!look_up) return;
    lookup_.change_consumer(std::move(look_up));
    places_.give_up_clients();
    replays_.give_up_clients();
    tails_.change_consumers(std::move(live));
  }

  void serve() {
    const std::string down = tails_.serve();
    const std::string look_up_down = lookup_.consumer()->serve();
    replays_.serve();
    if (!down.empty() || !look_up_down.empty())
      note(SourceFailure{SourceFailure::Kind::away, "Kafka is away: " + (down.empty() ? look_up_down : down)});
    tails_.end_unused();
    places_.end_unused();
    replays_.end_unused();
  }

  /// Compares what each tail reads with what Kafka has. Returns false if there is no tail.
  bool check() {
    const auto deadline = Clock::now() + kCheckTimeout;
    const auto tails = tails_.all();
    if (tails.empty()) {
      const SourceResult<bool> answer = lookup_.probe(deadline);
      note(answer ? std::nullopt : std::optional(answer.error()));
      return false;
    }
    std::vector<std::string> topics;
    std::vector<std::vector<KafkaTail::LogCheck>> checks;
    for (const auto& tail : tails) {
      topics.push_back(tail->topic());
      checks.push_back(tail->begin_check());
    }
    const auto found = noted(lookup_.bounds(topics, deadline));
    if (!found || !look_up_logs(topics, checks, deadline)) return true;
    for (std::size_t i = 0; i < tails.size(); ++i) tails[i]->reconcile((*found)[i], checks[i]);
    return true;
  }

  /// Decides each of `checks`, which are of `topics`. Returns false if Kafka does not answer.
  bool look_up_logs(const std::vector<std::string>& topics, std::vector<std::vector<KafkaTail::LogCheck>>& checks,
                    Deadline deadline) {
    std::vector<PartitionTime> times;
    for (std::size_t i = 0; i < topics.size(); ++i)
      for (const KafkaTail::LogCheck& check : checks[i])
        times.push_back({{topics[i], check.partition}, check.timestamp});
    const auto offsets = noted(lookup_.offsets_at(times, deadline));
    if (!offsets) return false;
    std::vector<PartitionOffset> lasts;
    auto offset = offsets->begin();
    for (std::size_t i = 0; i < topics.size(); ++i) {
      for (KafkaTail::LogCheck& check : checks[i]) {
        check.found = *offset++;
        if (check.needs_record()) lasts.push_back({{topics[i], check.partition}, check.witness.offset});
      }
    }
    const auto records = records_at(lasts, deadline);
    if (!records) return false;
    auto record = records->begin();
    for (auto& of_topic : checks)
      for (KafkaTail::LogCheck& check : of_topic) check.decide(check.needs_record() ? *record++ : std::nullopt);
    return true;
  }

  const KafkaSourceOptions options_;
  Telemetry& telemetry_;
  KafkaLookup lookup_;
  KafkaFetcher places_;  // single records
  KafkaFetcher replays_;
  LiveTails tails_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool check_requested_ = false;
  std::shared_ptr<KafkaConsumer> next_look_up_;  // made by `reload`, for the source's thread
  std::shared_ptr<KafkaConsumer> next_live_;
  std::optional<std::string> away_reason_ = "no broker has answered yet";
  Clock::time_point last_check_{};  // the source's thread only
  std::thread thread_;
};

}  // namespace

std::unique_ptr<RecordSource> make_kafka_source(const KafkaSourceOptions& options, Telemetry& telemetry) {
  return std::make_unique<KafkaSource>(options, telemetry);
}

}  // namespace eventgate

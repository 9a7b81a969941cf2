#include "eventgate/spool/spool_sink.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <exception>
#include <iterator>
#include <mutex>
#include <span>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "eventgate/spool/spool_store.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "replay_rate.hpp"

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::string_view kSpool = "spool";
constexpr std::size_t kMaxWaitingBytes = std::size_t{64} << 20;  // of copies that wait to be written
constexpr std::size_t kMaxReplaying = 10000;                     // records under way to Kafka
constexpr std::size_t kReplayStep = 256;                         // records read at a time,
constexpr std::size_t kReplayBytes = std::size_t{4} << 20;       // or bytes
constexpr std::size_t kLog = std::size_t{12} << 20;              // bytes that the store's log may need
constexpr std::size_t kLeastRoom = std::size_t{256} << 10;       // bytes; with less it counts as full
constexpr milliseconds kStep{10};                                // deadlines within it are seen to together
constexpr milliseconds kTick{100};
constexpr milliseconds kLook{1000};
constexpr milliseconds kAfterOutage{500};
constexpr milliseconds kAfterTopic{10000};
constexpr milliseconds kFlush{5000};
constexpr milliseconds kReserve{500};  // of the time to stop, for what is left

std::int64_t wall_clock() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string_view producer_of(Assurance assurance) {
  return assurance == Assurance::guaranteed ? "guaranteed" : "hasty";
}

std::size_t size_of(const SpooledRecord& record) {
  return record.value.size() + record.topic.size() + (record.message_key ? record.message_key->size() : 0) + 128;
}

/// A record on its way to the store.
struct Copy {
  SpooledRecord record;
  DeliveryHandle* outer = nullptr;
  bool already_answered = false;           // its client was answered 202: without room it waits
  bool attempted = false;                  // the report of its first attempt is to come
  bool reported = false;                   // that has come
  bool uncertain = false;                  // an attempt to store it failed, and it may be in the store all the same
  std::optional<DeliveryFailure> failure;  // of its first attempt
  Clock::time_point until;                 // until then it may wait for those before it
};

struct Attempts;

/// The first attempt of one record.
struct Attempt final : DeliveryHandle {
  using DeliveryHandle::listen;
  enum State : std::uint8_t {
    flying,  // its client waits
    copied,  // a copy waits for the store, or is in it
    failed,  // a copy is to be made
    over,
  };
  Attempts* of = nullptr;
  DeliveryHandle* outer = nullptr;
  Record record;
  std::int64_t id = 0;
  std::atomic<State> state{flying};
  std::optional<DeliveryFailure> failure;
};

/// The first attempts of records handed over together.
struct Attempts : boost::intrusive_ref_counter<Attempts> {
  Attempts(std::size_t size, IoExecutor on)
      : executor(std::move(on)), count(size), all(std::make_unique<Attempt[]>(size)), unreported(size) {}

  std::span<Attempt> attempts() const { return {all.get(), count}; }

  const IoExecutor executor;
  const std::size_t count;
  const std::unique_ptr<Attempt[]> all;
  std::vector<Copy> own;  // the texts, where no caller has them
  Assurance assurance = Assurance::guaranteed;
  Clock::time_point warm_by;
  std::atomic<std::size_t> unreported;
  std::atomic<bool> posted{false};
};
using AttemptsPointer = boost::intrusive_ptr<Attempts>;

/// What became of a record that is in the store, or on its way to it.
struct Report {
  std::int64_t id;
  bool replayed;  // else it is that of its first attempt
  std::optional<DeliveryFailure> failure;
};

struct Lane;

/// A record that is to leave the store.
struct Removal {
  std::int64_t id;
  Lane* lane;
  bool late;  // its first attempt was acknowledged
};

/// A record that Kafka will never take.
struct Undeliverable {
  std::int64_t id;
  Lane* lane;
  std::string reason;
};

/// What the store has of one topic.
///
/// Reports, removals and refusals under way point to it. The id of each such record is in `busy`.
struct Lane {
  std::string topic;
  std::size_t records = 0;    // to be replayed
  std::size_t attempted = 0;  // of them, those whose first attempt has no report
  std::size_t replaying = 0;  // of them, those under way
  std::unordered_set<std::int64_t>
      busy;                 // of them, those that are not to be sent now: these, and what is to be removed
  std::int64_t looked = 0;  // ids to which they are read
  bool failing = false;
  Clock::time_point again{};
};

class SpoolSink final : public Sink, private DeliveryListener {
 public:
  SpoolSink(SpoolOptions options, std::unique_ptr<Sink> kafka, Telemetry& events)
      : options_(std::move(options)),
        kafka_(std::move(kafka)),
        events_(events),
        store_(options_.path, SpoolStore::Access::own),
        rate_(options_.replay_rate) {
    for (const Assurance assurance : {Assurance::guaranteed, Assurance::hasty})
      (assurance == Assurance::guaranteed ? after_guaranteed_ : after_hasty_) =
          options_.after + kafka_->linger(assurance);
    tell_warnings();
    next_id_ = store_.last_id().value() + 1;
    count_again();
    look(Clock::now());
    events_.observe_spool([this] { return static_cast<double>(records_.load()); },
                          [this] { return static_cast<double>(bytes_.load()); },
                          [this] {
                            const std::int64_t oldest = oldest_;
                            return oldest == 0 ? 0.0 : static_cast<double>(wall_clock() - oldest) / 1e3;
                          },
                          [this] { return static_cast<double>(set_aside_.load()); });
    thread_ = std::thread([this] { run(); });
  }
  ~SpoolSink() override { stop(Clock::now()); }

  std::string_view name() const override { return kafka_->name(); }
  void produce(std::span<const Record> records, Assurance assurance) override;
  bool borrows_record_text() const override { return true; }
  void prefetch_metadata(const std::string& topic) override { kafka_->prefetch_metadata(topic); }
  std::function<void()> reload() override { return kafka_->reload(); }
  std::optional<std::string> not_ready_reason() const override;
  std::optional<std::string> degraded_reason() const override;
  std::optional<std::string> overload_reason() const override;
  bool has_metadata(const std::string& topic) const override { return kafka_->has_metadata(topic); }
  milliseconds linger(Assurance assurance) const override { return kafka_->linger(assurance); }
  void stop(Clock::time_point deadline) override;

 private:
  /// A record under way from the store.
  struct Replay final : DeliveryHandle {
    Replay(DeliveryListener& listener, std::int64_t of) : DeliveryHandle(listener), id(of) {}
    const std::int64_t id;
  };
  struct ReplayListener final : DeliveryListener {
    explicit ReplayListener(SpoolSink& to) : sink(to) {}
    void settled(DeliveryHandle& slot) noexcept override {
      const std::unique_ptr<Replay> replay(static_cast<Replay*>(&slot));
      sink.report(replay->id, true, replay->take_failure());
    }
    SpoolSink& sink;
  };

  milliseconds after(Assurance assurance) const {
    return assurance == Assurance::guaranteed ? after_guaranteed_ : after_hasty_;
  }

  // Any thread.
  void settled(DeliveryHandle& slot) noexcept override;
  void hand_over(const AttemptsPointer& attempts);
  void copy(Attempts& attempts, bool flying_too);
  void expire(const AttemptsPointer& attempts);
  bool is_cold(const Attempts& attempts);
  std::deque<std::pair<Clock::time_point, AttemptsPointer>>& deadlines(Assurance assurance) {
    return assurance == Assurance::guaranteed ? guaranteed_deadlines_ : hasty_deadlines_;
  }
  void report(std::int64_t id, bool replayed, std::optional<DeliveryFailure> failure);
  void push(std::vector<Copy> copies);
  void succeed(DeliveryHandle& outer, Assurance assurance, bool on_disk);
  void fail(DeliveryHandle& outer, Assurance assurance, DeliveryFailure failure);
  DeliveryFailure no_room_failure() const;

  // The spool's thread only.
  void run();
  void take(std::vector<Report> reports, Clock::time_point now);
  void settle(Copy copy, std::optional<DeliveryFailure> failure);
  bool waits_for_room(const Copy& copy) const;
  void hold(std::vector<Copy> copies, Clock::time_point now);
  void place(Clock::time_point now);
  void forward(std::vector<Copy> copies);
  void write(std::vector<Copy> copies);
  bool apply(const SpoolStore::Changes& changes, SpoolError& error);
  bool repair();
  std::size_t room() const;
  void set_full(const std::string& trouble);
  void look_for_room();
  void replay(Clock::time_point now);
  std::size_t replay(Lane& lane, std::size_t most, Clock::time_point now);
  Lane& lane(const std::string& topic);
  void left(Lane& lane, std::int64_t id);
  void unmark(const std::string& topic, std::size_t count);
  void count_again();
  void count_records();
  void look(Clock::time_point now);
  void tell_warnings();
  Clock::time_point next_time(Clock::time_point now) const;

  const SpoolOptions options_;
  const std::unique_ptr<Sink> kafka_;
  Telemetry& events_;
  ReplayListener replays_{*this};
  milliseconds after_guaranteed_{}, after_hasty_{};

  std::atomic<std::int64_t> next_id_{1};
  std::atomic<std::size_t> flying_{0};           // attempts whose clients wait
  std::atomic<std::size_t> spooling_topics_{0};  // of spooling_
  std::atomic<bool> full_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> stopped_{false};
  std::atomic<std::size_t> records_{0}, bytes_{0}, set_aside_{0};
  std::atomic<std::int64_t> oldest_{0};  // milliseconds since the epoch; 0: none

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::unordered_map<std::string, std::size_t> spooling_;  // topics, and how many of their records wait or are stored
  std::deque<std::pair<Clock::time_point, AttemptsPointer>> guaranteed_deadlines_, hasty_deadlines_;  // in order
  std::vector<Copy> copies_;
  std::size_t copied_bytes_ = 0;
  std::vector<Report> reports_;
  bool called_ = false;
  bool finishing_ = false;
  std::string trouble_;  // why it is full

  // The spool's thread only.
  SpoolStore store_;
  ReplayRate rate_;
  std::unordered_map<std::string, std::unique_ptr<Lane>> lanes_;
  std::unordered_map<std::int64_t, Lane*> attempted_;  // stored, and their first attempt has no report
  std::unordered_map<std::int64_t, Lane*> replaying_;
  std::unordered_map<std::int64_t, Copy> unwritten_;  // there was no room, and their first attempt has no report
  std::vector<Copy> held_;                            // until those before them are delivered
  std::vector<Removal> removed_;
  std::vector<Undeliverable> refused_;
  Clock::time_point looked_{};
  bool disk_fails_ = false;
  bool shrink_ = false;
  bool others_ = false;    // another process has changed the store
  bool recount_ = false;   // what is counted is not what is there
  bool repaired_ = false;  // since the last look
  std::size_t told_ = 0;   // of the store's warnings
  std::thread thread_;
};

// --- Any thread

void SpoolSink::produce(std::span<const Record> records, Assurance assurance) {
  if (records.empty()) return;
  const std::int64_t id = next_id_.fetch_add(static_cast<std::int64_t>(records.size()), std::memory_order_relaxed);
  const bool full = full_.load(std::memory_order_relaxed);
  std::vector<bool> waits;  // behind others of its topic; empty: none does
  if (spooling_topics_.load(std::memory_order_acquire) > 0) {
    waits.resize(records.size());
    std::string topic;
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (i == 0 || records[i].topic != records[i - 1].topic) {
        topic = records[i].topic;
        waits[i] = spooling_.contains(topic);
      } else {
        waits[i] = waits[i - 1];
      }
    }
  }
  const bool stopping = stopping_.load(std::memory_order_relaxed);
  const bool refuse_all = stopping || (full && kafka_->not_ready_reason());
  const auto goes_on = [&](std::size_t i) { return !refuse_all && (waits.empty() || !waits[i]); };
  std::size_t going = 0;
  for (std::size_t i = 0; i < records.size(); ++i) going += goes_on(i) ? 1 : 0;
  AttemptsPointer attempts;
  if (going > 0) {
    attempts = new Attempts(going, records.front().slot->executor());
    attempts->assurance = assurance;
  }
  std::vector<Copy> copies;
  std::vector<const Record*> refused;
  std::size_t place = 0;
  const Clock::time_point until = Clock::now() + options_.after;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Record& record = records[i];
    const std::int64_t own_id = id + static_cast<std::int64_t>(i);
    if (goes_on(i)) {
      Attempt& attempt = attempts->all[place++];
      attempt.outer = record.slot;
      attempt.record = record;
      attempt.id = own_id;
    } else if (stopping || ((refuse_all || full) && !record.already_answered)) {
      refused.push_back(&record);
    } else {
      Copy& copy = copies.emplace_back();
      copy.record.id = own_id;
      copy.record.topic = record.topic;
      if (record.message_key) copy.record.message_key = std::string(*record.message_key);
      copy.record.value = record.value;
      copy.record.timestamp = record.timestamp;
      copy.record.assurance = assurance;
      copy.outer = record.slot;
      copy.already_answered = record.already_answered;
      copy.until = until;
    }
  }
  if (!copies.empty()) push(std::move(copies));
  if (attempts) hand_over(attempts);
  for (const Record* record : refused) fail(*record->slot, assurance, no_room_failure());
}

void SpoolSink::hand_over(const AttemptsPointer& attempts) {
  static thread_local std::vector<Record> records;
  records.clear();
  for (Attempt& attempt : attempts->attempts()) {
    attempt.of = attempts.get();
    attempt.listen(*this);
    records.push_back(attempt.record);
    records.back().slot = &attempt;
    records.back().already_answered = false;  // what finds no room in a queue finds it here
  }
  flying_ += attempts->count;
  intrusive_ptr_add_ref(attempts.get());  // until all are reported
  const Clock::time_point now = Clock::now();
  attempts->warm_by = now + options_.warm_up;
  {
    const std::lock_guard lock(mutex_);
    auto& in = deadlines(attempts->assurance);
    if (in.empty()) wake_.notify_one();
    in.emplace_back(now + after(attempts->assurance), attempts);
  }
  kafka_->produce(records, attempts->assurance);
}

void SpoolSink::settled(DeliveryHandle& slot) noexcept {
  Attempt& attempt = static_cast<Attempt&>(slot);
  Attempts& attempts = *attempt.of;
  auto failure = attempt.take_failure();
  if (!failure) {
    if (attempt.state.exchange(Attempt::over) == Attempt::copied) {
      report(attempt.id, false, std::nullopt);
    } else {
      --flying_;
      succeed(*attempt.outer, attempts.assurance, false);
    }
  } else if (failure->scope == FailureScope::record || failure->scope == FailureScope::topic) {
    if (attempt.state.exchange(Attempt::over) == Attempt::copied) {
      report(attempt.id, false, std::move(failure));
    } else {
      --flying_;
      fail(*attempt.outer, attempts.assurance, std::move(*failure));
    }
  } else {
    attempt.failure = std::move(failure);
    if (attempt.state.exchange(Attempt::failed) == Attempt::copied) {
      report(attempt.id, false, std::move(attempt.failure));
    } else if (!attempts.own.empty()) {
      copy(attempts, false);
    } else if (!attempts.posted.exchange(true)) {
      // The texts are there as long as its client waits, which ends on its thread.
      boost::asio::post(attempts.executor, [this, pointer = AttemptsPointer(&attempts)] {
        pointer->posted = false;
        copy(*pointer, false);
      });
    }
  }
  if (attempts.unreported.fetch_sub(1, std::memory_order_acq_rel) == 1) intrusive_ptr_release(&attempts);
}

/// Copies what has failed for the store, and with `flying_too` what has no report. On the I/O thread of the clients,
/// unless the texts are the attempts' own.
void SpoolSink::copy(Attempts& attempts, bool flying_too) {
  const bool own = !attempts.own.empty();
  const auto wanted = [&](const Attempt& attempt) {
    const Attempt::State state = attempt.state.load(std::memory_order_acquire);
    return state == Attempt::failed || (flying_too && state == Attempt::flying);
  };
  const bool room = !full_ && [this] {
    const std::lock_guard lock(mutex_);
    return copied_bytes_ < kMaxWaitingBytes;
  }();
  std::vector<Attempt*> from;
  std::vector<Copy> copies;
  std::vector<Attempt*> lost;
  for (Attempt& attempt : attempts.attempts()) {
    if (!wanted(attempt)) continue;
    const bool waits =
        attempt.record.already_answered && attempt.state.load(std::memory_order_acquire) == Attempt::failed;
    if ((!room && !waits) || (!own && attempt.outer->timed_out())) {
      lost.push_back(&attempt);
      continue;
    }
    Copy& copy = copies.emplace_back();
    from.push_back(&attempt);
    copy.record.id = attempt.id;
    copy.record.topic = attempt.record.topic;
    if (attempt.record.message_key) copy.record.message_key = std::string(*attempt.record.message_key);
    copy.record.value = attempt.record.value;
    copy.record.timestamp = attempt.record.timestamp;
    copy.record.assurance = attempts.assurance;
    copy.outer = attempt.outer;
    copy.already_answered = attempt.record.already_answered;
  }
  if (!copies.empty()) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < copies.size(); ++i) {
      Attempt& attempt = *from[i];
      Attempt::State flying = Attempt::flying, failed = Attempt::failed;
      if (flying_too && attempt.state.compare_exchange_strong(flying, Attempt::copied)) {
        copies[i].attempted = true;
      } else if (attempt.state.compare_exchange_strong(failed, Attempt::over)) {
        copies[i].failure = std::move(attempt.failure);
      } else {
        continue;  // delivered meanwhile
      }
      --flying_;
      copied_bytes_ += size_of(copies[i].record);
      if (spooling_[copies[i].record.topic]++ == 0) ++spooling_topics_;
      copies_.push_back(std::move(copies[i]));
    }
    called_ = true;
    wake_.notify_one();
  }
  for (Attempt* attempt : lost) {
    Attempt::State failed = Attempt::failed;
    if (!attempt->state.compare_exchange_strong(failed, Attempt::over)) continue;
    --flying_;
    fail(*attempt->outer, attempts.assurance, std::move(*attempt->failure));
  }
}

void SpoolSink::push(std::vector<Copy> copies) {
  std::vector<Copy> refused;
  {
    const std::lock_guard lock(mutex_);
    const bool room = copied_bytes_ < kMaxWaitingBytes;
    for (Copy& copy : copies) {
      if (!room && !copy.already_answered) {
        refused.push_back(std::move(copy));
        continue;
      }
      copied_bytes_ += size_of(copy.record);
      if (spooling_[copy.record.topic]++ == 0) ++spooling_topics_;
      copies_.push_back(std::move(copy));
    }
    called_ = true;
    wake_.notify_one();
  }
  for (Copy& copy : refused) fail(*copy.outer, copy.record.assurance, no_room_failure());
}

void SpoolSink::report(std::int64_t id, bool replayed, std::optional<DeliveryFailure> failure) {
  const std::lock_guard lock(mutex_);
  reports_.push_back({id, replayed, std::move(failure)});
  called_ = true;
  wake_.notify_one();
}

void SpoolSink::succeed(DeliveryHandle& outer, Assurance assurance, bool on_disk) {
  if (outer.timed_out()) events_.late_delivery(producer_of(assurance), true);
  if (on_disk) {
    outer.acknowledge_spooled();
  } else {
    outer.succeed();
  }
}

void SpoolSink::fail(DeliveryHandle& outer, Assurance assurance, DeliveryFailure failure) {
  if (outer.timed_out()) events_.late_delivery(producer_of(assurance), false);
  outer.fail(std::move(failure));
}

DeliveryFailure SpoolSink::no_room_failure() const {
  std::string reason = stopping_ ? "The service is stopping" : "Kafka does not take it and the spool has no room";
  if (const std::lock_guard lock(mutex_); !stopping_ && !trouble_.empty()) reason += ": " + trouble_;
  return {Delivery::not_produced, std::move(reason), FailureScope::capacity};
}

std::optional<std::string> SpoolSink::not_ready_reason() const {
  return full_ ? kafka_->not_ready_reason() : std::nullopt;
}

std::optional<std::string> SpoolSink::overload_reason() const {
  if (!full_) return std::nullopt;
  if (const auto reason = kafka_->not_ready_reason()) return *reason + "; " + no_room_failure().message;
  return std::nullopt;
}

std::optional<std::string> SpoolSink::degraded_reason() const {
  std::string what;
  if (const auto reason = kafka_->not_ready_reason()) what = *reason;
  const auto add = [&](const std::string& more) { what += (what.empty() ? "" : "; ") + more; };
  if (const std::size_t records = records_; records > 0) add(std::to_string(records) + " records are in the spool");
  if (full_) {
    const std::lock_guard lock(mutex_);
    add("the spool has no room: " + trouble_);
  }
  return what.empty() ? std::nullopt : std::optional(what);
}

// --- The spool's thread

void SpoolSink::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);

  Clock::time_point next = Clock::now();
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto time = [this, next] {
      Clock::time_point first = next;
      for (const auto* in : {&guaranteed_deadlines_, &hasty_deadlines_})
        if (!in->empty()) first = std::min(first, in->front().first + kStep);
      return first;
    };
    // A deadline may be set while it waits.
    for (Clock::time_point until = time(); !called_ && Clock::now() < until; until = time())
      wake_.wait_until(lock, until);
    called_ = false;
    const bool finishing = finishing_;
    std::vector<Copy> copies = std::exchange(copies_, {});
    std::vector<Report> reports = std::exchange(reports_, {});
    copied_bytes_ = 0;
    Clock::time_point now = Clock::now();
    std::vector<AttemptsPointer> over;
    for (auto* in : {&guaranteed_deadlines_, &hasty_deadlines_})
      for (; !in->empty() && in->front().first <= now; in->pop_front()) over.push_back(std::move(in->front().second));
    lock.unlock();
    for (AttemptsPointer& attempts : over) {
      if (attempts->unreported.load(std::memory_order_acquire) == 0) continue;
      if (!attempts->own.empty()) {
        expire(attempts);
      } else {
        boost::asio::post(attempts->executor, [this, attempts] { expire(attempts); });
      }
    }
    over.clear();
    std::move(copies.begin(), copies.end(), std::back_inserter(held_));
    take(std::move(reports), now);
    place(now);
    if (!finishing) replay(now);
    now = Clock::now();
    if (now - looked_ >= kLook) look(now);
    next = next_time(now);
    lock.lock();
    if (finishing && copies_.empty() && reports_.empty()) break;
  }
}

/// When to look again if nobody calls.
Clock::time_point SpoolSink::next_time(Clock::time_point now) const {
  Clock::time_point next = now + kLook;
  if (!lanes_.empty() || full_ || !removed_.empty()) next = now + kTick;
  // Those that wait for the rate.
  if (!stopping_ && !kafka_->not_ready_reason())
    for (const auto& [topic, lane] : lanes_)
      if (lane->records > lane->busy.size()) next = std::min(next, std::max(now + kStep, lane->again));
  for (const Copy& copy : held_) next = std::min(next, copy.until);
  return next;
}

/// Once `after` is over. On the I/O thread of the clients, unless the texts are the attempts' own.
void SpoolSink::expire(const AttemptsPointer& attempts) {
  const Clock::time_point now = Clock::now();
  if (now < attempts->warm_by && !stopping_ && !kafka_->not_ready_reason() && is_cold(*attempts)) {
    const std::lock_guard lock(mutex_);
    deadlines(attempts->assurance).emplace_back(now + options_.after, attempts);
    return;
  }
  copy(*attempts, true);
}

bool SpoolSink::is_cold(const Attempts& attempts) {
  bool cold = false;
  std::string_view asked;
  for (const Attempt& attempt : attempts.attempts()) {
    if (attempt.state != Attempt::flying || (attempts.own.empty() && attempt.outer->timed_out())) continue;
    if (attempt.record.topic == asked) continue;
    asked = attempt.record.topic;
    const std::string topic(asked);
    if (kafka_->has_metadata(topic)) continue;
    kafka_->prefetch_metadata(topic);
    cold = true;
  }
  return cold;
}

Lane& SpoolSink::lane(const std::string& topic) {
  std::unique_ptr<Lane>& lane = lanes_[topic];
  if (!lane) {
    lane = std::make_unique<Lane>();
    lane->topic = topic;
  }
  return *lane;
}

/// A record is in the store no more, or not to be replayed. Erases its lane with the last record. Every record that
/// something refers the lane of is in `busy`, so a lane without records has no such reference.
void SpoolSink::left(Lane& lane, std::int64_t id) {
  lane.busy.erase(id);
  // Another process may have added records that are not counted yet. Those in `busy` are counted at least.
  if (lane.records <= lane.busy.size()) return;
  unmark(lane.topic, 1);
  if (--lane.records > 0) return;
  lanes_.erase(std::string(lane.topic));
  shrink_ = lanes_.empty();
}

void SpoolSink::unmark(const std::string& topic, std::size_t count) {
  const std::lock_guard lock(mutex_);
  const auto found = spooling_.find(topic);
  if (found == spooling_.end() || (found->second -= std::min(count, found->second)) > 0) return;
  spooling_.erase(found);
  --spooling_topics_;
}

/// Takes the reports of records that are in the store, or on their way to it.
void SpoolSink::take(std::vector<Report> reports, Clock::time_point now) {
  std::unordered_map<std::int64_t, Copy*> waiting;
  std::vector<Copy> kept;
  if (!reports.empty())
    for (Copy& copy : held_)
      if (copy.attempted) waiting.emplace(copy.record.id, &copy);
  for (Report& report : reports) {
    const std::int64_t id = report.id;
    if (report.replayed) {
      const auto found = replaying_.find(id);
      if (found == replaying_.end()) continue;
      Lane& lane = *found->second;
      replaying_.erase(found);
      --lane.replaying;
      if (!report.failure) {
        removed_.push_back({id, &lane, false});
      } else if (report.failure->scope == FailureScope::record) {
        refused_.push_back({id, &lane, std::move(report.failure->message)});
      } else {
        lane.busy.erase(id);
        lane.failing = true;
        lane.again = now + (report.failure->scope == FailureScope::topic ? kAfterTopic : kAfterOutage);
        if (report.failure->scope == FailureScope::topic)
          events_.sink_warning(
              kSpool, "records of the topic '" + lane.topic + "' stay in the spool: " + report.failure->message);
      }
    } else if (const auto stored = attempted_.find(id); stored != attempted_.end()) {
      Lane& lane = *stored->second;
      attempted_.erase(stored);
      --lane.attempted;
      if (!report.failure) {
        removed_.push_back({id, &lane, true});
      } else {
        lane.busy.erase(id);
        lane.looked = std::min(lane.looked, id - 1);
      }
    } else if (const auto unwritten = unwritten_.find(id); unwritten != unwritten_.end()) {
      Copy copy = std::move(unwritten->second);
      unwritten_.erase(unwritten);
      copy.attempted = false;
      if (report.failure && report.failure->scope == FailureScope::transient && waits_for_room(copy)) {
        copy.failure = std::move(report.failure);
        kept.push_back(std::move(copy));
      } else {
        settle(std::move(copy), std::move(report.failure));
      }
    } else if (const auto copy = waiting.find(id); copy != waiting.end()) {
      copy->second->attempted = false;
      copy->second->failure = std::move(report.failure);
      copy->second->reported = true;
    }
  }
  if (!waiting.empty()) {
    std::erase_if(held_, [this](Copy& copy) {
      if (!copy.reported ||
          (copy.failure && copy.failure->scope != FailureScope::record && copy.failure->scope != FailureScope::topic))
        return false;
      auto failure = std::move(copy.failure);
      settle(std::move(copy), std::move(failure));
      return true;
    });
  }
  hold(std::move(kept), now);
}

/// Without room, what was already_answered waits for it, as `max_inflight_bytes` of the gate bounds it; until the end.
bool SpoolSink::waits_for_room(const Copy& copy) const {
  return copy.already_answered && !copy.attempted && !stopping_;
}

/// Keeps what waits for room, in the order in which it came.
void SpoolSink::hold(std::vector<Copy> copies, Clock::time_point now) {
  if (copies.empty()) return;
  for (Copy& copy : copies) {
    copy.until = now + kTick;
    held_.push_back(std::move(copy));
  }
  std::sort(held_.begin(), held_.end(), [](const Copy& a, const Copy& b) { return a.record.id < b.record.id; });
}

/// What became of a copy without the store.
void SpoolSink::settle(Copy copy, std::optional<DeliveryFailure> failure) {
  if (failure) {
    if (copy.uncertain) failure->delivery = Delivery::unknown;  // the next start may find it and replay it
    fail(*copy.outer, copy.record.assurance, std::move(*failure));
  } else {
    succeed(*copy.outer, copy.record.assurance, false);
  }
  unmark(copy.record.topic, 1);
}

/// Decides where those that wait go: into the store, or to Kafka if all before them are delivered.
void SpoolSink::place(Clock::time_point now) {
  std::vector<Copy> writes, forwards, stay;
  const bool open = !held_.empty() && !stopping_ && !kafka_->not_ready_reason();
  std::unordered_set<std::string> written;
  for (Copy& copy : held_) {
    const auto found = lanes_.find(copy.record.topic);
    const Lane* const lane = found == lanes_.end() ? nullptr : found->second.get();
    // Without room for it, what was already_answered goes to Kafka when it can, and again, but not at once.
    const bool patient = full_ && waits_for_room(copy);
    if (patient && copy.failure && copy.until == Clock::time_point()) copy.until = now + kTick;
    const bool pauses = patient && copy.failure && now < copy.until;
    const bool waits = open && !copy.attempted && !pauses && (patient || (!copy.failure && now < copy.until)) &&
                       (written.empty() || !written.contains(copy.record.topic));
    if (waits && lane == nullptr) {
      forwards.push_back(std::move(copy));
    } else if (waits && lane->records == lane->busy.size() && lane->attempted == 0 && !lane->failing) {
      if (patient) copy.until = now + kTick;
      stay.push_back(std::move(copy));
    } else {
      if (open) written.insert(copy.record.topic);
      (pauses ? stay : writes).push_back(std::move(copy));
    }
  }
  held_ = std::move(stay);
  write(std::move(writes));
  forward(std::move(forwards));
}

void SpoolSink::forward(std::vector<Copy> copies) {
  for (std::size_t begin = 0, end; begin < copies.size(); begin = end) {
    const Assurance assurance = copies[begin].record.assurance;
    for (end = begin + 1; end < copies.size() && copies[end].record.assurance == assurance;) ++end;
    const AttemptsPointer attempts = new Attempts(end - begin, copies[begin].outer->executor());
    attempts->assurance = assurance;
    attempts->own.assign(std::make_move_iterator(copies.begin() + static_cast<std::ptrdiff_t>(begin)),
                         std::make_move_iterator(copies.begin() + static_cast<std::ptrdiff_t>(end)));
    for (std::size_t i = 0; i < attempts->count; ++i) {
      const Copy& own = attempts->own[i];
      Attempt& attempt = attempts->all[i];
      attempt.id = own.record.id;
      attempt.outer = own.outer;
      attempt.record.topic = own.record.topic;
      if (own.record.message_key) attempt.record.message_key = *own.record.message_key;
      attempt.record.value = own.record.value;
      attempt.record.timestamp = own.record.timestamp;
      attempt.record.already_answered = own.already_answered;
    }
    hand_over(attempts);
    for (const Copy& own : attempts->own) unmark(own.record.topic, 1);
  }
}

std::size_t SpoolSink::room() const {
  const std::size_t used = store_.bytes(), reserve = options_.min_free + kLog;
  const std::size_t left = store_.free_bytes();
  const std::size_t in_store = options_.max_bytes - std::min(used, options_.max_bytes);
  return std::min(in_store, left - std::min(left, reserve));
}

/// Whether more can be stored, said to all.
void SpoolSink::set_full(const std::string& trouble) {
  {
    const std::lock_guard lock(mutex_);
    trouble_ = trouble;
  }
  if (full_.exchange(!trouble.empty()) == !trouble.empty()) return;
  events_.sink_warning(kSpool, trouble.empty() ? "the spool has room again" : "the spool has no room: " + trouble);
}

void SpoolSink::look_for_room() {
  bytes_ = store_.bytes();
  if (disk_fails_) return;
  if (room() >= kLeastRoom) return set_full("");
  set_full(bytes_ + kLeastRoom > options_.max_bytes
               ? "it has " + std::to_string(bytes_) + " bytes (spool.max_bytes)"
               : "the disk has " + std::to_string(store_.free_bytes()) + " bytes free (spool.min_free)");
}

/// Stores `copies`, and takes out what is delivered: one transaction.
void SpoolSink::write(std::vector<Copy> copies) {
  if (copies.empty() && removed_.empty() && refused_.empty()) return;
  std::size_t left_room = copies.empty() ? 0 : room();
  const std::int64_t now = wall_clock();
  std::size_t taken = 0;
  std::vector<const SpooledRecord*> add;
  for (; taken < copies.size() && !disk_fails_; ++taken) {
    const std::size_t size = size_of(copies[taken].record);
    if (size > left_room) break;
    left_room -= size;
    copies[taken].record.spooled_at = now;
    add.push_back(&copies[taken].record);
  }
  std::vector<std::int64_t> remove;
  for (const Removal& removal : removed_) remove.push_back(removal.id);
  std::vector<std::pair<std::int64_t, std::string>> refuse;
  for (const Undeliverable& refusal : refused_) refuse.emplace_back(refusal.id, refusal.reason);

  SpoolError error;
  const bool done = apply({add, remove, refuse}, error);
  if (done) {
    for (const Removal& removal : std::exchange(removed_, {})) {
      events_.record_unspooled(removal.lane->topic, removal.late);
      left(*removal.lane, removal.id);
    }
    for (const Undeliverable& refusal : std::exchange(refused_, {})) {
      ++set_aside_;
      events_.spooled_record_set_aside(refusal.lane->topic, refusal.id, refusal.reason);
      left(*refusal.lane, refusal.id);
    }
    for (std::size_t i = 0; i < taken; ++i) {
      Copy& copy = copies[i];
      const std::int64_t id = copy.record.id;
      Lane& in = lane(copy.record.topic);
      ++in.records;
      in.looked = std::min(in.looked, id - 1);
      if (copy.attempted) {
        ++in.attempted;
        in.busy.insert(id);
        attempted_.emplace(id, &in);
      }
      events_.record_spooled(in.topic);
      succeed(*copy.outer, copy.record.assurance, true);
    }
  } else {
    disk_fails_ = true;  // until the next look
    set_full(error.message);
  }
  std::vector<Copy> kept;
  for (std::size_t i = done ? taken : 0; i < copies.size(); ++i) {
    Copy& copy = copies[i];
    copy.uncertain = copy.uncertain || (i < taken && error.uncertain);
    if (copy.attempted) {
      const std::int64_t id = copy.record.id;
      unwritten_.emplace(id, std::move(copy));
      continue;
    }
    if (waits_for_room(copy)) {
      kept.push_back(std::move(copy));
      continue;
    }
    DeliveryFailure failure = no_room_failure();
    if (copy.failure) {
      if (copy.failure->delivery == Delivery::unknown) failure.delivery = Delivery::unknown;
      failure.message = copy.failure->message + "; " + failure.message;
    }
    settle(std::move(copy), std::move(failure));
  }
  hold(std::move(kept), Clock::now());
  count_records();
  if (!copies.empty()) look_for_room();
}

/// What the store was asked to do; where its file is damaged, what is left of it.
bool SpoolSink::apply(const SpoolStore::Changes& changes, SpoolError& error) {
  auto done = store_.apply(changes);
  if (!done && done.error().damaged && repair()) {
    count_again();
    done = store_.apply(changes);
  }
  if (!done) error = done.error();
  return done.has_value();
}

bool SpoolSink::repair() {
  try {
    store_.repair();
  } catch (const std::exception& failed) {
    events_.sink_warning(kSpool, failed.what());
    return false;
  }
  tell_warnings();
  return true;
}

void SpoolSink::tell_warnings() {
  const std::vector<std::string>& warnings = store_.warnings();
  for (; told_ < warnings.size(); ++told_) events_.sink_warning(kSpool, warnings[told_]);
}

void SpoolSink::replay(Clock::time_point now) {
  if (lanes_.empty() || stopping_ || kafka_->not_ready_reason()) return;
  std::size_t most = std::min(rate_.room(now), kMaxReplaying - std::min(replaying_.size(), kMaxReplaying));
  recount_ = false;
  for (const auto& [topic, lane] : lanes_) {
    if (most == 0) break;
    most -= replay(*lane, most, now);
  }
  if (recount_) count_again();
}

/// Hands on up to `most` records of `lane`. How many.
std::size_t SpoolSink::replay(Lane& lane, std::size_t most, Clock::time_point now) {
  if (lane.records <= lane.busy.size() || now < lane.again) return 0;
  if (lane.failing) {
    // The order is that of a new start, once all that was sent has its report.
    if (lane.replaying > 0) return 0;
    lane.failing = false;
    lane.looked = 0;
  }
  const auto found = store_.next(lane.topic, lane.looked, std::min(most, kReplayStep), kReplayBytes);
  if (!found) {
    lane.again = now + kLook;
    events_.sink_warning(kSpool, found.error().message);
    if (found.error().damaged && !repaired_) recount_ = repaired_ = repair();
    return 0;
  }
  if (found->empty()) {
    lane.again = now + kTick;
    // Somebody else took them out.
    recount_ = recount_ || (lane.looked == 0 && lane.busy.empty());
    lane.looked = 0;
    return 0;
  }
  std::vector<Record> records;
  std::vector<Assurance> assurances;
  for (const SpooledRecord& record : *found) {
    if (attempted_.contains(record.id)) {
      lane.again = now + kStep;
      break;
    }
    lane.looked = record.id;
    if (!lane.busy.insert(record.id).second) continue;
    if (record.damaged) {
      refused_.push_back({record.id, &lane, "it is damaged: its checksum is not that of what it has"});
      continue;
    }
    replaying_.emplace(record.id, &lane);
    ++lane.replaying;
    Record& replayed = records.emplace_back();
    replayed.topic = lane.topic;
    if (record.message_key) replayed.message_key = *record.message_key;
    replayed.value = record.value;
    replayed.timestamp = record.timestamp;
    replayed.slot = new Replay(replays_, record.id);
    assurances.push_back(record.assurance);
  }
  rate_.take(records.size());
  for (std::size_t begin = 0, end; begin < records.size(); begin = end) {
    for (end = begin + 1; end < records.size() && assurances[end] == assurances[begin];) ++end;
    kafka_->produce(std::span(records).subspan(begin, end - begin), assurances[begin]);
  }
  return records.size();
}

/// Reads from the store how many records there are.
void SpoolSink::count_again() {
  const auto topics = store_.topics();
  if (!topics) {
    events_.sink_warning(kSpool, topics.error().message);
    return;
  }
  std::unordered_map<std::string, std::size_t> counts;
  for (const auto& each : *topics) counts[each.topic] = each.records;
  std::vector<std::string> gone;
  for (const auto& [topic, lane] : lanes_) counts.try_emplace(topic, 0);
  for (const auto& [topic, count] : counts) {
    Lane& in = lane(topic);
    // Busy records that another process has removed are counted until they leave like the others.
    const SpoolResult<std::size_t> stored = store_.queued_among({in.busy.begin(), in.busy.end()});
    if (!stored) {
      events_.sink_warning(kSpool, stored.error().message);
      return;
    }
    const std::size_t now = count + in.busy.size() - std::min(*stored, std::min(count, in.busy.size())),
                      before = std::exchange(in.records, now);
    if (now > before) {
      const std::lock_guard lock(mutex_);
      std::size_t& marks = spooling_[topic];
      if (marks == 0) ++spooling_topics_;
      marks += now - before;
      events_.spool_found(topic, now - before);
    } else if (before > now) {
      unmark(topic, before - now);
      events_.spool_dropped(topic, before - now);
    }
    if (now == 0) gone.push_back(topic);
    in.looked = 0;
  }
  for (const std::string& topic : gone) lanes_.erase(topic);
  count_records();
}

void SpoolSink::count_records() {
  std::size_t records = 0;
  for (const auto& [topic, lane] : lanes_) records += lane->records;
  records_ = records;
}

/// What is done once in a while.
void SpoolSink::look(Clock::time_point now) {
  looked_ = now;
  repaired_ = false;
  if (store_.changed_by_others()) others_ = true;
  if (others_) {
    count_again();
    others_ = !attempted_.empty() || !replaying_.empty() || !removed_.empty();
  }
  disk_fails_ = false;
  store_.discard_uncertain();
  look_for_room();
  const auto oldest = store_.oldest();
  oldest_ = oldest && *oldest ? **oldest : 0;
  if (const auto count = store_.set_aside()) set_aside_ = *count;
  if (shrink_ && lanes_.empty()) shrink_ = store_.shrink();
}

// --- The end

void SpoolSink::stop(Clock::time_point deadline) {
  if (stopped_.exchange(true)) return;
  stopping_ = true;
  const auto call = [this](bool finishing) {
    const std::lock_guard lock(mutex_);
    finishing_ = finishing;
    called_ = true;
    wake_.notify_one();
  };
  const auto landed = [this](Clock::time_point until) {
    while (flying_ > 0 && Clock::now() < until) std::this_thread::sleep_for(milliseconds(1));
  };
  call(false);
  // Each is acknowledged, or spooled when its time is over.
  landed(deadline - kReserve);
  const Clock::time_point now = Clock::now();
  kafka_->stop(kafka_->not_ready_reason() ? now : std::min(deadline - kReserve, now + kFlush));
  landed(std::max(deadline, now + kReserve));
  call(true);
  thread_.join();
}

}  // namespace

std::unique_ptr<Sink> make_spool_sink(SpoolOptions options, std::unique_ptr<Sink> kafka, Telemetry& events) {
  return std::make_unique<SpoolSink>(std::move(options), std::move(kafka), events);
}

}  // namespace eventgate

#include "eventgate/kafka/kafka_sink.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "eventgate/base/topic_name.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "kafka_client.hpp"
#include "kafka_conf.hpp"
#include "topic_limits.hpp"

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kProbeTimeout{1000};
constexpr milliseconds kProbeInterval{1000};
constexpr milliseconds kWarmInterval{200};
constexpr int kWarmTries = 50;
constexpr std::size_t kMaxCold = 10000;  // topics to be warmed; more can only be made up
constexpr std::chrono::hours kIdle{1};

/// Throws std::invalid_argument.
KafkaConf conf_of(const KafkaSinkOptions& options, std::string_view label) {
  std::vector<std::string> problems;
  KafkaConf conf = make_kafka_conf(options, label, problems);
  if (problems.empty()) return conf;
  std::string all;
  for (const std::string& problem : problems) all += (all.empty() ? "" : "; ") + problem;
  throw std::invalid_argument(all);
}

/// The contents of the files that options name: keys and certificates.
std::vector<std::string> files_of(const rd_kafka_conf_t& conf) {
  std::vector<std::string> contents;
  for (const char* name : {"ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.crl.location",
                           "ssl.keystore.location"}) {
    std::ifstream file(kafka_conf_value(conf, name), std::ios::binary);
    contents.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return contents;
}

/// Errors of one record, its size or its timestamp, for which Kafka refuses all that came with it; and of the size of
/// all together.
bool may_be_another_records(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
      return true;
    default:
      return false;
  }
}

/// What a record of a client with a fatal error is reported with.
bool is_fatal_producer_error(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING:
    case RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID:
      return true;
    default:
      return false;
  }
}

FailureScope obstacle_of(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return FailureScope::record;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return FailureScope::topic;
    default:
      return FailureScope::transient;
  }
}

bool is_denied(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

/// A record that waits for another try: it was refused with its batch, the queue was full, or its client came to an
/// end.
struct PendingRecord {
  std::string topic;
  std::optional<std::string> message_key;
  std::string value;
  std::int64_t timestamp = 0;
  DeliveryHandle* handle = nullptr;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
};

PendingRecord refused_record(const rd_kafka_message_t& message, rd_kafka_resp_err_t error, DeliveryHandle& handle) {
  PendingRecord record;
  record.topic = rd_kafka_topic_name(message.rkt);
  if (message.key != nullptr) record.message_key.emplace(static_cast<const char*>(message.key), message.key_len);
  record.value.assign(static_cast<const char*>(message.payload), message.len);
  record.timestamp = handle.sink_data.timestamp;
  record.handle = &handle;
  record.error = error;
  return record;
}

/// A thread that does what blocks: probing, warming, replacing; and the second try of what was refused together.
class KafkaHousekeeper;

/// One of the two producers: its present client, one that sends each record alone, and those being replaced. Promised
/// records wait here, in order, while the client's queue is full or it is being replaced; `max_inflight_bytes` of the
/// gate bounds them.
///
/// Thread-safe, but what says otherwise.
class KafkaProducer {
 public:
  KafkaProducer(std::string label, KafkaConf conf, IoExecutor reports, TopicLimits& limits, KafkaHousekeeper& service,
                Telemetry& events);
  ~KafkaProducer() { close(); }

  void produce(std::span<const Record> records);
  std::optional<std::string> not_ready_reason() const;
  bool has_metadata(const std::string& topic) const {
    const std::lock_guard lock(reason_mutex_);
    return warm_.contains(topic);
  }
  milliseconds linger() const { return milliseconds(std::atoi(kafka_conf_value(*conf_, "linger.ms").c_str())); }

  /// All clients there are.
  std::vector<std::shared_ptr<KafkaClient>> clients() const;
  std::shared_ptr<KafkaClient> client() const {
    const std::lock_guard lock(clients_mutex_);
    return client_;
  }

  /// As Sink::renew: a client made of the files as they are now, if one has changed.
  std::function<void()> reload();

  /// From now on everything is refused, and nothing is replaced or closed but by `close`.
  void end() {
    const std::lock_guard lock(clients_mutex_);
    ending_ = true;
  }
  void close();
  void refuse(const PendingRecord& record);

  /// Whether records wait for room in the queue.
  bool holds() const { return holds_; }
  void refuse_held();

  // The service's thread only.
  void prefetch_metadata(const std::string& topic);
  void produce_alone(const PendingRecord& record);
  /// Does what is due. When to be called again.
  Clock::duration run_maintenance();

 private:
  /// Throws std::invalid_argument with librdkafka's reason.
  std::shared_ptr<KafkaClient> make_client(const rd_kafka_conf_t& conf, bool alone);
  void report(const rd_kafka_message_t& message, rd_kafka_msg_status_t status, bool alone);
  void error(rd_kafka_resp_err_t error, const char* text, bool alone);
  void fail(DeliveryHandle& handle, std::string_view topic, std::string_view value, rd_kafka_resp_err_t error,
            Delivery delivery, std::string message);
  void refused_at_once(const Record& record, rd_kafka_resp_err_t error);
  /// Whether it waits for the next client.
  bool keep(const rd_kafka_message_t& message, DeliveryHandle& handle);
  /// Sends those that wait, and then `more`, as far as there is room.
  void send_held(const std::vector<const Record*>& more);
  std::string too_large(const std::string& topic, std::size_t size, bool alone) const;
  void request_probe();
  void replace_soon();
  void set_unready(const std::string& reason);
  void set_ready();
  void probe();
  void replace();
  void warm_declared();
  void close_retired();

  const std::string label_;
  const KafkaConf conf_;
  const KafkaConf alone_conf_;
  const IoExecutor reports_;
  const bool acknowledged_;
  const std::size_t queue_size_;  // bytes
  TopicLimits& limits_;
  KafkaHousekeeper& service_;
  Telemetry& events_;

  mutable std::mutex clients_mutex_;
  std::shared_ptr<KafkaClient> client_;
  std::shared_ptr<KafkaClient> single_record_client_;
  std::vector<std::shared_ptr<KafkaClient>> retired_;
  std::atomic<bool> ending_{false};  // written under clients_mutex_

  std::mutex held_mutex_;
  std::deque<PendingRecord> held_;
  std::atomic<bool> holds_{false};

  std::atomic<bool> ready_{false};
  std::atomic<bool> in_doubt_{true};
  std::atomic<bool> queue_full_{false};
  std::atomic<bool> fatal_{false};
  std::atomic<bool> renewed_{false};
  mutable std::mutex reason_mutex_;
  std::string reason_ = "no broker has answered yet";
  std::set<std::string> warm_;
  std::string last_auth_error_;  // what the last broker that cannot be talked to said, or was found to be

  std::vector<std::string> files_;  // what those that its options name hold; the caller's of renew

  // The service's thread only.
  Clock::time_point replaced_;  // last
  std::set<std::string> declared_;
  std::map<std::string, int> warming_;  // topic to tries left
};

class KafkaHousekeeper {
 public:
  void start(std::vector<KafkaProducer*> producers) {
    producers_ = std::move(producers);
    thread_ = std::thread([this] { run(); });
  }

  void call() {
    const std::lock_guard lock(mutex_);
    called_ = true;
    wake_.notify_one();
  }

  void prefetch_metadata(const std::string& topic) {
    const std::lock_guard lock(mutex_);
    if (cold_.size() >= kMaxCold || !cold_.insert(topic).second) return;
    called_ = true;
    wake_.notify_one();
  }

  void produce_alone(KafkaProducer& producer, PendingRecord record) {
    {
      const std::lock_guard lock(mutex_);
      if (!stopping_) {
        refused_.emplace_back(&producer, std::move(record));
        wake_.notify_one();
        return;
      }
    }
    producer.refuse(record);
  }

  /// Only second tries from now on.
  void end() { ending_ = true; }

  bool idle() const {
    const std::lock_guard lock(mutex_);
    return refused_.empty() && !trying_;
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      wake_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
    for (auto& [producer, record] : refused_) producer->refuse(record);
    refused_.clear();
  }

 private:
  void run() {
    Clock::time_point next = Clock::now();
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait_until(lock, next, [this] { return called_ || stopping_ || !refused_.empty(); });
      if (stopping_) return;
      if (!refused_.empty()) {
        const auto [producer, record] = std::move(refused_.front());
        refused_.pop_front();
        trying_ = true;
        lock.unlock();
        producer->produce_alone(record);
        lock.lock();
        trying_ = false;
        continue;
      }
      called_ = false;
      const std::set<std::string> cold = std::exchange(cold_, {});
      lock.unlock();
      Clock::duration wait = kIdle;
      for (KafkaProducer* producer : producers_) {
        for (const std::string& topic : cold) producer->prefetch_metadata(topic);
        if (!ending_) wait = std::min(wait, producer->run_maintenance());
      }
      next = Clock::now() + wait;
      lock.lock();
    }
  }

  std::vector<KafkaProducer*> producers_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::pair<KafkaProducer*, PendingRecord>> refused_;
  std::set<std::string> cold_;
  bool called_ = false;
  bool trying_ = false;
  bool stopping_ = false;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

/// The same, but that each request holds one record, so that none can make another one too large; and that its queue,
/// where come those that had room in the other's, is never full.
KafkaConf alone_conf(const rd_kafka_conf_t& conf) {
  KafkaConf alone(rd_kafka_conf_dup(&conf));
  for (const auto& [name, value] :
       {std::pair("batch.num.messages", "1"), std::pair("linger.ms", "0"), std::pair("max.in.flight", "1"),
        std::pair("statistics.interval.ms", "0"), std::pair("queue.buffering.max.messages", "10000000"),
        std::pair("queue.buffering.max.kbytes", "2147483647")})
    set_kafka_conf(*alone, "kafka", name, value);
  return alone;
}

KafkaProducer::KafkaProducer(std::string label, KafkaConf conf, IoExecutor reports, TopicLimits& limits,
                             KafkaHousekeeper& service, Telemetry& events)
    : label_(std::move(label)),
      conf_(std::move(conf)),
      alone_conf_(alone_conf(*conf_)),
      reports_(std::move(reports)),
      acknowledged_(kafka_conf_value(*conf_, "acks") != "0"),
      queue_size_(std::stoul(kafka_conf_value(*conf_, "queue.buffering.max.kbytes")) << 10),
      limits_(limits),
      service_(service),
      events_(events) {
  files_ = files_of(*conf_);
  client_ = make_client(*conf_, false);
}

std::shared_ptr<KafkaClient> KafkaProducer::make_client(const rd_kafka_conf_t& conf, bool alone) {
  KafkaClientCallbacks tell;
  tell.report = [this, alone](const rd_kafka_message_t& message, rd_kafka_msg_status_t status) {
    report(message, status, alone);
  };
  tell.error = [this, alone](rd_kafka_resp_err_t code, const char* text) { error(code, text, alone); };
  tell.log = [this](int level, const char* facility, const char* text) {
    events_.producer_log(label_, level, facility, text);
  };
  tell.statistics = [this](const char* json) { events_.producer_statistics(label_, json); };
  tell.room = [this] {
    if (holds_) send_held({});
  };
  try {
    return KafkaClient::make(conf, reports_, std::move(tell));
  } catch (const std::invalid_argument& refused) {
    throw std::invalid_argument("kafka." + label_ + ": " + refused.what());
  }
}

void KafkaProducer::produce(std::span<const Record> records) {
  events_.record_handed_over(label_, records.size());
  std::shared_ptr<KafkaClient> client;
  {
    const std::lock_guard lock(clients_mutex_);
    if (!ending_) client = client_;
  }
  std::vector<std::pair<const Record*, rd_kafka_resp_err_t>> refused;
  std::vector<const Record*> held;
  if (client == nullptr) {
    for (const Record& record : records) refused.emplace_back(&record, RD_KAFKA_RESP_ERR__DESTROY);
  } else {
    KafkaClient::Sender sender(*client);
    std::string_view checked;
    bool full = false;
    for (const Record& record : records) {
      rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION;
      if ((!checked.empty() && record.topic == checked) || is_topic_name(record.topic)) {
        checked = record.topic;
        record.handle->sink_data = {record.timestamp,
                                    record.already_answered};  // a report of a failure does not have it
        const bool may_wait = record.already_answered && record.value.size() <= queue_size_;
        if (may_wait && (holds_ || !held.empty())) {
          held.push_back(&record);
          continue;
        }
        // What comes after one that found the queue full must not go before it.
        error = full ? RD_KAFKA_RESP_ERR__QUEUE_FULL
                     : sender.send({record.topic, record.message_key, record.value, record.timestamp, record.handle});
        if (may_wait && (error == RD_KAFKA_RESP_ERR__QUEUE_FULL || error == RD_KAFKA_RESP_ERR__FATAL ||
                         error == RD_KAFKA_RESP_ERR__DESTROY)) {
          held.push_back(&record);
          continue;
        }
      }
      full = full || error == RD_KAFKA_RESP_ERR__QUEUE_FULL;
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) refused.emplace_back(&record, error);
    }
  }
  if (!held.empty()) send_held(held);
  for (const auto& [record, error] : refused) refused_at_once(*record, error);
}

void KafkaProducer::send_held(const std::vector<const Record*>& more) {
  std::vector<PendingRecord> refused;
  {
    const std::lock_guard lock(held_mutex_);
    for (const Record* record : more) {
      PendingRecord& held = held_.emplace_back();
      held.topic = record->topic;
      if (record->message_key) held.message_key.emplace(*record->message_key);
      held.value = record->value;
      held.timestamp = record->timestamp;
      held.handle = record->handle;
    }
    // Before the next try, so that whoever makes room after it knows of them.
    if (!more.empty()) holds_ = true;
    const auto current = client();
    KafkaClient::Sender sender(*current);
    while (!held_.empty()) {
      PendingRecord& held = held_.front();
      held.error = sender.send({held.topic, held.message_key, held.value, held.timestamp, held.handle});
      if (held.error == RD_KAFKA_RESP_ERR__QUEUE_FULL) break;
      if (held.error == RD_KAFKA_RESP_ERR__FATAL && !ending_) {
        replace_soon();
        break;
      }
      if (held.error == RD_KAFKA_RESP_ERR__DESTROY && !ending_) {
        service_.call();  // it was replaced meanwhile: `run_maintenance` sends by the next one
        break;
      }
      if (held.error != RD_KAFKA_RESP_ERR_NO_ERROR) refused.push_back(std::move(held));
      held_.pop_front();
    }
    holds_ = !held_.empty();
  }
  for (const PendingRecord& record : refused)
    refused_at_once({record.topic, record.message_key, record.value, record.timestamp, record.handle}, record.error);
}

void KafkaProducer::refuse_held() {
  std::deque<PendingRecord> held;
  {
    const std::lock_guard lock(held_mutex_);
    held.swap(held_);
    holds_ = false;
  }
  for (PendingRecord& record : held) {
    record.error = RD_KAFKA_RESP_ERR__PURGE_QUEUE;
    refuse(record);
  }
}

void KafkaProducer::refused_at_once(const Record& record, rd_kafka_resp_err_t error) {
  std::string message = rd_kafka_err2str(error);
  switch (error) {
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
      queue_full_ = true;
      break;
    case RD_KAFKA_RESP_ERR__FATAL:
      replace_soon();
      break;
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      message = kInvalidTopicMessage;
      break;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      service_.prefetch_metadata(std::string(record.topic));
      break;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      message += ": the record has " +
                 std::to_string(record.value.size() + (record.message_key ? record.message_key->size() : 0)) +
                 " bytes, the producer takes " + kafka_conf_value(*conf_, "message.max.bytes") + " (message.max.bytes)";
      break;
    default:
      break;
  }
  fail(*record.handle, record.topic, record.value, error, Delivery::not_produced, std::move(message));
}

void KafkaProducer::report(const rd_kafka_message_t& message, rd_kafka_msg_status_t status, bool alone) {
  DeliveryHandle& handle = *static_cast<DeliveryHandle*>(message._private);
  if (queue_full_.load(std::memory_order_relaxed)) queue_full_ = false;
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR && (status == RD_KAFKA_MSG_STATUS_PERSISTED || !acknowledged_)) {
    if (handle.timed_out()) events_.late_delivery(label_, true);
    events_.record_delivered(label_,
                             std::chrono::microseconds(std::max<std::int64_t>(rd_kafka_message_latency(&message), 0)));
    handle.succeed();
    return;
  }
  const bool implied = message.err == RD_KAFKA_RESP_ERR_NO_ERROR;
  const rd_kafka_resp_err_t error = implied ? RD_KAFKA_RESP_ERR__INCONSISTENT : message.err;
  if (handle.sink_data.already_answered && is_fatal_producer_error(error) && keep(message, handle)) return;
  // An earlier try cannot have written what is too large by itself, whatever it was answered.
  const bool not_produced =
      status == RD_KAFKA_MSG_STATUS_NOT_PERSISTED || (alone && error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  std::string topic = rd_kafka_topic_name(message.rkt);
  // What is doubtful, by an outage or because it is implied, may be there twice after a second try. Nobody waits for
  // the fate of a hasty one, and it was already_answered; of a guaranteed one it would hide that it is unknown.
  if ((implied || may_be_another_records(error)) && (not_produced || label_ == "hasty") && !alone) {
    service_.produce_alone(*this, refused_record(message, error, handle));
    return;
  }
  std::string text = rd_kafka_err2str(error);
  switch (error) {
    case RD_KAFKA_RESP_ERR__INCONSISTENT:
      text = "Kafka has not acknowledged it, only what came after it";
      break;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      text = too_large(topic, message.len + message.key_len, alone);
      break;
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
      request_probe();
      break;
    // librdkafka would ask for the topic again in minutes only, and refuse its records until then.
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      service_.prefetch_metadata(topic);
      break;
    default:
      break;
  }
  fail(handle, topic, {static_cast<const char*>(message.payload), message.len}, error,
       not_produced ? Delivery::not_produced : Delivery::unknown, std::move(text));
}

bool KafkaProducer::keep(const rd_kafka_message_t& message, DeliveryHandle& handle) {
  const std::lock_guard lock(held_mutex_);
  if (ending_) return false;
  held_.push_back(refused_record(message, message.err, handle));
  holds_ = true;  // sent when all that the client has to tell was read
  return true;
}

void KafkaProducer::fail(DeliveryHandle& handle, std::string_view topic, std::string_view value,
                         rd_kafka_resp_err_t error, Delivery delivery, std::string message) {
  if (handle.timed_out()) events_.late_delivery(label_, false);
  events_.record_failed(label_, topic, rd_kafka_err2name(error), message);
  DeliveryFailure failure{delivery, std::move(message), obstacle_of(error), is_denied(error)};
  // The caller of a guaranteed record has its text.
  if (failure.scope == FailureScope::record && label_ == "hasty")
    failure.value = std::make_shared<const std::string>(value);
  handle.fail(std::move(failure));
}

std::string KafkaProducer::too_large(const std::string& topic, std::size_t size, bool alone) const {
  const std::size_t limit = limits_.of(topic);
  const std::string error = rd_kafka_err2str(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  if (!alone && size <= limit) return error + ": Kafka refused it with others, and may have taken an earlier try";
  return error + ": the record has " + std::to_string(size) + " bytes, " +
         (limit == 0 ? "more than the topic '" + topic + "' takes"
                     : "the topic '" + topic + "' takes " + std::to_string(limit)) +
         " (max.message.bytes)";
}

void KafkaProducer::refuse(const PendingRecord& record) {
  fail(*record.handle, record.topic, record.value, record.error, Delivery::not_produced,
       rd_kafka_err2str(record.error));
}

void KafkaProducer::error(rd_kafka_resp_err_t code, const char* text, bool alone) {
  // One that sends alone is found failed when it is to be used next.
  if (code == RD_KAFKA_RESP_ERR__FATAL && !alone) replace_soon();
  events_.producer_error(label_, rd_kafka_err2name(code), text);
  if (alone) return;
  if (code == RD_KAFKA_RESP_ERR__SSL || code == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
    const std::lock_guard lock(reason_mutex_);
    last_auth_error_ = text;
  }
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) set_unready(rd_kafka_err2str(code));
  request_probe();
}

std::optional<std::string> KafkaProducer::not_ready_reason() const {
  if (fatal_) return "Kafka (" + label_ + "): its producer has a fatal error and is being replaced";
  if (queue_full_ || holds_)
    return "Kafka (" + label_ + "): " + rd_kafka_err2str(RD_KAFKA_RESP_ERR__QUEUE_FULL) +
           " (queue.buffering.max.messages, queue.buffering.max.kbytes)";
  if (ready_) return std::nullopt;
  const std::lock_guard lock(reason_mutex_);
  return "Kafka (" + label_ + "): " + reason_ + (last_auth_error_.empty() ? "" : ": " + last_auth_error_);
}

void KafkaProducer::replace_soon() {
  if (!fatal_.exchange(true)) service_.call();
}

// Something hints that Kafka is not there; the service's probe decides.
void KafkaProducer::request_probe() {
  if (!in_doubt_.exchange(true)) service_.call();
}

void KafkaProducer::set_unready(const std::string& reason) {
  {
    const std::lock_guard lock(reason_mutex_);
    reason_ = reason;
  }
  ready_ = false;
}

void KafkaProducer::set_ready() {
  {
    const std::lock_guard lock(reason_mutex_);
    last_auth_error_.clear();
  }
  ready_ = true;
}

std::vector<std::shared_ptr<KafkaClient>> KafkaProducer::clients() const {
  const std::lock_guard lock(clients_mutex_);
  std::vector<std::shared_ptr<KafkaClient>> all = retired_;
  if (client_ != nullptr) all.push_back(client_);
  if (single_record_client_ != nullptr) all.push_back(single_record_client_);
  return all;
}

void KafkaProducer::close() {
  for (const auto& client : clients()) client->close();
}

void KafkaProducer::prefetch_metadata(const std::string& topic) {
  if (warming_.size() >= kMaxCold) return;
  client()->add_topic(topic);
  warming_.emplace(topic, kWarmTries);
  if (declared_.size() < kMaxCold) declared_.insert(topic);
}

Clock::duration KafkaProducer::run_maintenance() {
  if (renewed_.exchange(false)) warm_declared();
  if (fatal_ && Clock::now() - replaced_ >= kProbeInterval) replace();
  close_retired();
  if (holds_) send_held({});
  if (in_doubt_ || !ready_ || !warming_.empty()) probe();
  if (!ready_ || fatal_) return kProbeInterval;
  if (!warming_.empty()) return kWarmInterval;
  const std::lock_guard lock(clients_mutex_);
  return retired_.empty() ? Clock::duration(kIdle) : Clock::duration(kProbeInterval);
}

void KafkaProducer::probe() {
  in_doubt_ = false;
  const auto current = client();
  const struct rd_kafka_metadata* metadata = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(current->handle(), 0, nullptr, &metadata, static_cast<int>(kProbeTimeout.count()));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    set_unready(rd_kafka_err2str(error));
    return;
  }
  set_ready();
  std::vector<std::string> warm;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const rd_kafka_metadata_topic& topic = metadata->topics[i];
    const auto found = warming_.find(topic.topic);
    if (found == warming_.end()) continue;
    if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR && topic.partition_cnt > 0) {
      if (limits_.due(found->first)) warm.push_back(found->first);
      const std::lock_guard lock(reason_mutex_);
      if (warm_.size() < kMaxCold) warm_.insert(found->first);
      warming_.erase(found);
    } else if (--found->second == 0) {
      warming_.erase(found);
    }
  }
  rd_kafka_metadata_destroy(metadata);
  if (!warm.empty()) limits_.read(current->handle(), warm, kProbeTimeout);
}

// What the old client has in its queue is reported as purged, what it has sent as Kafka's answer or the timeout says.
void KafkaProducer::replace() {
  replaced_ = Clock::now();
  std::shared_ptr<KafkaClient> old;
  // It may be the one before that told its end again.
  if (!fatal_.exchange(false) || !client()->failed()) return;
  try {
    std::shared_ptr<KafkaClient> next = make_client(*conf_, false);
    const std::lock_guard lock(clients_mutex_);
    if (ending_) {
      retired_.push_back(std::move(next));
      return;
    }
    old = std::exchange(client_, std::move(next));
    retired_.push_back(old);
  } catch (const std::invalid_argument& refused) {
    fatal_ = true;
    events_.producer_error(label_, "_FATAL", refused.what());
    set_unready(refused.what());
    return;
  }
  old->purge(RD_KAFKA_PURGE_F_QUEUE);
  if (holds_) send_held({});
  warm_declared();
}

void KafkaProducer::warm_declared() {
  for (const std::string& topic : std::set<std::string>(declared_)) prefetch_metadata(topic);
}

std::function<void()> KafkaProducer::reload() {
  std::vector<std::string> files = files_of(*conf_);
  if (files == files_) return [] {};
  // Closed if it is never used.
  struct Next {
    std::shared_ptr<KafkaClient> client;
    ~Next() {
      if (client != nullptr) client->close();
    }
  };
  const auto next = std::make_shared<Next>();
  next->client = make_client(*conf_, false);
  return [this, next, files = std::move(files)]() mutable {
    files_ = std::move(files);
    {
      const std::lock_guard lock(clients_mutex_);
      if (ending_) return;
      // What they have is delivered; then they are closed.
      retired_.push_back(std::exchange(client_, std::exchange(next->client, nullptr)));
      if (single_record_client_ != nullptr) retired_.push_back(std::exchange(single_record_client_, nullptr));
    }
    renewed_ = true;
    request_probe();
    service_.call();
  };
}

void KafkaProducer::close_retired() {
  std::vector<std::shared_ptr<KafkaClient>> retired;
  {
    const std::lock_guard lock(clients_mutex_);
    if (ending_) return;
    retired = retired_;
  }
  // A thread may have taken one before it was replaced, and be about to send with it.
  std::erase_if(retired, [](const auto& client) { return !client->close_if_drained(); });
  const std::lock_guard lock(clients_mutex_);
  std::erase_if(retired_, [&retired](const auto& client) {
    return std::find(retired.begin(), retired.end(), client) != retired.end();
  });
}

void KafkaProducer::produce_alone(const PendingRecord& record) {
  std::shared_ptr<KafkaClient> alone;
  {
    const std::lock_guard lock(clients_mutex_);
    if (single_record_client_ != nullptr && single_record_client_->failed())
      retired_.push_back(std::exchange(single_record_client_, nullptr));
    alone = single_record_client_;
  }
  if (alone == nullptr) {
    try {
      alone = make_client(*alone_conf_, true);
    } catch (const std::invalid_argument& refused) {
      fail(*record.handle, record.topic, record.value, record.error, Delivery::not_produced, refused.what());
      return;
    }
    const std::lock_guard lock(clients_mutex_);
    single_record_client_ = alone;
  }
  if (record.error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && limits_.due(record.topic))
    limits_.read(client()->handle(), {record.topic}, kProbeTimeout);
  const rd_kafka_resp_err_t error = KafkaClient::Sender(*alone).send(
      {record.topic, record.message_key, record.value, record.timestamp, record.handle});
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    fail(*record.handle, record.topic, record.value, error, Delivery::not_produced, rd_kafka_err2str(error));
}

class KafkaSink final : public Sink {
 public:
  KafkaSink(KafkaSinkOptions options, const IoExecutor& reports, Telemetry& events)
      : guaranteed_("guaranteed", conf_of(options, "guaranteed"), reports, limits_, service_, events),
        hasty_("hasty", conf_of(options, "hasty"), reports, limits_, service_, events) {
    if (!RefusalLog::is_tested(rd_kafka_version()))
      events.sink_warning(name(), std::string("librdkafka ") + rd_kafka_version_str() +
                                      " is not one of the versions tested, 2.0.2 and 2.8.0: events that Kafka has not "
                                      "taken get delivery 'unknown' where only its log proves 'not_produced'");
    service_.start({&guaranteed_, &hasty_});
  }

  ~KafkaSink() override { stop(Clock::now()); }

  std::string_view name() const override { return "kafka"; }

  void produce(std::span<const Record> records, Assurance assurance) override {
    (assurance == Assurance::guaranteed ? guaranteed_ : hasty_).produce(records);
  }

  void prefetch_metadata(const std::string& topic) override {
    if (is_topic_name(topic)) service_.prefetch_metadata(topic);
  }

  std::function<void()> reload() override {
    return [first = guaranteed_.reload(), second = hasty_.reload()] {
      first();
      second();
    };
  }

  std::optional<std::string> not_ready_reason() const override {
    if (auto reason = guaranteed_.not_ready_reason()) return reason;
    return hasty_.not_ready_reason();
  }

  bool has_metadata(const std::string& topic) const override {
    return guaranteed_.has_metadata(topic) && hasty_.has_metadata(topic);
  }
  milliseconds linger(Assurance assurance) const override {
    return (assurance == Assurance::guaranteed ? guaranteed_ : hasty_).linger();
  }

  void stop(Clock::time_point deadline) override;

 private:
  /// Reads what all clients have to tell. Whether nothing waits any more.
  bool drain() {
    bool empty = true;
    for (const KafkaProducer* producer : {&guaranteed_, &hasty_}) {
      for (const auto& client : producer->clients()) {
        if (client->waiting() > 0) client->flush(milliseconds(10));
        while (client->drain(1000)) continue;
        empty = empty && client->waiting() == 0;
      }
      empty = empty && !producer->holds();
    }
    return empty;
  }

  TopicLimits limits_;
  KafkaHousekeeper service_;
  KafkaProducer guaranteed_;
  KafkaProducer hasty_;
  std::atomic<bool> stopped_{false};
};

void KafkaSink::stop(Clock::time_point deadline) {
  if (stopped_.exchange(true)) return;
  guaranteed_.end();
  hasty_.end();
  service_.end();
  for (;;) {
    const bool idle = service_.idle();
    if (drain() && idle && service_.idle()) break;
    if (Clock::now() >= deadline) break;
    std::this_thread::sleep_for(milliseconds(1));
  }
  service_.stop();
  guaranteed_.refuse_held();
  hasty_.refuse_held();
  for (const KafkaProducer* producer : {&guaranteed_, &hasty_})
    for (const auto& client : producer->clients())
      if (client->waiting() > 0) client->purge(RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  // What was purged is reported at once.
  for (int i = 0; i < 200 && !drain(); ++i) std::this_thread::sleep_for(milliseconds(1));
  guaranteed_.close();
  hasty_.close();
}

}  // namespace

std::unique_ptr<Sink> make_kafka_sink(KafkaSinkOptions options, IoExecutor reports, Telemetry& events) {
  return std::make_unique<KafkaSink>(std::move(options), reports, events);
}

}  // namespace eventgate

#include "kafka_producer.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "eventgate/base/topic_name.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "kafka_errors.hpp"
#include "kafka_housekeeper.hpp"
#include "topic_limits.hpp"

namespace eventgate {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kProbeTimeout{1000};     // for an answer with metadata or topic configs
constexpr milliseconds kProbeInterval{1000};    // between probes while the producer is not ready
constexpr milliseconds kMetadataInterval{200};  // between probes while metadata of a topic is missing
constexpr int kMetadataTries = 50;              // probes after which a topic without metadata is given up

PendingRecord pending_record(const rd_kafka_message_t& message, rd_kafka_resp_err_t error, DeliveryHandle& handle) {
  PendingRecord record;
  record.topic = rd_kafka_topic_name(message.rkt);
  if (message.key != nullptr) record.message_key.emplace(static_cast<const char*>(message.key), message.key_len);
  record.value.assign(static_cast<const char*>(message.payload), message.len);
  record.timestamp = handle.sink_data.timestamp;
  record.handle = &handle;
  record.error = error;
  return record;
}

/// Returns `conf` with one record a request, so that no other record can make the request too large. The queue has no
/// limit, because its records were counted in the batching client's queue.
KafkaConf make_single_record_conf(const rd_kafka_conf_t& conf) {
  KafkaConf changed(rd_kafka_conf_dup(&conf));
  for (const auto& [name, value] :
       {std::pair("batch.num.messages", "1"), std::pair("linger.ms", "0"), std::pair("max.in.flight", "1"),
        std::pair("statistics.interval.ms", "0"), std::pair("queue.buffering.max.messages", "10000000"),
        std::pair("queue.buffering.max.kbytes", "2147483647")})
    set_kafka_conf(*changed, "kafka", name, value);
  return changed;
}

}  // namespace

KafkaProducer::KafkaProducer(std::string label, KafkaConf conf, IoExecutor reports, TopicLimits& limits,
                             KafkaHousekeeper& housekeeper, Telemetry& telemetry)
    : label_(std::move(label)),
      conf_(std::move(conf)),
      single_record_conf_(make_single_record_conf(*conf_)),
      reports_(std::move(reports)),
      acknowledged_(kafka_conf_value(*conf_, "acks") != "0"),
      queue_size_(std::stoul(kafka_conf_value(*conf_, "queue.buffering.max.kbytes")) << 10),
      limits_(limits),
      housekeeper_(housekeeper),
      telemetry_(telemetry) {
  credential_files_ = read_credential_files(*conf_);
  client_ = make_client(*conf_, ClientKind::batching);
}

std::shared_ptr<KafkaClient> KafkaProducer::current_client() const {
  const std::lock_guard lock(clients_mutex_);
  return client_;
}

std::shared_ptr<KafkaClient> KafkaProducer::make_client(const rd_kafka_conf_t& conf, ClientKind kind) {
  KafkaClientCallbacks callbacks;
  callbacks.report = [this, kind](const rd_kafka_message_t& message, rd_kafka_msg_status_t status) {
    handle_report(message, status, kind);
  };
  callbacks.error = [this, kind](rd_kafka_resp_err_t code, const char* text) { handle_error(code, text, kind); };
  callbacks.log = [this](int level, const char* facility, const char* text) {
    telemetry_.producer_log(label_, level, facility, text);
  };
  callbacks.statistics = [this](const char* json) { telemetry_.producer_statistics(label_, json); };
  callbacks.drained = [this] {
    if (has_waiting_) send_waiting({});
  };
  try {
    return KafkaClient::make(conf, reports_, std::move(callbacks));
  } catch (const std::invalid_argument& refused) {
    throw std::invalid_argument("kafka." + label_ + ": " + refused.what());
  }
}

void KafkaProducer::produce(std::span<const Record> records) {
  telemetry_.record_handed_over(label_, records.size());
  std::shared_ptr<KafkaClient> client;
  {
    const std::lock_guard lock(clients_mutex_);
    if (!ending_) client = client_;
  }
  std::vector<std::pair<const Record*, rd_kafka_resp_err_t>> refused;
  std::vector<const Record*> waiting;
  if (client == nullptr) {
    for (const Record& record : records) refused.emplace_back(&record, RD_KAFKA_RESP_ERR__DESTROY);
  } else {
    KafkaClient::Sender sender(*client);
    std::string_view checked_topic;
    bool full = false;
    for (const Record& record : records) {
      rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION;
      if ((!checked_topic.empty() && record.topic == checked_topic) || is_topic_name(record.topic)) {
        checked_topic = record.topic;
        record.handle->sink_data = {.timestamp = record.timestamp,
                                    .already_answered = record.already_answered};  // the report of a failure lacks it
        const bool may_wait = record.already_answered && record.value.size() <= queue_size_;
        if (may_wait && (has_waiting_ || !waiting.empty())) {
          waiting.push_back(&record);
          continue;
        }
        // A later record must not overtake one that found the queue full.
        error = full ? RD_KAFKA_RESP_ERR__QUEUE_FULL
                     : sender.send({record.topic, record.message_key, record.value, record.timestamp, record.handle});
        if (may_wait && (error == RD_KAFKA_RESP_ERR__QUEUE_FULL || error == RD_KAFKA_RESP_ERR__FATAL ||
                         error == RD_KAFKA_RESP_ERR__DESTROY)) {
          waiting.push_back(&record);
          continue;
        }
      }
      full = full || error == RD_KAFKA_RESP_ERR__QUEUE_FULL;
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) refused.emplace_back(&record, error);
    }
  }
  if (!waiting.empty()) send_waiting(waiting);
  for (const auto& [record, error] : refused) fail_unsent(*record, error);
}

void KafkaProducer::send_waiting(const std::vector<const Record*>& more) {
  std::vector<PendingRecord> refused;
  {
    const std::lock_guard lock(waiting_mutex_);
    for (const Record* record : more) {
      PendingRecord& pending = waiting_.emplace_back();
      pending.topic = record->topic;
      if (record->message_key) pending.message_key.emplace(*record->message_key);
      pending.value = record->value;
      pending.timestamp = record->timestamp;
      pending.handle = record->handle;
    }
    // Set before the next try: a thread that drains the queue after that try then sends these records.
    if (!more.empty()) has_waiting_ = true;
    const auto current = current_client();
    KafkaClient::Sender sender(*current);
    while (!waiting_.empty()) {
      PendingRecord& next = waiting_.front();
      next.error = sender.send({next.topic, next.message_key, next.value, next.timestamp, next.handle});
      if (next.error == RD_KAFKA_RESP_ERR__QUEUE_FULL) break;
      if (next.error == RD_KAFKA_RESP_ERR__FATAL && !ending_) {
        request_replacement();
        break;
      }
      if (next.error == RD_KAFKA_RESP_ERR__DESTROY && !ending_) {
        housekeeper_.request_maintenance();  // the client was replaced meanwhile: maintenance uses the next one
        break;
      }
      if (next.error != RD_KAFKA_RESP_ERR_NO_ERROR) refused.push_back(std::move(next));
      waiting_.pop_front();
    }
    has_waiting_ = !waiting_.empty();
  }
  for (const PendingRecord& record : refused)
    fail_unsent({record.topic, record.message_key, record.value, record.timestamp, record.handle}, record.error);
}

void KafkaProducer::fail_waiting_records() {
  std::deque<PendingRecord> waiting;
  {
    const std::lock_guard lock(waiting_mutex_);
    waiting.swap(waiting_);
    has_waiting_ = false;
  }
  for (PendingRecord& record : waiting) {
    record.error = RD_KAFKA_RESP_ERR__PURGE_QUEUE;
    fail_pending(record);
  }
}

void KafkaProducer::fail_unsent(const Record& record, rd_kafka_resp_err_t error) {
  std::string message = rd_kafka_err2str(error);
  switch (error) {
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
      queue_full_ = true;
      break;
    case RD_KAFKA_RESP_ERR__FATAL:
      request_replacement();
      break;
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      message = kInvalidTopicMessage;
      break;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      housekeeper_.prefetch_metadata(std::string(record.topic));
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

void KafkaProducer::handle_report(const rd_kafka_message_t& message, rd_kafka_msg_status_t status, ClientKind kind) {
  DeliveryHandle& handle = *static_cast<DeliveryHandle*>(message._private);
  if (queue_full_.load(std::memory_order_relaxed)) queue_full_ = false;
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR && (status == RD_KAFKA_MSG_STATUS_PERSISTED || !acknowledged_)) {
    if (handle.timed_out()) telemetry_.late_delivery(label_, true);
    telemetry_.record_delivered(
        label_, std::chrono::microseconds(std::max<std::int64_t>(rd_kafka_message_latency(&message), 0)));
    handle.sink_data.partition = message.partition;
    handle.sink_data.offset = message.offset;
    handle.succeed();
    return;
  }
  // An idempotent producer reports success without an offset if only a later batch was acknowledged.
  const bool implied = message.err == RD_KAFKA_RESP_ERR_NO_ERROR;
  const rd_kafka_resp_err_t error = implied ? RD_KAFKA_RESP_ERR__INCONSISTENT : message.err;
  if (handle.sink_data.already_answered && is_fatal_producer_error(error) && keep_for_next_client(message, handle))
    return;
  const bool alone = kind == ClientKind::single_record;
  // No earlier try can have written a record that is too large by itself.
  const bool not_produced =
      status == RD_KAFKA_MSG_STATUS_NOT_PERSISTED || (alone && error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  std::string topic = rd_kafka_topic_name(message.rkt);
  // A second try of a record that may be written already can write it twice. For an already answered record that is
  // better than a loss. For a guaranteed one it would hide that the result is unknown.
  if ((implied || may_concern_another_record(error)) && (not_produced || label_ == "hasty") && !alone) {
    housekeeper_.produce_alone(*this, pending_record(message, error, handle));
    return;
  }
  std::string text = rd_kafka_err2str(error);
  switch (error) {
    case RD_KAFKA_RESP_ERR__INCONSISTENT:
      text = "Kafka has not acknowledged it, only what came after it";
      break;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      text = too_large_message(topic, message.len + message.key_len, kind);
      break;
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
      request_probe();
      break;
    // librdkafka by itself asks for the topic again only after minutes, and refuses its records until then.
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      housekeeper_.prefetch_metadata(topic);
      break;
    default:
      break;
  }
  fail(handle, topic, {static_cast<const char*>(message.payload), message.len}, error,
       not_produced ? Delivery::not_produced : Delivery::unknown, std::move(text));
}

bool KafkaProducer::keep_for_next_client(const rd_kafka_message_t& message, DeliveryHandle& handle) {
  const std::lock_guard lock(waiting_mutex_);
  if (ending_) return false;
  waiting_.push_back(pending_record(message, message.err, handle));
  has_waiting_ = true;  // the `drained` callback sends it, once all reports of the failed client were read
  return true;
}

void KafkaProducer::fail(DeliveryHandle& handle, std::string_view topic, std::string_view value,
                         rd_kafka_resp_err_t error, Delivery delivery, std::string message) {
  if (handle.timed_out()) telemetry_.late_delivery(label_, false);
  telemetry_.record_failed(label_, topic, rd_kafka_err2name(error), message);
  DeliveryFailure failure{delivery, std::move(message), failure_scope(error), is_access_denied(error)};
  // The caller of a guaranteed record still has its text.
  if (failure.scope == FailureScope::record && label_ == "hasty")
    failure.value = std::make_shared<const std::string>(value);
  handle.fail(std::move(failure));
}

std::string KafkaProducer::too_large_message(const std::string& topic, std::size_t size, ClientKind kind) const {
  const std::size_t limit = limits_.max_bytes(topic);
  const std::string error = rd_kafka_err2str(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  if (kind == ClientKind::batching && size <= limit)
    return error + ": Kafka refused it with others, and may have taken an earlier try";
  return error + ": the record has " + std::to_string(size) + " bytes, " +
         (limit == 0 ? "more than the topic '" + topic + "' takes"
                     : "the topic '" + topic + "' takes " + std::to_string(limit)) +
         " (max.message.bytes)";
}

void KafkaProducer::fail_pending(const PendingRecord& record) {
  fail(*record.handle, record.topic, record.value, record.error, Delivery::not_produced,
       rd_kafka_err2str(record.error));
}

void KafkaProducer::handle_error(rd_kafka_resp_err_t code, const char* text, ClientKind kind) {
  const bool alone = kind == ClientKind::single_record;
  // `produce_alone` replaces a failed single-record client before its next use.
  if (code == RD_KAFKA_RESP_ERR__FATAL && !alone) request_replacement();
  telemetry_.producer_error(label_, rd_kafka_err2name(code), text);
  if (alone) return;
  if (code == RD_KAFKA_RESP_ERR__SSL || code == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
    const std::lock_guard lock(state_mutex_);
    last_auth_error_ = text;
  }
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) set_not_ready(rd_kafka_err2str(code));
  request_probe();
}

std::optional<std::string> KafkaProducer::not_ready_reason() const {
  if (has_fatal_error_) return "Kafka (" + label_ + "): its producer has a fatal error and is being replaced";
  if (queue_full_ || has_waiting_)
    return "Kafka (" + label_ + "): " + rd_kafka_err2str(RD_KAFKA_RESP_ERR__QUEUE_FULL) +
           " (queue.buffering.max.messages, queue.buffering.max.kbytes)";
  if (ready_) return std::nullopt;
  const std::lock_guard lock(state_mutex_);
  return "Kafka (" + label_ + "): " + not_ready_reason_ + (last_auth_error_.empty() ? "" : ": " + last_auth_error_);
}

bool KafkaProducer::has_metadata(const std::string& topic) const {
  const std::lock_guard lock(state_mutex_);
  return topics_with_metadata_.contains(topic);
}

milliseconds KafkaProducer::linger() const {
  return milliseconds(std::atoi(kafka_conf_value(*conf_, "linger.ms").c_str()));
}

void KafkaProducer::end() {
  const std::lock_guard lock(clients_mutex_);
  ending_ = true;
}

void KafkaProducer::request_replacement() {
  if (!has_fatal_error_.exchange(true)) housekeeper_.request_maintenance();
}

void KafkaProducer::request_probe() {
  if (!probe_requested_.exchange(true)) housekeeper_.request_maintenance();
}

void KafkaProducer::set_not_ready(const std::string& reason) {
  {
    const std::lock_guard lock(state_mutex_);
    not_ready_reason_ = reason;
  }
  ready_ = false;
}

void KafkaProducer::set_ready() {
  {
    const std::lock_guard lock(state_mutex_);
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
  if (awaited_topics_.size() >= kMaxPrefetchedTopics) return;
  current_client()->add_topic(topic);
  awaited_topics_.emplace(topic, kMetadataTries);
  if (prefetched_topics_.size() < kMaxPrefetchedTopics) prefetched_topics_.insert(topic);
}

KafkaProducer::Clock::duration KafkaProducer::run_maintenance() {
  if (reloaded_.exchange(false)) prefetch_again();
  if (has_fatal_error_ && Clock::now() - last_replacement_ >= kProbeInterval) replace_client();
  close_retired();
  if (has_waiting_) send_waiting({});
  if (probe_requested_ || !ready_ || !awaited_topics_.empty()) probe_brokers();
  if (!ready_ || has_fatal_error_) return kProbeInterval;
  if (!awaited_topics_.empty()) return kMetadataInterval;
  const std::lock_guard lock(clients_mutex_);
  return retired_.empty() ? Clock::duration(kIdleInterval) : Clock::duration(kProbeInterval);
}

void KafkaProducer::probe_brokers() {
  probe_requested_ = false;
  const auto current = current_client();
  const struct rd_kafka_metadata* metadata = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(current->handle(), 0, nullptr, &metadata, static_cast<int>(kProbeTimeout.count()));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    set_not_ready(rd_kafka_err2str(error));
    return;
  }
  set_ready();
  std::vector<std::string> topics_to_describe;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const rd_kafka_metadata_topic& topic = metadata->topics[i];
    const auto found = awaited_topics_.find(topic.topic);
    if (found == awaited_topics_.end()) continue;
    if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR && topic.partition_cnt > 0) {
      if (limits_.is_due(found->first)) topics_to_describe.push_back(found->first);
      const std::lock_guard lock(state_mutex_);
      if (topics_with_metadata_.size() < kMaxPrefetchedTopics) topics_with_metadata_.insert(found->first);
      awaited_topics_.erase(found);
    } else if (--found->second == 0) {
      awaited_topics_.erase(found);
    }
  }
  rd_kafka_metadata_destroy(metadata);
  if (!topics_to_describe.empty()) limits_.read(current->handle(), topics_to_describe, kProbeTimeout);
}

// The old client reports its queued records as purged. Records that it has sent get Kafka's answer or the timeout.
void KafkaProducer::replace_client() {
  last_replacement_ = Clock::now();
  std::shared_ptr<KafkaClient> old;
  // The error may come from a client that was replaced already.
  if (!has_fatal_error_.exchange(false) || !current_client()->has_fatal_error()) return;
  try {
    std::shared_ptr<KafkaClient> next = make_client(*conf_, ClientKind::batching);
    const std::lock_guard lock(clients_mutex_);
    if (ending_) {
      retired_.push_back(std::move(next));
      return;
    }
    old = std::exchange(client_, std::move(next));
    retired_.push_back(old);
  } catch (const std::invalid_argument& refused) {
    has_fatal_error_ = true;
    telemetry_.producer_error(label_, "_FATAL", refused.what());
    set_not_ready(refused.what());
    return;
  }
  old->purge(RD_KAFKA_PURGE_F_QUEUE);
  if (has_waiting_) send_waiting({});
  prefetch_again();
}

void KafkaProducer::prefetch_again() {
  for (const std::string& topic : std::set<std::string>(prefetched_topics_)) prefetch_metadata(topic);
}

std::function<void()> KafkaProducer::reload() {
  std::vector<std::string> files = read_credential_files(*conf_);
  if (files == credential_files_) return [] {};
  // Closes the client if it is never used.
  struct Next {
    std::shared_ptr<KafkaClient> client;
    ~Next() {
      if (client != nullptr) client->close();
    }
  };
  const auto next = std::make_shared<Next>();
  next->client = make_client(*conf_, ClientKind::batching);
  return [this, next, files = std::move(files)]() mutable {
    credential_files_ = std::move(files);
    {
      const std::lock_guard lock(clients_mutex_);
      if (ending_) return;
      // Retired clients deliver what they have before they are closed.
      retired_.push_back(std::exchange(client_, std::exchange(next->client, nullptr)));
      if (single_record_client_ != nullptr) retired_.push_back(std::exchange(single_record_client_, nullptr));
    }
    reloaded_ = true;
    request_probe();
    housekeeper_.request_maintenance();
  };
}

void KafkaProducer::close_retired() {
  std::vector<std::shared_ptr<KafkaClient>> retired;
  {
    const std::lock_guard lock(clients_mutex_);
    if (ending_) return;
    retired = retired_;
  }
  // Another thread may still hold one of them and send with it, so only a client without messages is closed.
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
    if (single_record_client_ != nullptr && single_record_client_->has_fatal_error())
      retired_.push_back(std::exchange(single_record_client_, nullptr));
    alone = single_record_client_;
  }
  if (alone == nullptr) {
    try {
      alone = make_client(*single_record_conf_, ClientKind::single_record);
    } catch (const std::invalid_argument& refused) {
      fail(*record.handle, record.topic, record.value, record.error, Delivery::not_produced, refused.what());
      return;
    }
    const std::lock_guard lock(clients_mutex_);
    single_record_client_ = alone;
  }
  if (record.error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && limits_.is_due(record.topic))
    limits_.read(current_client()->handle(), {record.topic}, kProbeTimeout);
  const rd_kafka_resp_err_t error = KafkaClient::Sender(*alone).send(
      {record.topic, record.message_key, record.value, record.timestamp, record.handle});
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    fail(*record.handle, record.topic, record.value, error, Delivery::not_produced, rd_kafka_err2str(error));
}

}  // namespace eventgate

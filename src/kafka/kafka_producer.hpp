#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/delivery/record.hpp"
#include "eventgate/io/task.hpp"
#include "kafka_client.hpp"
#include "kafka_conf.hpp"
#include "pending_record.hpp"

namespace eventgate {

class KafkaHousekeeper;
class Telemetry;
class TopicLimits;

/// One of the two producers, `guaranteed` or `hasty`. It owns librdkafka clients, and replaces one that has a fatal
/// error or whose certificate files have changed:
///
/// - the current client, which sends records in batches;
/// - the single-record client, which sends a record again alone if its batch was refused;
/// - retired clients, which deliver what they have and are closed then.
///
/// Already answered records wait here, in order, while the client's queue is full or the client is being replaced. The
/// gate's `max_inflight_bytes` bounds their memory.
///
/// Thread-safe, except for the functions of the housekeeper's thread.
class KafkaProducer {
 public:
  using Clock = std::chrono::steady_clock;

  /// Time between two runs of maintenance while there is nothing to do.
  static constexpr std::chrono::hours kIdleInterval{1};

  /// `reports`: the I/O thread that reads delivery reports. `limits`, `housekeeper` and `telemetry` must outlive this.
  /// Throws std::invalid_argument with librdkafka's reason if it refuses `conf`.
  KafkaProducer(std::string label, KafkaConf conf, IoExecutor reports, TopicLimits& limits,
                KafkaHousekeeper& housekeeper, Telemetry& telemetry);
  ~KafkaProducer() { close(); }

  /// As Sink::produce.
  void produce(std::span<const Record> records);
  /// As Sink::not_ready_reason.
  std::optional<std::string> not_ready_reason() const;
  /// As Sink::has_metadata.
  bool has_metadata(const std::string& topic) const;
  /// As Sink::linger.
  std::chrono::milliseconds linger() const;
  /// As Sink::reload: makes a client from the files as they are now, if one of them has changed.
  std::function<void()> reload();

  /// Returns all clients, the retired ones too.
  std::vector<std::shared_ptr<KafkaClient>> clients() const;

  /// Refuses every record from now on. Clients are no longer replaced, and only `close` closes them.
  void end();
  /// Closes all clients. Records without a report get none.
  void close();
  /// Fails `record` as not produced, because of its error.
  void fail_pending(const PendingRecord& record);

  /// Returns true if records wait for room in the queue.
  bool has_waiting_records() const { return has_waiting_; }
  /// Fails the records that wait for room.
  void fail_waiting_records();

  // Use on the housekeeper's thread only.

  /// Asks for the metadata of `topic`, and for that of every client that replaces the current one.
  void prefetch_metadata(const std::string& topic);
  /// Sends `record` by the single-record client.
  void produce_alone(const PendingRecord& record);
  /// Probes brokers, replaces and closes clients, and sends waiting records, as far as necessary. Returns the time
  /// until the next run.
  Clock::duration run_maintenance();

 private:
  enum class ClientKind { batching, single_record };

  /// Throws std::invalid_argument with librdkafka's reason.
  std::shared_ptr<KafkaClient> make_client(const rd_kafka_conf_t& conf, ClientKind kind);
  std::shared_ptr<KafkaClient> current_client() const;
  void handle_report(const rd_kafka_message_t& message, rd_kafka_msg_status_t status, ClientKind kind);
  void handle_error(rd_kafka_resp_err_t error, const char* text, ClientKind kind);
  void fail(DeliveryHandle& handle, std::string_view topic, std::string_view value, rd_kafka_resp_err_t error,
            Delivery delivery, std::string message);
  void fail_unsent(const Record& record, rd_kafka_resp_err_t error);
  /// Keeps the record for the next client. Returns false if there will be none.
  bool keep_for_next_client(const rd_kafka_message_t& message, DeliveryHandle& handle);
  /// Sends the waiting records, and then `more`, as far as the queue has room.
  void send_waiting(const std::vector<const Record*>& more);
  std::string too_large_message(const std::string& topic, std::size_t size, ClientKind kind) const;
  void request_replacement();
  void request_probe();
  void set_not_ready(const std::string& reason);
  void set_ready();
  void probe_brokers();
  void replace_client();
  void prefetch_again();
  void close_retired();

  const std::string label_;
  const KafkaConf conf_;
  const KafkaConf single_record_conf_;
  const IoExecutor reports_;
  const bool acknowledged_;       // acks is not 0
  const std::size_t queue_size_;  // bytes
  TopicLimits& limits_;
  KafkaHousekeeper& housekeeper_;
  Telemetry& telemetry_;

  mutable std::mutex clients_mutex_;
  std::shared_ptr<KafkaClient> client_;
  std::shared_ptr<KafkaClient> single_record_client_;
  std::vector<std::shared_ptr<KafkaClient>> retired_;
  std::atomic<bool> ending_{false};  // written under clients_mutex_

  std::mutex waiting_mutex_;
  std::deque<PendingRecord> waiting_;  // for room in the queue, or for the next client
  std::atomic<bool> has_waiting_{false};

  std::atomic<bool> ready_{false};
  std::atomic<bool> probe_requested_{true};
  std::atomic<bool> queue_full_{false};
  std::atomic<bool> has_fatal_error_{false};
  std::atomic<bool> reloaded_{false};
  mutable std::mutex state_mutex_;
  std::string not_ready_reason_ = "no broker has answered yet";
  std::string last_auth_error_;  // last TLS or SASL error of a broker
  std::set<std::string> topics_with_metadata_;

  std::vector<std::string> credential_files_;  // contents; used by `reload` only

  // The housekeeper's thread only.
  Clock::time_point last_replacement_;
  std::set<std::string> prefetched_topics_;
  std::map<std::string, int> awaited_topics_;  // topics without metadata, and how many more probes look for it
};

}  // namespace eventgate

#pragma once

#include <librdkafka/rdkafka.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "broker_refusals.hpp"
#include "eventgate/io/task.hpp"
#include "kafka_conf.hpp"

namespace eventgate {

/// Called by the thread that calls `drain`, one at a time, and never after `close`.
struct KafkaClientCallbacks {
  /// A delivery report, with the status that BrokerRefusals::status returns.
  std::function<void(const rd_kafka_message_t&, rd_kafka_msg_status_t)> report;
  std::function<void(rd_kafka_resp_err_t, const char*)> error;
  /// A line of librdkafka's log. Called on any thread, also librdkafka's own, until `close` returns.
  std::function<void(int syslog_level, const char* facility, const char* text)> log;
  std::function<void(const char* json)> statistics;
  /// Called after each `drain`: the queue may have room again.
  std::function<void()> drained;
};

/// One producer instance of librdkafka. It reads librdkafka's event queue on an I/O thread, which an eventfd wakes.
///
/// Thread-safe. Call `close` before the last reference is dropped.
class KafkaClient : public std::enable_shared_from_this<KafkaClient> {
 public:
  /// Throws std::invalid_argument with librdkafka's reason if it refuses `conf`.
  static std::shared_ptr<KafkaClient> make(const rd_kafka_conf_t& conf, const IoExecutor& reports,
                                           KafkaClientCallbacks callbacks);

  struct Message {
    std::string_view topic;
    std::optional<std::string_view> key;
    std::string_view value;
    std::int64_t timestamp = 0;
    void* opaque = nullptr;
  };

  /// Sends messages. It holds a shared lock on the topics, so keep it only for one group of messages.
  class Sender {
   public:
    explicit Sender(KafkaClient& client) : client_(client), lock_(client.topics_mutex_) {}

    /// Copies the message to librdkafka's queue. If this returns no error, a report with `opaque` will follow.
    rd_kafka_resp_err_t send(const Message& message);

   private:
    KafkaClient& client_;
    std::shared_lock<std::shared_mutex> lock_;
    std::string_view last_topic_name_;
    rd_kafka_topic_t* last_topic_ = nullptr;
  };

  /// Adds `name` to the topics whose partitions librdkafka asks for with the next metadata request.
  void add_topic(std::string_view name);

  /// Handles up to `limit` events. Returns true if there may be more. Returns false at once while another thread
  /// drains.
  bool drain(std::size_t limit);

  /// Returns the number of messages without a report and of events that are not drained.
  std::size_t pending_count() const;

  /// Returns true if a fatal error has ended the client, so that it takes no more messages.
  bool has_fatal_error() const;

  /// Waits until no message is without a report, or until `timeout` has passed.
  void flush(std::chrono::milliseconds timeout);
  /// Drops messages, each with a report. `flags`: RD_KAFKA_PURGE_F_*.
  void purge(int flags);

  /// Ends the client. Messages without a report get none. Blocks briefly.
  void close();

  /// Ends the client and returns true if every message has its report. A Sender made later gets _DESTROY for each
  /// message, so no message is left without a report.
  bool close_if_drained();

  /// Returns librdkafka's handle, or null after `close`. Do not call `close` while the handle is in use.
  rd_kafka_t* handle() const { return handle_; }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  KafkaClient(const rd_kafka_conf_t& conf, const IoExecutor& reports, KafkaClientCallbacks callbacks);
  void wait_for_wakeup();
  void handle_wakeup();
  static void handle_log(const rd_kafka_t* client, int syslog_level, const char* facility, const char* text);
  /// Returns BrokerRefusals::status of the message.
  rd_kafka_msg_status_t status(const rd_kafka_message_t& message);
  rd_kafka_topic_t* topic(std::string_view name) const;
  void handle_event(rd_kafka_event_t& event);

  const KafkaClientCallbacks callbacks_;
  int log_level_ = 0;  // syslog level; lines above it are dropped
  rd_kafka_t* handle_ = nullptr;
  rd_kafka_queue_t* queue_ = nullptr;
  boost::asio::posix::basic_stream_descriptor<IoExecutor> wakeups_;  // the I/O thread only

  mutable std::shared_mutex topics_mutex_;
  std::unordered_map<std::string, rd_kafka_topic_t*, Hash, std::equal_to<>> topics_;
  bool ended_ = false;  // takes no more messages; guarded by topics_mutex_

  BrokerRefusals refusals_{rd_kafka_version()};

  std::mutex mutex_;
  std::condition_variable drain_ended_;
  bool draining_ = false;
  bool closed_ = false;
  rd_kafka_event_t* reports_ = nullptr;  // partly handled; used by the draining thread
};

}  // namespace eventgate

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

#include "eventgate/io/task.hpp"
#include "kafka_conf.hpp"
#include "refusal_log.hpp"

namespace eventgate {

/// What a client tells. Called by whoever calls `drain`, one at a time, and never after `close`.
struct KafkaClientCallbacks {
  /// With what is certain of the message: RefusalLog::status.
  std::function<void(const rd_kafka_message_t&, rd_kafka_msg_status_t)> report;
  std::function<void(rd_kafka_resp_err_t, const char*)> error;
  /// On any thread, librdkafka's among them, until `close` returns.
  std::function<void(int syslog_level, const char* facility, const char* text)> log;
  std::function<void(const char* json)> statistics;
  /// Messages may be gone, so there may be room for others. After each `drain`.
  std::function<void()> room;
};

/// One producer instance of librdkafka. What it has to tell is read from its queue on an I/O thread.
///
/// Thread-safe. `close` before the last reference goes.
class KafkaClient : public std::enable_shared_from_this<KafkaClient> {
 public:
  /// Throws std::invalid_argument with librdkafka's reason if it refuses `conf`.
  static std::shared_ptr<KafkaClient> make(const rd_kafka_conf_t& conf, IoExecutor reports,
                                           KafkaClientCallbacks events);

  struct Message {
    std::string_view topic;
    std::optional<std::string_view> key;
    std::string_view value;
    std::int64_t timestamp = 0;
    void* opaque = nullptr;
  };

  /// Sends messages, with topics held for the length of its life, which is to be short.
  class Sender {
   public:
    explicit Sender(KafkaClient& client) : client_(client), lock_(client.topics_mutex_) {}

    /// The message is librdkafka's until its report comes, if this returns no error.
    rd_kafka_resp_err_t send(const Message& message);

   private:
    KafkaClient& client_;
    std::shared_lock<std::shared_mutex> lock_;
    std::string_view last_name_;
    rd_kafka_topic_t* last_ = nullptr;
  };

  /// Makes the topic known, so that the next metadata brings its partitions.
  void add_topic(std::string_view name);

  /// Handles up to `limit` reports; whether there may be more. Another caller at the same time handles none.
  bool drain(std::size_t limit);

  /// Messages without a report, and events not drained.
  std::size_t waiting() const;

  /// Whether a fatal error has ended it: it takes nothing any more.
  bool failed() const;

  void flush(std::chrono::milliseconds timeout);
  void purge(int flags);

  /// Ends it: blocks a little. What has no report by now gets none.
  void close();

  /// Ends it if no message is without a report, and returns true. A sender that holds it later gets _DESTROY, so none
  /// of its messages goes without a report.
  bool close_if_drained();

  /// Null after `close`, which must not happen while it is used.
  rd_kafka_t* handle() const { return handle_; }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  KafkaClient(const rd_kafka_conf_t& conf, IoExecutor reports, KafkaClientCallbacks events);
  void wait_for_wakeup();
  void turn();
  static void log(const rd_kafka_t* client, int syslog_level, const char* facility, const char* text);
  /// RefusalLog::status of the message.
  rd_kafka_msg_status_t status(const rd_kafka_message_t& message);
  rd_kafka_topic_t* topic(std::string_view name) const;
  void handle_event(rd_kafka_event_t& event);

  const KafkaClientCallbacks events_;
  int log_level_ = 0;  // what is told, as syslog counts
  rd_kafka_t* handle_ = nullptr;
  rd_kafka_queue_t* queue_ = nullptr;
  boost::asio::posix::basic_stream_descriptor<IoExecutor> wakeups_;  // the reports' thread only

  mutable std::shared_mutex topics_mutex_;
  std::unordered_map<std::string, rd_kafka_topic_t*, Hash, std::equal_to<>> topics_;
  bool ended_ = false;  // takes no message any more; under topics_mutex_

  RefusalLog refusals_{rd_kafka_version()};

  std::mutex mutex_;
  std::condition_variable idle_;
  bool draining_ = false;
  bool closed_ = false;
  rd_kafka_event_t* reports_ = nullptr;  // those half handled; whoever drains
};

}  // namespace eventgate

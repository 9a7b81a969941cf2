#include "kafka_client.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>
#include <tuple>
#include <utility>

#include "signals_blocked.hpp"

namespace eventgate {
namespace {

constexpr std::size_t kReportsPerWakeup = 128;  // then the I/O thread's other work gets its turn
constexpr std::size_t kMaxTopics = 10000;       // cached topic handles; without one librdkafka looks the topic up
constexpr int kDebugLevel = 7;                  // syslog level

}  // namespace

std::shared_ptr<KafkaClient> KafkaClient::make(const rd_kafka_conf_t& conf, const IoExecutor& reports,
                                               KafkaClientCallbacks callbacks) {
  std::shared_ptr<KafkaClient> client(new KafkaClient(conf, reports, std::move(callbacks)));
  // An event that came before the eventfd was enabled wakes nothing, so the queue is read once now.
  boost::asio::post(client->wakeups_.get_executor(), [client] { client->handle_wakeup(); });
  return client;
}

KafkaClient::KafkaClient(const rd_kafka_conf_t& conf, const IoExecutor& reports, KafkaClientCallbacks callbacks)
    : callbacks_(std::move(callbacks)), wakeups_(reports) {
  const int wakeups = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wakeups < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  wakeups_.assign(wakeups);

  KafkaConf own(rd_kafka_conf_dup(&conf));
  rd_kafka_conf_set_events(own.get(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS);
  // librdkafka tells only its debug context "msg" that a broker has refused a batch. The lines are read on librdkafka's
  // own threads, so that each is read before the reports that follow from it.
  const std::string debug = kafka_conf_value(conf, "debug");
  log_level_ =
      debug.empty() ? std::min(std::atoi(kafka_conf_value(conf, "log_level").c_str()), kDebugLevel - 1) : kDebugLevel;
  set_kafka_conf(*own, "kafka", "debug", debug.empty() ? "msg" : debug + ",msg");
  set_kafka_conf(*own, "kafka", "log.queue", "false");
  rd_kafka_conf_set_log_cb(own.get(), handle_log);
  rd_kafka_conf_set_opaque(own.get(), this);
  std::array<char, 512> reason{};
  {
    const SignalsBlocked blocked;
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, own.get(), reason.data(), reason.size());
  }
  if (handle_ == nullptr) throw std::invalid_argument(reason.data());
  std::ignore = own.release();  // the client owns it now
  queue_ = rd_kafka_queue_get_main(handle_);
  static constexpr std::uint64_t kOne = 1;
  rd_kafka_queue_io_event_enable(queue_, wakeups, &kOne, sizeof kOne);
}

void KafkaClient::handle_log(const rd_kafka_t* client, int syslog_level, const char* facility, const char* text) {
  if (client == nullptr) return;  // a line about the configuration, before the client exists
  KafkaClient& self = *static_cast<KafkaClient*>(rd_kafka_opaque(client));
  if (syslog_level == kDebugLevel && std::string_view(facility) == "MSGSET") self.refusals_.add_line(text);
  if (syslog_level <= self.log_level_) self.callbacks_.log(syslog_level, facility, text);
}

rd_kafka_msg_status_t KafkaClient::status(const rd_kafka_message_t& message) {
  const rd_kafka_msg_status_t status = rd_kafka_message_status(&message);
  if (status == RD_KAFKA_MSG_STATUS_PERSISTED && message.offset >= 0) return status;
  const auto handed_over = BrokerRefusals::Clock::now() - std::chrono::microseconds(rd_kafka_message_latency(&message));
  return refusals_.status(status, message.err, message.offset, rd_kafka_topic_name(message.rkt), handed_over);
}

void KafkaClient::wait_for_wakeup() {
  wakeups_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        if (!error) self->handle_wakeup();
                      });
}

void KafkaClient::handle_wakeup() {
  if (!wakeups_.is_open()) return;
  std::uint64_t ignored;
  [[maybe_unused]] const ssize_t got = ::read(wakeups_.native_handle(), &ignored, sizeof ignored);
  if (drain(kReportsPerWakeup)) {
    boost::asio::post(wakeups_.get_executor(), [self = shared_from_this()] { self->handle_wakeup(); });
  } else {
    wait_for_wakeup();
  }
}

bool KafkaClient::drain(std::size_t limit) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || draining_) return false;
    draining_ = true;
  }
  bool more = true;
  for (std::size_t handled = 0; handled < limit;) {
    if (reports_ != nullptr) {
      while (handled < limit) {
        const rd_kafka_message_t* message = rd_kafka_event_message_next(reports_);
        if (message == nullptr) {
          rd_kafka_event_destroy(std::exchange(reports_, nullptr));
          break;
        }
        ++handled;
        callbacks_.report(*message, status(*message));
      }
      continue;
    }
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue_, 0);
    if (event == nullptr) {
      more = false;
      break;
    }
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
      reports_ = event;
    } else {
      ++handled;
      handle_event(*event);
      rd_kafka_event_destroy(event);
    }
  }
  callbacks_.drained();
  const std::lock_guard lock(mutex_);
  draining_ = false;
  drain_ended_.notify_all();
  return more;
}

void KafkaClient::handle_event(rd_kafka_event_t& event) {
  switch (rd_kafka_event_type(&event)) {
    case RD_KAFKA_EVENT_ERROR: {
      // librdkafka names a fatal error by its cause.
      const rd_kafka_resp_err_t error =
          rd_kafka_event_error_is_fatal(&event) != 0 ? RD_KAFKA_RESP_ERR__FATAL : rd_kafka_event_error(&event);
      const char* text = rd_kafka_event_error_string(&event);
      std::array<char, 512> fatal{};
      if (error == RD_KAFKA_RESP_ERR__FATAL && rd_kafka_fatal_error(handle_, fatal.data(), fatal.size()) != 0)
        text = fatal.data();
      callbacks_.error(error, text == nullptr ? rd_kafka_err2str(error) : text);
      break;
    }
    case RD_KAFKA_EVENT_STATS:
      callbacks_.statistics(rd_kafka_event_stats(&event));
      break;
    default:
      break;
  }
}

rd_kafka_topic_t* KafkaClient::topic(std::string_view name) const {
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second;
}

void KafkaClient::add_topic(std::string_view name) {
  const std::unique_lock lock(topics_mutex_);
  if (handle_ == nullptr || topic(name) != nullptr) return;
  if (topics_.size() >= kMaxTopics) {
    for (const auto& [ignored, topic] : topics_) rd_kafka_topic_destroy(topic);
    topics_.clear();
  }
  std::string key(name);
  if (rd_kafka_topic_t* made = rd_kafka_topic_new(handle_, key.c_str(), nullptr)) topics_.emplace(std::move(key), made);
}

rd_kafka_resp_err_t KafkaClient::Sender::send(const Message& message) {
  if (last_topic_ == nullptr || last_topic_name_ != message.topic) {
    last_topic_ = client_.topic(message.topic);
    if (last_topic_ == nullptr) {
      lock_.unlock();
      client_.add_topic(message.topic);
      lock_.lock();
      last_topic_ = client_.topic(message.topic);
    }
    // Points into the topic handle, which lives while the lock is held. The message's own text may end before that.
    if (last_topic_ != nullptr) last_topic_name_ = rd_kafka_topic_name(last_topic_);
  }
  if (client_.handle_ == nullptr || client_.ended_ || last_topic_ == nullptr) return RD_KAFKA_RESP_ERR__DESTROY;
  const void* key = message.key ? message.key->data() : nullptr;
  const std::size_t key_size = message.key ? message.key->size() : 0;
  return rd_kafka_producev(client_.handle_, RD_KAFKA_V_RKT(last_topic_), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                           RD_KAFKA_V_VALUE(const_cast<char*>(message.value.data()), message.value.size()),
                           RD_KAFKA_V_KEY(key, key_size), RD_KAFKA_V_TIMESTAMP(message.timestamp),
                           RD_KAFKA_V_OPAQUE(message.opaque), RD_KAFKA_V_END);
}

std::size_t KafkaClient::pending_count() const {
  const std::shared_lock lock(topics_mutex_);
  return handle_ == nullptr ? 0 : static_cast<std::size_t>(rd_kafka_outq_len(handle_));
}

bool KafkaClient::has_fatal_error() const {
  return handle_ == nullptr || rd_kafka_fatal_error(handle_, nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

void KafkaClient::flush(std::chrono::milliseconds timeout) {
  if (handle_ != nullptr) rd_kafka_flush(handle_, static_cast<int>(timeout.count()));
}

void KafkaClient::purge(int flags) {
  if (handle_ != nullptr) rd_kafka_purge(handle_, flags);
}

bool KafkaClient::close_if_drained() {
  {
    const std::unique_lock lock(topics_mutex_);
    if (handle_ != nullptr && rd_kafka_outq_len(handle_) > 0) return false;
    ended_ = true;
  }
  close();
  return true;
}

void KafkaClient::close() {
  {
    std::unique_lock lock(mutex_);
    if (closed_) return;
    closed_ = true;
    drain_ended_.wait(lock, [this] { return !draining_; });
  }
  if (reports_ != nullptr) rd_kafka_event_destroy(std::exchange(reports_, nullptr));
  boost::asio::post(wakeups_.get_executor(), [self = shared_from_this()] {
    boost::system::error_code ignored;
    self->wakeups_.close(ignored);
  });
  rd_kafka_t* handle = nullptr;
  {
    const std::unique_lock lock(topics_mutex_);
    for (const auto& [ignored, topic] : topics_) rd_kafka_topic_destroy(topic);
    topics_.clear();
    handle = std::exchange(handle_, nullptr);
  }
  rd_kafka_queue_io_event_enable(queue_, -1, nullptr, 0);
  rd_kafka_queue_destroy(queue_);
  rd_kafka_destroy(handle);
}

}  // namespace eventgate

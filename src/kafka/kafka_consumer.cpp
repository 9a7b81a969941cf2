#include "kafka_consumer.hpp"

#include <array>
#include <stdexcept>
#include <utility>
#include <vector>

#include "signals_blocked.hpp"

namespace eventgate {
namespace {

std::string option_of(const KafkaSourceOptions& options, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const auto found = options.conf.find(name); found != options.conf.end()) return found->second;
  return "";
}

}  // namespace

KafkaConsumer::KafkaConsumer(const KafkaSourceOptions& options, ConsumerPurpose purpose, Telemetry& telemetry)
    : label_(consumer_purpose_name(purpose)),
      telemetry_(telemetry),
      user_(option_of(options, {"sasl.username"})),
      password_(option_of(options, {"sasl.password"})) {
  std::vector<std::string> problems;
  KafkaConf conf = make_consumer_conf(options, purpose, problems);
  std::string all;
  for (const std::string& problem : problems) all += (all.empty() ? "" : "; ") + problem;
  if (!all.empty()) throw std::invalid_argument(all);
  credential_files_ = read_credential_files(*conf);
  rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS);
  rd_kafka_conf_set_log_cb(conf.get(), handle_log);
  rd_kafka_conf_set_opaque(conf.get(), this);
  std::array<char, 512> reason{};
  {
    const SignalsBlocked blocked;
    handle_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), reason.data(), reason.size());
  }
  if (handle_ == nullptr) throw std::invalid_argument(std::string("kafka.streams: ") + reason.data());
  (void)conf.release();  // rd_kafka_new has taken it
  events_.reset(rd_kafka_queue_get_main(handle_));
}

KafkaConsumer::~KafkaConsumer() {
  for (const auto& [ignored, topic] : topics_)
    if (topic != nullptr) rd_kafka_topic_destroy(topic);
  events_.reset();
  rd_kafka_destroy(handle_);
}

void KafkaConsumer::handle_log(const rd_kafka_t* client, int syslog_level, const char* facility, const char* text) {
  if (client == nullptr) return;  // a line about the configuration, before the client exists
  const KafkaConsumer& self = *static_cast<const KafkaConsumer*>(rd_kafka_opaque(client));
  self.telemetry_.consumer_log(self.label_, syslog_level, facility, text);
}

rd_kafka_topic_t* KafkaConsumer::topic(const std::string& topic) {
  const std::lock_guard lock(mutex_);
  rd_kafka_topic_t*& handle = topics_[topic];
  if (handle == nullptr) handle = rd_kafka_topic_new(handle_, topic.c_str(), nullptr);
  return handle;
}

void KafkaConsumer::start(const std::string& topic, std::int32_t partition, std::int64_t offset,
                          rd_kafka_queue_t& queue) {
  if (rd_kafka_topic_t* handle = this->topic(topic)) rd_kafka_consume_start_queue(handle, partition, offset, &queue);
  wake();
}

void KafkaConsumer::stop(const std::string& topic, std::int32_t partition) {
  if (rd_kafka_topic_t* handle = this->topic(topic)) rd_kafka_consume_stop(handle, partition);
}

void KafkaConsumer::wake() {
  // Setting the credentials again wakes all broker threads, and changes nothing else. No other function of librdkafka
  // 2.0 does so without a request.
  if (rd_kafka_error_t* error = rd_kafka_sasl_set_credentials(handle_, user_.c_str(), password_.c_str()))
    rd_kafka_error_destroy(error);
}

std::string KafkaConsumer::report(const rd_kafka_message_t& message) const {
  std::string text = rd_kafka_message_errstr(&message);
  telemetry_.consumer_error(label_, rd_kafka_err2name(message.err), text);
  return text;
}

std::string KafkaConsumer::serve() {
  std::string down;
  while (rd_kafka_event_t* event = rd_kafka_queue_poll(events_.get(), 0)) {
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) {
      const rd_kafka_resp_err_t error = rd_kafka_event_error(event);
      const char* text = rd_kafka_event_error_string(event);
      if (text == nullptr) text = rd_kafka_err2str(error);
      telemetry_.consumer_error(label_, rd_kafka_err2name(error), text);
      if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || error == RD_KAFKA_RESP_ERR__AUTHENTICATION) down = text;
    } else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_STATS) {
      telemetry_.producer_statistics("streams", rd_kafka_event_stats(event));
    }
    rd_kafka_event_destroy(event);
  }
  return down;
}

}  // namespace eventgate

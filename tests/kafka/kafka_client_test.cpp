#include "kafka/kafka_client.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <thread>

#include "support/becomes.hpp"

namespace eventgate {
namespace {

/// A client without a broker. A separate thread reads its reports.
class KafkaClientTest : public testing::Test {
 protected:
  KafkaClientTest() {
    KafkaClientCallbacks callbacks;
    callbacks.report = [this](const rd_kafka_message_t&, rd_kafka_msg_status_t) { ++reports_; };
    callbacks.error = [](rd_kafka_resp_err_t, const char*) {};
    callbacks.log = [](int, const char*, const char*) {};
    callbacks.statistics = [](const char*) {};
    callbacks.drained = [] {};
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    client_ = KafkaClient::make(*conf, io_.get_executor(), std::move(callbacks));
    rd_kafka_conf_destroy(conf);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~KafkaClientTest() override {
    client_->close();
    io_.stop();
    thread_.join();
  }

  rd_kafka_resp_err_t send() { return KafkaClient::Sender(*client_).send({"topic", std::nullopt, "{}", 0, nullptr}); }

  std::atomic<int> reports_{0};
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<IoExecutor> work_{io_.get_executor()};
  std::shared_ptr<KafkaClient> client_;
  std::thread thread_;
};

TEST_F(KafkaClientTest, MessageHasNoReport_ClientIsNotClosed) {
  ASSERT_EQ(send(), RD_KAFKA_RESP_ERR_NO_ERROR);
  EXPECT_FALSE(client_->close_if_drained());
  EXPECT_EQ(send(), RD_KAFKA_RESP_ERR_NO_ERROR);
  client_->purge(RD_KAFKA_PURGE_F_QUEUE);
  EXPECT_TRUE(becomes([this] { return reports_ == 2; }));
  EXPECT_TRUE(becomes([this] { return client_->close_if_drained(); }));
}

TEST_F(KafkaClientTest, ClosedBecauseItIsDrained_LaterMessagesAreRefused) {
  EXPECT_TRUE(client_->close_if_drained());
  EXPECT_EQ(send(), RD_KAFKA_RESP_ERR__DESTROY);
  EXPECT_TRUE(client_->close_if_drained());
}

}  // namespace
}  // namespace eventgate

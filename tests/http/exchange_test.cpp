#include "eventgate/http/exchange.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "eventgate/http/server.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "support/becomes.hpp"
#include "support/http_client.hpp"

// An exchange as endpoints see it, on a server that has these endpoints alone.

namespace eventgate {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// Answers with the body, the parameter and the address of the request.
class Echo final : public Endpoint {
 public:
  Task<Reply> handle(Exchange& exchange) override {
    BodyResult body = co_await exchange.read_body();
    if (body.has_error()) co_return std::move(body).error();
    Response response;
    response.content_type = kTextType;
    response.body = exchange.path_parameter() + '|' + exchange.remote_address() + '|' + *body;
    for (const auto& [name, value] : exchange.query()) response.body += '|' + name + '=' + value;
    co_return response;
  }
};

/// Answers, and begins work.
class Working final : public Endpoint {
 public:
  Task<Reply> handle(Exchange& exchange) override {
    Response response;
    response.status = 202;
    Reply reply(std::move(response), work(exchange.begin_work(), begun_));
    co_return reply;
  }
  void await_work() { begun_.get_future().wait(); }

 private:
  static Task<void> work(ServerWork /*held*/, std::promise<void>& begun) {
    begun.set_value();
    co_return;
  }
  std::promise<void> begun_;
};

/// Streams its parts, and another one whenever `waker` wakes it.
class Streaming final : public Endpoint {
 public:
  Task<Reply> handle(Exchange& exchange) override {
    std::string part = "first";
    Response head;
    head.content_type = kTextType;
    head.streaming = true;
    if (!co_await exchange.begin_stream(std::move(head))) co_return Reply::streamed();
    waker_.set_value([waker = exchange.waker(), &part](std::string text) {
      waker.wake([&part, text = std::move(text)]() mutable { part = std::move(text); });
    });
    while (part != "last") {
      if (!part.empty() && !co_await exchange.stream(part)) break;
      part.clear();
      const Exchange::Wake wake = co_await exchange.wait(20s);
      if (wake != Exchange::Wake::woken) break;
    }
    ended_.set_value();
    co_return Reply::streamed();
  }

  std::function<void(std::string)> waker() { return waker_.get_future().get(); }
  void await_end() { ended_.get_future().wait(); }

 private:
  std::promise<std::function<void(std::string)>> waker_;
  std::promise<void> ended_;
};

/// Waits, and says what ended the wait.
class Waiting final : public Endpoint {
 public:
  explicit Waiting(std::chrono::milliseconds limit) : limit_(limit) {}
  Task<Reply> handle(Exchange& exchange) override {
    begun_.set_value();
    const Exchange::Wake wake = co_await exchange.wait(limit_);
    Response response;
    response.content_type = kTextType;
    response.body = wake == Exchange::Wake::timeout    ? "timeout"
                    : wake == Exchange::Wake::stopping ? "stopping"
                                                       : "left";
    co_return response;
  }
  void await_request() { begun_.get_future().wait(); }

 private:
  const std::chrono::milliseconds limit_;
  std::promise<void> begun_;
};

/// A server with one endpoint, for POST of `/here/{name}`.
class ExchangeTest : public testing::Test {
 protected:
  template <typename Made, typename... Arguments>
  Made& serve(Arguments&&... arguments) {
    std::vector<Route> routes;
    auto made = std::make_unique<Made>(std::forward<Arguments>(arguments)...);
    Made& endpoint = *made;
    routes.push_back({Method::post, "/here/{name}", "operation", std::move(made)});
    HttpOptions options;
    options.port = 0;
    options.interface = "127.0.0.1";
    options.max_body_size = 1000;
    HttpPorts ports(options, io_.get_executor());
    server_ = std::make_unique<HttpServer>(options,
                                           HttpServices{Router(std::move(routes), ""), nullptr, telemetry_, nullptr,
                                                        [this](const AnsweredRequest& request) { note(request); }},
                                           std::vector<IoExecutor>{io_.get_executor()}, std::move(ports));
    thread_ = std::thread([this] { io_.run(); });
    return endpoint;
  }

  ~ExchangeTest() override {
    stop().wait();
    work_.reset();
    io_.stop();
    thread_.join();
    server_.reset();
  }

  std::future<void> stop() {
    auto done = std::make_shared<std::promise<void>>();
    std::future<void> future = done->get_future();
    if (std::exchange(stopped_, true)) {
      done->set_value();
    } else {
      server_->stop([done] { done->set_value(); });
    }
    return future;
  }

  HttpClient client() const { return HttpClient(server_->port()); }

  /// `METHOD TARGET STATUS REASON NOTE` of each request that was answered.
  std::vector<std::string> answered() {
    const std::lock_guard lock(mutex_);
    return answered_;
  }
  void note(const AnsweredRequest& request) {
    const std::lock_guard lock(mutex_);
    answered_.push_back(std::string(request.method) + ' ' + std::string(request.target) + ' ' +
                        std::to_string(request.status) + ' ' + std::string(request.reason) + ' ' +
                        std::string(request.note));
  }

  boost::asio::io_context io_{1};
  std::optional<boost::asio::executor_work_guard<IoExecutor>> work_{io_.get_executor()};
  Metrics metrics_{"test"};
  Telemetry telemetry_{metrics_};
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
  bool stopped_ = false;
  std::mutex mutex_;
  std::vector<std::string> answered_;
};

TEST_F(ExchangeTest, EachResponseIsToldWithItsReason) {
  serve<Echo>();
  HttpClient posting = client();
  posting.post("/here/a?x=1", "body");
  posting.get("/nowhere");
  client().send("no request\r\n\r\n");
  EXPECT_TRUE(becomes([&] { return answered().size() == 3; }));
  EXPECT_EQ(answered()[0], "POST /here/a?x=1 200 OK ");
  EXPECT_THAT(answered()[1], testing::StartsWith("GET /nowhere 404 Not Found "));
  EXPECT_THAT(answered()[2], HasSubstr(" 400 Bad Request "));
}

TEST_F(ExchangeTest, EndpointGetsBodyParameterQueryAndAddress) {
  serve<Echo>();
  EXPECT_EQ(client().post("/here/a%2Cb?x=1", "body").body, "a,b|127.0.0.1|body|x=1");
}

TEST_F(ExchangeTest, ErrorOfTheBodyIsTheResponse) {
  serve<Echo>();
  const HttpReply reply = client().post("/here/a", std::string(1001, 'x'));
  EXPECT_EQ(reply.status, 413u);
  EXPECT_THAT(reply.body, HasSubstr("expected at most 1000 bytes"));
}

TEST_F(ExchangeTest, WorkBeginsAfterTheResponseAndIsCounted) {
  Working& working = serve<Working>();
  HttpClient posting = client();
  EXPECT_EQ(posting.post("/here/a", "body that nobody reads").status, 202u);
  working.await_work();
  while (server_->processing() != 0) std::this_thread::yield();
  // The unread body is skipped: the connection serves the next request.
  EXPECT_EQ(posting.get("/nowhere").status, 404u);
}

TEST_F(ExchangeTest, WakerHandsAPartToTheStream) {
  Streaming& streaming = serve<Streaming>();
  HttpClient reading = client();
  reading.send(http_request("POST", "/here/a"));
  EXPECT_TRUE(reading.receive_until("5\r\nfirst\r\n"));
  const auto wake = streaming.waker();
  wake("second");
  EXPECT_TRUE(reading.receive_until("6\r\nsecond\r\n"));
  wake("last");
  EXPECT_TRUE(reading.receive_until("0\r\n\r\n"));
  streaming.await_end();
  wake("too late");  // does nothing
}

TEST_F(ExchangeTest, StreamEndsWhenItsClientSendsOrLeaves) {
  Streaming& streaming = serve<Streaming>();
  {
    HttpClient reading = client();
    reading.send(http_request("POST", "/here/a"));
    EXPECT_TRUE(reading.receive_until("first"));
  }
  streaming.await_end();
}

TEST_F(ExchangeTest, StopEndsAStreamWithItsLastChunk) {
  Streaming& streaming = serve<Streaming>();
  HttpClient reading = client();
  reading.send(http_request("POST", "/here/a"));
  EXPECT_TRUE(reading.receive_until("first"));
  const std::future<void> done = stop();
  streaming.await_end();
  EXPECT_TRUE(reading.receive_until("0\r\n\r\n"));
  EXPECT_EQ(done.wait_for(20s), std::future_status::ready);
}

TEST_F(ExchangeTest, WaitEndsWithItsTime) {
  serve<Waiting>(1ms);
  EXPECT_EQ(client().post("/here/a", "").body, "timeout");
}

TEST_F(ExchangeTest, StopEndsAWait) {
  Waiting& waiting = serve<Waiting>(60s);
  HttpClient posting = client();
  posting.send(http_request("POST", "/here/a"));
  waiting.await_request();
  const std::future<void> done = stop();
  EXPECT_EQ(posting.reply()->body, "stopping");
  EXPECT_EQ(done.wait_for(20s), std::future_status::ready);
}

}  // namespace
}  // namespace eventgate

#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eventgate/http/endpoint.hpp"
#include "eventgate/http/exchange.hpp"
#include "http/request_parser.hpp"

namespace eventgate {

/// A request without a socket. `run` lets an endpoint handle it.
class FakeExchange final : public Exchange {
 public:
  struct Setup {
    std::string method = "GET";
    std::string target = "/";
    std::vector<std::string> headers = {"Host: localhost"};
    std::string body = {};  ///< Empty: the request has none.
    std::string remote_address = "127.0.0.1";
    std::string version = "1.1";
    bool stopping = false;
    std::string path_parameter = {};
  };

  explicit FakeExchange(Setup setup) : setup_(std::move(setup)) {
    std::string head = setup_.method + ' ' + setup_.target + " HTTP/" + setup_.version + "\r\n";
    for (const std::string& header : setup_.headers) head += header + "\r\n";
    head += "\r\n";
    RequestParser parser(request_, 16384, 100);
    boost::system::error_code error;
    parser.parse(head, error);
    EXPECT_FALSE(error) << error.message();
    const std::size_t mark = setup_.target.find('?');
    if (mark != std::string::npos) query_ = parse_query(std::string_view(setup_.target).substr(mark + 1));
  }

  /// Returns the reply of `endpoint`, which must not wait for another thread.
  Reply run(Endpoint& endpoint) {
    std::optional<Reply> reply;
    spawn(io_.get_executor(), [](FakeExchange& self, Endpoint& handler, std::optional<Reply>& result) -> Task<void> {
      result.emplace(co_await handler.handle(self));
    }(*this, endpoint, reply));
    io_.run();
    if (!reply) throw std::runtime_error("the endpoint has not replied");
    return *std::move(reply);
  }

  std::optional<Response> stream_head;  ///< The argument of `begin_stream`.
  std::string streamed;                 ///< The chunks of `stream` together.
  std::function<Wake()> on_wait;        ///< The result of `wait`. Empty: the client has left.
  std::shared_ptr<InflightBytes> inflight = std::make_shared<InflightBytes>(std::size_t{1} << 20);

  const Request& request() const override { return request_; }
  const Query& query() const override { return query_; }
  const std::string& path_parameter() const override { return setup_.path_parameter; }
  const std::string& remote_address() const override { return setup_.remote_address; }
  std::chrono::system_clock::time_point received_at() const override { return {}; }
  const IoExecutor& executor() const override { return executor_; }
  bool stopping() const override { return setup_.stopping; }
  bool has_body() const override { return !setup_.body.empty(); }
  Task<BodyResult> read_body() override { co_return std::exchange(setup_.body, {}); }
  std::optional<Response> reserve(std::size_t bytes) override {
    if (reservation_.resize(bytes)) return std::nullopt;
    return retry_later("full", "inflight_bytes", request_);
  }
  InflightReservation take_reservation() override { return std::move(reservation_); }
  ServerWork begin_work() override { return {processing, nullptr}; }
  Task<bool> begin_stream(Response head) override {
    stream_head = std::move(head);
    co_return true;
  }
  Task<bool> stream(std::string_view chunk) override {
    streamed += chunk;
    co_return true;
  }
  Task<Wake> wait(std::chrono::steady_clock::duration /*limit*/) override {
    co_return on_wait ? on_wait() : Wake::client_left;
  }
  Waker waker() override { return {executor_, std::make_shared<Waker::State>()}; }

  std::shared_ptr<std::atomic<std::size_t>> processing = std::make_shared<std::atomic<std::size_t>>(0);

 private:
  boost::asio::io_context io_{1};
  const IoExecutor executor_ = io_.get_executor();
  Setup setup_;
  Request request_;
  Query query_;
  InflightReservation reservation_{*inflight};
};

}  // namespace eventgate

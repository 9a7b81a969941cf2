#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "eventgate/io/task.hpp"
#include "http_thread.hpp"
#include "server_context.hpp"

namespace eventgate {

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, IoExecutor>;

/// What a connection is made of.
struct ConnectionArgs {
  std::shared_ptr<ServerContext> server;
  std::shared_ptr<HttpThread> thread;
  std::shared_ptr<OnLastRelease> drain;  ///< Held until the connection has ended.
  std::shared_ptr<void> slot;            ///< Held until the connection has ended.
  Socket socket;                         ///< Connected and nonblocking.
  std::string remote_address;
  Endpoint* only_endpoint = nullptr;  ///< Handles every request. Null: the router finds the endpoint.
};

/// Starts a connection on its I/O thread. It serves requests until the client leaves, a timeout, or the server's stop.
/// Any thread may call this.
void start_connection(ConnectionArgs args);

}  // namespace eventgate

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace eventgate {

/// The executor of an I/O thread. It is concrete: `any_io_executor` costs a third of a small request.
using IoExecutor = boost::asio::io_context::executor_type;

/// A coroutine of an I/O thread.
template <typename T>
using Task = boost::asio::awaitable<T, IoExecutor>;

}  // namespace eventgate

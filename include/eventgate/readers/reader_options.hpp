#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "eventgate/readers/client_access.hpp"

namespace eventgate {

/// Options of the read side, named as in the config.
struct ReaderOptions {
  std::chrono::milliseconds stream_heartbeat{15000};    ///< The longest silence on a stream.
  std::chrono::milliseconds stream_linger{5};           ///< How long frames wait for more while more come.
  std::chrono::milliseconds stream_open_timeout{5000};  ///< Time to find the positions of a new stream.
  std::chrono::milliseconds request_timeout{60000};     ///< A reader that takes no byte for so long is disconnected.
  std::chrono::milliseconds max_connection_time{0};     ///< A stream ends after it. 0: never.
  std::size_t stream_buffer = std::size_t{16} << 20;    ///< Bytes of the ring of a topic.
  std::size_t max_replays = 32;                         ///< Replays at a time; further ones wait.
  std::size_t replay_rate = std::size_t{20} << 20;      ///< Bytes a second of each replay.
  std::size_t max_stream_clients = 10000;
  std::size_t client_ip_connection_limit = 0;  ///< Streams of one client. 0: no limit.
  std::size_t num_stream_workers = 0;          ///< Threads that write to clients. 0: one for each core, at most 4.
  bool canary_events_sent = false;             ///< `canary_events: sent`: without `?canary=true`, too.
  std::string stream_token;                    ///< Bearer token for private streams. Empty: no one sees them.
  std::vector<Network> trusted_proxies;        ///< Clients behind them are those of `X-Forwarded-For`.
  bool stream_ui_enabled = true;               ///< There is a page at `/v2/ui`.
};

}  // namespace eventgate

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/http_client.hpp"

namespace eventgate {

/// One event of a stream (WHATWG HTML, section "Server-sent events").
struct StreamEvent {
  std::string type = "message";
  std::string id;  ///< The last id that came, with this event or before it.
  std::string data;
};

/// A client of `/v2/stream` that reads Server-Sent Events.
class StreamClient {
 public:
  StreamClient(std::uint16_t port, std::string_view target, const std::vector<std::string>& headers = {},
               std::chrono::milliseconds patience = std::chrono::seconds(30))
      : client_(port, patience) {
    client_.send(http_request("GET", target, {}, headers));
    client_.receive_until("\r\n\r\n");
    taken_ = client_.received().find("\r\n\r\n") + 4;
    status_ = static_cast<unsigned>(std::stoul(client_.received().substr(9, 3)));
  }

  unsigned status() const { return status_; }
  std::string head() const { return client_.received().substr(0, client_.received().find("\r\n\r\n") + 4); }

  /// The next event. Nullopt: the body has ended.
  std::optional<StreamEvent> next() {
    for (;;) {
      if (std::optional<StreamEvent> event = parse_block()) return event;
      if (ended_ || !read_chunk()) return std::nullopt;
    }
  }

  /// Reads events until `count` of type message have come. Others are passed over.
  std::vector<StreamEvent> events(std::size_t count) {
    std::vector<StreamEvent> found;
    while (found.size() < count) {
      std::optional<StreamEvent> event = next();
      if (!event) break;
      if (event->type == "message") found.push_back(*std::move(event));
    }
    return found;
  }

  /// Waits until the positions are known: the preamble with its id has come.
  void wait_for_id() {
    while (id_.empty() && read_chunk()) parse_block();
  }

  /// Waits for the end of the body. False if the connection ended before.
  bool wait_for_end() {
    while (!ended_ && read_chunk()) {
    }
    return ended_;
  }

  const std::string& id() const { return id_; }
  /// All that came of the body, without chunks.
  const std::string& body() const { return body_; }

  /// Reads one more chunk. False: the body or the connection has ended.
  bool read_chunk() {
    for (;;) {
      const std::string& all = client_.received();
      const std::size_t end = all.find("\r\n", taken_);
      if (end != std::string::npos) {
        const std::size_t size = std::stoul(all.substr(taken_, end - taken_), nullptr, 16);
        if (all.size() >= end + 2 + size + 2) {
          body_.append(all, end + 2, size);
          taken_ = end + 2 + size + 2;
          if (size == 0) ended_ = true;
          return size > 0;
        }
      }
      if (!client_.receive_more()) return false;
    }
  }

 private:
  std::optional<StreamEvent> parse_block() {
    for (std::size_t end; (end = body_.find("\n\n", parsed_)) != std::string::npos;) {
      StreamEvent event;
      bool has_data = false;
      std::string_view block = std::string_view(body_).substr(parsed_, end - parsed_);
      parsed_ = end + 2;
      while (!block.empty()) {
        const std::size_t line_end = block.find('\n');
        const std::string_view line = block.substr(0, line_end);
        block.remove_prefix(line_end == std::string_view::npos ? block.size() : line_end + 1);
        if (line.starts_with("event: ")) event.type = line.substr(7);
        if (line.starts_with("id: ")) id_ = line.substr(4);
        if (line.starts_with("data: ")) {
          event.data = line.substr(6);
          has_data = true;
        }
      }
      event.id = id_;
      if (has_data) return event;
    }
    return std::nullopt;
  }

  HttpClient client_;
  unsigned status_ = 0;
  std::size_t taken_ = 0;
  std::size_t parsed_ = 0;
  std::string body_;
  std::string id_;
  bool ended_ = false;
};

}  // namespace eventgate

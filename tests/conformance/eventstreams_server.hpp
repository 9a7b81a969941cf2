#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>

#include "eventgate/base/ascii.hpp"
#include "eventstreams_cases.hpp"
#include "support/becomes.hpp"

namespace eventgate::golden {

/// A connection that sends bytes as they are, and reads one reply.
class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{kPatience.count(), 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("cannot connect to port " + std::to_string(port));
  }
  ~RawConnection() { ::close(socket_); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // an early reply has closed the connection
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// Reads the head. Returns false if none came.
  bool read_head(StreamReply& reply) {
    std::size_t end;
    while ((end = text_.find("\r\n\r\n")) == std::string::npos)
      if (!read_more()) return false;
    std::string head = text_.substr(0, end + 2);
    text_.erase(0, end + 4);
    const std::size_t line_end = head.find("\r\n");
    reply.status = static_cast<unsigned>(std::stoul(head.substr(9, 3)));
    reply.reason = line_end > 13 ? head.substr(13, line_end - 13) : "";
    for (std::size_t at = line_end + 2; at < head.size();) {
      const std::size_t next = head.find("\r\n", at);
      const std::size_t colon = head.find(':', at);
      reply.headers[to_ascii_lower(head.substr(at, colon - at))] = trim(head.substr(colon + 1, next - colon - 1));
      at = next + 2;
    }
    return true;
  }

  /// The last chunk has come.
  bool is_ended() const { return is_ended_; }

  /// Reads the body until `has_all` holds for what came, or nothing comes any more.
  void read_body(StreamReply& reply, const std::function<bool(const std::string&)>& has_all) {
    const bool chunked = reply.headers.contains("transfer-encoding");
    for (;;) {
      reply.body = chunked ? without_chunks() : text_;
      if (has_all(reply.body) || is_ended_ || !read_more()) return;
    }
  }

 private:
  bool read_more() {
    char buffer[65536];
    const ssize_t size = ::recv(socket_, buffer, sizeof buffer, 0);
    if (size <= 0) return false;
    text_.append(buffer, static_cast<std::size_t>(size));
    return true;
  }

  /// The chunks that came whole.
  std::string without_chunks() {
    for (std::size_t end; (end = text_.find("\r\n", at_)) != std::string::npos;) {
      std::size_t size = 0;
      std::from_chars(text_.data() + at_, text_.data() + end, size, 16);
      if (text_.size() < end + 2 + size + 2) break;
      decoded_.append(text_, end + 2, size);
      at_ = end + 2 + size + 2;
      is_ended_ |= size == 0;
    }
    return decoded_;
  }

  const int socket_;
  std::string text_;
  std::string decoded_;
  std::size_t at_ = 0;
  bool is_ended_ = false;
};

/// A server that reads the recorded topics, and what produces to them.
struct RecordedServer {
  std::uint16_t port;
  /// Appends a record, as `produce_after_head` writes it, and returns once a reader may see it.
  std::function<void(const json& record)> produce;
};

/// Removes what `hold` itself has produced, here or for an earlier case.
inline std::string without_markers(const std::string& content_type, const std::string& body) {
  if (content_type.starts_with("text/event-stream")) {
    std::string rest;
    for (std::size_t at = 0, end; (end = body.find("\n\n", at)) != std::string::npos; at = end + 2) {
      const std::string block = body.substr(at, end + 2 - at);
      if (block.find("\"end_of_case\"") == std::string::npos) rest += block;
    }
    return rest;
  }
  std::string rest;
  for (std::size_t at = 0, end; (end = body.find('\n', at)) != std::string::npos; at = end + 1) {
    const std::string line = body.substr(at, end + 1 - at);
    if (line.find("\"end_of_case\"") == std::string::npos) rest += line;
  }
  return rest;
}

/// The reply of `server` to a recorded request. A stream is read until records have come through each of its partitions
/// that were produced behind all others: whatever else was to come has come by then.
inline StreamReply reply_of(const RecordedServer& server, const json& setup, const json& recorded) {
  RawConnection connection(server.port);
  connection.send(bytes_of_latin1(recorded["request"]));
  StreamReply reply;
  if (!connection.read_head(reply)) return reply;
  const bool is_head = recorded["request"].get<std::string>().starts_with("HEAD ");
  const auto length = reply.headers.find("content-length");
  if (is_head || length != reply.headers.end()) {
    const std::size_t size = is_head ? 0 : std::stoul(length->second);
    connection.read_body(reply, [size](const std::string& body) { return body.size() >= size; });
    reply.body.resize(std::min(reply.body.size(), size));
    return reply;
  }
  const std::string type = reply.headers["content-type"];
  const bool is_sse = type.starts_with("text/event-stream");
  if (is_sse)
    connection.read_body(reply, [](const std::string& body) { return body.find("\n\n") != std::string::npos; });
  const json produced = recorded.value("produce_after_head", json::array());
  for (const json& record : produced) server.produce(record);
  std::set<std::string> waiting;
  const std::string name = recorded["name"];
  for (const auto& [topic, partitions] : subscribed_topics(setup, recorded["request"]).value_or(Subscription())) {
    for (std::size_t i = 0; i < partitions; ++i) {
      const json value{{"end_of_case", name}};
      server.produce({{"topic", topic}, {"partition", i}, {"timestamp", 1}, {"value", value.dump()}});
      waiting.insert(topic + '/' + std::to_string(i));
    }
  }
  connection.read_body(reply, [&](const std::string& body) {
    auto left = waiting;
    for (const StreamedEvent& event : messages_of(type, body)) {
      if (event.data.find("\"end_of_case\":\"" + name + '"') == std::string::npos) continue;
      if (const auto place = place_of(event_json(event.data))) left.erase(place->first);
    }
    return left.empty();
  });
  reply.body = without_markers(type, reply.body);
  return reply;
}

/// Returns what differs between the server's reply and the recording. Empty: nothing.
inline std::string hold(const RecordedServer& server, const json& setup, const json& recorded) {
  std::vector<std::unique_ptr<RawConnection>> open;
  if (recorded["name"] == "limit_third") {
    for (int i = 0; i < 2; ++i) {
      open.push_back(std::make_unique<RawConnection>(server.port));
      open.back()->send(bytes_of_latin1(recorded["request"]));
      StreamReply head;
      if (!open.back()->read_head(head) || head.status != 200) return "one like it is not open";
    }
    return difference(setup, recorded, reply_of(server, setup, recorded));
  }
  // The connection of the case before may still count for its client.
  StreamReply reply;
  becomes([&] { return (reply = reply_of(server, setup, recorded)).status != 429; });
  return difference(setup, recorded, reply);
}

/// Holds the cases of `profile` to `server`. Prints how many match, and lists each deliberate difference by its number.
inline void hold_all(const RecordedServer& server, const EventStreams& recordings, const std::string& profile) {
  std::size_t same = 0, cases = 0;
  std::map<int, std::string> on_purpose;
  for (const json& recorded : recordings.cases) {
    if (recorded["profile"] != profile || !recorded.contains("request")) continue;
    ++cases;
    const std::string name = recorded["name"];
    const std::string found = hold(server, recordings.setup, recorded);
    EXPECT_EQ(found, "") << name;
    if (!found.empty()) continue;
    if (recorded.contains("ours"))
      on_purpose[recorded["ours"]["because"]] += ' ' + name;
    else
      ++same;
  }
  std::printf("profile %s: %zu of %zu cases match the recordings\n", profile.c_str(), same, cases);
  for (const auto& [number, names] : on_purpose) std::printf("  number %d, on purpose:%s\n", number, names.c_str());
}

}  // namespace eventgate::golden

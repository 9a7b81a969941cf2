#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "eventgate/gate/live_feed.hpp"
#include "eventgate/http/server.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "request.hpp"
#include "response.hpp"
#include "router.hpp"

namespace eventgate {

/// What one viewer of `/v1/live` is sent: Server-Sent Events (WHATWG HTML, "Server-sent events").
///
///     id: EPOCH-NUMBER            of each event, and of a heartbeat: what Last-Event-ID says on coming back
///     data: {"outcome": ...}      an event
///
///     event: dropped              the viewer was too slow, or away for too long: so many events it will not see
///     data: {"dropped": 17}
///
/// One strand. The feed must outlive it, but for its end.
class LiveView {
 public:
  /// Those who look on at the same time; more are told to come back later.
  static constexpr std::size_t kMaxViewers = 16;

  /// Starts with event number `next`. `viewers` has counted it and counts it off when it ends.
  LiveView(LiveFeed& feed, LiveFilter filter, std::uint64_t next, std::chrono::milliseconds heartbeat,
           std::shared_ptr<std::atomic<std::size_t>> viewers);
  LiveView(LiveView&& other) noexcept = default;
  LiveView& operator=(LiveView&&) = delete;
  ~LiveView() {
    if (viewers_) --*viewers_;
  }

  /// Appends to `out` what the viewer has not seen, up to some 100 KB of it, or a heartbeat if it is time for one.
  /// Nothing: there is nothing to be sent.
  void append(std::string& out, std::chrono::steady_clock::time_point now);

 private:
  LiveFeed* feed_;
  LiveFilter filter_;
  std::uint64_t next_;
  std::chrono::milliseconds heartbeat_;
  std::shared_ptr<std::atomic<std::size_t>> viewers_;
  std::optional<std::chrono::steady_clock::time_point> sent_at_;  // nothing: it was sent nothing yet
};

/// Answers the routes of the live page: who may see it, and what.
///
/// Thread-safe: immutable but for the number of viewers.
class LiveHandler {
 public:
  /// `feed` may be null if it is never asked. It must outlive this.
  LiveHandler(const HttpOptions& options, LiveFeed* feed);

  /// The answer to `request`, from the client at `remote_address`, for the page or the feed: the page, a refusal, or
  /// the head of an endless answer. In that case `view` is what follows.
  Response answer(const Request& request, Route route, const Query& query, std::string_view remote_address,
                  bool stopping, std::optional<LiveView>& view) const;

  /// Why `request` gets no schema's document, or nothing: it gets that of `schema_uri`.
  std::optional<Response> schema_refusal(const Request& request, const Query& query, std::string_view remote_address,
                                         std::string& schema_uri) const;

  /// The answer to one that is not refused. `text` is nothing if the document was not begun to be read, or not waited
  /// for any longer.
  static Response schema_answer(const Request& request, const std::string& schema_uri,
                                SchemaRepository::DereferenceStart reading, std::optional<SchemaText> text,
                                bool stopping);

 private:
  std::optional<Response> refusal(const Request& request, Route route, std::string_view remote_address) const;

  const std::string token_;
  const std::chrono::milliseconds heartbeat_;
  LiveFeed* const feed_;
  const std::string policy_;
  const std::shared_ptr<std::atomic<std::size_t>> viewers_ = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace eventgate

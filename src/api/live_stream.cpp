#include "live_stream.hpp"

#include <charconv>
#include <cstddef>
#include <span>
#include <utility>

#include "eventgate/base/timestamp.hpp"
#include "eventgate/http/event_stream.hpp"
#include "eventgate/json/json_text.hpp"
#include "live_json.hpp"

namespace eventgate {

namespace {

/// Bytes of events that are read from the feed at a time, and how often: 64 KB under one lock, 512 KB in a turn.
constexpr std::size_t kReadSize = 64 * 1024;
constexpr int kMaxReads = 8;
/// Bytes after which a turn writes no more.
constexpr std::size_t kMaxWritten = 256 * 1024;
/// How long a client waits before it connects again.
constexpr std::chrono::milliseconds kRetryDelay{2000};

void append_id(std::string& out, const LiveFeed& feed, std::uint64_t number) {
  append_event_id(out, std::to_string(feed.epoch()) + '-' + std::to_string(number));
}

/// Appends the ranges of `text` as [begin, end) in UTF-16 code units, which are the indices of JavaScript.
void append_ranges(std::string& out, std::string_view text, std::span<const TextRange> ranges) {
  std::size_t at = 0;
  std::size_t units = 0;
  const auto units_before = [&](std::size_t end) {
    for (; at < end && at < text.size(); ++at) {
      const auto byte = static_cast<unsigned char>(text[at]);
      if ((byte & 0xC0) != 0x80) units += byte >= 0xF0 ? 2 : 1;
    }
    return std::to_string(units);
  };
  out += '[';
  for (const TextRange& range : ranges) {
    if (&range != &ranges.front()) out += ',';
    out.append("[").append(units_before(range.begin)).append(",");
    out.append(units_before(range.end)).append("]");
  }
  out += ']';
}

/// Appends `event` as a Server-Sent Event. `data` is memory that is used again.
void append_live_event(std::string& out, std::string& data, const LiveFeed& feed, const LiveEvent& event) {
  append_id(out, feed, event.number);
  data = "{\"outcome\":\"";
  data += live_outcome_name(event.outcome);
  data += event.hasty ? "\",\"hasty\":true,\"received_at\":\"" : "\",\"hasty\":false,\"received_at\":\"";
  append_timestamp(data, TimeMilliseconds(std::chrono::milliseconds(event.received_at)));
  data += '"';
  data += ",\"request\":" + std::to_string(event.request) + ",\"index\":" + std::to_string(event.index);
  data += ",\"of\":" + std::to_string(event.of);
  append_live_name(data, "stream", event.stream);
  append_live_name(data, "schema_uri", event.schema_uri);
  if (!event.cause.empty()) append_live_name(data, "cause", event.cause);
  data += ",\"event\":";
  append_json_string(data, event.text);
  data += ",\"added\":";
  append_ranges(data, event.text, event.added);
  if (!event.query.empty()) data.append(",\"query\":").append(event.query);
  if (event.cut) data += ",\"cut\":true";
  if (!event.topic.empty()) append_live_name(data, "topic", event.topic);
  if (!event.key.empty()) append_live_name(data, "key", event.key);
  if (event.offset >= 0)
    data += ",\"partition\":" + std::to_string(event.partition) + ",\"offset\":" + std::to_string(event.offset);
  if (const EventStatus* const status = event.status) {
    data += ",\"errors\":[";
    for (const ValidationError& error : status->errors) {
      if (&error != &status->errors.front()) data += ',';
      append_error(data, error);
    }
    data += "],\"message\":";
    append_json_string(data, status->message.empty() ? named_errors_text(status->errors) : status->message);
    if (const LiveReason reason = live_reason(event); !reason.reason.empty()) {
      append_live_name(data, "reason", reason.reason);
      data += ",\"path\":";
      append_json_string(data, reason.path);
    }
    if (status->has_delivery)
      data += status->delivery == Delivery::unknown ? ",\"delivery\":\"unknown\"" : ",\"delivery\":\"not_produced\"";
    if (status->has_delivery && !status->retry) data += ",\"retry\":false";
  }
  data += '}';
  append_event_data(out, data);
  end_event(out);
}

}  // namespace

LiveStream::LiveStream(LiveFeed& feed, LiveFilter filter, std::uint64_t next, std::chrono::milliseconds heartbeat)
    : feed_(feed), filter_(std::move(filter)), next_(next), heartbeat_(heartbeat) {}

void LiveStream::append(std::string& out, std::chrono::steady_clock::time_point now) {
  const std::size_t before = out.size();
  if (!sent_at_) {
    append_event_retry(out, kRetryDelay);
    end_event(out);
  }
  for (int reads = 0; reads < kMaxReads && out.size() - before < kMaxWritten; ++reads)
    if (!append_page(out)) break;
  if (out.size() == before && now - *sent_at_ >= heartbeat_) {
    append_event_comment(out, "heartbeat");
    append_id(out, feed_, next_ - 1);
    end_event(out);
  }
  if (out.size() > before) sent_at_ = now;
}

/// Appends what one read of the feed has. Returns false at the feed's end.
bool LiveStream::append_page(std::string& out) {
  const std::uint64_t from = next_;
  const LiveFeed::Page piece = feed_.read(next_, filter_, kReadSize);
  next_ = piece.next;
  if (piece.reset) {
    append_event_type(out, "reset");
    append_event_data(out, "{}");
    end_event(out);
  }
  if (piece.missed > 0) {
    append_event_type(out, "dropped");
    append_event_data(out, "{\"dropped\":" + std::to_string(piece.missed) + '}');
    end_event(out);
  }
  LiveEventMemory memory;
  std::string data;
  std::string_view events = piece.events;
  while (const std::optional<LiveEvent> event = next_live_event(events, memory))
    if (filter_.wants(*event)) append_live_event(out, data, feed_, *event);
  return next_ != from && !piece.events.empty();
}

std::optional<std::uint64_t> next_live_event_number(std::string_view last_id, const LiveFeed& feed) {
  std::int64_t epoch = 0;
  std::uint64_t number = 0;
  const char* const end = last_id.data() + last_id.size();
  const auto first = std::from_chars(last_id.data(), end, epoch);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, number);
  if (second.ec != std::errc() || second.ptr != end || number == ~std::uint64_t{0}) return std::nullopt;
  // After a restart of the gate, every event is new.
  return epoch == feed.epoch() ? number + 1 : feed.oldest();
}

}  // namespace eventgate

#include "eventgate/gate/live_feed.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstring>
#include <type_traits>

namespace eventgate {

namespace {

/// Bytes kept of a name.
constexpr std::size_t kMaxName = 1024;
/// Bytes kept of each text of an error, and of an error as it is packed: six texts with their sizes.
constexpr std::size_t kMaxErrorText = 4096;
constexpr std::size_t kMaxPackedError = 6 * (kMaxErrorText + sizeof(std::uint32_t));
/// Bytes kept of why an event was refused.
constexpr std::size_t kMaxStatus = LiveFeed::kMaxText;
/// Events added under one lock.
constexpr std::size_t kBatch = 64;

/// An event in the ring: this, then its texts in the order of their sizes.
struct Packed {
  std::uint64_t number;
  std::int64_t received_at;
  std::uint32_t stream;  // sizes in bytes
  std::uint32_t schema_uri;
  std::uint32_t query;
  std::uint32_t text;
  std::uint32_t added;
  std::uint32_t status;
  LiveOutcome outcome;
  bool hasty;
  bool cut;

  std::size_t size() const { return sizeof(Packed) + stream + schema_uri + query + text + added + status; }
};
static_assert(std::is_trivially_copyable_v<Packed>);

/// The largest event: every text of `Packed` has a bound of its own, and together they fit into the ring.
constexpr std::size_t kMaxPacked = sizeof(Packed) + 3 * kMaxName + 2 * LiveFeed::kMaxText + kMaxStatus;
static_assert(kMaxPacked <= LiveFeed::kMaxBytes);

/// The start of `text`, of at most `size` bytes, without a part of a character at its end.
std::string_view start_of(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

void pack(std::string& out, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof(size));
  out += text;
}

std::string_view take(std::string_view& from, std::size_t size) {
  const std::string_view taken = from.substr(0, size);
  from.remove_prefix(taken.size());
  return taken;
}

std::string unpack(std::string_view& from) {
  std::uint32_t size = 0;
  const std::string_view bytes = take(from, sizeof(size));
  std::memcpy(&size, bytes.data(), sizeof(size));
  return std::string(take(from, size));
}

std::int64_t milliseconds_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

constexpr char kHasDelivery = 1;
constexpr char kDeliveryUnknown = 2;
constexpr char kNoRetry = 4;

/// Appends `error` to `out` as `unpack` reads it, each text cut at kMaxErrorText. Returns true if one was cut.
bool pack(std::string& out, const ValidationError& error) {
  bool cut = false;
  const auto append = [&](std::string_view text) {
    const std::string_view kept = start_of(text, kMaxErrorText);
    cut |= kept.size() < text.size();
    pack(out, kept);
  };
  append(error.keyword);
  append(error.data_path);
  append(error.schema_path);
  // Half an object is no JSON.
  const bool params_fit = error.params.size() <= kMaxErrorText;
  cut |= !params_fit;
  append(params_fit ? std::string_view(error.params) : "{}");
  append(error.message);
  append(error.property_name ? std::string_view(*error.property_name) : std::string_view());
  return cut;
}

/// Appends why an event was refused to `out`, which is empty: at most kMaxStatus bytes. Returns true if something was
/// cut or left out.
bool pack(std::string& out, const EventStatus& status) {
  out +=
      static_cast<char>((status.has_delivery ? kHasDelivery : 0) |
                        (status.delivery == Delivery::unknown ? kDeliveryUnknown : 0) | (status.retry ? 0 : kNoRetry));
  const std::string_view message = start_of(status.message, LiveFeed::kMaxText / 4);
  bool cut = message.size() < status.message.size();
  pack(out, message);
  for (const ValidationError& error : status.errors) {
    if (out.size() >= kMaxStatus - kMaxPackedError) return true;
    cut |= pack(out, error);
  }
  return cut;
}

void unpack(std::string_view from, EventStatus& status) {
  const char flags = take(from, 1)[0];
  status.has_delivery = (flags & kHasDelivery) != 0;
  status.delivery = (flags & kDeliveryUnknown) != 0 ? Delivery::unknown : Delivery::not_produced;
  status.retry = (flags & kNoRetry) == 0;
  status.message = unpack(from);
  status.errors.clear();
  while (!from.empty()) {
    ValidationError& error = status.errors.emplace_back();
    for (std::string* text : {&error.keyword, &error.data_path, &error.schema_path, &error.params, &error.message})
      *text = unpack(from);
    std::string name = unpack(from);
    if (!name.empty()) error.property_name = std::move(name);
  }
}

bool wanted(const Packed& head, std::string_view stream, const LiveFilter& filter) {
  if (filter.stream && stream != *filter.stream) return false;
  switch (head.outcome) {
    case LiveOutcome::accepted:
      return filter.accepted;
    case LiveOutcome::invalid:
      return filter.invalid;
    case LiveOutcome::error:
      return filter.error;
  }
  return false;
}

}  // namespace

std::string_view live_outcome_name(LiveOutcome outcome) {
  switch (outcome) {
    case LiveOutcome::accepted:
      return "accepted";
    case LiveOutcome::invalid:
      return "invalid";
    case LiveOutcome::error:
      return "error";
  }
  return {};
}

LiveFeed::LiveFeed() : epoch_(milliseconds_now()), bytes_(kMaxBytes), slots_(kMaxEvents) {}

char* LiveFeed::make_room(std::size_t size) {
  if (end_ + size > limit_) {
    // What lies behind the newest event is the oldest.
    while (first_ < next_ && slot(first_).begin >= end_) ++first_;
    end_ = 0;
  }
  const std::size_t begin = end_;
  while (first_ < next_ &&
         (next_ - first_ == kMaxEvents || (slot(first_).begin >= begin && slot(first_).begin < begin + size)))
    ++first_;
  slot(next_) = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(size)};
  end_ = begin + size;
  return bytes_.data() + begin;
}

void LiveFeed::add(std::span<const LiveEvent> events) {
  thread_local std::string status;
  while (!events.empty()) {
    const std::lock_guard lock(mutex_);
    const bool idle = events.front().received_at - read_at_ > std::chrono::milliseconds(kIdleAfter).count();
    limit_ = idle ? kIdleBytes : kMaxBytes;
    // What those behind it would overwrite is not copied.
    std::size_t first = events.size();
    for (std::size_t size = 0; first > 0 && size < limit_; --first) size += events[first - 1].text.size();
    if (first > 0) {
      next_ += first;
      first_ = next_;
      events = events.subspan(first);
    }
    for (const LiveEvent& event : events.first(std::min(events.size(), kBatch))) add(event, status);
    events = events.subspan(std::min(events.size(), kBatch));
  }
}

void LiveFeed::add(const LiveEvent& event, std::string& status) {
  const std::string_view stream = start_of(event.stream, kMaxName);
  const std::string_view schema_uri = start_of(event.schema_uri, kMaxName);
  const std::string_view query = event.query.size() > kMaxName ? std::string_view() : event.query;
  const std::string_view text = start_of(event.text, kMaxText);
  bool cut = text.size() < event.text.size();
  std::span<const TextRange> added = event.added;
  if (cut || added.size_bytes() > kMaxText) {
    cut |= !added.empty();
    added = {};
  }
  cut |= stream.size() < event.stream.size() || schema_uri.size() < event.schema_uri.size() ||
         query.size() < event.query.size();
  status.clear();
  if (event.status) cut |= pack(status, *event.status);

  const Packed head{next_,
                    event.received_at,
                    static_cast<std::uint32_t>(stream.size()),
                    static_cast<std::uint32_t>(schema_uri.size()),
                    static_cast<std::uint32_t>(query.size()),
                    static_cast<std::uint32_t>(text.size()),
                    static_cast<std::uint32_t>(added.size_bytes()),
                    static_cast<std::uint32_t>(status.size()),
                    event.outcome,
                    event.hasty,
                    cut};
  assert(head.size() <= kMaxPacked);
  char* place = make_room(head.size());
  std::memcpy(place, &head, sizeof(head));
  place += sizeof(head);
  // A function of the library: what g++ makes of memcpy in its place is slow for sizes like these.
  for (const std::string_view part : {stream, schema_uri, query, text})
    place = std::copy(part.begin(), part.end(), place);
  for (const TextRange& range : added) {
    std::memcpy(place, &range, sizeof(range));
    place += sizeof(range);
  }
  std::copy(status.begin(), status.end(), place);
  ++next_;
}

std::uint64_t LiveFeed::oldest() const {
  const std::lock_guard lock(mutex_);
  return first_;
}

LiveFeed::Piece LiveFeed::read(std::uint64_t next, const LiveFilter& filter, std::size_t max_bytes) {
  Piece piece;
  const std::int64_t now = milliseconds_now();
  const std::lock_guard lock(mutex_);
  read_at_ = now;
  piece.next = std::min(next, next_);
  if (piece.next < first_) {
    piece.missed = first_ - piece.next;
    piece.next = first_;
  }
  for (; piece.next < next_; ++piece.next) {
    const Slot& place = slot(piece.next);
    const char* const bytes = bytes_.data() + place.begin;
    Packed head;
    std::memcpy(&head, bytes, sizeof(head));
    if (!wanted(head, {bytes + sizeof(head), head.stream}, filter)) continue;
    if (!piece.events.empty() && piece.events.size() + place.size > max_bytes) break;
    piece.events.append(bytes, place.size);
  }
  return piece;
}

std::optional<LiveEvent> next_live_event(std::string_view& events, LiveEventMemory& memory) {
  if (events.empty()) return std::nullopt;
  Packed head;
  std::memcpy(&head, take(events, sizeof(head)).data(), sizeof(head));
  LiveEvent event;
  event.number = head.number;
  event.received_at = head.received_at;
  event.outcome = head.outcome;
  event.hasty = head.hasty;
  event.cut = head.cut;
  event.stream = take(events, head.stream);
  event.schema_uri = take(events, head.schema_uri);
  event.query = take(events, head.query);
  event.text = take(events, head.text);
  memory.added.resize(head.added / sizeof(TextRange));
  const std::string_view added = take(events, head.added);
  if (!added.empty()) std::memcpy(memory.added.data(), added.data(), added.size());
  event.added = memory.added;
  if (const std::string_view status = take(events, head.status); !status.empty()) {
    unpack(status, memory.status);
    event.status = &memory.status;
  }
  return event;
}

}  // namespace eventgate

#include "packed_live_event.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

#include "eventgate/base/utf8.hpp"

namespace eventgate {

namespace {

/// Bytes kept of a stream, schema_uri, cause, query, topic or key.
constexpr std::size_t kMaxName = 1024;
/// Bytes kept of each text of an error, and of a packed error: six texts with their sizes.
constexpr std::size_t kMaxErrorText = 4096;
constexpr std::size_t kMaxPackedError = 6 * (kMaxErrorText + sizeof(std::uint32_t));
/// Bytes kept of a packed status.
constexpr std::size_t kMaxStatus = LiveFeed::kMaxText;

/// Bytes of the largest packed event. Every part has a bound of its own, and together they fit into the ring.
constexpr std::size_t kMaxPacked = sizeof(PackedLiveEvent) + 6 * kMaxName + 2 * LiveFeed::kMaxText + kMaxStatus;
static_assert(kMaxPacked <= LiveFeed::kMaxBytes);
// It is copied as bytes.
static_assert(std::is_trivially_copyable_v<PackedLiveEvent>);

/// Appends `text` with its size, as `unpack` reads it.
void pack(std::string& out, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof(size));
  out += text;
}

/// Removes `size` bytes from the front of `from` and returns them.
std::string_view take_front(std::string_view& from, std::size_t size) {
  const std::string_view front = from.substr(0, size);
  from.remove_prefix(front.size());
  return front;
}

std::string unpack(std::string_view& from) {
  std::uint32_t size = 0;
  const std::string_view bytes = take_front(from, sizeof(size));
  std::memcpy(&size, bytes.data(), sizeof(size));
  return std::string(take_front(from, size));
}

// Flags at the start of a packed status.
constexpr char kHasDelivery = 1;
constexpr char kDeliveryUnknown = 2;
constexpr char kNoRetry = 4;

/// Appends `error`, with each text cut at kMaxErrorText. Returns true if a text was cut.
bool pack(std::string& out, const ValidationError& error) {
  bool is_cut = false;
  const auto append = [&](std::string_view text) {
    const std::string_view kept = utf8_prefix(text, kMaxErrorText);
    is_cut |= kept.size() < text.size();
    pack(out, kept);
  };
  append(error.keyword);
  append(error.data_path);
  append(error.schema_path);
  // Params are a JSON object, which cannot be cut.
  const bool params_fit = error.params.size() <= kMaxErrorText;
  is_cut |= !params_fit;
  append(params_fit ? std::string_view(error.params) : "{}");
  append(error.message);
  append(error.property_name ? std::string_view(*error.property_name) : std::string_view());
  return is_cut;
}

/// Appends `status`, at most kMaxStatus bytes, to the empty `out`. Returns true if something was cut or left out.
bool pack(std::string& out, const EventStatus& status) {
  out +=
      static_cast<char>((status.has_delivery ? kHasDelivery : 0) |
                        (status.delivery == Delivery::unknown ? kDeliveryUnknown : 0) | (status.retry ? 0 : kNoRetry));
  const std::string_view message = utf8_prefix(status.message, LiveFeed::kMaxText / 4);
  bool is_cut = message.size() < status.message.size();
  pack(out, message);
  for (const ValidationError& error : status.errors) {
    if (out.size() >= kMaxStatus - kMaxPackedError) return true;
    is_cut |= pack(out, error);
  }
  return is_cut;
}

void unpack(std::string_view from, EventStatus& status) {
  const char flags = take_front(from, 1)[0];
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

/// Returns `text` cut at kMaxName. Inline, because nearly every text is short.
inline std::string_view name_prefix(std::string_view text) {
  return text.size() <= kMaxName ? text : utf8_prefix(text, kMaxName);
}

std::uint32_t size_of(std::size_t bytes) { return static_cast<std::uint32_t>(bytes); }

}  // namespace

BoundedLiveEvent bound_live_event(const LiveEvent& event, std::uint64_t number, std::string& status_buffer) {
  BoundedLiveEvent bounded;
  bounded.stream = name_prefix(event.stream);
  bounded.schema_uri = name_prefix(event.schema_uri);
  bounded.cause = name_prefix(event.cause);
  bounded.topic = name_prefix(event.topic);
  bounded.key = name_prefix(event.key);
  bounded.query = event.query.size() > kMaxName ? std::string_view() : event.query;  // JSON, which cannot be cut
  bounded.text = utf8_prefix(event.text, LiveFeed::kMaxText);
  bounded.added = event.added;
  bool is_cut = bounded.text.size() < event.text.size();
  if (is_cut || bounded.added.size_bytes() > LiveFeed::kMaxText) {
    is_cut |= !bounded.added.empty();
    bounded.added = {};
  }
  is_cut |= bounded.stream.size() < event.stream.size() || bounded.schema_uri.size() < event.schema_uri.size() ||
            bounded.query.size() < event.query.size() || bounded.key.size() < event.key.size();
  status_buffer.clear();
  if (event.status) is_cut |= pack(status_buffer, *event.status);
  bounded.status = status_buffer;
  bounded.head = {.number = number,
                  .request = event.request,
                  .received_at = event.received_at,
                  .offset = event.offset,
                  .partition = event.partition,
                  .index = event.index,
                  .of = event.of,
                  .stream = size_of(bounded.stream.size()),
                  .schema_uri = size_of(bounded.schema_uri.size()),
                  .cause = size_of(bounded.cause.size()),
                  .query = size_of(bounded.query.size()),
                  .text = size_of(bounded.text.size()),
                  .topic = size_of(bounded.topic.size()),
                  .key = size_of(bounded.key.size()),
                  .added = size_of(bounded.added.size_bytes()),
                  .status = size_of(bounded.status.size()),
                  .outcome = event.outcome,
                  .hasty = event.hasty,
                  .cut = is_cut};
  assert(bounded.head.size() <= kMaxPacked);
  return bounded;
}

void BoundedLiveEvent::write(char* out) const {
  std::memcpy(out, &head, sizeof(head));
  out += sizeof(head);
  // std::copy calls the library's memmove. For sizes like these g++ makes slow code of memcpy.
  for (const std::string_view part : {stream, schema_uri, cause, query, text, topic, key})
    if (!part.empty()) out = std::copy(part.begin(), part.end(), out);
  for (const TextRange& range : added) {
    std::memcpy(out, &range, sizeof(range));
    out += sizeof(range);
  }
  std::copy(status.begin(), status.end(), out);
}

PackedLiveEvent read_head(const char* bytes) {
  PackedLiveEvent head;
  std::memcpy(&head, bytes, sizeof(head));
  return head;
}

std::optional<LiveEvent> next_live_event(std::string_view& events, LiveEventMemory& memory) {
  if (events.empty()) return std::nullopt;
  const PackedLiveEvent head = read_head(take_front(events, sizeof(PackedLiveEvent)).data());
  LiveEvent event;
  event.number = head.number;
  event.request = head.request;
  event.index = head.index;
  event.of = head.of;
  event.partition = head.partition;
  event.offset = head.offset;
  event.received_at = head.received_at;
  event.outcome = head.outcome;
  event.hasty = head.hasty;
  event.cut = head.cut;
  event.stream = take_front(events, head.stream);
  event.schema_uri = take_front(events, head.schema_uri);
  event.cause = take_front(events, head.cause);
  event.query = take_front(events, head.query);
  event.text = take_front(events, head.text);
  event.topic = take_front(events, head.topic);
  event.key = take_front(events, head.key);
  memory.added.resize(head.added / sizeof(TextRange));
  const std::string_view added = take_front(events, head.added);
  if (!added.empty()) std::memcpy(memory.added.data(), added.data(), added.size());
  event.added = memory.added;
  if (const std::string_view status = take_front(events, head.status); !status.empty()) {
    unpack(status, memory.status);
    event.status = &memory.status;
  }
  return event;
}

}  // namespace eventgate

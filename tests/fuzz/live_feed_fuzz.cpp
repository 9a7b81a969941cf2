// Events of any size through the live feed: the input says how long each text is, and with what it is filled. What is
// read back is what was put in, or a part of it and `cut`.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/gate/live_feed.hpp"
#include "require.hpp"

namespace {

using namespace eventgate;

/// Takes numbers and texts from the input; zeros and nothing once it is used up.
class Input {
 public:
  Input(const std::uint8_t* bytes, std::size_t size) : bytes_(bytes), left_(size) {}

  bool empty() const { return left_ == 0; }

  unsigned byte() {
    if (left_ == 0) return 0;
    --left_;
    return *bytes_++;
  }

  /// A text of up to 2 MB: its length is that of a byte, or, one in four times, a power of two beside which it lies.
  std::string text() {
    const unsigned kind = byte();
    const std::size_t size = kind % 4 != 0 ? kind / 4 : (std::size_t{1} << (kind / 4 % 22)) + byte() - 128;
    return std::string(size > (std::size_t{1} << 21) ? 0 : size, static_cast<char>(byte()));
  }

 private:
  const std::uint8_t* bytes_;
  std::size_t left_;
};

struct Put {
  LiveEvent event;
  EventStatus status;
  std::string stream, schema_uri, query, text;
  std::vector<TextRange> added;
};

void require_part(std::string_view got, std::string_view put, bool cut) {
  require(put.starts_with(got));
  require(cut || got == put);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static LiveFeed feed;
  Input input(data, size);
  std::vector<Put> puts(1 + input.byte() % 8);
  std::vector<LiveEvent> events;
  for (Put& put : puts) {
    put.stream = input.text();
    put.schema_uri = input.text();
    put.query = input.text();
    put.text = input.text();
    put.added.resize(input.text().size() / sizeof(TextRange));
    put.event.stream = put.stream;
    put.event.schema_uri = put.schema_uri;
    put.event.query = put.query;
    put.event.cause = put.schema_uri;
    put.event.topic = put.stream;
    put.event.key = put.text;
    put.event.text = put.text;
    put.event.added = put.added;
    put.event.received_at = input.byte() % 2 ? 1795315146102 : 0;
    const unsigned errors = input.byte() % 8;
    if (errors > 0) {
      put.event.outcome = LiveOutcome::invalid;
      put.status.message = input.text();
      for (unsigned i = 1; i < errors; ++i) {
        put.status.errors.push_back({input.text(), input.text(), input.text(), input.text(), input.text()});
        if (input.byte() % 2) put.status.errors.back().property_name = input.text();
      }
      put.event.status = &put.status;
    }
    events.push_back(put.event);
  }
  if (input.byte() % 2) feed.read(1, {}, 1);  // a viewer, for whom more is kept
  feed.add(events);

  const LiveFeed::Page piece = feed.read(feed.oldest(), {}, LiveFeed::kMaxBytes);
  std::string_view packed = piece.events;
  LiveEventMemory memory;
  std::vector<std::uint64_t> numbers;
  while (const auto got = next_live_event(packed, memory)) {
    numbers.push_back(got->number);
    const std::uint64_t from_end = piece.next - got->number;
    if (from_end > puts.size()) continue;  // of an input before
    const Put& put = puts[puts.size() - from_end];
    require_part(got->stream, put.stream, true);
    require_part(got->schema_uri, put.schema_uri, true);
    require(got->query.empty() || got->query == put.query);
    require_part(got->cause, put.schema_uri, true);
    require_part(got->topic, put.stream, true);
    require_part(got->key, put.text, got->cut);
    require_part(got->text, put.text, got->cut);
    require(got->added.size() == put.added.size() || got->cut);
    require((got->status != nullptr) == (put.event.status != nullptr));
    if (!got->status) continue;
    require_part(got->status->message, put.status.message, got->cut);
    require(got->status->errors.size() == put.status.errors.size() || got->cut);
    for (std::size_t i = 0; i < got->status->errors.size(); ++i) {
      const ValidationError& a = got->status->errors[i];
      const ValidationError& b = put.status.errors[i];
      require_part(a.keyword, b.keyword, got->cut);
      require_part(a.data_path, b.data_path, got->cut);
      require_part(a.schema_path, b.schema_path, got->cut);
      require(a.params == b.params || (a.params == "{}" && got->cut));
      require_part(a.message, b.message, got->cut);
      require_part(a.property_name.value_or(""), b.property_name.value_or(""), got->cut);
    }
  }
  require(!numbers.empty() && numbers.back() + 1 == piece.next);
  for (std::size_t i = 1; i < numbers.size(); ++i) require(numbers[i] == numbers[i - 1] + 1);
  return 0;
}

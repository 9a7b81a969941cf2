#include "error_event.hpp"

#include "eventgate/json/json_text.hpp"
#include "field_enricher.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kUnknown = "unknown";

/// Returns the first `max` bytes of `text`, without a code point that the end would cut.
std::string_view first_bytes(std::string_view text, std::size_t max) {
  if (text.size() <= max) return text;
  std::size_t size = max;
  const auto continues = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80; };
  for (int i = 0; i < 3 && size > 0 && continues(size); ++i) --size;
  return text.substr(0, continues(size) ? max : size);
}

}  // namespace

void append_error_event(std::string& out, const FailedEvent& failed, std::string_view emitter_id,
                        std::size_t max_raw_event, std::chrono::system_clock::time_point received_at) {
  const std::string_view raw = failed.raw_event;
  const std::string_view shown = first_bytes(raw, max_raw_event);
  // A quarter more, because quotes and line ends of the event are escaped.
  out.reserve(out.size() + 1024 + failed.message.size() + shown.size() + shown.size() / 4);
  const std::string dt = timestamp_json(received_at);
  const auto id = uuid_json();
  out += R"({"meta":{"id":)";
  out.append(id.data(), id.size());
  out += R"(,"dt":)";
  out += dt;
  std::string buffer;
  const auto meta = failed.event && failed.event->is_object() ? failed.event->find("meta") : std::nullopt;
  for (const std::string_view field : kCopiedMetaFields) {
    const auto value = meta && meta->is_object() ? meta->find(field) : std::nullopt;
    out += ",\"";
    out += field;
    out += "\":";
    append_json_string(out, value && value->is_string() ? value->string(buffer) : kUnknown);
  }
  out += R"(},"dt":)";
  out += dt;
  out += R"(,"emitter_id":)";
  append_json_string(out, emitter_id);
  out += R"(,"error_type":)";
  append_json_string(out, failed.error_type);
  out += R"(,"message":)";
  append_json_string(out, failed.message);
  out += R"(,"errored_schema_uri":)";
  append_json_string(out, failed.errored_schema_uri.empty() ? kUnknown : failed.errored_schema_uri);
  out += R"(,"errored_stream_name":)";
  append_json_string(out, failed.errored_stream_name.empty() ? kUnknown : failed.errored_stream_name);
  out += R"(,"raw_event":)";
  append_json_string(out, shown);
  if (shown.size() < raw.size()) {
    out.pop_back();  // the closing quote
    out += " ... (cut, " + std::to_string(raw.size()) + " bytes in all)\"";
  }
  out += '}';
}

}  // namespace eventgate

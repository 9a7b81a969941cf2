#include "error_event.hpp"

#include "eventgate/base/utf8.hpp"
#include "eventgate/json/json_text.hpp"
#include "json_scalars.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kUnknown = "unknown";

}  // namespace

void append_error_event(std::string& out, const FailedEvent& failed, std::string_view emitter_id,
                        std::size_t max_raw_event, std::chrono::system_clock::time_point received_at) {
  const std::string_view raw = failed.raw_event;
  const std::string_view shown = utf8_prefix(raw, max_raw_event);
  // A quarter more, because quotes and line ends of the event are escaped.
  out.reserve(out.size() + 1024 + failed.message.size() + shown.size() + shown.size() / 4);
  const std::string dt = timestamp_json(received_at);
  out += R"({"meta":{"id":)";
  out += random_uuid_json().view();
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

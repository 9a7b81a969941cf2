#include "error_event.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <vector>

#include "eventgate/base/utf8.hpp"
#include "eventgate/json/json_text.hpp"
#include "json_scalars.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kUnknown = "unknown";

void append_base64(std::string& out, std::string_view bytes) {
  const std::size_t begin = out.size();
  out.resize(begin + (bytes.size() + 2) / 3 * 4 + 1);  // EVP_EncodeBlock ends with a NUL
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + begin),
                  reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.pop_back();
}

void append_errors(std::string& out, std::span<const ValidationError> errors) {
  out += R"(,"errors":[)";
  for (const ValidationError& error : errors.first(std::min(errors.size(), kMaxErrorsInErrorEvent))) {
    if (out.back() != '[') out += ',';
    out += R"({"keyword":)";
    append_json_string(out, error.keyword);
    out += R"(,"data_path":)";
    append_json_string(out, utf8_prefix(error.data_path, kMaxDetail));
    out += R"(,"schema_path":)";
    append_json_string(out, utf8_prefix(error.schema_path, kMaxDetail));
    if (!error.params.empty() && error.params.size() <= kMaxDetail) {
      out += R"(,"params":)";
      append_json_string(out, error.params);
    }
    out += '}';
  }
  out += ']';
}

void append_details(std::string& out, const FailedEvent& failed, std::string_view shown) {
  const auto append = [&out](std::string_view key, std::string_view json) {
    if (!json.empty()) out.append(",\"").append(key).append("\":").append(json);
  };
  append("http", failed.http);
  if (!failed.query.empty()) out.append(R"(,"request":{"query":)").append(failed.query).append("}");
  append("errored_event_id", failed.errored_event_id);
  append("errored_event_dt", failed.errored_event_dt);
  if (!failed.errors.empty()) append_errors(out, failed.errors);
  if (find_invalid_utf8(shown) != std::string_view::npos) {
    out += R"(,"raw_event_base64":")";
    append_base64(out, shown);
    out += '"';
  }
  if (shown.size() < failed.raw_event.size()) out += R"(,"raw_event_cut":true)";
}

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
    if (!value && field == "request_id" && !failed.request_id.empty()) {
      out += failed.request_id;
      continue;
    }
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
  if (failed.has_details) append_details(out, failed, shown);
  out += '}';
}

bool declares_error_details(const CompiledSchema& schema) {
  return std::any_of(kErrorDetails.begin(), kErrorDetails.end(),
                     [&schema](std::string_view name) { return schema.declares(FieldPath(name)); });
}

bool append_without_details(std::string& out, JsonValue event, const CompiledSchema* schema) {
  const auto is_left_out = [schema](JsonValue key) {
    return std::any_of(kErrorDetails.begin(), kErrorDetails.end(), [&](std::string_view name) {
      return key.string_equals(name) && !(schema && schema->declares(FieldPath(name)));
    });
  };
  // Calls `use` with each member's key and value, until it returns false.
  const auto each_member = [event](auto use) {
    for (auto member = event.begin(); member != event.end(); ++member) {
      const JsonValue key = *member;
      ++member;
      if (!use(key, *member)) return false;
    }
    return true;
  };
  if (each_member([&](JsonValue key, JsonValue) { return !is_left_out(key); })) return false;
  out += '{';
  each_member([&](JsonValue key, JsonValue value) {
    if (is_left_out(key)) return true;
    if (out.back() != '{') out += ',';
    out.append(key.source()).append(":").append(value.source());
    return true;
  });
  out += '}';
  return true;
}

void append_routing_query(std::string& out, const GateOptions& options, const RequestContext& context) {
  for (const std::string* const name : {&options.schema_uri_query_param, &options.stream_query_param}) {
    if (name->empty()) continue;
    const auto value = context.query_parameter(*name);
    if (!value || value->empty() || value->size() > kMaxDetail) continue;
    out += out.empty() ? '{' : ',';
    append_json_string(out, *name);
    out += ':';
    append_json_string(out, *value);
  }
  if (!out.empty()) out += '}';
}

}  // namespace eventgate

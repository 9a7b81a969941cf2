#include "field_enricher.hpp"

#include <optional>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/utf8.hpp"
#include "eventgate/gate/client_address.hpp"
#include "eventgate/json/json_text.hpp"
#include "json_scalars.hpp"

namespace eventgate {

namespace {

/// Code points of a header value that become a field, so that a long header does not make every event of its request
/// long.
constexpr std::size_t kMaxHeaderValue = 400;
constexpr std::string_view kRequestIdHeader = "x-request-id";
constexpr std::string_view kRequestId = "meta.request_id";

const FieldPath kMetaId("meta.id");
const FieldPath kMetaDt("meta.dt");
const FieldPath kDt("dt");
const FieldPath kClientIp("http.client_ip");

}  // namespace

void FieldEnricher::begin(const GateOptions& options, const RequestContext& context, TextArena& texts) {
  options_ = &options;
  context_ = &context;
  texts_ = &texts;
  received_at_ = {};
  client_address_ = {};
  headers_.clear();
  planned_schema_ = nullptr;
  planned_config_ = nullptr;
  plan_.clear();
}

void FieldEnricher::add_fields(const CompiledSchema& schema, const StreamConfig* config, FieldIndex& event,
                               EventPatch& patch) {
  if (planned_schema_ != &schema || planned_config_ != config) {
    plan(schema, config);
    planned_schema_ = &schema;
    planned_config_ = config;
  }
  for (Addition& addition : plan_) {
    if (event.find(*addition.field)) continue;
    if (!addition.is_resolved) resolve(addition, schema);
    if (!addition.is_wanted) continue;
    const FieldIndex::InsertionPoint point = event.insertion_point(*addition.field);
    if (addition.source == Source::uuid) {
      patch.add(point.value, point.keys, random_uuid_json().view());
    } else {
      patch.add(point.value, point.keys, addition.value);
    }
  }
}

void FieldEnricher::plan(const CompiledSchema& schema, const StreamConfig* config) {
  plan_.clear();
  plan_.push_back({&kMetaId, Source::uuid});
  plan_.push_back({&kMetaDt, Source::received_at});
  if (schema.title() && schema.title()->starts_with("analytics/legacy")) plan_.push_back({&kDt, Source::received_at});
  if (config && config->enrich_fields_from_http_headers) {
    for (const auto& [field, header] : *config->enrich_fields_from_http_headers)
      if (header) plan_.push_back({&field, Source::header, *header});
  } else {
    for (const auto& [header, field] : options_->http_request_headers_to_fields)
      plan_.push_back({&field, Source::header, header});
  }
  plan_.push_back({&kClientIp, Source::client_address});
}

void FieldEnricher::resolve(Addition& addition, const CompiledSchema& schema) {
  addition.is_resolved = true;
  const bool declared = schema.declares(*addition.field);
  switch (addition.source) {
    case Source::uuid:
      addition.is_wanted = declared;
      return;
    case Source::received_at:
      if (received_at_.empty()) received_at_ = texts_->keep(timestamp_json(context_->received_at));
      addition.value = received_at_;
      addition.is_wanted = declared;
      return;
    case Source::header:
      if (declared || schema.declares_parent_object(*addition.field)) addition.value = header_json(addition.header);
      break;
    case Source::client_address:
      if (declared) addition.value = client_address_json();
      break;
  }
  addition.is_wanted = !addition.value.empty();
}

template <typename Use>
void FieldEnricher::for_each_header_field(const StreamConfig* config, Use use) const {
  if (config && config->enrich_fields_from_http_headers) {
    for (const auto& [field, header] : *config->enrich_fields_from_http_headers)
      use(field, header ? std::string_view(*header) : std::string_view());
  } else {
    for (const auto& [header, field] : options_->http_request_headers_to_fields) use(field, std::string_view(header));
  }
}

void FieldEnricher::append_http(std::string& out, const StreamConfig* config) {
  std::string headers;
  std::optional<std::string_view> client_address_header;
  for_each_header_field(config, [&](const FieldPath& field, std::string_view header) {
    const std::vector<std::string>& keys = field.keys();
    if (keys == kClientIp.keys()) client_address_header = header;
    if (keys.size() != 3 || keys[0] != "http" || keys[1] != "request_headers" || header.empty()) return;
    const std::string_view value = header_json(header);
    if (value.empty()) return;
    headers += headers.empty() ? '{' : ',';
    append_json_string(headers, keys[2]);
    headers.append(":").append(value);
  });
  std::string_view address;
  if (!client_address_header) {
    address = client_address_json();
  } else if (!client_address_header->empty()) {
    address = header_json(*client_address_header);
  }
  if (address.empty() && headers.empty()) return;
  out += '{';
  if (!address.empty()) out.append("\"client_ip\":").append(address);
  if (!headers.empty())
    out.append(address.empty() ? "" : ",").append("\"request_headers\":").append(headers).append("}");
  out += '}';
}

std::string_view FieldEnricher::request_id_json(const StreamConfig* config, bool make_missing) {
  std::string_view json;
  for_each_header_field(config, [&](const FieldPath& field, std::string_view header) {
    if (field.dotted() != kRequestId || header.empty()) return;
    if (make_missing || !context_->header(header).value_or("").empty()) json = header_json(header);
  });
  return json;
}

std::string_view FieldEnricher::header_json(std::string_view header) {
  for (const auto& [name, value] : headers_)
    if (name == header) return value;
  std::string_view json;
  if (const auto value = context_->header(header); value && !value->empty()) {
    json = value_json(*value);
  } else if (equals_ignoring_case(header, kRequestIdHeader)) {
    json = texts_->keep(random_uuid_json().view());
  }
  headers_.emplace_back(header, json);
  return json;
}

std::string_view FieldEnricher::client_address_json() {
  if (!client_address_.empty()) return client_address_;
  const std::string_view address = client_address(*context_);
  if (!address.empty()) client_address_ = value_json(address);
  return client_address_;
}

std::string_view FieldEnricher::value_json(std::string_view value) {
  const std::string valid = to_valid_utf8(value);
  return texts_->keep(json_string(first_code_points(valid, kMaxHeaderValue)));
}

}  // namespace eventgate

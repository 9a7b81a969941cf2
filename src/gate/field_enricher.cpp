#include "field_enricher.hpp"

#include <arpa/inet.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "eventgate/base/utf8.hpp"
#include "eventgate/json/json_text.hpp"

namespace eventgate {

namespace {

constexpr std::size_t kMaxHeaderValue = 400;  // code points
constexpr std::string_view kRequestIdHeader = "x-request-id";

const FieldPath kMetaId("meta.id");
const FieldPath kMetaDt("meta.dt");
const FieldPath kDt("dt");
const FieldPath kClientIp("http.client_ip");

/// xoshiro256**: fast, and good enough for ids that must differ, not be secret.
class Random {
 public:
  Random() {
    std::size_t got = 0;
    while (got < sizeof(state_)) {
      const ssize_t count = getrandom(reinterpret_cast<char*>(state_.data()) + got, sizeof(state_) - got, 0);
      if (count > 0) got += static_cast<std::size_t>(count);
    }
    state_[0] |= 1;  // never all zero
  }

  std::uint64_t next() {
    const std::uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate_left(state_[3], 45);
    return result;
  }

 private:
  static std::uint64_t rotate_left(std::uint64_t x, int bits) { return (x << bits) | (x >> (64 - bits)); }
  std::array<std::uint64_t, 4> state_;
};

bool equals_any_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::array<char, 38> uuid_json() {
  thread_local Random random;
  const std::array<std::uint64_t, 2> bits{(random.next() & ~std::uint64_t{0xf000}) | 0x4000,
                                          (random.next() & ~(std::uint64_t{3} << 62)) | (std::uint64_t{1} << 63)};
  // Of each byte its two digits.
  static constexpr std::array<std::array<char, 2>, 256> kHex = [] {
    std::array<std::array<char, 2>, 256> hex{};
    for (std::size_t byte = 0; byte < 256; ++byte)
      hex[byte] = {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
    return hex;
  }();
  std::array<char, 38> text;
  text.front() = text.back() = '"';
  text[9] = text[14] = text[19] = text[24] = '-';
  constexpr std::array<std::size_t, 16> kPlaces = {1, 3, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 29, 31, 33, 35};
  for (std::size_t byte = 0; byte < 16; ++byte)
    std::memcpy(&text[kPlaces[byte]], kHex[(bits[byte / 8] >> (56 - 8 * (byte % 8))) & 0xff].data(), 2);
  return text;
}

std::string timestamp_json(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto instant = floor<milliseconds>(time);
  const auto day = floor<days>(instant);
  const year_month_day date(day);
  const hh_mm_ss clock(instant - day);
  std::string text = "\"0000-00-00T00:00:00.000Z\"";
  const auto put = [&text](std::size_t at, std::size_t digits, std::int64_t value) {
    for (std::size_t i = digits; i-- > 0; value /= 10) text[at + i] = static_cast<char>('0' + value % 10);
  };
  put(1, 4, static_cast<int>(date.year()));
  put(6, 2, static_cast<unsigned>(date.month()));
  put(9, 2, static_cast<unsigned>(date.day()));
  put(12, 2, clock.hours().count());
  put(15, 2, clock.minutes().count());
  put(18, 2, clock.seconds().count());
  put(21, 3, clock.subseconds().count());
  return text;
}

namespace {

/// Nothing, or a colon and digits.
bool is_port(std::string_view text) {
  if (text.empty()) return true;
  if (text.front() != ':') return false;
  text.remove_prefix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_ip_address(int family, std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.empty() || text.size() >= terminated.size()) return false;
  std::copy(text.begin(), text.end(), terminated.begin());
  in6_addr address;
  return ::inet_pton(family, terminated.data(), &address) == 1;
}

/// The IPv4 or IPv6 address in a proxy's header, without blanks, brackets, port and zone. Empty if there is none.
std::string_view ip_address(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || !is_port(text.substr(end + 1))) return {};
    text = text.substr(1, end - 1);
  } else if (const std::size_t colon = text.find(':');
             colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    // One colon: an IPv4 address and a port.
    if (!is_port(text.substr(colon))) return {};
    text = text.substr(0, colon);
  }
  const std::string_view address = text.substr(0, text.find('%'));
  if (address.size() < text.size() && is_ip_address(AF_INET, address)) return {};
  return is_ip_address(AF_INET, address) || is_ip_address(AF_INET6, address) ? address : std::string_view();
}

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
      const std::array<char, 38> uuid = uuid_json();
      patch.add(point.value, point.keys, {uuid.data(), uuid.size()});
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

std::string_view FieldEnricher::header_json(std::string_view header) {
  for (const auto& [name, value] : headers_)
    if (name == header) return value;
  std::string_view json;
  if (const auto value = context_->header(header); value && !value->empty()) {
    json = value_json(*value);
  } else if (equals_any_case(header, kRequestIdHeader)) {
    const std::array<char, 38> uuid = uuid_json();
    json = texts_->keep({uuid.data(), uuid.size()});
  }
  headers_.emplace_back(header, json);
  return json;
}

std::string_view FieldEnricher::client_address_json() {
  if (!client_address_.empty()) return client_address_;
  std::string_view address = ip_address(context_->header("x-client-ip").value_or(""));
  if (address.empty()) {
    const std::string_view forwarded = context_->header("x-forwarded-for").value_or("");
    address = ip_address(forwarded.substr(0, forwarded.find(',')));
  }
  if (address.empty()) address = context_->remote_address;
  if (!address.empty()) client_address_ = value_json(address);
  return client_address_;
}

std::string_view FieldEnricher::value_json(std::string_view value) {
  const std::string valid = to_valid_utf8(value);
  return texts_->keep(json_string(first_code_points(valid, kMaxHeaderValue)));
}

}  // namespace eventgate

#include "capsule_event.hpp"

#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include "eventgate/base/timestamp.hpp"
#include "eventgate/base/uuid.hpp"
#include "eventgate/json/decimal.hpp"
#include "eventgate/json/field_path.hpp"
#include "eventgate/json/json_text.hpp"

namespace eventgate {

namespace {

const FieldPath kDt("dt");
const FieldPath kClientDt("client_dt");
const FieldPath kRecvFrom("recvFrom");
const FieldPath kSeqId("seqId");
const FieldPath kUuid("uuid");
const FieldPath kIp("ip");
const FieldPath kUserAgent("useragent");

/// A number of `timestamp` below it is in seconds, others are in milliseconds.
constexpr double kLeastMilliseconds = 1e11;
/// 0000-01-01 and 9999-12-31T23:59:59.999Z, in milliseconds since 1970: the years that RFC 3339 writes.
constexpr std::int64_t kFirstTime = -62167219200000;
constexpr std::int64_t kLastTime = 253402300799999;

/// The members of a capsule that mean something to the gate.
struct Members {
  std::optional<JsonValue> meta, web_host, uuid, client_dt, dt, timestamp, user_agent;
};

enum class Fate : std::uint8_t { stays, goes };

/// Notes a member in `members`, and returns whether it stays in the event as it is.
Fate look_at(JsonValue key, JsonValue value, Members& members) {
  const auto take = [&](std::string_view name, std::optional<JsonValue>& member) {
    if (!key.string_equals(name)) return false;
    member = value;
    return true;
  };
  const auto is = [key](std::string_view name) { return key.string_equals(name); };
  if (take("webHost", members.web_host)) return Fate::stays;
  if (take("uuid", members.uuid)) return value.is_string() ? Fate::stays : Fate::goes;
  if (is("userAgent")) {
    if (!value.is_string()) return Fate::stays;
    members.user_agent = value;
    return Fate::goes;
  }
  if (take("meta", members.meta) || take("dt", members.dt) || take("client_dt", members.client_dt) ||
      take("timestamp", members.timestamp))
    return Fate::goes;
  for (const std::string_view name :
       {"$schema", "seqId", "recvFrom", "ip", "clientIp", "topic", "clientValidated", "isTruncated"})
    if (is(name)) return Fate::goes;
  return Fate::stays;
}

std::optional<std::int64_t> admissible_time(std::int64_t time) {
  return time >= kFirstTime && time <= kLastTime ? std::optional(time) : std::nullopt;
}

std::optional<std::int64_t> time_of_text(const std::optional<JsonValue>& value) {
  if (!value || !value->is_string()) return std::nullopt;
  std::string buffer;
  const auto time = parse_timestamp(value->string(buffer));
  return time ? admissible_time(*time) : std::nullopt;
}

std::optional<std::int64_t> time_of_number(const std::optional<JsonValue>& value) {
  if (!value || !value->is_number()) return std::nullopt;
  const double number = to_double(value->source());
  const double milliseconds = number < kLeastMilliseconds ? number * 1000 : number;
  if (!(milliseconds >= static_cast<double>(kFirstTime) && milliseconds <= static_cast<double>(kLastTime)))
    return std::nullopt;
  return admissible_time(std::llround(milliseconds));
}

/// Returns the first member that is a time, or nullopt.
std::optional<std::int64_t> client_time(const Members& members) {
  if (const auto time = time_of_text(members.client_dt)) return time;
  if (const auto time = time_of_text(members.dt)) return time;
  return time_of_number(members.timestamp);
}

/// Appends members to an object, each with a comma before it.
class MemberWriter {
 public:
  explicit MemberWriter(std::string& out) : out_(out) {}

  void add(std::string_view key, std::string_view json) { out_.append(",\"").append(key).append("\":").append(json); }
  void add_text(std::string_view key, std::string_view plain) {
    out_.append(",\"").append(key).append("\":\"").append(plain).append("\"");
  }

 private:
  std::string& out_;
};

/// Appends `"$schema": ..., "meta": {...}`. Returns the id of the event as JSON text, if it is a string; else a new
/// one.
std::string append_head(std::string& out, const Members& members, const LegacyTarget& target, std::string_view now) {
  out.append(R"("$schema":")").append(target.schema_uri).append(R"(","meta":{"stream":")");
  out.append("eventlogging_").append(target.name).append("\"");
  MemberWriter meta(out);
  if (members.web_host && members.web_host->is_string() && !members.web_host->raw_string().empty())
    meta.add("domain", members.web_host->source());
  std::string id;
  bool has_id = false;
  if (members.meta && members.meta->is_object()) {
    for (const std::string_view key : {"id", "request_id", "uri"}) {
      const auto value = members.meta->find(key);
      if (!value) continue;
      meta.add(key, value->source());
      if (key != "id") continue;
      has_id = true;
      if (value->is_string()) id = value->source();
    }
  }
  if (id.empty()) {
    std::array<char, kUuidSize> uuid;
    write_random_uuid(uuid.data());
    id.reserve(kUuidSize + 2);
    id.append("\"").append(uuid.data(), uuid.size()).append("\"");
  }
  if (!has_id) meta.add("id", id);
  meta.add_text("dt", now);
  out += '}';
  return id;
}

}  // namespace

std::string make_event(const Capsule& capsule, const LegacyTarget& target, const BeaconFacts& facts) {
  const JsonValue root = capsule.root();
  // The members that stay, as ranges of the text.
  struct Range {
    const char* begin;
    const char* end;
  };
  thread_local std::vector<Range> kept;
  kept.clear();
  Members members;
  for (auto member = root.begin(); member != root.end(); ++member) {
    const JsonValue key = *member;
    const JsonValue value = *++member;
    if (look_at(key, value, members) == Fate::goes) continue;
    const std::string_view source = value.source();
    kept.push_back({key.source().data(), source.data() + source.size()});
  }

  constexpr std::size_t kAdded = 512;  // bytes of what is mostly added
  std::string out;
  out.reserve(capsule.text.size() + kAdded + facts.useragent_json.size() + kJsonPadding);
  const std::string now = format_timestamp(facts.received_at);
  out += '{';
  const std::string id = append_head(out, members, target, now);
  for (const Range& range : kept) {
    out += ',';
    out.append(range.begin, range.end);
  }
  MemberWriter event(out);
  const auto wanted = [schema = facts.schema](const FieldPath& field) { return !schema || schema->declares(field); };
  if (wanted(kDt)) event.add_text("dt", now);
  if (wanted(kClientDt)) {
    const auto time = client_time(members);
    event.add_text("client_dt", time ? format_timestamp(TimeMilliseconds(std::chrono::milliseconds(*time))) : now);
  }
  if (wanted(kRecvFrom)) event.add("recvFrom", facts.host_json);
  if (wanted(kSeqId)) event.add("seqId", std::to_string(facts.number));
  if (!(members.uuid && members.uuid->is_string()) && wanted(kUuid)) event.add("uuid", id);
  if (!facts.address.empty() && wanted(kIp)) event.add("ip", json_string(facts.address));
  if (!facts.useragent_json.empty() && wanted(kUserAgent) && !root.find("useragent"))
    event.add("useragent", facts.useragent_json);
  out += '}';
  return out;
}

std::string_view capsule_user_agent(JsonValue capsule, std::string& buffer) {
  const auto value = capsule.find("userAgent");
  return value && value->is_string() ? value->string(buffer) : std::string_view();
}

std::string_view capsule_host(JsonValue capsule, std::string& buffer) {
  const auto value = capsule.find("webHost");
  return value && value->is_string() ? value->string(buffer) : std::string_view();
}

}  // namespace eventgate

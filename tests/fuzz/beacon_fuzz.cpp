// Any bytes as the query of a beacon: what is read, is an object of UTF-8; what is refused, has a cause and a text; and
// what becomes an event is JSON with the capsule's values in it.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "eventgate/base/utf8.hpp"
#include "eventgate/gate/event_batch.hpp"
#include "eventgate/json/json_text.hpp"
#include "eventgate/legacy/capsule.hpp"
#include "legacy/capsule_event.hpp"
#include "legacy/cut_object.hpp"
#include "require.hpp"

namespace {

using namespace eventgate;

LegacyOptions make_options() {
  LegacyOptions options;
  options.schemas["Test"].version = "1.0.0";
  options.schemas["Edit"].revisions = {{7, "2.0.0"}};
  options.schemas[kAnyLegacySchema].version = "1.0.0";
  return options;
}

void look_at_refusal(const BeaconRefusal& refusal, const LegacyOptions& options) {
  require(is_of_beacon(refusal.cause) && !refusal.message.empty(), "a refusal has a cause and says why");
  require(find_invalid_utf8(refusal.message) == std::string_view::npos, "what it says is UTF-8");
  find_named_schema(refusal.text, options);
  if (refusal.cause == FailureCause::legacy_truncated)
    require(is_cut_object(refusal.text, JsonLimits().depth) || refusal.text.starts_with("\xEF\xBB\xBF"),
            "what is cut could go on");
}

void make_events(const Capsule& capsule, const LegacyTarget& target, const std::string& buffer) {
  BeaconFacts facts{std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000)), 7, "\"host\""};
  facts.address = buffer;
  facts.useragent_json = "{\"is_bot\":false}";
  std::string text = make_event(capsule, target, facts);
  const auto batch = EventBatch::parse(std::move(text));
  require(batch.has_value() && batch->size() == 1, "the event is JSON");
  const JsonValue event = (*batch)[0];
  for (const char* const name : {"$schema", "meta", "dt", "client_dt", "recvFrom", "seqId", "uuid"})
    require(event.find(name).has_value(), "the gate's fields are there");
  require(event.find("seqId")->source() == "7" && event.find("recvFrom")->source() == "\"host\"", "and are the gate's");
  for (const char* const name : {"timestamp", "clientIp", "topic", "clientValidated", "isTruncated"})
    require(!event.find(name), "what goes is gone");
  const auto sent = capsule.root().find("event");
  const auto kept = event.find("event");
  require(sent.has_value() == kept.has_value(), "the event is there if it was sent");
  if (sent) require(sent->source() == kept->source(), "and is as sent");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const LegacyOptions options = make_options();
  const std::string_view query(reinterpret_cast<const char*>(data), size);
  is_cut_object(query, JsonLimits().depth);
  is_own_host(query, {"wikipedia.org"});
  Capsule capsule;
  if (const auto refusal = read_capsule(query, JsonLimits(), capsule)) {
    look_at_refusal(*refusal, options);
    return 0;
  }
  require(capsule.root().is_object(), "a capsule is an object");
  require(find_invalid_utf8(capsule.text) == std::string_view::npos, "of UTF-8");
  std::string buffer;
  capsule_host(capsule.root(), buffer);
  const auto target = find_target(capsule.root(), options);
  if (!target) {
    look_at_refusal(target.error(), options);
    return 0;
  }
  std::string other;
  make_events(capsule, *target, std::string(capsule_user_agent(capsule.root(), other)));
  return 0;
}

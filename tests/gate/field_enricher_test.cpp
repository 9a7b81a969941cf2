#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "gate_harness.hpp"

namespace eventgate {
namespace {

using nlohmann::json;

constexpr const char* kUuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

constexpr const char* kStreams = R"(
test.event: {schema_title: test}
plain.event: {schema_title: plain}
legacy.event: {schema_title: analytics/legacy/search}
enriched.event:
  schema_title: analytics/legacy/search
  producers:
    eventgate:
      enrich_fields_from_http_headers:
        http.request_headers.x-special: X-Special
        http.request_headers.user-agent: false
)";

GateHarness wikimedia_gate() { return GateHarness(wikimedia_options(), kStreams); }

std::string legacy_event(const std::string& stream = "legacy.event") {
  return R"({"$schema":"/analytics/legacy/search/1.0.0","meta":{"stream":")" + stream + "\"}}";
}

TestRequest with_headers(std::vector<std::pair<std::string, std::string>> headers) {
  TestRequest request;
  request.headers = std::move(headers);
  return request;
}

TEST(FieldEnricher, FillsInIdTimeAndRequestIdThatTheSchemaDeclares) {
  GateHarness gate = wikimedia_gate();
  const json meta = gate.produced(R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event"}})",
                                  with_headers({{"X-Request-Id", "the-request"}}))["meta"];
  EXPECT_THAT(meta["id"].get<std::string>(), testing::MatchesRegex(kUuid));
  EXPECT_EQ(meta["dt"], "2026-11-22T02:39:06.102Z");
  EXPECT_EQ(meta["request_id"], "the-request");
  EXPECT_EQ(meta.size(), 4u);
}

TEST(FieldEnricher, LeavesFieldsThatTheEventHas) {
  GateHarness gate = wikimedia_gate();
  const std::string event =
      R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event","id":"","dt":"x","request_id":"y"},"test_default":""})";
  EXPECT_EQ(gate.record(event).value, event);
}

TEST(FieldEnricher, LeavesANullForTheSchemaToJudge) {
  GateHarness gate = wikimedia_gate();
  const ProcessResult result = gate.process(R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event","id":null}})");
  ASSERT_EQ(result.invalid.size(), 1u);
  EXPECT_EQ(errors_text(result.invalid[0].errors), "'.meta.id' should be string");
}

TEST(FieldEnricher, AddsNothingThatTheSchemaDoesNotDeclare) {
  GateHarness gate = wikimedia_gate();
  const std::string event = R"({"$schema":"/plain/1.0.0","meta":{"stream":"plain.event"}})";
  EXPECT_EQ(gate.record(event, with_headers({{"User-Agent", "curl"}})).value, event);
}

TEST(FieldEnricher, AddsNothingInTheDefaultSetUp) {
  GateHarness gate{GateOptions()};
  const json value = gate.produced(legacy_event(), with_headers({{"User-Agent", "curl"}}));
  EXPECT_EQ(value, json::parse(legacy_event()));
}

TEST(FieldEnricher, GivesLegacyEventsATimeTheAddressAndTheUserAgent) {
  GateHarness gate = wikimedia_gate();
  const json value = gate.produced(legacy_event(), with_headers({{"User-Agent", "curl/7.88.1"}}));
  EXPECT_EQ(value["dt"], "2026-11-22T02:39:06.102Z");
  EXPECT_EQ(value["http"], json::parse(R"({"request_headers":{"user-agent":"curl/7.88.1"},"client_ip":"192.0.2.7"})"));
}

TEST(FieldEnricher, TakesTheAddressFromTheProxysHeaders) {
  GateHarness gate = wikimedia_gate();
  const auto address = [&](std::vector<std::pair<std::string, std::string>> headers) {
    return gate.produced(legacy_event(), with_headers(std::move(headers)))["http"]["client_ip"].get<std::string>();
  };
  EXPECT_EQ(address({{"X-Client-IP", "192.0.2.1"}, {"X-Forwarded-For", "198.51.100.7, 10.0.0.1"}}), "192.0.2.1");
  EXPECT_EQ(address({{"X-Forwarded-For", " 198.51.100.7 ,10.0.0.1"}}), "198.51.100.7");
  EXPECT_EQ(address({{"X-Client-IP", ""}, {"X-Forwarded-For", ""}}), "192.0.2.7");
}

TEST(FieldEnricher, Address_HasNoPortBracketsOrZone_AndOtherTextsAreIgnored) {
  GateHarness gate = wikimedia_gate();
  const auto address = [&](const std::string& client_ip, const std::string& forwarded) {
    return gate
        .produced(legacy_event(),
                  with_headers({{"X-Client-IP", client_ip}, {"X-Forwarded-For", forwarded}}))["http"]["client_ip"]
        .get<std::string>();
  };
  for (const char* given : {"192.0.2.1", " 192.0.2.1\t", "192.0.2.1:4711"})
    EXPECT_EQ(address(given, ""), "192.0.2.1") << given;
  for (const char* given :
       {"2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711", "2001:db8::1%eth0", "[2001:db8::1%25]:1"})
    EXPECT_EQ(address(given, ""), "2001:db8::1") << given;
  EXPECT_EQ(address("::ffff:192.0.2.1", ""), "::ffff:192.0.2.1");
  for (const char* given :
       {"unknown", "192.0.2", "192.0.2.1:", "192.0.2.1:a", "192.0.2.1 x", "[192.0.2.1", "[::1]x", "[::1]:", "::1]",
        "192.0.2.1%eth0", "_hidden", "1.2.3.4.5", "\"192.0.2.1\"", "<script>", "::g"})
    EXPECT_EQ(address(given, "198.51.100.7"), "198.51.100.7") << given;
  EXPECT_EQ(address("unknown", "unknown, 198.51.100.7"), "192.0.2.7");
}

TEST(FieldEnricher, MakesOneRequestIdForTheRequestAndAnIdForEachEvent) {
  GateHarness gate = wikimedia_gate();
  gate.process("[" + legacy_event() + R"(,{"$schema":"/test/1.0.0","meta":{"stream":"test.event"}},)" + legacy_event() +
               "]");
  ASSERT_EQ(gate.sink->records.size(), 3u);
  std::set<std::string> ids, request_ids;
  for (const KeptRecord& record : gate.sink->records) {
    const json value = json::parse(record.value);
    ids.insert(value["meta"]["id"]);
    request_ids.insert(value["meta"]["request_id"]);
  }
  EXPECT_EQ(ids.size(), 3u);
  EXPECT_EQ(request_ids.size(), 1u);
  EXPECT_THAT(*request_ids.begin(), testing::MatchesRegex(kUuid));
}

TEST(FieldEnricher, PrefersTheHeadersOfTheStreamConfig) {
  GateHarness gate = wikimedia_gate();
  const json value = gate.produced(legacy_event("enriched.event"),
                                   with_headers({{"x-special", "s"}, {"User-Agent", "curl"}, {"X-Request-Id", "r"}}));
  EXPECT_EQ(value["http"], json::parse(R"({"request_headers":{"x-special":"s"},"client_ip":"192.0.2.7"})"));
  EXPECT_FALSE(value["meta"].contains("request_id"));
}

TEST(FieldEnricher, TakesTheHeadersOfTheConfigIfTheStreamIsUnknown) {
  GateHarness gate = wikimedia_gate();
  const ProcessResult result = gate.process(legacy_event("nope"), with_headers({{"User-Agent", "curl"}}));
  ASSERT_EQ(result.error.size(), 1u);
  EXPECT_EQ(json::parse(result.error[0].event)["http"]["request_headers"]["user-agent"], "curl");
}

TEST(FieldEnricher, CutsAndMendsHeaderValues) {
  GateHarness gate = wikimedia_gate();
  const auto user_agent = [&](const std::string& value) {
    return gate.produced(legacy_event(), with_headers({{"User-Agent", value}}))["http"]["request_headers"]["user-agent"]
        .get<std::string>();
  };
  std::string snowmen;
  for (int i = 0; i < 401; ++i) snowmen += "\xe2\x98\x83";
  EXPECT_EQ(user_agent(snowmen), snowmen.substr(0, 1200));
  EXPECT_EQ(user_agent("a\xff\xe2\x98 \"\\\x01"), "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \"\\\x01");
}

TEST(FieldEnricher, FillsInTheStreamFromAHeader) {
  GateOptions options = wikimedia_options();
  options.http_request_headers_to_fields = {{"x-stream", FieldPath("meta.stream")}};
  GateHarness gate(std::move(options), kStreams);
  EXPECT_EQ(gate.record(R"({"$schema":"/test/1.0.0"})", with_headers({{"X-Stream", "test.event"}})).topic,
            "dc1.test.event");
}

}  // namespace
}  // namespace eventgate

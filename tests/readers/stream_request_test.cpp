#include "eventgate/readers/stream_request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace eventgate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using Query = std::vector<std::pair<std::string, std::string>>;

constexpr std::int64_t kNow = 1'795'910'400'000;

const ExposedStreams& streams() {
  static const ExposedStreams kStreams(nlohmann::ordered_json::parse(R"({
      "a": {"topics": ["eqiad.a", "codfw.a"], "stream_aliases": ["alias"]},
      "b": {"topics": ["eqiad.b"]},
      "mix": {"topics": ["eqiad.b", "eqiad.c"]},
      "dc": {"topics": ["eqiad.dc"], "topics_allowed": ["eqiad.dc", "codfw.dc"]},
      "secret": {"topics": ["eqiad.s"], "private": true}})"),
                                       {.intake = false});
  return kStreams;
}

struct Asked {
  std::string path = "a";
  Query query = {};
  std::string last_event_id = {};
  std::string accept = {};
  bool sees_private = false;
};

boost::system::result<StreamRequest, StreamRefusal> parse(const Asked& asked) {
  const StreamRequestParts parts{asked.path,         asked.query, asked.accept, asked.last_event_id,
                                 asked.sees_private, false,       kNow};
  return parse_stream_request(parts, streams());
}

StreamRequest request(const Asked& asked) {
  auto result = parse(asked);
  if (!result) {
    ADD_FAILURE() << result.error().detail;
    return {};
  }
  return std::move(*result);
}

/// Cause and detail of a refusal.
std::string refusal(const Asked& asked) {
  const auto result = parse(asked);
  return result ? "none" : std::string(result.error().cause) + ": " + result.error().detail;
}

TEST(StreamRequest, NamesAndAliasesCountOnceAndShareTopics) {
  const StreamRequest both = request({.path = "alias,b,a,mix,b"});
  EXPECT_THAT(both.streams, ElementsAre("a", "alias", "b", "mix"));
  EXPECT_THAT(both.topics, ElementsAre("eqiad.a", "codfw.a", "eqiad.b", "eqiad.c"));
}

TEST(StreamRequest, UnknownStreamsAreListedAsTheOriginalDoes) {
  EXPECT_EQ(refusal({.path = "nope"}), "not_found: Invalid streams: nope");
  EXPECT_EQ(refusal({.path = "a,nope, b,nope"}), "not_found: Invalid streams: nope, b,nope");
  EXPECT_EQ(refusal({.path = ","}), "not_found: Invalid streams: ,");
  EXPECT_EQ(refusal({.path = "A"}), "not_found: Invalid streams: A");
  EXPECT_EQ(refusal({.path = "eqiad.a"}), "not_found: Invalid streams: eqiad.a");
  EXPECT_EQ(refusal({.path = ""}), "not_found: Invalid streams: ");
}

TEST(StreamRequest, APrivateStreamIsUnknownWithoutTheToken) {
  EXPECT_EQ(refusal({.path = "secret"}), "not_found: Invalid streams: secret");
  EXPECT_THAT(request({.path = "secret", .sees_private = true}).topics, ElementsAre("eqiad.s"));
}

TEST(StreamRequest, MoreThan50StreamsAreRefused) {
  nlohmann::ordered_json configs;
  std::string path;
  for (int i = 0; i < 51; ++i) {
    configs["s" + std::to_string(i)] = {{"topics", {"t"}}};
    path += (i ? ",s" : "s") + std::to_string(i);
  }
  const ExposedStreams many(configs, {.intake = false});
  const Query none;
  const auto result = parse_stream_request({path, none, {}, {}, false, false, kNow}, many);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().detail, "expected at most 50 streams in a request, not 51");
  const auto fits = parse_stream_request({path.substr(0, path.rfind(',')), none, {}, {}, false, false, kNow}, many);
  EXPECT_TRUE(fits);
}

TEST(StreamRequest, SinceAndUntilAreMoments) {
  const StreamRequest both = request({.query = {{"since", "-15m"}, {"until", "2026-11-29"}}});
  EXPECT_EQ(both.since, kNow - 900'000);
  EXPECT_EQ(both.until, 1'795'910'400'000);
  EXPECT_EQ(request({.query = {{"until", "now"}}}).until, kNow);
  EXPECT_EQ(request({.query = {{"since", ""}}}).since, std::nullopt);
}

TEST(StreamRequest, AnUnreadableTimeIsRefusedInTheOriginalsWords) {
  EXPECT_EQ(
      refusal({.query = {{"since", "yesterday"}}}),
      "invalid_timestamp: since timestamp is not a UTC milliseconds unix epoch and was not parseable: 'yesterday'");
  EXPECT_EQ(refusal({.query = {{"since", "2026-11-01"}, {"since", "2026-11-02"}}}),
            "invalid_timestamp: since timestamp is not a UTC milliseconds unix epoch and was not parseable: "
            "'2026-11-01,2026-11-02'");
  EXPECT_THAT(refusal({.query = {{"until", "never"}}}), HasSubstr("until timestamp is not"));
}

TEST(StreamRequest, ANumberThatIsNoTimeSaysWhatIsExpected) {
  for (const char* const since : {"1793492400", "-5", " ", "Infinity"})
    EXPECT_THAT(refusal({.query = {{"since", since}}}), HasSubstr("invalid_timestamp: since '")) << since;
  EXPECT_THAT(refusal({.query = {{"since", "5"}}}), HasSubstr("expected ISO 8601 or RFC 2822, milliseconds"));
  EXPECT_THAT(refusal({.query = {{"since[]", "2026-11-01"}}}), HasSubstr("invalid_timestamp: "));
  EXPECT_THAT(refusal({.query = {{"since[a]", "1"}}}), HasSubstr("invalid_timestamp: "));
}

TEST(StreamRequest, StreamsAreCheckedBeforeTimes) {
  EXPECT_EQ(refusal({.path = "nope", .query = {{"since", "yesterday"}}}), "not_found: Invalid streams: nope");
}

TEST(StreamRequest, LastLimitAndCanaryAreHeldToTheirRange) {
  const StreamRequest all = request({.query = {{"last", "5"}, {"limit", "7"}, {"canary", "true"}}});
  EXPECT_EQ(all.last, 5u);
  EXPECT_EQ(all.limit, 7u);
  EXPECT_TRUE(all.canary);
  for (const char* const last : {"0", "1001", "-1", "x", "5x", " 5", "1e2"})
    EXPECT_THAT(refusal({.query = {{"last", last}}}), HasSubstr("expected a whole number from 1 to 1000")) << last;
  for (const char* const limit : {"0", "-1", "x", "99999999999999999999"})
    EXPECT_THAT(refusal({.query = {{"limit", limit}}}), HasSubstr("expected a whole number of events, 1 or more"))
        << limit;
  EXPECT_EQ(refusal({.query = {{"canary", "yes"}}}), "bad_request: canary 'yes': expected true or false");
  EXPECT_EQ(refusal({.query = {{"last", "1"}, {"last", "2"}}}), "bad_request: last: expected one value, not several");
  EXPECT_EQ(refusal({.query = {{"last[]", "1"}}}), "bad_request: last: expected one value, not a list");
}

TEST(StreamRequest, ConditionsOfOnePathAreOneCondition) {
  const StreamRequest filtered =
      request({.query = {{"match.type", "edit"}, {"match.type", "new"}, {"not.bot", "true"}, {"match.type", "new"}}});
  const EventFilter same({{FieldPath("type"), {"edit", "new"}, false}, {FieldPath("bot"), {"true"}, true}});
  EXPECT_EQ(filtered.filter.key(), same.key());
  EXPECT_TRUE(request({}).filter.empty());
}

TEST(StreamRequest, SixteenConditionsAtMost) {
  Query query;
  for (int i = 0; i < 16; ++i) query.emplace_back("match.a" + std::to_string(i), "1");
  EXPECT_FALSE(request({.query = query}).filter.empty());
  query.emplace_back("not.b", "1");
  EXPECT_EQ(refusal({.query = query}), "bad_request: expected at most 16 values of match. and not. in a request");
}

TEST(StreamRequest, AConditionNeedsAPath) {
  for (const char* const name : {"match.", "not.", "match..a", "match.a.", "match.a..b"})
    EXPECT_THAT(refusal({.query = {{name, "x"}}}), HasSubstr("expected the path of a field")) << name;
}

TEST(StreamRequest, UnknownParametersAreNamedInANotice) {
  EXPECT_THAT(request({.query = {{"Since", "2026-11-01"}, {"timestamp", "1"}, {"timestamp", "2"}}}).notices,
              ElementsAre("ignored parameters: Since, timestamp"));
  EXPECT_THAT(request({.query = {{"since", "-1h"}}}).notices, IsEmpty());
}

TEST(StreamRequest, ANoticeHasNoLineEndAndIsBounded) {
  Query query;
  for (int i = 0; i < 1000; ++i) query.emplace_back("x\r\n" + std::to_string(i) + std::string(1000, 'y'), "");
  const auto notices = request({.query = query}).notices;
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_LT(notices[0].size(), 500u);
  EXPECT_THAT(notices[0], Not(testing::ContainsRegex("[\r\n]")));
  EXPECT_THAT(notices[0], HasSubstr("x??0y"));
}

TEST(StreamRequest, TheFieldLastEventIdWinsOverTheParameter) {
  const std::string field = R"([{"topic":"eqiad.a","partition":0,"offset":1}])";
  const std::string parameter = R"([{"topic":"eqiad.a","partition":0,"offset":2}])";
  EXPECT_EQ(request({.query = {{"last_event_id", parameter}}, .last_event_id = field}).last_event_id.at(0).offset, 1);
  EXPECT_EQ(request({.query = {{"last_event_id", parameter}}}).last_event_id.at(0).offset, 2);
  EXPECT_THAT(request({.query = {{"last_event_id", ""}}, .last_event_id = " "}).last_event_id, IsEmpty());
}

TEST(StreamRequest, EntriesOfOtherTopicsAreLeftOutWithANotice) {
  const StreamRequest some = request({.last_event_id = R"([{"topic":"eqiad.a","partition":0,"offset":1},
      {"topic":"nope","partition":0,"offset":1}])"});
  EXPECT_THAT(some.last_event_id, SizeIs(1));
  EXPECT_THAT(some.notices, ElementsAre("ignored entries of Last-Event-ID, whose topics are not subscribed: nope"));
  EXPECT_THAT(refusal({.last_event_id = R"(["eqiad.b","nope"])"}),
              HasSubstr("invalid_last_event_id: Last-Event-ID: expected a topic of the streams asked for"));
}

TEST(StreamRequest, APartitionTwiceIsRefused) {
  EXPECT_EQ(refusal({.last_event_id = R"([{"topic":"eqiad.a","partition":0,"offset":1},
      {"topic":"eqiad.a","partition":0,"offset":2}])"}),
            "invalid_last_event_id: Last-Event-ID: expected each partition once, not partition 0 of eqiad.a twice");
}

TEST(StreamRequest, BadJsonIsAnInvalidLastEventId) {
  EXPECT_THAT(refusal({.last_event_id = "{nope"}),
              HasSubstr("invalid_last_event_id: Last-Event-ID: expected a JSON array"));
}

TEST(StreamRequest, ALastEventIdMayChooseTopicsThatAreAllowed) {
  EXPECT_THAT(request({.path = "dc"}).topics, ElementsAre("eqiad.dc"));
  EXPECT_THAT(request({.path = "dc", .last_event_id = R"(["codfw.dc"])"}).topics, ElementsAre("codfw.dc"));
  EXPECT_THAT(request({.path = "dc", .last_event_id = R"(["codfw.dc","eqiad.dc"])"}).topics,
              ElementsAre("eqiad.dc", "codfw.dc"));
  EXPECT_THAT(request({.path = "b,dc", .last_event_id = R"(["codfw.dc"])"}).topics, ElementsAre("eqiad.b", "codfw.dc"));
}

TEST(StreamRequest, TheIdOfAnEndIsKnownAgain) {
  EXPECT_TRUE(request({.last_event_id = R"([{"topic":"eqiad.a","partition":0,"offset":1,"end":true}])"}).ended);
  EXPECT_FALSE(request({.last_event_id = R"([{"topic":"eqiad.a","partition":0,"offset":1}])"}).ended);
}

TEST(StreamRequest, AcceptChoosesTheFormat) {
  EXPECT_EQ(request({}).format, StreamFormat::sse);
  const StreamRequest lines = request({.accept = "application/x-ndjson"});
  EXPECT_EQ(lines.format, StreamFormat::lines);
  EXPECT_EQ(lines.content_type, "application/x-ndjson");
}

TEST(StreamRefusal, IsProblemJson) {
  EXPECT_EQ(problem_json({400, "not_found", "Stream Not Found", "Invalid streams: \"\n"}, "GET", "/v2/stream/%22"),
            R"({"status":400,"type":"not_found","title":"Stream Not Found","detail":"Invalid streams: \"\n",)"
            R"("method":"GET","uri":"/v2/stream/%22"})");
  EXPECT_EQ(too_many_connections().status, 429u);
}

}  // namespace
}  // namespace eventgate

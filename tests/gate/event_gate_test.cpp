#include "eventgate/gate/event_gate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "gate_harness.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kStreams = R"(
test.event: {schema_title: test}
other.event: {schema_title: other}
keyed.event: {schema_title: test, message_key_fields: {id: meta.id, inner.test: test}}
bare.event: {schema_title: test, topic_prefixes: null}
eventlogging_Search: {schema_title: analytics/legacy/search}
untitled.event: {schema_title: untitled}
/^job\..+/: {schema_title: test}
empty.config: {}
no.title: {topics: [a]}
eventgate.error: {schema_title: error}
)";

/// The default set-up with `stream_field: meta.stream`, as it is with files alone.
GateHarness default_gate(bool stream_from_schema_uri = true) {
  GateOptions options;
  options.stream_field = {FieldPath("meta.stream")};
  options.stream_from_schema_uri = stream_from_schema_uri;
  return GateHarness(std::move(options));
}

GateHarness wikimedia_gate() { return GateHarness(wikimedia_options(), kStreams); }

/// An event of the schema `test` in `stream`, with an id, a dt and a request_id, and `members` beside.
std::string test_event(const std::string& members = "", const std::string& stream = "test.event") {
  return R"({"$schema":"/test/1.0.0","meta":{"stream":")" + stream +
         R"(","id":"i","dt":"2020-04-02T19:11:20.942Z","request_id":"r"},"test_default":"d")" +
         (members.empty() ? "" : "," + members) + "}";
}

std::vector<std::size_t> indexes(const std::vector<EventStatus>& statuses) {
  std::vector<std::size_t> all;
  for (const EventStatus& status : statuses) all.push_back(status.index);
  return all;
}

TEST(EventGate, ProducesTheBytesOfTheClientIfNothingIsToBeAdded) {
  GateHarness gate = wikimedia_gate();
  const std::string event =
      R"( { "test" : "\u0041\/" , "$schema" : "/test/1.0.0", "test_default": "d", "any": [1.50, 1E2],
    "meta": {"stream":"test.event", "id":"i", "dt":"2020-04-02T19:11:20.942Z", "request_id":"r"}} )";
  const KeptRecord record = gate.record(event);
  EXPECT_EQ(record.value, event.substr(1, event.size() - 2));
  EXPECT_EQ(record.topic, "dc1.test.event");
  EXPECT_EQ(record.message_key, std::nullopt);
  EXPECT_EQ(record.timestamp, 1585854680942);
  EXPECT_EQ(record.assurance, Assurance::guaranteed);
}

TEST(EventGate, ProducesHastyEventsAsSuch) {
  GateHarness gate = wikimedia_gate();
  TestRequest request;
  request.assurance = Assurance::hasty;
  EXPECT_EQ(gate.record(test_event(), request).assurance, Assurance::hasty);
}

/// Tells when it goes.
struct WatchedRequest final : HastyRequest {
  WatchedRequest(const std::string& body, const RequestContext& of, bool& is_there)
      : HastyRequest(*EventBatch::parse(std::string(body), JsonLimits()), of), there(is_there) {
    there = true;
  }
  ~WatchedRequest() override { there = false; }
  bool& there;
};

TEST(EventGate, HastyRequestHandedOver_IsKeptOnlyForASinkThatReadsItsTextsLater) {
  for (const bool borrows_record_text : {false, true}) {
    GateHarness gate = wikimedia_gate();
    gate.sink->silent = true;
    gate.sink->borrows_record_text = borrows_record_text;
    bool there = false;
    auto request =
        std::make_unique<WatchedRequest>("[" + test_event() + "," + test_event() + "]", TestRequest().context(), there);
    auto held = std::make_shared<int>();
    request->held = held;
    gate.process_hasty(std::move(request));
    EXPECT_EQ(gate.sink->records.size(), 2u);
    EXPECT_EQ(there, borrows_record_text);
    EXPECT_EQ(held.use_count(), 2) << "released before it was known what became of the events";
    EXPECT_THAT(gate.metrics.text(), HasSubstr("outcome=\"produced\"} 0\n"));
    gate.stop_producer();
    EXPECT_FALSE(there);
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_THAT(gate.metrics.text(), HasSubstr("outcome=\"produced\"} 2\n"));
  }
}

TEST(EventGate, ReleasesAHastyRequestOfWhichNothingIsProduced) {
  GateHarness gate = wikimedia_gate();
  bool there = false;
  auto held = std::make_shared<int>();
  auto request = std::make_unique<WatchedRequest>(test_event(R"("test":1)"), TestRequest().context(), there);
  request->held = held;
  gate.process_hasty(std::move(request));
  EXPECT_FALSE(there);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(EventGate, ProducesTheEventsOfAnArrayInOrder) {
  GateHarness gate = wikimedia_gate();
  const ProcessResult result =
      gate.process("[" + test_event(R"("test":"a")") + "," + test_event(R"("test":"b")", "job.x") + "]");
  EXPECT_EQ(result.event_count, 2u);
  EXPECT_EQ(result.produced(), 2u);
  ASSERT_EQ(gate.sink->records.size(), 2u);
  EXPECT_EQ(gate.sink->records[0].value, test_event(R"("test":"a")"));
  EXPECT_EQ(gate.sink->records[1].topic, "dc1.job.x");
}

TEST(EventGate, ReadsTheFieldsOfEachEventWhereverTheyStand) {
  GateHarness gate = wikimedia_gate();
  TestRequest request;
  request.headers = {{"X-Request-Id", "r"}};
  const std::vector<std::string> events = {
      R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event","id":"1","dt":"2020-04-02T19:11:20.942Z"}})",
      R"({"meta":{"dt":"2020-04-02T19:11:20.943Z","x":1,"id":"2","stream":"job.x"},"$schema":"/test/1.0.0"})",
      R"({"met\u0061":{"str\u0065am":"job.y","id":"3","dt":"2020-04-02T19:11:20.944Z"},"\u0024schema":"/test/1.0.0"})",
      R"({"meta":{"stream":"test.event","id":"4","dt":"2020-04-02T19:11:20.945Z"},"any":{"meta":1},"$schema":"/test/1.0.0"})"};
  std::string body = "[" + events[0];
  for (std::size_t i = 1; i < events.size(); ++i) body += "," + events[i];
  EXPECT_EQ(gate.process(body + "]", request).produced(), events.size());
  ASSERT_EQ(gate.sink->records.size(), events.size());
  std::vector<std::string> topics;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const KeptRecord& record = gate.sink->records[i];
    topics.push_back(record.topic);
    EXPECT_EQ(record.timestamp, 1585854680942 + static_cast<std::int64_t>(i));
    nlohmann::json expected = nlohmann::json::parse(events[i]);
    expected["meta"]["request_id"] = "r";
    expected["test_default"] = "default_value";
    EXPECT_EQ(nlohmann::json::parse(record.value), expected);
  }
  EXPECT_EQ(topics, (std::vector<std::string>{"dc1.test.event", "dc1.job.x", "dc1.job.y", "dc1.test.event"}));
}

TEST(EventGate, EqualKeys_TheLastOneCountsInEachEvent) {
  GateHarness gate = wikimedia_gate();
  const ProcessResult result =
      gate.process("[" + test_event() + R"(,{"$schema":"/test/1.0.0","meta":{"stream":"nope"},)" +
                   R"("meta":{"stream":"nope","str\u0065am":"test.event"}}])");
  EXPECT_EQ(result.produced(), 1u);
  ASSERT_EQ(result.invalid.size(), 1u);
  EXPECT_EQ(errors_text(result.invalid[0].errors),
            "'' should NOT have duplicate key 'meta', '.meta' should NOT have duplicate key 'stream'");
}

TEST(EventGate, TellsEachOfAMixedArrayApart) {
  GateHarness gate = wikimedia_gate();
  const ProcessResult result = gate.process("[" + test_event(R"("test":1)") + ",5," + test_event() + "," +
                                            test_event("", "nope") + "," + test_event(R"("count":"x")") + "]");
  EXPECT_EQ(result.event_count, 5u);
  EXPECT_EQ(result.produced(), 1u);
  EXPECT_EQ(indexes(result.invalid), (std::vector<std::size_t>{0, 4}));
  EXPECT_EQ(indexes(result.error), (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(errors_text(result.invalid[0].errors), "'.test' should be string");
  EXPECT_EQ(gate.sink->records.size(), 1u);
}

TEST(EventGate, EventThatIsNoObject_IsAnError) {
  GateHarness gate = wikimedia_gate();
  for (const char* event : {"5", "null", R"("x")", "true", "[]", R"([{"$schema":"/test/1.0.0"}])"}) {
    const ProcessResult result = gate.process("[" + std::string(event) + "]");
    ASSERT_EQ(result.error.size(), 1u) << event;
    EXPECT_EQ(result.error[0].message, "Field(s) $schema were missing from event and could not be extracted.");
    EXPECT_EQ(result.error[0].event, event);
  }
}

TEST(EventGate, EventWithoutASchemaUri_IsAnError) {
  GateHarness gate = wikimedia_gate();
  EXPECT_EQ(gate.error(R"({"meta":{"stream":"test.event"}})"),
            "Field(s) $schema were missing from event and could not be extracted.");
  EXPECT_EQ(gate.error(R"({"$schema":12})"), "Field $schema must be a string but is a number.");
  EXPECT_EQ(gate.error(R"({"$schema":{}})"), "Field $schema must be a string but is an object.");
  EXPECT_EQ(gate.error(R"({"$schema":["/test/1.0.0"]})"), "Field $schema must be a string but is an array.");
  EXPECT_EQ(gate.error(R"({"$schema":true})"), "Field $schema must be a string but is a boolean.");
  EXPECT_EQ(gate.error(R"({"$schema":null})"), "Field $schema must be a string but is null.");
}

TEST(EventGate, FindsTheSchemaUriAtTheFirstFieldThatIsPresent) {
  GateOptions options;
  options.schema_uri_field = {FieldPath("$schema"), FieldPath("meta.schema_uri")};
  GateHarness gate(std::move(options));
  EXPECT_EQ(gate.record(R"({"meta":{"schema_uri":"/plain/1.0.0"}})").topic, "plain_1.0.0");
  EXPECT_EQ(gate.error("{\"a\":1}"),
            "Field(s) $schema,meta.schema_uri were missing from event and could not be extracted.");
}

TEST(EventGate, RefusesSchemaUrisThatAreNoPath) {
  GateHarness gate = wikimedia_gate();
  EXPECT_EQ(gate.error(R"({"$schema":"/test/../test/1.0.0"})"), "Failed loading schema at /test/../test/1.0.0");
  EXPECT_EQ(gate.error(R"({"$schema":"/test/1.0.0?x=1"})"), "Failed loading schema at /test/1.0.0?x=1");
  EXPECT_EQ(gate.error(R"({"$schema":""})"), "Failed loading schema at ");
  EXPECT_EQ(gate.error(R"({"$schema":"/test/1.0.0\u0000"})"),
            "Failed loading schema at /test/1.0.0" + std::string(1, '\0'));
  EXPECT_EQ(gate.error(R"({"$schema":"file:///etc/passwd"})"),
            "Absolute schema URIs are not allowed but event schema_uri is file:///etc/passwd");
}

TEST(EventGate, SaysWhySchemasCannotBeUsed) {
  GateHarness gate = wikimedia_gate();
  gate.put_schema("/broken/1.0.0", R"({"title": "broken", "type": "nothing"})");
  EXPECT_EQ(gate.error(R"({"$schema":"/no/such/1.0.0"})"), "Failed loading schema at /no/such/1.0.0");
  EXPECT_EQ(gate.error(R"({"$schema":"__proto__"})"), "Failed loading schema at __proto__");
  EXPECT_THAT(gate.error(R"({"$schema":"/broken/1.0.0"})"), StartsWith("Failed loading schema at /broken/1.0.0: "));
}

TEST(EventGate, LoadsEverySchemaOfARequestOnce) {
  GateHarness gate = default_gate();
  std::string body = "[";
  for (int i = 0; i < 40; ++i)
    body += R"({"$schema":"/none/)" + std::to_string(i % 20) + R"("},{"$schema":"/plain/1.0.0"},)";
  body += R"({"$schema":"\/plain/1.0.0"}])";
  const ProcessResult result = gate.process(body);
  EXPECT_EQ(result.error.size(), 40u);
  EXPECT_EQ(result.produced(), 41u);
  EXPECT_EQ(result.error[21].message, "Failed loading schema at /none/1");
  EXPECT_EQ(gate.reader->reads().size(), 21u);
}

TEST(EventGate, ManySchemasOfARequestWaitForOneAnother) {
  GateHarness gate = default_gate();
  gate.reader->hold("/schemas/none");
  std::string body = "[";
  for (int i = 0; i < 1'100; ++i) body += R"({"$schema":"/none/)" + std::to_string(i) + "\"},";
  std::thread release([&] {
    gate.reader->await_reads("/schemas/none/2", 1);
    gate.reader->release();
  });
  const ProcessResult result = gate.process(body + R"({"$schema":"/plain/1.0.0"}])");
  release.join();
  // More than the repository takes at once.
  EXPECT_EQ(result.produced(), 1u);
  ASSERT_EQ(result.error.size(), 1'100u);
  for (int i = 0; i < 1'100; ++i)
    EXPECT_EQ(result.error[static_cast<std::size_t>(i)].message, "Failed loading schema at /none/" + std::to_string(i));
}

TEST(EventGate, SchemaLoadsOfARequestEndWithItsTimeout) {
  GateOptions options;
  options.schema_load_timeout = std::chrono::milliseconds(200);
  GateHarness gate(std::move(options));
  gate.put_schema("/hangs/1.0.0", kPlainSchema);
  gate.reader->hold("/schemas/hangs");
  while (gate.process(R"({"$schema":"/plain/1.0.0"})").produced() == 0)
    std::this_thread::yield();  // until it is loaded
  const ProcessResult result =
      gate.process(R"([{"$schema":"/plain/1.0.0"},{"$schema":"/hangs/1.0.0"},{"$schema":"/plain/1.0.0"}])");
  // Its load goes on, and a later event finds the schema.
  gate.reader->release();
  EXPECT_EQ(result.produced(), 2u);
  ASSERT_EQ(result.error.size(), 1u);
  EXPECT_EQ(result.error[0].message, "Failed loading schema at /hangs/1.0.0: it was not loaded within request_timeout");
  while (gate.process(R"({"$schema":"/hangs/1.0.0"})").produced() == 0) std::this_thread::yield();
}

TEST(EventGate, AbsoluteSchemaUrisAreNoLabels) {
  GateOptions options;
  options.allow_absolute_schema_uris = true;
  GateHarness gate(std::move(options));
  gate.reader->put("http://host/plain", kPlainSchema);
  gate.process(R"([{"$schema":"http://host/plain","test":"a"},{"$schema":"http://host/plain","test":1}])");
  const std::string text = gate.metrics.text();
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("http://host")));
  EXPECT_THAT(gate.metric("eventgate_events_produced_total"), testing::HasSubstr(R"(schema_uri="unknown")"));
}

TEST(EventGate, TakesSchemaUriAndStreamFromTheQuery) {
  GateOptions options = wikimedia_options();
  options.schema_uri_query_param = "schema_uri";
  options.stream_query_param = "stream";
  GateHarness gate(std::move(options), kStreams);
  TestRequest request;
  request.query = {{"schema_uri", "/test/1.0.0"}, {"stream", "test.event"}};
  const json value = gate.produced(R"({"test":"q"})", request);
  EXPECT_EQ(value["$schema"], "/test/1.0.0");
  EXPECT_EQ(value["meta"]["stream"], "test.event");
  EXPECT_EQ(value["test"], "q");
  // What the event has itself wins.
  EXPECT_EQ(gate.record(test_event("", "job.a"), request).topic, "dc1.job.a");
  // Nothing is put into a parent that is no object.
  EXPECT_EQ(gate.error(R"({"meta":5})", request),
            "Field(s) meta.stream were missing from event and could not be extracted.");
}

TEST(EventGate, ShowsTheSchemaUriOfTheQueryInTheEventThatFailed) {
  GateOptions options = wikimedia_options();
  options.schema_uri_query_param = "schema_uri";
  GateHarness gate(std::move(options), kStreams);
  TestRequest request;
  request.query = {{"schema_uri", "/none"}};
  EXPECT_EQ(gate.process(R"({"a":1})", request).error.at(0).event, R"({"a":1,"$schema":"/none"})");
}

TEST(EventGate, EventWithoutAStream_IsAnError) {
  GateHarness gate = wikimedia_gate();
  const ProcessResult result = gate.process(R"({"$schema":"/test/1.0.0","test":"x"})");
  ASSERT_EQ(result.error.size(), 1u);
  EXPECT_EQ(result.error[0].message, "Field(s) meta.stream were missing from event and could not be extracted.");
  const json event = json::parse(result.error[0].event);  // as completed as it got
  EXPECT_EQ(event["meta"].size(), 3u);
  EXPECT_FALSE(event.contains("test_default"));
  EXPECT_EQ(gate.error(R"({"$schema":"/test/1.0.0","meta":{"stream":{"toString":1}}})"),
            "Field meta.stream must be a string but is an object.");
}

TEST(EventGate, AdmitsToAStreamOnlyEventsOfItsSchemaTitle) {
  GateHarness gate = wikimedia_gate();
  gate.put_schema("/untitled/1.0.0", R"({"type": "object"})");
  const std::string start = "event i of schema at /test/1.0.0 destined to stream ";
  EXPECT_EQ(gate.error(test_event("", "nope")), start + "nope is not allowed in stream; nope is not configured.");
  EXPECT_EQ(gate.error(test_event("", "constructor")),
            start + "constructor is not allowed in stream; constructor is not configured.");
  EXPECT_EQ(
      gate.error(test_event("", "empty.config")),
      start + "empty.config is not allowed in stream; empty.config is configured but does not have any settings.");
  EXPECT_EQ(gate.error(test_event("", "no.title")),
            start + "no.title is not allowed in stream; no.title does not have a schema_title setting.");
  EXPECT_EQ(gate.error(test_event("", "other.event")),
            start + "other.event is not allowed in stream; schema title must be other.");
  EXPECT_EQ(
      gate.error(R"({"$schema":"/untitled/1.0.0","meta":{"stream":"untitled.event"}})"),
      "Schema at /untitled/1.0.0 must define a 'title' field. From event of schema at /untitled/1.0.0 destined to "
      "stream untitled.event");
  EXPECT_TRUE(gate.sink->records.empty());
}

TEST(EventGate, EventsOfAnUnusableStreamConfigFailWithItsReason) {
  GateHarness gate(wikimedia_options(), R"(
test.event: {schema_title: test}
bad: {schema_title: 5}
/^(?=x)/: {schema_title: test}
)");
  const std::string start = "event i of schema at /test/1.0.0 destined to stream ";
  EXPECT_EQ(gate.error(test_event("", "bad")),
            start +
                "bad is not allowed in stream; its stream config cannot be used: Stream 'bad': schema_title is of type "
                "number, expected a string: the `title` of the stream's schema.");
  EXPECT_EQ(gate.error(test_event("", "xyz")),
            start +
                "xyz is not allowed in stream; xyz is not configured. Stream config entries whose regex cannot be used "
                "match nothing: '/^(?=x)/'.");
  EXPECT_EQ(gate.record(test_event()).topic, "dc1.test.event");
}

TEST(EventGate, AdmitsEverythingIfStreamsAreNotConfigured) {
  GateHarness gate(wikimedia_options());
  EXPECT_EQ(gate.record(test_event("", "what.ever")).topic, "dc1.what.ever");
}

TEST(EventGate, FillsInDefaults) {
  GateHarness gate = default_gate();
  EXPECT_EQ(gate.record(R"({"$schema":"/test/1.0.0","meta":{"stream":"s"}})").value,
            R"({"$schema":"/test/1.0.0","meta":{"stream":"s"},"test_default":"default_value"})");
}

TEST(EventGate, FillsInDefaultsThatDefaultsBring) {
  GateHarness gate = default_gate();
  gate.put_schema("/nested/1.0.0", R"({"type": "object", "properties": {
    "a": {"type": "object", "default": {}, "properties": {
      "b": {"type": "object", "default": {}, "properties": {"c": {"default": 1}}}}}}})");
  EXPECT_EQ(gate.produced(R"({"$schema":"/nested/1.0.0"})")["a"], json::parse(R"({"b":{"c":1}})"));
}

TEST(EventGate, GivesTheCompletedEventBackIfItIsInvalid) {
  GateHarness gate = default_gate();
  const ProcessResult result = gate.process(R"({"$schema":"/test/1.0.0","meta":{"stream":"s"},"test":5})");
  ASSERT_EQ(result.invalid.size(), 1u);
  const EventStatus& status = result.invalid[0];
  EXPECT_EQ(status.kind, EventStatus::Kind::invalid);
  EXPECT_EQ(status.event, R"({"$schema":"/test/1.0.0","meta":{"stream":"s"},"test":5,"test_default":"default_value"})");
  ASSERT_EQ(status.errors.size(), 1u);
  EXPECT_EQ(status.errors[0].keyword, "type");
  EXPECT_EQ(status.errors[0].data_path, ".test");
  EXPECT_EQ(status.errors[0].schema_path, "#/properties/test/type");
  EXPECT_EQ(status.errors[0].params, R"({"type":"string"})");
  EXPECT_EQ(status.errors[0].message, "should be string");
}

TEST(EventGate, RefusesAnEventWithoutTheStreamFieldThatIsSet) {
  GateHarness gate = default_gate(false);
  const std::string with_stream = R"({"$schema":"/test/1.0.0","meta":{"stream":"s"}})";
  const ProcessResult result =
      gate.process(R"([{"$schema":"/test/1.0.0"},)" + with_stream + R"(,{"$schema":"/test/1.0.0","meta":{"stream":5}},
      {"$schema":"/test/1.0.0","meta":{"stream":null}},{"$schema":"/test/1.0.0","meta":{}}])");
  EXPECT_EQ(result.produced(), 1u);
  ASSERT_THAT(indexes(result.error), testing::ElementsAre(0, 2, 3, 4));
  EXPECT_EQ(result.error[0].message, "Field(s) meta.stream were missing from event and could not be extracted.");
  EXPECT_EQ(result.error[1].message, "Field meta.stream must be a string but is a number.");
  EXPECT_EQ(result.error[2].message, "Field meta.stream must be a string but is null.");
  EXPECT_EQ(result.error[3].message, result.error[0].message);
}

TEST(EventGate, StreamFromSchemaUri_IsMadeIfTheOptionIsSet) {
  GateHarness wanted = default_gate(true);
  EXPECT_EQ(wanted.record(R"({"$schema":"/plain/1.0.0"})").topic, "plain_1.0.0");
  const ProcessResult result = wanted.process(R"({"$schema":"/test/1.0.0","meta":{"stream":5}})");
  ASSERT_EQ(result.error.size(), 1u);
  EXPECT_EQ(result.error[0].message, "Field meta.stream must be a string but is a number.");
  // Without a stream_field there is nothing to be missing.
  GateHarness without((GateOptions()));
  EXPECT_EQ(without.record(R"({"$schema":"/plain/1.0.0"})").topic, "plain_1.0.0");
}

TEST(EventGate, FindsANumberOutsideADoubleInvalid) {
  GateHarness gate = default_gate();
  const std::string event = R"({"$schema":"/test/1.0.0","any":[{"a-b":1e400}]})";
  const ProcessResult result = gate.process(event);
  ASSERT_EQ(result.invalid.size(), 1u);
  EXPECT_EQ(json::parse(result.invalid[0].event).get<std::string>(), event);
  ASSERT_EQ(result.invalid[0].errors.size(), 1u);
  const ValidationError& error = result.invalid[0].errors[0];
  EXPECT_EQ(error.keyword, "json");
  EXPECT_EQ(error.data_path, ".any[0]['a-b']");
  EXPECT_EQ(error.schema_path, "#");
  EXPECT_EQ(error.params, R"({"offset":)" + std::to_string(event.find("1e400")) + "}");
  EXPECT_EQ(error.message, "should be a number within a double");
}

TEST(EventGate, FindsALoneSurrogateInvalidWhereverItIs) {
  GateHarness gate = default_gate();
  const std::string flawed = R"({"$schema":"/test/1.0.0","any":{"x":{"\ud800":1,"y":["a","\udfff"]}}})";
  const ProcessResult result = gate.process("[" + test_event() + "," + flawed + R"(,["\ud800"]])");
  EXPECT_EQ(result.produced(), 1u);
  ASSERT_EQ(result.invalid.size(), 1u);
  EXPECT_EQ(errors_text(result.invalid[0].errors),
            "'.any.x' should NOT have a lone surrogate, '.any.x.y[1]' should NOT have a lone surrogate");
  EXPECT_EQ(result.invalid[0].errors[0].params, R"({"offset":)" + std::to_string(flawed.find("\"\\ud800")) + "}");
  ASSERT_EQ(result.error.size(), 1u);
  EXPECT_EQ(json::parse(result.error[0].event).get<std::string>(), R"(["\ud800"])");
}

TEST(EventGate, FindsInvalidUtf8InvalidInItsOwnEventAlone) {
  GateHarness gate = default_gate();
  const std::string head = R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event"},"any":)";
  const std::string flawed = head + "{\"x\":[\"a\xFF\xC3\"],\"k\xE2\x82\":1,\"y\":\"\xED\xA0\x80\"}}";
  const ProcessResult result = gate.process("[" + test_event() + ", " + flawed + ",\"\xFF\"," + test_event() + "]");
  EXPECT_EQ(result.produced(), 2u);
  ASSERT_EQ(result.invalid.size(), 1u);
  EXPECT_EQ(result.invalid[0].index, 1u);
  const std::string shown = head + "{\"x\":[\"a\uFFFD\uFFFD\"],\"k\uFFFD\":1,\"y\":\"\uFFFD\uFFFD\uFFFD\"}}";
  EXPECT_EQ(json::parse(result.invalid[0].event).get<std::string>(), shown);
  const auto& errors = result.invalid[0].errors;
  ASSERT_EQ(errors.size(), 3u);
  EXPECT_EQ(errors_text(errors),
            "'.any.x[0]' should be valid UTF-8, '.any' should be valid UTF-8, '.any.y' should be valid UTF-8");
  EXPECT_EQ(errors[0].keyword, "json");
  EXPECT_EQ(errors[0].schema_path, "#");
  EXPECT_EQ(errors[0].params, R"({"offset":)" + std::to_string(flawed.find('\xFF')) + "}");
  EXPECT_EQ(errors[1].params, R"({"offset":)" + std::to_string(flawed.find('\xE2')) + "}");
  ASSERT_EQ(result.error.size(), 1u);
  EXPECT_EQ(json::parse(result.error[0].event).get<std::string>(), "\"\uFFFD\"");
}

TEST(EventGate, PathsAndNamesOfInvalidUtf8AreReadable) {
  GateHarness gate = default_gate();
  const ProcessResult result =
      gate.process("{\"$schema\":\"/t\xFF\",\"meta\":{\"stream\":\"s\xFF\"},\"\xFF\":{\"\xC3\":\"\xFF\"}}");
  ASSERT_EQ(result.invalid.size(), 1u);
  EXPECT_EQ(errors_text(result.invalid[0].errors),
            "'.$schema' should be valid UTF-8, '.meta.stream' should be valid UTF-8, '' should be valid UTF-8, "
            "'['\uFFFD']' should be valid UTF-8, '['\uFFFD']['\uFFFD']' should be valid UTF-8");
}

TEST(EventGate, ListsAHundredFlawsAtMost) {
  GateHarness gate = default_gate();
  std::string numbers = "1e999";
  for (int i = 0; i < 200; ++i) numbers += ",1e999";
  const ProcessResult result = gate.process(R"({"$schema":"/test/1.0.0","any":[)" + numbers + "]}");
  ASSERT_EQ(result.invalid.size(), 1u);
  ASSERT_EQ(result.invalid[0].errors.size(), 101u);
  EXPECT_EQ(result.invalid[0].errors[100].keyword, "maxErrors");
  EXPECT_EQ(result.invalid[0].errors[100].params, R"({"limit":100})");
  EXPECT_EQ(result.invalid[0].errors[100].message, "has more errors");
}

TEST(EventGate, WritesIntegersAsIntegerLiterals) {
  GateHarness gate = default_gate();
  const std::vector<std::pair<std::string, std::string>> numbers{{"1.0", "1"},
                                                                 {"1e2", "100"},
                                                                 {"-2.50E+1", "-25"},
                                                                 {"100e-2", "1"},
                                                                 {"-0.0", "0"},
                                                                 {"0e5", "0"},
                                                                 {"9223372036854775807.0", "9223372036854775807"},
                                                                 {"-9.223372036854775808e18", "-9223372036854775808"},
                                                                 {"9.223372036854775808e18", "9.223372036854775808e18"},
                                                                 {"1e300", "1e300"},
                                                                 {"12345678901234567890", "12345678901234567890"},
                                                                 {"7", "7"}};
  for (const auto& [sent, produced] : numbers)
    EXPECT_EQ(gate.record(test_event(R"("count":)" + sent + R"(,"any":1.0)")).value,
              test_event(R"("count":)" + produced + R"(,"any":1.0)"))
        << sent;
}

TEST(EventGate, MakesTheMessageKeyOfTheStreamsFields) {
  GateHarness gate = wikimedia_gate();
  EXPECT_EQ(gate.record(test_event(R"("test":"x")", "keyed.event")).message_key, R"({"id":"i","inner":{"test":"x"}})");
  EXPECT_EQ(gate.error(test_event("", "keyed.event")),
            "Failed extracting inner.test from event, field is not defined.");
}

TEST(EventGate, PutsNoPrefixBeforeTopicsThatHaveNone) {
  GateHarness gate = wikimedia_gate();
  EXPECT_EQ(gate.record(test_event("", "bare.event")).topic, "bare.event");
  EXPECT_EQ(
      gate.record(R"({"$schema":"/analytics/legacy/search/1.0.0","meta":{"stream":"eventlogging_Search"}})").topic,
      "eventlogging_Search");
}

TEST(EventGate, RefusesStreamsThatAreNoTopicName) {
  GateHarness gate(wikimedia_options());
  EXPECT_EQ(gate.error(test_event("", "a b")),
            "Stream name \"a b\" is no Kafka topic name: expected, with topic_prefix, 1 to 249 of [a-zA-Z0-9._-].");
  EXPECT_THAT(gate.error(test_event("", std::string(246, 'a'))), StartsWith("Stream name \"aaaa"));
  EXPECT_EQ(gate.record(test_event("", std::string(245, 'a'))).topic.size(), 249u);
}

TEST(EventGate, DerivesTheStreamFromTheSchemaUriInTheDefaultSetUp) {
  GateHarness gate = default_gate();
  EXPECT_EQ(gate.record(R"({"$schema":"/plain/1.0.0"})").topic, "plain_1.0.0");
  EXPECT_EQ(gate.record(R"({"$schema":"/plain/1.0.0","meta":{"stream":"mine"}})").topic, "mine");
}

TEST(EventGate, EventWithoutAUsableDt_HasTheTimeOfReceiptAsTimestamp) {
  GateHarness gate = wikimedia_gate();
  EXPECT_EQ(
      gate.record(R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event","dt":"2001-09-09T01:46:40Z"}})").timestamp,
      1000000000000);
  for (const char* dt : {"soon", "", "1969-12-31T23:59:59Z", "2020-04-02T19:11:60Z"})
    EXPECT_EQ(gate.record(R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event","dt":")" + std::string(dt) + "\"}}")
                  .timestamp,
              kReceivedAt)
        << dt;
  GateHarness without_dt_field = default_gate();
  EXPECT_EQ(without_dt_field.record(test_event()).timestamp, kReceivedAt);
}

TEST(EventGate, UndeliveredEvent_HasItsDeliveryInTheStatus) {
  GateHarness gate = wikimedia_gate();
  gate.sink->judge = [](const KeptRecord& record) -> std::optional<DeliveryFailure> {
    if (record.topic == "dc1.job.1") return DeliveryFailure{Delivery::not_produced, "Broker: Message size too large"};
    if (record.topic == "dc1.job.3") return DeliveryFailure{Delivery::unknown, "Local: Message timed out"};
    return std::nullopt;
  };
  const ProcessResult result = gate.process("[" + test_event("", "job.1") + "," + test_event("", "job.2") + "," +
                                            test_event("", "nope") + "," + test_event("", "job.3") + "]");
  EXPECT_EQ(result.produced(), 1u);
  ASSERT_EQ(indexes(result.error), (std::vector<std::size_t>{0, 2, 3}));
  EXPECT_TRUE(result.error[0].has_delivery);
  EXPECT_EQ(result.error[0].delivery, Delivery::not_produced);
  EXPECT_EQ(result.error[0].message, "Broker: Message size too large");
  EXPECT_EQ(result.error[0].event, test_event("", "job.1"));
  EXPECT_FALSE(result.error[1].has_delivery);
  EXPECT_EQ(result.error[2].delivery, Delivery::unknown);
}

DeliveryFailure too_large() { return {Delivery::not_produced, "Broker: Message size too large", FailureScope::record}; }

std::string reply_of(const EventStatus& status) {
  std::string text;
  append_status(text, status);
  return text;
}

TEST(EventGate, RecordThatKafkaNeverTakes_IsRefusedForItselfAndNotWorthARetry) {
  GateHarness gate = wikimedia_gate();
  gate.sink->judge = [](const KeptRecord&) { return too_large(); };
  const ProcessResult result = gate.process(test_event("", "job.1"));
  ASSERT_EQ(result.error.size(), 1u);
  EXPECT_THAT(reply_of(result.error[0]), HasSubstr(R"("delivery":"not_produced","retry":false},"index":0})"));
  EXPECT_THAT(gate.metrics.text(),
              testing::ContainsRegex("eventgate_event_errors_total[{][^}]*cause=\"record\"[^}]*[}] 1"));
  EXPECT_THAT(gate.error_events(), testing::IsEmpty());
}

TEST(EventGate, NotAuthorised_IsNotProducedAndNotWorthARetry) {
  GateHarness gate = wikimedia_gate();
  gate.sink->judge = [](const KeptRecord&) {
    return DeliveryFailure{Delivery::not_produced, "Broker: Topic authorization failed", FailureScope::topic, true};
  };
  const ProcessResult result = gate.process(test_event("", "job.1"));
  ASSERT_EQ(result.error.size(), 1u);
  EXPECT_THAT(reply_of(result.error[0]), HasSubstr(R"("delivery":"not_produced","retry":false},)"));
}

TEST(EventGate, Outage_IsWorthARetry) {
  GateHarness gate = wikimedia_gate();
  gate.sink->judge = [](const KeptRecord&) {
    return DeliveryFailure{Delivery::not_produced, "Broker: Unknown topic or partition", FailureScope::topic};
  };
  const ProcessResult result = gate.process(test_event("", "job.1"));
  ASSERT_EQ(result.error.size(), 1u);
  EXPECT_THAT(reply_of(result.error[0]), testing::Not(HasSubstr("retry")));
}

TEST(EventGate, RecordThatKafkaNeverTakes_MakesOneErrorEvent) {
  GateOptions options = wikimedia_options();
  options.error_stream = "eventgate.error";
  options.error_events_for.set(static_cast<std::size_t>(FailureCause::record));
  GateHarness gate(std::move(options));
  // The error event of it is refused for itself too, and makes no further one.
  gate.sink->judge = [](const KeptRecord&) { return too_large(); };
  const std::string event = test_event("", "job.1");
  gate.process(event);
  const auto made = gate.error_events();
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0]["error_type"], "record");
  EXPECT_EQ(made[0]["message"], "Broker: Message size too large");
  EXPECT_EQ(made[0]["raw_event"], event);
  EXPECT_EQ(made[0]["errored_schema_uri"], "/test/1.0.0");
  EXPECT_EQ(made[0]["errored_stream_name"], "job.1");
}

TEST(EventGate, HastyRecordThatKafkaNeverTakes_MakesAnErrorEventOfTheValueThatTheSinkHas) {
  GateOptions options = wikimedia_options();
  options.error_stream = "eventgate.error";
  options.error_events_for.set(static_cast<std::size_t>(FailureCause::record));
  GateHarness gate(std::move(options));
  gate.sink->judge = [](const KeptRecord& record) -> std::optional<DeliveryFailure> {
    if (record.topic.ends_with("eventgate.error")) return std::nullopt;
    DeliveryFailure failure = too_large();
    failure.value = std::make_shared<const std::string>(record.value);
    return failure;
  };
  TestRequest hasty;
  hasty.assurance = Assurance::hasty;
  gate.process(test_event("", "job.1"), hasty);
  const auto made = gate.error_events();
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0]["error_type"], "record");
  EXPECT_EQ(made[0]["raw_event"], test_event("", "job.1"));
}

TEST(EventGate, DtFurtherAheadThanMaxFutureDt_TimeOfReceiptIsTheTimestamp) {
  GateOptions options = wikimedia_options();
  options.max_future_dt = std::chrono::hours(1);
  GateHarness gate(std::move(options));
  const auto timestamp = [&gate](const std::string& dt) {
    return gate.record(R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event","dt":")" + dt + "\"}}").timestamp;
  };
  EXPECT_EQ(timestamp("2026-11-22T03:39:06.102Z"), kReceivedAt + 3600000);
  EXPECT_EQ(timestamp("2026-11-22T03:39:06.103Z"), kReceivedAt);
  EXPECT_EQ(timestamp("9999-12-31T23:59:59Z"), kReceivedAt);
  EXPECT_EQ(timestamp("2001-09-09T01:46:40Z"), 1000000000000);
  GateHarness unbounded(wikimedia_options());
  EXPECT_GT(unbounded.record(R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event","dt":"2100-01-01T00:00:00Z"}})")
                .timestamp,
            kReceivedAt + 3600000);
}

TEST(EventGate, CountsEventsUnderBoundedLabels) {
  GateHarness gate = wikimedia_gate();
  gate.process("[" + test_event() + "," + test_event() + "," + test_event(R"("test":1)") + "," +
               test_event("", "nope") + R"(,{"$schema":"/none"}])");
  EXPECT_THAT(
      gate.metrics.text(),
      testing::AllOf(testing::ContainsRegex("eventgate_events_produced_total[{][^}]*\"/test/1.0.0\"[^}]*[}] 2"),
                     testing::ContainsRegex("eventgate_validation_errors_total[{][^}]*\"test.event\"[^}]*[}] 1"),
                     testing::Not(testing::HasSubstr("nope")), testing::Not(testing::HasSubstr("/none")),
                     testing::HasSubstr("\"unknown\"")));
}

TEST(EventGate, BoundsTheLabelsOfStreamsThatOnlyARegexDeclares) {
  GateHarness gate = wikimedia_gate();
  std::string body = "[" + test_event("", "job.0");
  for (int i = 1; i < 1100; ++i) body += "," + test_event("", "job." + std::to_string(i));
  EXPECT_EQ(gate.process(body + "]").produced(), 1100u);
  const std::string text = gate.metrics.text();
  EXPECT_THAT(text, testing::HasSubstr("\"job.999\""));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("\"job.1000\"")));
  EXPECT_EQ(gate.process(test_event()).produced(), 1u);
  EXPECT_THAT(gate.metrics.text(), HasSubstr("\"test.event\""));
}

}  // namespace
}  // namespace eventgate

#include "eventgate/config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/paths.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;
using Json = nlohmann::ordered_json;

Json parsed(const std::string& yaml) {
  const auto result = parse_object_text(yaml);
  if (result.has_error()) throw std::invalid_argument(result.error().message + ": " + yaml);
  return *result;
}

/// The config of a YAML text that must be good.
Config config(const std::string& yaml) {
  const auto result = config_of(parsed(yaml), "c.yaml");
  if (!result) {
    for (const std::string& problem : result.error().problems) ADD_FAILURE() << problem;
    return {};
  }
  return *result;
}

std::vector<std::string> problems(const std::string& yaml) {
  const auto result = config_of(parsed(yaml), "c.yaml");
  return result ? std::vector<std::string>() : result.error().problems;
}

std::vector<std::string> warnings(const std::string& yaml) { return config(yaml).warnings; }

std::map<std::string, std::string> options_of(const Config& config) {
  return {config.options.begin(), config.options.end()};
}

std::vector<std::string> dotted(const std::vector<FieldPath>& paths) {
  std::vector<std::string> result;
  for (const FieldPath& path : paths) result.push_back(path.dotted());
  return result;
}

TEST(Config, AnEmptyDocumentIsTheDefaults) {
  const Config empty = config("{}");
  EXPECT_EQ(empty.service_name, "eventgate");
  EXPECT_EQ(empty.num_workers, 0u);
  EXPECT_EQ(empty.http.port, 8888);
  EXPECT_EQ(empty.http.interface, "0.0.0.0");
  EXPECT_EQ(empty.http.cors, "*");
  EXPECT_EQ(empty.http.csp, std::nullopt);
  EXPECT_EQ(empty.http.metrics_port, std::nullopt);
  EXPECT_EQ(empty.http.max_body_size, 102400u);
  EXPECT_FALSE(empty.gate.wikimedia);
  EXPECT_THAT(dotted(empty.gate.schema_uri_field), ElementsAre("$schema"));
  EXPECT_THAT(empty.gate.stream_field, IsEmpty());
  EXPECT_EQ(empty.gate.dt_field.dotted(), "");
  EXPECT_EQ(empty.file->output_path, "./events/");
  EXPECT_FALSE(empty.kafka);
  EXPECT_EQ(empty.logging.level, LogLevel::info);
  EXPECT_EQ(empty.produce_timeout, milliseconds(10000));
  EXPECT_EQ(empty.shutdown_timeout, milliseconds(30000));
  EXPECT_THAT(empty.warnings, IsEmpty());
}

TEST(Config, ServiceRunnersLayoutAndFlatKeysAreTheSame) {
  const std::string flat = R"({num_workers: 2, service_name: gate, port: 1234, stream_field: meta.topic})";
  const std::string layered =
      R"({num_workers: 2, service_name: gate, services: [{name: other, module: '@wikimedia/eventgate', entrypoint: app,
          conf: {port: 1234, stream_field: meta.topic}}]})";
  EXPECT_EQ(config(flat).options, config(layered).options);
  EXPECT_THAT(warnings(layered), IsEmpty());
  EXPECT_EQ(config(layered).http.port, 1234);
}

TEST(Config, TheNameOfTheServiceCountsWithoutAServiceName) {
  const Config named = config("services: [{name: gate, conf: {port: 1}}]");
  EXPECT_EQ(named.service_name, "gate");
  EXPECT_EQ(named.logging.name, "gate");
  EXPECT_EQ(named.api.service_name, "gate");
  EXPECT_EQ(config("{service_name: first, services: [{name: gate}]}").service_name, "first");
}

TEST(Config, OnlyTheFirstServiceIsRun) {
  EXPECT_THAT(warnings("services: [{name: a, conf: {port: 1}}, {name: b, conf: {port: 2}}]"),
              ElementsAre("c.yaml: services has 2 elements: only the first one is run"));
}

TEST(Config, ServicesOfAnotherShapeAreAProblem) {
  EXPECT_THAT(problems("services: {a: 1}"), ElementsAre(HasSubstr("c.yaml: services is {\"a\":1}, expected a list")));
  EXPECT_THAT(problems("services: []"), ElementsAre(HasSubstr("expected a list")));
  EXPECT_THAT(problems("services: [{name: a, conf: 5}]"), ElementsAre(HasSubstr("services[0].conf is 5, expected")));
  EXPECT_THAT(problems("services: [{name: 5}]"), ElementsAre(HasSubstr("services[0].name is 5, expected")));
}

TEST(Config, WorkersAreANumberOrOneForEachCore) {
  EXPECT_EQ(config("num_workers: ncpu").num_workers, 0u);
  EXPECT_EQ(config("num_workers: 3").num_workers, 3u);
  EXPECT_THAT(problems("num_workers: all"), ElementsAre(HasSubstr("num_workers is \"all\", expected ncpu")));
  EXPECT_THAT(problems("num_workers: -1"), ElementsAre(HasSubstr("expected a whole number from 0 to 1024")));
}

TEST(Config, SizesAreBytesOrHaveAUnit) {
  const std::vector<std::pair<std::string, std::size_t>> sizes{
      {"100kb", 102400}, {"4mb", 4194304}, {"10MB", 10485760}, {"1.5 mb", 1572864},
      {"512", 512},      {"'512'", 512},   {"64b", 64},        {"1gb", 1073741824}};
  for (const auto& [text, bytes] : sizes)
    EXPECT_EQ(config("{max_body_size: " + text + ", max_inflight_bytes: 2gb}").http.max_body_size, bytes) << text;
  for (const std::string text : {"big", "4mbit", "-1", "0", "1.5", "[1]", "true", "9999gb", "kb", "1e3kb", "nan"}) {
    EXPECT_THAT(problems("max_body_size: " + text),
                ElementsAre(HasSubstr("expected a size such as 100kb, 4mb or a number of bytes, from 1 to 1gb")))
        << text;
  }
}

TEST(Config, DurationsHaveAUnit) {
  const std::vector<std::pair<std::string, long long>> durations{{"250ms", 250}, {"10s", 10000},    {"1.5s", 1500},
                                                                 {"5m", 300000}, {"5 min", 300000}, {"1h", 3600000}};
  for (const auto& [text, millis] : durations)
    EXPECT_EQ(config("produce_timeout: " + text).produce_timeout.count(), millis) << text;
  for (const std::string text : {"10", "soon", "-1s", "10y", "0", "true", "2h"}) {
    EXPECT_THAT(problems("produce_timeout: " + text),
                ElementsAre(HasSubstr("expected a duration such as 250ms, 10s or 5m, from 1ms to 1h")))
        << text;
  }
}

TEST(Config, ANumberHasTheUnitOfTheOriginal) {
  EXPECT_EQ(config("stream_config_ttl: 60").streams.stream_config_ttl, milliseconds(60000));
  EXPECT_EQ(config("stream_config_ttl: 0.5").streams.stream_config_ttl, milliseconds(500));
  EXPECT_EQ(config("stream_config_ttl: 2m").streams.stream_config_ttl, milliseconds(120000));
}

TEST(Config, AnUnknownKeyIsAWarningWithItsPathAndTheNearestKey) {
  EXPECT_THAT(
      warnings("services: [{name: a, conf: {max_boddy_size: 4mb, kafka: {guarantied: {}}}}]"),
      UnorderedElementsAre("c.yaml: unknown key 'services[0].conf.max_boddy_size' is ignored; the nearest known "
                           "one is 'max_body_size'",
                           "c.yaml: unknown key 'services[0].conf.kafka.guarantied' is ignored; the nearest "
                           "known one is 'guaranteed'"));
  EXPECT_THAT(warnings("{logging: {levle: info}}"),
              ElementsAre(HasSubstr("'logging.levle' is ignored; the nearest known one is 'level'")));
  EXPECT_THAT(warnings("{metrics: [{type: prometheus, prot: 1}]}"),
              ElementsAre(HasSubstr("'metrics[0].prot' is ignored; the nearest known one is 'port'")));
  EXPECT_THAT(warnings("services: [{nmae: a}]"),
              ElementsAre(HasSubstr("'services[0].nmae' is ignored; the nearest known one is 'name'")));
  EXPECT_THAT(warnings("stream_config_uri_options: {header: {}}"),
              ElementsAre(HasSubstr("'stream_config_uri_options.header'")));
}

TEST(Config, AllProblemsAreFoundAtOnceWithFileKeyValueAndWhatWasExpected) {
  EXPECT_THAT(
      problems(R"({port: 70000, interface: 5, schema_base_uris: [1], allow_insecure_schemas: 'yes',
                           stream_field: [], id_field: 3, logging: {level: loud}, kafka: {conf: [1]},
                           http_request_headers_to_fields: {a: 1}, output_retention: 90m})"),
      UnorderedElementsAre(
          "c.yaml: port is 70000, expected a whole number from 0 to 65535", "c.yaml: interface is 5, expected a string",
          "c.yaml: schema_base_uris is [1], expected a string, or a list of strings, none of them empty",
          "c.yaml: allow_insecure_schemas is \"yes\", expected true or false",
          "c.yaml: stream_field is [], expected the dotted path of an event's field, such as meta.stream, or a "
          "list of them",
          "c.yaml: id_field is 3, expected the dotted path of an event's field, such as meta.id",
          "c.yaml: logging.level is \"loud\", expected trace, debug, info, warn, error or fatal",
          "c.yaml: kafka.conf is [1], expected an object of librdkafka's options",
          "c.yaml: http_request_headers_to_fields.a is 1, expected the dotted path of a field",
          "c.yaml: output_retention is \"90m\", expected whole hours, such as 48h or 7d"));
}

TEST(Config, AKeyThatIsNullCountsAsAbsent) {
  EXPECT_EQ(config("{port: null, kafka: , metrics: , services: , logging: {level: }}").options, config("{}").options);
}

TEST(Config, WhatOnlyNodeMeansIsIgnoredWithoutAWarning) {
  EXPECT_THAT(
      warnings(R"({worker_heap_limit_mb: 200, worker_heartbeat_timeout: 7500, proxy: 'http://p', compression_level: 3,
                           test_kitchen: {ua_denylist: [a]}, metrics: {name: x, type: prometheus, port: 1},
                           ratelimiter: {type: kademlia}, services: [{name: a, module: b, entrypoint: c, version: 1}]})"),
      IsEmpty());
}

TEST(Config, MetricsAreOneOrAList) {
  EXPECT_EQ(config("metrics: {type: prometheus, port: 9102}").http.metrics_port, 9102);
  EXPECT_EQ(config("metrics: {type: prometheus}").http.metrics_port, 9102);
  const std::string list = "metrics: [{type: statsd, host: h, port: 8125}, {type: prometheus, port: 0}]";
  EXPECT_EQ(config(list).http.metrics_port, 0);
  EXPECT_THAT(warnings(list), ElementsAre(HasSubstr("metrics[0].type is `statsd`: no such metrics are sent")));
  EXPECT_THAT(warnings("metrics: [{type: prometheus, port: 1}, {type: prometheus, port: 2}]"),
              ElementsAre(HasSubstr("on the first port only")));
  EXPECT_THAT(problems("metrics: 5"), ElementsAre(HasSubstr("metrics is 5, expected an object")));
  EXPECT_THAT(problems("metrics: {type: prometheus, port: x}"), ElementsAre(HasSubstr("metrics.port")));
}

TEST(Config, MetricsAreServedAtInterfaceUnlessTheyHaveOneOfTheirOwn) {
  EXPECT_EQ(config("{interface: 10.0.0.1, metrics: {type: prometheus}}").http.metrics_interface, "");
  EXPECT_EQ(config("metrics: {type: prometheus, interface: 127.0.0.1}").http.metrics_interface, "127.0.0.1");
  EXPECT_EQ(config("metrics: [{type: prometheus, interface: '::1'}]").http.metrics_interface, "::1");
  EXPECT_THAT(problems("metrics: {type: prometheus, interface: 5}"),
              ElementsAre(HasSubstr("metrics.interface is 5, expected a string")));
  EXPECT_THAT(warnings("metrics: {type: prometheus, interface: ''}"),
              ElementsAre(HasSubstr("metrics.interface is empty: it counts as not set")));
}

TEST(Config, TheFirstLogStreamCounts) {
  const Config named = config("logging: {level: debug, streams: [{type: stdout, named_levels: true}]}");
  EXPECT_EQ(named.logging.level, LogLevel::debug);
  EXPECT_EQ(named.logging.output, "stdout");
  EXPECT_TRUE(named.logging.named_levels);
  const Config file =
      config("logging: {streams: [{type: gelf, host: h}, {type: file, path: /x, level: error}, {type: stdout}]}");
  EXPECT_EQ(file.logging.output, "/x");
  EXPECT_EQ(file.logging.level, LogLevel::error);
  EXPECT_THAT(file.warnings, ElementsAre(HasSubstr("logging.streams[0].type is `gelf`: no such lines are written"),
                                         HasSubstr("logging.streams[2].type: a second stream is not written")));
  EXPECT_THAT(problems("logging: {streams: [{type: file}]}"), ElementsAre(HasSubstr("expected the path of a file")));
  EXPECT_THAT(problems("logging: {streams: [7]}"), ElementsAre(HasSubstr("expected an object with `type`")));
  EXPECT_THAT(problems("logging: 5"), ElementsAre("c.yaml: logging is 5, expected an object"));
}

TEST(Config, CorsAndCspMayBeSwitchedOff) {
  EXPECT_EQ(config("cors: false").http.cors, std::nullopt);
  EXPECT_EQ(config("cors: example.org").http.cors, "example.org");
  EXPECT_EQ(config("csp: false").http.csp, "");
  EXPECT_EQ(config("csp: default-src 'self'").http.csp, "default-src 'self'");
  EXPECT_THAT(problems("cors: true"), ElementsAre(HasSubstr("expected the value of a header, or false")));
  EXPECT_THAT(problems(R"(cors: "a\r\nset-cookie: b")"), ElementsAre(HasSubstr("without control characters")));
}

TEST(Config, CorsMayBeAListOfOrigins) {
  const Config listed = config(
      "{cors: [https://example.org, 'http://[::1]:8080', capacitor://localhost, 'null'], cors_credentials: true,\n"
      " cors_allow_headers: [X-Own, content-type], cors_expose_headers: [], cors_max_age: 5m}");
  EXPECT_THAT(listed.http.cors_origins,
              ElementsAre("https://example.org", "http://[::1]:8080", "capacitor://localhost", "null"));
  EXPECT_TRUE(listed.http.cors_credentials);
  EXPECT_EQ(listed.http.cors_allow_headers, (std::vector<std::string>{"X-Own", "content-type"}));
  EXPECT_EQ(listed.http.cors_expose_headers, std::vector<std::string>());
  EXPECT_EQ(listed.http.cors_max_age, std::chrono::minutes(5));
  EXPECT_EQ(config("cors: reflect").http.cors, "reflect");
  EXPECT_EQ(config("port: 1").http.cors_allow_headers, std::nullopt);
}

TEST(Config, TheBrowserClientMayBeTurnedOff) {
  EXPECT_TRUE(config("port: 1").api.client);
  EXPECT_FALSE(config("client: false").api.client);
  EXPECT_THAT(problems("client: off please"), ElementsAre(HasSubstr("expected true or false")));
}

TEST(Config, ABadOriginIsNamed) {
  for (const std::string bad :
       {"https://example.org/", "https://example.org/a", "example.org", "*", "https://*.example.org", "https://B.org",
        "https://example.org:443", "http://example.org:80", "https://example.org:x", "https://",
        "https://b\u00fccher.de", "https://a b", "HTTPS://a.org", "//a.org", ""}) {
    EXPECT_THAT(problems("cors: [https://good.org, \"" + bad + "\"]"),
                ElementsAre(HasSubstr("c.yaml: cors is \"" + (bad == "https://b\u00fccher.de" ? "https://b" : bad))))
        << bad;
  }
  EXPECT_THAT(problems("cors: [https://a.org/, b]"),
              ElementsAre(HasSubstr("cors is \"https://a.org/\", expected an origin as browsers write it, such as "
                                    "https://example.org: it has a path"),
                          HasSubstr("cors is \"b\"")));
  EXPECT_THAT(problems("cors: [null]"), ElementsAre(HasSubstr("cors is null")));
  EXPECT_THAT(problems("cors: []"), ElementsAre(HasSubstr("expected at least one origin")));
}

TEST(Config, CredentialsNeedOrigins) {
  for (const std::string cors : {"'*'", "false"})
    EXPECT_THAT(problems("{cors: " + cors + ", cors_credentials: true}"),
                ElementsAre(HasSubstr("cors_credentials is true, expected cors: reflect")));
  EXPECT_TRUE(config("{cors: reflect, cors_credentials: true}").http.cors_credentials);
  EXPECT_THAT(problems("cors_allow_headers: ['a b']"), ElementsAre(HasSubstr("cors_allow_headers is \"a b\"")));
  EXPECT_THAT(problems("cors_expose_headers: {a: b}"), ElementsAre(HasSubstr("expected a string, or a list")));
  EXPECT_THAT(problems("cors_max_age: 25h"), ElementsAre(HasSubstr("cors_max_age")));
}

TEST(Config, TheWikimediaSetUpIsOnByStreamConfigsOrByTheFactorysName) {
  for (const std::string yaml :
       {"stream_config_uri: streams.yaml", "eventgate_factory_module: /srv/service/eventgate-wikimedia.js"}) {
    const Config wikimedia = config(yaml);
    EXPECT_TRUE(wikimedia.gate.wikimedia);
    EXPECT_THAT(dotted(wikimedia.gate.stream_field), ElementsAre("meta.stream"));
    EXPECT_EQ(wikimedia.gate.id_field.dotted(), "meta.id");
    EXPECT_EQ(wikimedia.gate.dt_field.dotted(), "meta.dt");
    EXPECT_THAT(wikimedia.warnings, IsEmpty());
  }
  EXPECT_FALSE(config("eventgate_factory_module: ../lib/factories/default-eventgate").gate.wikimedia);
  EXPECT_THAT(warnings("eventgate_factory_module: ./mine.js"), ElementsAre(HasSubstr("JavaScript is not run")));
}

TEST(Config, FieldsOfTheWikimediaSetUpMayBeOthers) {
  const Config other =
      config("{stream_config_uri: s, stream_field: [meta.stream, meta.topic], dt_field: dt, id_field: ''}");
  EXPECT_THAT(dotted(other.gate.stream_field), ElementsAre("meta.stream", "meta.topic"));
  EXPECT_EQ(other.gate.dt_field.dotted(), "dt");
  EXPECT_TRUE(other.gate.id_field.empty());
}

TEST(Config, GateOptionsAreRead) {
  const Config gate = config(
      R"({schema_uri_field: [$schema, meta.schema_uri], schema_uri_query_param: schema_uri, stream_query_param: stream,
          topic_prefix: dc1., error_stream: e, error_schema_uri: /error/1.0.0, max_raw_event: 1kb, max_json_depth: 64,
          ledger_stream: l, ledger_schema_uri: /ledger/2.0.0,
          allow_absolute_schema_uris: true, http_request_headers_to_fields: {X-Foo: meta.foo}, user_agent: me})");
  EXPECT_THAT(dotted(gate.gate.schema_uri_field), ElementsAre("$schema", "meta.schema_uri"));
  EXPECT_EQ(gate.gate.schema_uri_query_param, "schema_uri");
  EXPECT_EQ(gate.gate.stream_query_param, "stream");
  EXPECT_EQ(gate.gate.topic_prefix, "dc1.");
  EXPECT_EQ(gate.gate.error_stream, "e");
  EXPECT_EQ(gate.gate.error_schema_uri, "/error/1.0.0");
  EXPECT_EQ(gate.gate.ledger_stream, "l");
  EXPECT_EQ(gate.gate.ledger_schema_uri, "/ledger/2.0.0");
  EXPECT_EQ(gate.gate.max_raw_event, 1024u);
  EXPECT_EQ(gate.gate.json.depth, 64u);
  EXPECT_EQ(gate.api.json.depth, 64u);
  EXPECT_TRUE(gate.gate.allow_absolute_schema_uris);
  EXPECT_TRUE(gate.schema.allow_absolute_schema_uris);
  ASSERT_EQ(gate.gate.http_request_headers_to_fields.size(), 1u);
  EXPECT_EQ(gate.gate.http_request_headers_to_fields[0].first, "x-foo");
  EXPECT_EQ(gate.gate.http_request_headers_to_fields[0].second.dotted(), "meta.foo");
  EXPECT_EQ(gate.gate.user_agent, "me");
  EXPECT_EQ(gate.schema_reader.user_agent, "me");
  EXPECT_EQ(gate.stream_reader.user_agent, "me");
}

TEST(Config, ErrorEventsAreMadeForTheCausesThatAreNamed) {
  const auto made = [](const GateOptions& gate) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < kFailureCauseCount; ++i)
      if (gate.error_events_for[i]) names.emplace_back(error_type(static_cast<FailureCause>(i)));
    return names;
  };
  EXPECT_THAT(made(config("{}").gate), ElementsAre("validation", "malformed_json"));
  EXPECT_THAT(made(config("{error_events_for: [schema, record]}").gate), ElementsAre("schema", "record"));
  EXPECT_THAT(made(config("{error_events_for: []}").gate), IsEmpty());
  EXPECT_THAT(problems("error_events_for: [schema, shema]"),
              ElementsAre(AllOf(HasSubstr("error_events_for is \"shema\""), HasSubstr("malformed_json"))));
  EXPECT_THAT(problems("error_events_for: [not_produced]"), testing::SizeIs(1));
}

TEST(Config, StreamFromSchemaUriIsTheWayOfFilesAlone) {
  EXPECT_TRUE(config("{stream_field: meta.stream}").gate.stream_from_schema_uri);
  EXPECT_TRUE(
      config("{stream_field: meta.stream, output_path: x, stream_from_schema_uri: false}").gate.stream_from_schema_uri);
  const std::string kafka = "stream_field: meta.stream, kafka: {conf: {bootstrap.servers: b}}";
  EXPECT_FALSE(config("{" + kafka + "}").gate.stream_from_schema_uri);
  EXPECT_FALSE(config("{output_path: x, " + kafka + "}").gate.stream_from_schema_uri);
  EXPECT_TRUE(config("{stream_from_schema_uri: true, " + kafka + "}").gate.stream_from_schema_uri);
}

TEST(Config, TopicsThatKafkaRefusesAreAProblem) {
  EXPECT_THAT(problems("topic_prefix: 'a b'"),
              ElementsAre(HasSubstr("topic_prefix is \"a b\", expected the start of a Kafka topic")));
  EXPECT_THAT(problems("error_stream: ..."), IsEmpty());
  EXPECT_THAT(problems("error_stream: .."), ElementsAre(HasSubstr("error_stream is \"..\"")));
  EXPECT_THAT(problems("ledger_stream: a b"), ElementsAre(HasSubstr("ledger_stream is \"a b\"")));
}

TEST(Config, WhatIsReadHasASchemeThatIsKnown) {
  EXPECT_THAT(
      problems("{stream_config_uri: 'ftp://h/s.yaml', schema_base_uris: [schemas, 'HTTP://h/', 'https://h/']}"),
      ElementsAre(HasSubstr("stream_config_uri is \"ftp://h/s.yaml\", expected a path, or a URI that starts with"),
                  HasSubstr("schema_base_uris is \"HTTP://h/\", expected a path, or a URI that starts with")));
  EXPECT_THAT(problems("{stream_config_uri: 'file:///s.yaml', schema_base_uris: ['http://h/']}"), IsEmpty());
}

TEST(Config, MetricsHaveAPortOfTheirOwn) {
  EXPECT_THAT(problems("{port: 9102, metrics: {type: prometheus}}"),
              ElementsAre(HasSubstr("metrics is {\"type\":\"prometheus\"}, expected another port than `port`")));
  EXPECT_THAT(problems("{port: 0, metrics: {type: prometheus, port: 0}}"), IsEmpty());
  const std::string apart = "port: 80, interface: 10.0.0.1, metrics: {type: prometheus, port: 80, interface: ";
  EXPECT_THAT(problems('{' + apart + "127.0.0.1}}"), IsEmpty());
  for (const std::string same : {"10.0.0.1", "0.0.0.0", "'::'"})
    EXPECT_THAT(problems('{' + apart + same + "}}"), ElementsAre(HasSubstr("expected another port than `port`")))
        << same;
}

TEST(Config, NodesExtraCertificates_HttpsWarnsOfThem) {
  const TemporaryFolder folder;
  ::setenv("NODE_EXTRA_CA_CERTS", folder.write("extra.pem", "certificates").c_str(), 1);
  const auto trusts = ElementsAre(HasSubstr("https trusts its certificates besides those of the system"));
  EXPECT_THAT(warnings("{schema_base_uris: 'https://h/'}"), trusts);
  EXPECT_THAT(warnings("{stream_config_uri: 'https://h/'}"), trusts);
  EXPECT_THAT(warnings("{schema_base_uris: 'http://h/', stream_config_uri: a.yaml}"), IsEmpty());
  EXPECT_THAT(warnings("{schema_base_uris: 'https://h/', ca_file: /ca}"),
              ElementsAre(HasSubstr("not read, because ca_file is set")));
  ::setenv("NODE_EXTRA_CA_CERTS", "/nowhere/extra.pem", 1);
  EXPECT_THAT(warnings("{schema_base_uris: 'https://h/'}"), ElementsAre(HasSubstr("cannot be read")));
  ::unsetenv("NODE_EXTRA_CA_CERTS");
}

TEST(Config, ARequestMustFitIntoTheMemoryForAll) {
  EXPECT_THAT(problems("{max_body_size: 10mb, max_inflight_bytes: 1mb}"),
              ElementsAre(HasSubstr("max_inflight_bytes is \"1mb\", expected at least max_body_size")));
}

TEST(Config, StreamConfigsAndSchemasAreFetchedAsConfigured) {
  const Config fetch = config(
      R"({stream_config_uri: http://h/, stream_config_uri_options: {headers: {Host: meta.wikimedia.org}},
          stream_config_object_path: streams, stream_config_retries: 3, cache_dir: /c, ca_file: /ca, fetch_timeout: 3s,
          fetch_connect_timeout: 1s, max_stream_config_size: 2mb, max_schema_size: 3mb, max_schema_depth: 32,
          schema_base_uris: a, schema_file_extension: .yaml, schema_precache_uris: [/a/1], schema_precache_required: true,
          schema_cache_size: 5, schema_latest_ttl: 1s, schema_negative_ttl: 2s, allow_insecure_schemas: true})");
  EXPECT_THAT(fetch.stream_reader.headers, ElementsAre(Pair("Host", "meta.wikimedia.org")));
  EXPECT_THAT(fetch.schema_reader.headers, IsEmpty());
  EXPECT_EQ(fetch.streams.stream_config_object_path, "streams");
  EXPECT_EQ(fetch.streams.stream_config_retries, 3);
  EXPECT_EQ(fetch.streams.cache_dir, "/c");
  EXPECT_EQ(fetch.schema.cache_dir, "/c");
  for (const UriReaderOptions& reader : {fetch.stream_reader, fetch.schema_reader}) {
    EXPECT_EQ(reader.ca_file, "/ca");
    EXPECT_EQ(reader.fetch_timeout, milliseconds(3000));
    EXPECT_EQ(reader.fetch_connect_timeout, milliseconds(1000));
  }
  EXPECT_EQ(fetch.stream_reader.max_size, 2097152u);
  EXPECT_EQ(fetch.schema_reader.max_size, 3145728u);
  EXPECT_EQ(fetch.schema_reader.max_depth, 32u);
  EXPECT_THAT(fetch.schema.schema_base_uris, ElementsAre("a"));
  EXPECT_EQ(fetch.schema.schema_file_extension, ".yaml");
  EXPECT_THAT(fetch.schema.schema_precache_uris, ElementsAre("/a/1"));
  EXPECT_TRUE(fetch.schema.schema_precache_required);
  EXPECT_EQ(fetch.schema.schema_cache_size, 5u);
  EXPECT_EQ(fetch.schema.schema_latest_ttl, milliseconds(1000));
  EXPECT_EQ(fetch.schema.schema_negative_ttl, milliseconds(2000));
  EXPECT_TRUE(fetch.schema.allow_insecure_schemas);
}

TEST(Config, LimitsOfHttpAreRead) {
  const Config read = config(
      R"({max_header_size: 8kb, max_header_count: 50, header_timeout: 1s, request_timeout: 2s, keepalive_timeout: 3s,
          max_connections: 10, max_inflight_bytes: 1mb, max_events: 7})");
  const HttpOptions& http = read.http;
  EXPECT_EQ(http.max_header_size, 8192u);
  EXPECT_EQ(http.max_header_count, 50u);
  EXPECT_EQ(http.header_timeout, milliseconds(1000));
  EXPECT_EQ(http.request_timeout, milliseconds(2000));
  EXPECT_EQ(http.keepalive_timeout, milliseconds(3000));
  EXPECT_EQ(http.max_connections, 10u);
  EXPECT_EQ(http.max_inflight_bytes, 1048576u);
  EXPECT_EQ(read.api.max_events, 7u);
}

TEST(Config, TestEventsAreAListOfObjects) {
  EXPECT_EQ(config("test_events: [{a: 1}]").api.test_events, R"([{"a":1}])");
  EXPECT_EQ(config("test_events: {a: 1}").api.test_events, R"([{"a":1}])");
  EXPECT_EQ(config("test_events: []").api.test_events, "");
  EXPECT_THAT(problems("test_events: [1]"), ElementsAre(HasSubstr("expected a list of events")));
}

TEST(Config, KafkasOptionsAreMergedSpecificOverGeneral) {
  const Config kafka = config(R"(
user_agent: me
produce_timeout: 4s
kafka:
  conf: {metadata.broker.list: 'a:1,b:2', queue.buffering.max.ms: 5, ssl.sigalgs.list: [x, y], log.connection.close: false}
  topic_conf: {request.required.acks: 1}
  guaranteed:
    conf: {linger.ms: 10, producer.poll.interval.ms: 10, dr_cb: true, bootstrap.servers: 'c:3'}
    topic_conf: {acks: all}
  hasty:
    conf: {queue.buffering.max.ms: 1000, ssl.sigalgs.list: null}
)");
  EXPECT_THAT(kafka.kafka->guaranteed.conf,
              UnorderedElementsAre(Pair("bootstrap.servers", "c:3"), Pair("linger.ms", "10"),
                                   Pair("ssl.sigalgs.list", "x,y"), Pair("log.connection.close", "false")));
  EXPECT_THAT(kafka.kafka->guaranteed.topic_conf, UnorderedElementsAre(Pair("acks", "all")));
  EXPECT_THAT(kafka.kafka->hasty.conf,
              UnorderedElementsAre(Pair("metadata.broker.list", "a:1,b:2"), Pair("queue.buffering.max.ms", "1000"),
                                   Pair("log.connection.close", "false")));
  EXPECT_THAT(kafka.kafka->hasty.topic_conf, UnorderedElementsAre(Pair("request.required.acks", "1")));
  EXPECT_EQ(kafka.kafka->user_agent, "me");
  EXPECT_EQ(kafka.kafka->produce_timeout, milliseconds(4000));
  EXPECT_THAT(kafka.warnings, ElementsAre("c.yaml: kafka.hasty.conf.ssl.sigalgs.list is null: it counts as not set"));
}

TEST(Config, AnOptionOfTopicsMayStandInEitherConf) {
  const Config kafka = config(
      "kafka: {conf: {bootstrap.servers: a}, topic_conf: {acks: 1}, guaranteed: {conf: {request.required.acks: -1}}}");
  EXPECT_THAT(kafka.kafka->guaranteed.topic_conf, IsEmpty());
  EXPECT_THAT(kafka.kafka->guaranteed.conf, Contains(Pair("request.required.acks", "-1")));
  EXPECT_THAT(kafka.kafka->hasty.topic_conf, ElementsAre(Pair("acks", "1")));
}

TEST(Config, KafkaWithoutBrokersIsAProblem) {
  EXPECT_THAT(problems("kafka: {hasty: {conf: {linger.ms: 5}}}"),
              ElementsAre(HasSubstr("for the producer guaranteed"), HasSubstr("for the producer hasty")));
}

TEST(Config, AKafkaOptionOfAWrongTypeIsAProblemAndSecretsAreNotShown) {
  EXPECT_THAT(
      problems("kafka: {conf: {bootstrap.servers: a, x: {y: 1}, sasl.password: {secret: 1}}}"),
      ElementsAre("c.yaml: kafka.conf.x is {\"y\":1}, expected a string, a number, true or false, or a list of them",
                  AllOf(HasSubstr("kafka.conf.sasl.password"), testing::Not(HasSubstr("secret\":")))));
  EXPECT_EQ(options_of(config("kafka: {conf: {bootstrap.servers: a, sasl.password: xyzzy}}"))["kafka.conf"],
            R"x({"bootstrap.servers":"a","sasl.password":"(not shown)"})x");
}

TEST(Config, AKafkaOptionThatLibrdkafkaRefusesIsAProblemAndSecretsAreNotShown) {
  EXPECT_THAT(
      problems("kafka: {conf: {bootstrap.servers: a, linger.ms: many, no.such.password: xyzzy}}"),
      ElementsAre("c.yaml: kafka.conf.linger.ms is \"many\", expected an option that librdkafka takes: Invalid "
                  "value for configuration property \"queue.buffering.max.ms\"",
                  "c.yaml: kafka.conf.no.such.password is \"(not shown)\", expected an option that librdkafka takes"));
}

TEST(Config, OutputsAreThoseConfiguredAndAFolderByDefault) {
  const std::string kafka = "kafka: {conf: {bootstrap.servers: a}}";
  for (const std::string none : {"kafka:", "kafka: {}", "kafka: {topic_conf: {}, hasty: , guaranteed: {conf: }}"}) {
    EXPECT_EQ(config(none).file->output_path, "./events/") << none;
    EXPECT_FALSE(config(none).kafka) << none;
    EXPECT_THAT(warnings(none), IsEmpty()) << none;
  }
  EXPECT_FALSE(config(kafka).file);
  EXPECT_TRUE(config(kafka).kafka);
  const Config both = config("{output_path: stdout, output_fsync: true, output_retention: 7d, " + kafka + "}");
  EXPECT_EQ(both.file->output_path, "stdout");
  EXPECT_TRUE(both.file->output_fsync);
  EXPECT_EQ(both.file->output_retention, hours(168));
  EXPECT_TRUE(both.kafka);
}

TEST(Config, WhatIsDangerousAsNothingIsAProblemThatNamesFileAndKey) {
  const std::vector<std::pair<std::string, std::string>> bad{
      {"kafka: {conf: }", "kafka.conf is null"},
      {"kafka: {conf: {}}", "kafka.conf is {}"},
      {"kafka: {conf: '', hasty: {conf: {bootstrap.servers: a}}}", "kafka.conf is \"\""},
      {"kafka: {conf: {bootstrap.servers: ''}}", "kafka.conf.bootstrap.servers is \"\""},
      {"kafka: {conf: {metadata.broker.list: }}", "kafka.conf.metadata.broker.list is null"},
      {"kafka: {conf: {metadata.broker.list: []}}", "kafka.conf.metadata.broker.list is []"},
      {"kafka: {conf: {metadata.broker.list: ['', ' ']}}", "kafka.conf.metadata.broker.list is [\"\",\" \"]"},
      {"kafka: {conf: {bootstrap.servers: ','}}", "kafka.conf.bootstrap.servers is \",\""},
      {"kafka: {conf: {bootstrap.servers: a}, hasty: {conf: {bootstrap.servers: ' '}}}",
       "kafka.hasty.conf.bootstrap.servers is \" \""},
      {"stream_config_uri: ''", "stream_config_uri is \"\""},
      {"stream_config_uri:", "stream_config_uri is null"},
      {"cors: ''", "cors is \"\""},
      {"cors:", "cors is null"},
      {"output_path: ''", "output_path is \"\""},
      {"output_path:", "output_path is null"},
      {"live_token:", "live_token is null"},
      {"{kafka: {conf: {bootstrap.servers: a}}, spool: {path: ''}}", "spool.path is \"\""},
      {"spool: {path: }", "spool.path is null"}};
  for (const auto& [yaml, start] : bad) {
    EXPECT_THAT(problems(yaml), Contains(testing::StartsWith("c.yaml: " + start + ", expected "))) << yaml;
  }
}

TEST(Config, OtherOptionsThatAreNothingAreWarnedOfAndCountAsNotSet) {
  EXPECT_THAT(warnings("{port: , error_stream: '', csp: '', logging: {level: }}"),
              UnorderedElementsAre(
                  "c.yaml: port is null: it counts as not set", "c.yaml: error_stream is empty: it counts as not set",
                  "c.yaml: csp is empty: it counts as not set", "c.yaml: logging.level is null: it counts as not set"));
  const std::string kafka = "kafka: {conf: {bootstrap.servers: a, sasl.username: '', linger.ms: }}";
  EXPECT_THAT(config(kafka).kafka->hasty.conf, ElementsAre(Pair("bootstrap.servers", "a")));
  EXPECT_THAT(warnings(kafka), ElementsAre("c.yaml: kafka.conf.sasl.username is empty: it counts as not set",
                                           "c.yaml: kafka.conf.linger.ms is null: it counts as not set"));
}

TEST(Config, ABlankOptionCountsAsNotSetWhateverItWants) {
  for (const std::string option : {"service_name",
                                   "num_workers",
                                   "port",
                                   "interface",
                                   "max_body_size",
                                   "max_events",
                                   "header_timeout",
                                   "live",
                                   "test_events",
                                   "schema_uri_field",
                                   "stream_field",
                                   "schema_base_uris",
                                   "schema_precache_uris",
                                   "topic_prefix",
                                   "schema_revalidate",
                                   "stream_config_ttl",
                                   "http_request_headers_to_fields",
                                   "error_schema_uri",
                                   "transforms",
                                   "output_fsync",
                                   "user_agent",
                                   "logging",
                                   "metrics",
                                   "kafka",
                                   "spool"}) {
    const std::string blank = option + ": ' '";
    EXPECT_EQ(config(blank).options, config("{}").options) << blank;
    EXPECT_THAT(warnings(blank), ElementsAre("c.yaml: " + option + " is empty: it counts as not set"));
  }
  EXPECT_THAT(warnings("{logging: {level: ''}, spool: {after: ''}, kafka: {topic_conf: ''}}"),
              UnorderedElementsAre("c.yaml: logging.level is empty: it counts as not set",
                                   "c.yaml: spool.after is empty: it counts as not set",
                                   "c.yaml: kafka.topic_conf is empty: it counts as not set"));
  EXPECT_THAT(warnings("stream_config_uri_options: {headers: {Host: ''}}"),
              ElementsAre("c.yaml: stream_config_uri_options.headers.Host is empty: it counts as not set"));
}

TEST(Config, WhatMeansSomethingAsNothingIsNotWarnedOf) {
  EXPECT_THAT(
      warnings("{topic_prefix: '', spool: , metrics: , logging: {streams: }, schema_base_uris: [], id_field: '', "
               "kafka: {hasty: , topic_conf: {}}, stream_config_uri_options: {headers: }}"),
      IsEmpty());
}

TEST(Config, NodeRdkafkasOptionsAreIgnoredEverywhere) {
  const Config kafka = config(
      "kafka: {conf: {bootstrap.servers: a, event_cb: true, opaque: x, msg_order_cmp: x, default_topic_conf: {a: 1}, "
      "producer.poll.interval.ms: 10}, topic_conf: {partitioner_cb: true}}");
  EXPECT_THAT(kafka.kafka->guaranteed.conf, ElementsAre(Pair("bootstrap.servers", "a")));
  EXPECT_THAT(kafka.kafka->guaranteed.topic_conf, IsEmpty());
  EXPECT_THAT(kafka.warnings, IsEmpty());
}

TEST(Config, TrueAndFalseMayBeInQuotes) {
  EXPECT_TRUE(config("live: 'true'").live);
  EXPECT_FALSE(config("{live: 'false'}").live);
  EXPECT_THAT(problems("live: 'True'"), ElementsAre(HasSubstr("live is \"True\", expected true or false")));
}

TEST(Config, NumbersMayBeInQuotes) {
  EXPECT_EQ(config("port: '8192'").http.port, 8192);
  EXPECT_EQ(config("num_workers: '2'").num_workers, 2u);
  EXPECT_THAT(problems("num_workers: 'two'"), ElementsAre(HasSubstr("num_workers is \"two\", expected ncpu, or")));
  EXPECT_EQ(config("stream_config_ttl: '60'").streams.stream_config_ttl, milliseconds(60000));
  EXPECT_THAT(problems("port: '8192x'"), ElementsAre(HasSubstr("port is \"8192x\"")));
  EXPECT_THAT(problems("port: '-1'"), ElementsAre(HasSubstr("port is \"-1\"")));
  EXPECT_THAT(problems("produce_timeout: '10'"), ElementsAre(HasSubstr("expected a duration")));
}

TEST(Config, TransformsThatAreNotDoneAreWarnedOf) {
  EXPECT_THAT(warnings("{stream_config_uri: s, transforms: [eventgateWikimediaDefaults, testKitchen, mine]}"),
              ElementsAre(HasSubstr("transforms: testKitchen is not done: events are not held to experiments"),
                          HasSubstr("transforms: mine is not done: events are produced without it")));
  EXPECT_THAT(warnings("transforms: eventgateWikimediaDefaults"),
              ElementsAre(HasSubstr("in the Wikimedia set-up only")));
}

TEST(Config, SchemasAreLookedAtAgainAfterTheTimeGiven) {
  EXPECT_EQ(config("{}").schema.schema_revalidate, milliseconds(0));
  EXPECT_EQ(config("schema_revalidate: off").schema.schema_revalidate, milliseconds(0));
  EXPECT_EQ(config("schema_revalidate: false").schema.schema_revalidate, milliseconds(0));
  EXPECT_EQ(config("schema_revalidate: 5m").schema.schema_revalidate, milliseconds(300000));
  EXPECT_THAT(problems("schema_revalidate: often"), ElementsAre(HasSubstr("expected a duration")));
}

TEST(Config, AHostileDocumentIsAProblemAndNothingWorse) {
  EXPECT_EQ(config_of(Json::array({1}), "c.yaml").error().problems.size(), 1u);
  EXPECT_EQ(config_of(Json("x"), "c.yaml").error().problems.size(), 1u);
  EXPECT_THAT(config_of(Json{{std::string(100000, 'x'), 1}}, "c.yaml")->warnings, testing::SizeIs(1));
}

TEST(ReadConfig, LaterFilesAreMergedOverEarlierOnesObjectByObject) {
  const TemporaryFolder folder;
  const auto first = folder.write("a.yaml",
                                  "services: [{name: a, conf: {port: 1, cors: x, schema_base_uris: [a, b], kafka: "
                                  "{conf: {bootstrap.servers: a, linger.ms: 1}}}}]");
  const auto second =
      folder.write("b.json", R"({"port": 2, "schema_base_uris": ["c"], "kafka": {"conf": {"linger.ms": 7}}})");
  const auto merged = read_config({first, second});
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->http.port, 2);
  EXPECT_EQ(merged->http.cors, "x");
  EXPECT_THAT(merged->schema.schema_base_uris, ElementsAre("c"));
  EXPECT_THAT(merged->kafka->hasty.conf, UnorderedElementsAre(Pair("bootstrap.servers", "a"), Pair("linger.ms", "7")));
}

TEST(ReadConfig, AProblemNamesTheFileItIsIn) {
  const TemporaryFolder folder;
  const auto first =
      folder.write("a.yaml", "services: [{name: a, conf: {port: x, kafka: {conf: {linger.ms: {a: 1}}}}}]");
  const auto second = folder.write("b.yaml", "kafka: {conf: {bootstrap.servers: {}}}\nmax_events: 0\nprot: 5");
  const auto merged = read_config({first, second});
  ASSERT_FALSE(merged);
  EXPECT_THAT(
      merged.error().problems,
      UnorderedElementsAre(
          first + ": services[0].conf.port is \"x\", expected a whole number from 0 to 65535",
          first + ": services[0].conf.kafka.conf.linger.ms is {\"a\":1}, expected a string, a number, true or false, "
                  "or a list of them",
          second +
              ": kafka.conf.bootstrap.servers is {}, expected a string, a number, true or false, or a list of them",
          second + ": max_events is 0, expected a whole number from 1 to 10000000",
          HasSubstr("for the producer guaranteed"), HasSubstr("for the producer hasty")));
}

TEST(ReadConfig, FilesThatCannotBeReadAreAllNamed) {
  const TemporaryFolder folder;
  const auto broken = folder.write("b.yaml", "a: [1");
  const auto latin = folder.write("c.yaml", "a: \xE9");
  const auto result = read_config({folder.path() + "/none.yaml", folder.path(), broken, latin});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().problems,
              ElementsAre(AllOf(HasSubstr("/none.yaml: expected a file that can be read"), HasSubstr("No such file")),
                          HasSubstr("Is a directory"), HasSubstr("/b.yaml: expected YAML or JSON"),
                          HasSubstr("/c.yaml: expected YAML or JSON")));
}

TEST(ReadConfig, AnEmptyFileHasNothingToSay) {
  const TemporaryFolder folder;
  const auto result = read_config({folder.write("a.yaml", "# nothing\n")});
  ASSERT_TRUE(result) << result.error().problems.at(0);
  EXPECT_EQ(result->http.port, 8888);
}

TEST(ReadConfig, TheEnvironmentStandsInForItsVariables) {
  const TemporaryFolder folder;
  ASSERT_EQ(setenv("EVENTGATE_TEST_PORT", "4321", 1), 0);
  unsetenv("EVENTGATE_TEST_UNSET");
  const auto result =
      read_config({folder.write("a.yaml", "port: '{env(EVENTGATE_TEST_UNSET)}{env(EVENTGATE_TEST_UNSET,x)}'\n")});
  EXPECT_THAT(result.error().problems, ElementsAre(HasSubstr("port is \"x\"")));
  const auto set = read_config({folder.write("b.yaml", "port: {env(EVENTGATE_TEST_PORT,1)}\nuser_agent: '{env(a'\n")});
  ASSERT_TRUE(set);
  EXPECT_EQ(set->http.port, 4321);
  EXPECT_EQ(set->gate.user_agent, "{env(a");
}

TEST(ReadConfig, ASectionWithoutMembersTakesNothingAway) {
  const TemporaryFolder folder;
  const auto first = folder.write("a.yaml", "kafka: {conf: {bootstrap.servers: a}}\n");
  const auto second = folder.write("b.yaml", "kafka:\nspool:\n");
  const auto merged = read_config({first, second});
  ASSERT_TRUE(merged);
  EXPECT_TRUE(merged->kafka);
  EXPECT_THAT(read_config({first, folder.write("c.yaml", "kafka: {conf: }\n")}).error().problems,
              ElementsAre(HasSubstr("c.yaml: kafka.conf is null, expected")));
}

/// A config file of `yaml` in which $X stands for a placeholder's variable, which has `value`.
boost::system::result<Config, ConfigProblems> with_variable(const char* value, const std::string& yaml) {
  const TemporaryFolder folder;
  setenv("EVENTGATE_TEST_VALUE", value, 1);
  unsetenv("EVENTGATE_TEST_NOT_SET");
  auto result = read_config({folder.write("a.yaml", yaml)});
  unsetenv("EVENTGATE_TEST_VALUE");
  return result;
}

TEST(ReadConfig, AVariableIsTheTextThatItsOptionWants) {
  for (const char* const value :
       {"00123", "ab #cd", "1.0", "true", "null", "a: b", "[x", "'q", "{", "1e3", "0x10", "#x", "x:", "- a"}) {
    const auto result =
        with_variable(value,
                      "service_name: {env(EVENTGATE_TEST_VALUE)}\n"
                      "schema_base_uris: [a, {env(EVENTGATE_TEST_VALUE)}]\n"
                      "kafka: {conf: {bootstrap.servers: a, sasl.username: {env(EVENTGATE_TEST_VALUE)}, "
                      "sasl.password: '{env(EVENTGATE_TEST_VALUE)}'}}\n");
    ASSERT_TRUE(result) << value << ": " << result.error().problems.at(0);
    EXPECT_EQ(result->service_name, value);
    EXPECT_THAT(result->schema.schema_base_uris, ElementsAre("a", value));
    EXPECT_EQ(result->kafka->hasty.conf.at("sasl.username"), value);
    EXPECT_EQ(result->kafka->hasty.conf.at("sasl.password"), value);
    EXPECT_THAT(result->warnings, IsEmpty());
  }
}

TEST(ReadConfig, AVariableIsReadAsYamlWhereNoTextIsWanted) {
  const auto defaults =
      with_variable("",
                    "services: [{conf: {cors: {env(EVENTGATE_TEST_NOT_SET,false)},\n"
                    "  live: {env(EVENTGATE_TEST_NOT_SET,true)}, port: { env(EVENTGATE_TEST_NOT_SET, 1) "
                    "}, max_events: '{env(EVENTGATE_TEST_NOT_SET,7)}'}}]\n");
  ASSERT_TRUE(defaults) << defaults.error().problems.at(0);
  EXPECT_EQ(defaults->http.cors, std::nullopt);
  EXPECT_TRUE(defaults->live);
  EXPECT_EQ(defaults->http.port, 1);
  EXPECT_EQ(defaults->api.max_events, 7u);
  EXPECT_THAT(defaults->warnings, IsEmpty());
  const auto set =
      with_variable("{x-a: meta.a}", "{\"http_request_headers_to_fields\": {env(EVENTGATE_TEST_VALUE)}, \"port\": 1}");
  ASSERT_TRUE(set) << set.error().problems.at(0);
  EXPECT_EQ(set->gate.http_request_headers_to_fields.at(0).first, "x-a");
  const auto list = with_variable("[/a/1.0.0, /b/1.0.0]", "schema_precache_uris: {env(EVENTGATE_TEST_VALUE)}\n");
  ASSERT_TRUE(list) << list.error().problems.at(0);
  EXPECT_THAT(list->schema.schema_precache_uris, ElementsAre("/a/1.0.0", "/b/1.0.0"));
  const auto part = with_variable("h",
                                  "kafka: {conf: {bootstrap.servers: '{env(EVENTGATE_TEST_VALUE)}:9092'}}\n"
                                  "max_body_size: {env(EVENTGATE_TEST_NOT_SET,64)}kb\n");
  ASSERT_TRUE(part) << part.error().problems.at(0);
  EXPECT_EQ(part->kafka->hasty.conf.at("bootstrap.servers"), "h:9092");
  EXPECT_EQ(part->http.max_body_size, 65536u);
}

TEST(ReadConfig, AVariableThatIsNotSetIsAWarningUnlessItHasADefaultOrIsInAComment) {
  const auto result = with_variable("",
                                    "error_stream: '{env(EVENTGATE_TEST_NOT_SET)}'  # {env(EVENTGATE_TEST_OTHER)}\n"
                                    "csp: {env(EVENTGATE_TEST_VALUE)}\n"
                                    "ca_file: a{env(EVENTGATE_TEST_NOT_SET,)}\n");
  ASSERT_TRUE(result);
  EXPECT_THAT(result->warnings, UnorderedElementsAre(AllOf(HasSubstr("/a.yaml: the variable EVENTGATE_TEST_NOT_SET"),
                                                           HasSubstr("has no default")),
                                                     HasSubstr("the variable EVENTGATE_TEST_VALUE"),
                                                     HasSubstr("error_stream is empty"), HasSubstr("csp is null")));
  EXPECT_THAT(result->unset_variables, UnorderedElementsAre(HasSubstr("the variable EVENTGATE_TEST_NOT_SET"),
                                                            HasSubstr("the variable EVENTGATE_TEST_VALUE")));
  EXPECT_EQ(result->schema.schema_cache_size, 4096u);
  EXPECT_FALSE(with_variable("", "live_token: {env(EVENTGATE_TEST_NOT_SET)}"));
}

TEST(ReadConfig, ForDevelopmentEverythingIsLookedAtEachSecond) {
  const TemporaryFolder folder;
  const std::string empty = folder.write("a.yaml", "# nothing\n");
  const auto config = read_config({empty}, ConfigUse::development);
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->dev && config->live && config->logging.readable_on_terminal && config->api.note_failures);
  EXPECT_EQ(config->http.interface, "127.0.0.1");
  EXPECT_TRUE(config->schema.schema_revalidate_first);
  const std::chrono::milliseconds second(1000);
  EXPECT_EQ(config->schema.schema_latest_ttl, second);
  EXPECT_EQ(config->schema.schema_negative_ttl, second);
  EXPECT_EQ(config->schema.schema_revalidate, second);
  EXPECT_EQ(config->streams.stream_config_ttl, second);
  const auto service = read_config({empty});
  EXPECT_FALSE(service->dev || service->live || service->logging.readable_on_terminal || service->api.note_failures ||
               service->schema.schema_revalidate_first);
}

TEST(ReadConfig, ForDevelopmentFilesHaveTheLastWordButOnTimes) {
  const TemporaryFolder folder;
  const auto config = read_config({folder.write("a.yaml",
                                                "live: false\ninterface: 0.0.0.0\nschema_latest_ttl: 60s\n"
                                                "schema_negative_ttl: 5ms\nstream_config_ttl: 300\n"
                                                "schema_revalidate: 1h\n")},
                                  ConfigUse::development);
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->live);
  EXPECT_EQ(config->http.interface, "0.0.0.0");
  const std::chrono::milliseconds second(1000);
  EXPECT_EQ(config->schema.schema_latest_ttl, second);
  EXPECT_EQ(config->schema.schema_negative_ttl, std::chrono::milliseconds(5));
  EXPECT_EQ(config->schema.schema_revalidate, second);
  EXPECT_EQ(config->streams.stream_config_ttl, second);
}

TEST(ReadConfig, WikimediasProductionFilesAreReadWithoutAProblem) {
  const std::string folder = shared_dir() + "/data/production-configs/";
  const std::map<std::string, std::size_t> expected_warnings{{"eventgate-main", 0},
                                                             {"eventgate-analytics", 0},
                                                             {"eventgate-logging-external", 0},
                                                             {"eventgate-analytics-external", 2}};
  for (const auto& [name, count] : expected_warnings) {
    const std::string file = folder + name + ".yaml";
    if (!std::ifstream(file)) GTEST_SKIP() << "Wikimedia's production configs are not there";
    const auto result = read_config({file});
    ASSERT_TRUE(result) << result.error().problems.at(0);
    EXPECT_EQ(result->warnings.size(), count) << testing::PrintToString(result->warnings);
    EXPECT_EQ(result->service_name, name);
    EXPECT_TRUE(result->gate.wikimedia);
    EXPECT_TRUE(result->logging.named_levels);
    EXPECT_EQ(result->http.metrics_port, 9102);
    EXPECT_EQ(result->http.port, 8192);
    EXPECT_EQ(result->gate.topic_prefix, "eqiad.");
    EXPECT_THAT(result->stream_reader.headers, ElementsAre(Pair("Host", "meta.wikimedia.org")));
    EXPECT_EQ(result->streams.stream_config_object_path, "streams");
    EXPECT_EQ(result->streams.stream_config_retries, 3);
    EXPECT_FALSE(result->file);
    EXPECT_EQ(result->kafka->hasty.conf.at("queue.buffering.max.ms"), "1000");
    EXPECT_EQ(result->kafka->guaranteed.conf.at("queue.buffering.max.ms"), "10");
    EXPECT_EQ(result->kafka->guaranteed.conf.at("log.connection.close"), "false");
    EXPECT_FALSE(result->kafka->guaranteed.conf.contains("producer.poll.interval.ms"));
  }
}

// --- the shipped config

std::string shipped_text() {
  std::ifstream file(source_dir() + "/config/config.yaml");
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The shipped text with each `#name:` taken as an option; `with_empty`: also those without a value, which have no
/// default.
std::string uncommented(const std::string& text, bool with_empty = true) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t hash = line.find_first_not_of(' ');
    if (hash != std::string::npos && line[hash] == '#' && hash + 1 < line.size() &&
        std::isalpha(static_cast<unsigned char>(line[hash + 1])) != 0 && (with_empty || !line.ends_with(':'))) {
      line.erase(hash, 1);
    }
    result += line + '\n';
  }
  return result;
}

/// Whether `document` has the key at the dotted path.
bool has_key(const Json& document, const std::string& path) {
  const std::size_t dot = path.find('.');
  if (dot == std::string::npos) return document.is_object() && document.contains(path);
  return document.is_object() && document.contains(path.substr(0, dot)) &&
         has_key(document.at(path.substr(0, dot)), path.substr(dot + 1));
}

TEST(ShippedConfig, IsReadWithoutAWarning) {
  const Config shipped = config(shipped_text());
  EXPECT_THAT(shipped.warnings, IsEmpty());
  EXPECT_TRUE(shipped.gate.wikimedia);
  EXPECT_EQ(shipped.http.port, 8192);
  EXPECT_EQ(shipped.http.metrics_port, 9102);
  EXPECT_EQ(shipped.file->output_path, "./events/");
  EXPECT_FALSE(shipped.kafka);
  EXPECT_THAT(shipped.streams.stream_config_uri, ElementsAre("config/stream-config.yaml"));
  EXPECT_EQ(shipped.gate.error_stream, "eventgate.error.validation");
  EXPECT_EQ(shipped.gate.error_schema_uri, "/error/2.2.0");
  EXPECT_EQ(shipped.gate.error_events_for.count(), 9u) << "all but not_produced and those of beacons";
}

TEST(ShippedConfig, DeclaresTheStreamsThatItNames) {
  std::ifstream file(source_dir() + "/config/stream-config.yaml");
  const StreamConfigs streams(parsed({std::istreambuf_iterator<char>(file), {}}));
  const Config shipped = config(shipped_text());
  EXPECT_EQ(streams.find(shipped.gate.error_stream)->schema_title, "error");
  EXPECT_EQ(streams.find("test.event")->schema_title, "test/event");
  EXPECT_EQ(streams.find("eventgate.ledger")->schema_title, "eventgate/ledger");
  EXPECT_EQ(streams.find("mediawiki.interwiki_link_hover")->schema_title, "analytics/link_hover");
  EXPECT_EQ(streams.find("test.keyed.a")->message_key_fields.size(), 1u);
  EXPECT_EQ(Json::parse(shipped.api.test_events)[0]["meta"]["stream"], "test.event");
}

TEST(ShippedConfig, HasEveryOption) {
  const Json document = parsed(uncommented(shipped_text()));
  const Config shipped = config(shipped_text());
  EXPECT_GT(shipped.options.size(), 60u);
  for (const auto& [path, value] : shipped.options) EXPECT_TRUE(has_key(document, path)) << path;
}

TEST(ShippedConfig, EachCommentedOptionIsAtItsDefault) {
  const auto shipped = options_of(config(shipped_text()));
  const auto all = options_of(config(uncommented(shipped_text(), false)));
  // Which schemas the wiki's names stand for has no default.
  EXPECT_THAT(config(uncommented(shipped_text(), false)).warnings,
              testing::ElementsAre("c.yaml: legacy: every beacon is refused, because `legacy.schemas` has none"));
  EXPECT_EQ(all, shipped);
}

TEST(Config, ASpoolStandsInFrontOfKafka) {
  const Config read = config(
      "kafka: {conf: {metadata.broker.list: 'a:9092'}}\n"
      "spool: {path: /spool, after: 1s, max_bytes: 2gb, min_free: 1mb, replay_rate: 10}");
  ASSERT_TRUE(read.spool);
  EXPECT_EQ(read.spool->path, "/spool");
  EXPECT_EQ(read.spool->after, std::chrono::seconds(1));
  EXPECT_EQ(read.spool->max_bytes, std::size_t{2} << 30);
  EXPECT_EQ(read.spool->min_free, std::size_t{1} << 20);
  EXPECT_EQ(read.spool->replay_rate, 10u);
  EXPECT_TRUE(read.kafka->spooled);
  EXPECT_TRUE(read.api.tell_durability);
  EXPECT_FALSE(config("kafka: {conf: {metadata.broker.list: 'a:9092'}}").spool);
}

TEST(Config, EventsAreShownLiveIfAskedFor) {
  EXPECT_FALSE(config("{}").live);
  EXPECT_EQ(config("live: true").api.live_token, "");
  const Config read = config("{live: true, live_token: abcdefgh-1234._~+/=}");
  EXPECT_TRUE(read.live);
  EXPECT_EQ(read.api.live_token, "abcdefgh-1234._~+/=");
  EXPECT_EQ(options_of(read)["live_token"], "\"(not shown)\"");
  EXPECT_EQ(options_of(config("{}"))["live_token"], "null");
}

TEST(Config, ABadLiveTokenIsNotShown) {
  for (const std::string token : {"''", "short-secret", "'sixteen or more, with spaces'", "12345678901234567890"}) {
    const auto found = problems("live_token: " + token);
    ASSERT_THAT(found, ElementsAre(HasSubstr("live_token is \"(not shown)\", expected a string of at least 16")));
    EXPECT_EQ(found[0].find("secret"), std::string::npos);
  }
}

TEST(Config, ASpoolNeedsKafka) { EXPECT_THAT(problems("spool: {path: /spool}"), ElementsAre(HasSubstr("spool.path"))); }

/// A config of EventStreams in service-runner's layout.
constexpr const char* kEventStreams = R"(
num_workers: 1
worker_heap_limit_mb: 750
logging: {level: info, streams: [{type: stdout, named_levels: true}]}
metrics: [{type: prometheus, port: 9102}]
services:
  - name: eventstreams
    module: app.js
    conf:
      port: 8092
      cors: '*'
      csp: "default-src 'none'"
      spec: ./spec.yaml
      user_agent: eventstreams
      kafka:
        metadata.broker.list: kafka1:9093,kafka2:9093
        queued.max.messages.kbytes: 32768
        fetch.message.max.bytes: 8388608
        statistics.interval.ms: 60000
      client_ip_connection_limit: 2
      stream_config_uri: http://localhost:6500/w/api.php?format=json&action=streamconfigs
      stream_config_uri_options: {headers: {Host: meta.wikimedia.org}}
      stream_config_object_path: streams
      stream_config_ttl: 0
      schema_base_uris: [http://localhost:6023/repositories/primary/jsonschema]
      schema_latest_version: latest
      stream_ui_enabled: true
      allowed_streams: [mediawiki.page-create, mediawiki.recentchange]
      stream_config_defaults:
        mediawiki.recentchange: {stream_aliases: [recentchange]}
      mediawiki_redacted_pages: {ru.wikipedia.org: [Secret page], de.wikipedia.org: []}
)";

TEST(ReadSideConfig, IsOffByDefault) {
  const Config empty = config("{}");
  EXPECT_FALSE(empty.readers);
  EXPECT_FALSE(empty.kafka_readers);
  EXPECT_TRUE(empty.intake);
  EXPECT_EQ(empty.exposed.allowed_streams, std::nullopt);
}

TEST(ReadSideConfig, AConfigOfEventStreamsReadsOnly) {
  const Config streams = config(kEventStreams);
  EXPECT_THAT(streams.warnings, IsEmpty());
  EXPECT_FALSE(streams.intake);
  EXPECT_FALSE(streams.exposed.intake);
  EXPECT_FALSE(streams.kafka);
  EXPECT_FALSE(streams.file);
  ASSERT_TRUE(streams.readers);
  EXPECT_EQ(streams.readers->client_ip_connection_limit, 2u);
  ASSERT_TRUE(streams.kafka_readers);
  EXPECT_THAT(streams.kafka_readers->conf, UnorderedElementsAre(Pair("metadata.broker.list", "kafka1:9093,kafka2:9093"),
                                                                Pair("queued.max.messages.kbytes", "32768"),
                                                                Pair("fetch.message.max.bytes", "8388608"),
                                                                Pair("statistics.interval.ms", "60000")));
  EXPECT_THAT(*streams.exposed.allowed_streams, ElementsAre("mediawiki.page-create", "mediawiki.recentchange"));
  EXPECT_EQ(streams.exposed.stream_config_defaults,
            R"({"mediawiki.recentchange":{"stream_aliases":["recentchange"]}})");
  EXPECT_THAT(streams.exposed.mediawiki_redacted_pages,
              ElementsAre(Pair("ru.wikipedia.org", ElementsAre("Secret page")), Pair("de.wikipedia.org", IsEmpty())));
  EXPECT_EQ(streams.service_name, "eventstreams");
}

TEST(ReadSideConfig, TheShippedFilesAreReadOverAConfigOfEventStreams) {
  const TemporaryFolder folder;
  const std::string original = folder.write("config.yaml", kEventStreams);
  const auto open = read_config({original, source_dir() + "/config/streams-public.yaml"});
  ASSERT_TRUE(open) << open.error().problems.front();
  EXPECT_THAT(open->warnings, IsEmpty());
  EXPECT_FALSE(open->intake);
  EXPECT_EQ(open->readers->max_connection_time, std::chrono::minutes(15));
  EXPECT_EQ(open->readers->trusted_proxies.size(), 5u);
  EXPECT_EQ(open->readers->client_ip_connection_limit, 2u);
  ::setenv("EVENTGATE_STREAM_TOKEN", "0123456789abcdef", 1);
  const auto internal = read_config({original, source_dir() + "/config/streams-internal.yaml"});
  ::unsetenv("EVENTGATE_STREAM_TOKEN");
  ASSERT_TRUE(internal) << internal.error().problems.front();
  EXPECT_THAT(internal->warnings, IsEmpty());
  EXPECT_EQ(internal->readers->stream_token, "0123456789abcdef");
  EXPECT_TRUE(internal->readers->canary_events_sent);
  EXPECT_EQ(internal->streams.stream_config_ttl, std::chrono::minutes(5));
}

TEST(ReadSideConfig, ReadersOfAGateHaveTheirOptionsOverTheGeneralOnes) {
  const Config gate = config(R"({streams: true, stream_config_uri: s.yaml, topic_prefix: eqiad., kafka: {
      conf: {bootstrap.servers: k:9092, linger.ms: 5}, guaranteed: {conf: {linger.ms: 0}},
      streams: {conf: {fetch.wait.max.ms: 10}}}})");
  EXPECT_TRUE(gate.intake);
  EXPECT_TRUE(gate.kafka);
  EXPECT_EQ(gate.exposed.topic_prefix, "eqiad.");
  ASSERT_TRUE(gate.kafka_readers);
  EXPECT_THAT(gate.kafka_readers->conf, UnorderedElementsAre(Pair("bootstrap.servers", "k:9092"),
                                                             Pair("linger.ms", "5"), Pair("fetch.wait.max.ms", "10")));
  EXPECT_FALSE(gate.kafka->guaranteed.conf.contains("fetch.wait.max.ms"));
  EXPECT_FALSE(config("{kafka: {conf: {bootstrap.servers: k:9092}}}").kafka_readers);
}

TEST(ReadSideConfig, AnInstanceThatReadsOnlyHasNoProducerFileOrSpool) {
  const Config reads = config(R"({streams: true, intake: false, stream_config_uri: s.yaml, output_path: ./x/,
      kafka: {streams: {conf: {bootstrap.servers: k:9092}}}})");
  EXPECT_FALSE(reads.kafka);
  EXPECT_FALSE(reads.file);
  EXPECT_TRUE(reads.kafka_readers);
  EXPECT_THAT(reads.warnings, ElementsAre(HasSubstr("output_path has no effect with `intake: false`")));
  const Config shared =
      config("{streams: true, intake: false, stream_config_uri: s.yaml, kafka: {conf: {bootstrap.servers: k:9092}}}");
  EXPECT_FALSE(shared.kafka);
  EXPECT_THAT(shared.kafka_readers->conf, ElementsAre(Pair("bootstrap.servers", "k:9092")));
}

TEST(ReadSideConfig, WithoutKafkaAFolderIsRead) {
  EXPECT_TRUE(config("{streams: true, stream_config_uri: s.yaml}").readers);
  EXPECT_TRUE(config("{streams: true, stream_config_uri: s.yaml, output_path: ./x/}").readers);
  for (const char* const path : {"stdout", "./events.ndjson"}) {
    const Config other = config(std::string("{streams: true, stream_config_uri: s.yaml, output_path: ") + path + "}");
    EXPECT_FALSE(other.readers) << path;
    EXPECT_THAT(other.warnings, ElementsAre(HasSubstr("there is no /v2")));
  }
}

TEST(ReadSideConfig, WithoutStreamConfigsNothingCanBeRead) {
  EXPECT_THAT(warnings("{streams: true}"), ElementsAre(HasSubstr("no stream is declared")));
}

TEST(ReadSideConfig, AnInstanceHasSomethingToDo) {
  EXPECT_THAT(problems("{intake: false}"), ElementsAre(HasSubstr("nothing to do")));
  EXPECT_THAT(problems("{intake: false, streams: true, stream_config_uri: s.yaml}"),
              ElementsAre(HasSubstr("no other source of events")));
  EXPECT_THAT(problems("{intake: true, kafka: {metadata.broker.list: 'k:9092'}}"),
              Contains(HasSubstr("`kafka.conf` for the producers")));
}

TEST(ReadSideConfig, ReadersNeedBrokersAndOptionsThatLibrdkafkaTakes) {
  EXPECT_THAT(problems("{kafka: {queued.min.messages: 1000}}"), Contains(HasSubstr("streams.conf.bootstrap.servers")));
  EXPECT_THAT(problems("{kafka: {metadata.broker.list: 'k:9092', no.such.option: 1}}"),
              ElementsAre(HasSubstr("an option that librdkafka takes")));
  EXPECT_THAT(
      problems("{streams: true, stream_config_uri: s, kafka: {streams: {conf: {bootstrap.servers: k, no.such: 1}}}}"),
      ElementsAre(HasSubstr("an option that librdkafka takes")));
}

TEST(ReadSideConfig, SecretsAreNotShown) {
  const auto shown = options_of(config(R"({stream_token: 0123456789abcdefg, stream_config_uri: s, kafka: {
      metadata.broker.list: k, sasl.password: geheim, streams: {conf: {ssl.key.password: geheim}}}})"));
  for (const auto& [name, value] : shown) {
    EXPECT_THAT(value, testing::Not(HasSubstr("geheim"))) << name;
    EXPECT_THAT(value, testing::Not(HasSubstr("0123456789abcdefg"))) << name;
  }
}

TEST(ReadSideConfig, BadValuesAreNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"{canary_events: maybe}", "hidden or sent"},
      {"{stream_token: short}", "at least 16"},
      {"{stream_token: null}", "no one sees private streams"},
      {"{trusted_proxies: [10.0.0.0/33]}", "IP addresses or networks"},
      {"{max_stream_clients: 0}", "max_stream_clients"},
      {"{client_ip_connection_limit: -1}", "client_ip_connection_limit"},
      {"{stream_heartbeat: 0s}", "stream_heartbeat"},
      {"{stream_linger: 11s}", "stream_linger"},
      {"{stream_open_timeout: 0s}", "stream_open_timeout"},
      {"{max_connection_time: x}", "max_connection_time"},
      {"{stream_buffer: 1kb}", "stream_buffer"},
      {"{max_replays: 0}", "max_replays"},
      {"{replay_rate: 0}", "replay_rate"},
      {"{num_stream_workers: 1025}", "num_stream_workers"},
      {"{allowed_streams: [1]}", "a list of strings"},
      {"{stream_config_defaults: [a]}", "an object of stream names to settings"},
      {"{stream_config_overrides: {a: 1}}", "an object of stream names to settings"},
      {"{mediawiki_redacted_pages: [a]}", "an object of a domain"},
      {"{mediawiki_redacted_pages: {a.org: Title}}", "a list of titles"},
      {"{streams: maybe}", "streams"},
      {"{stream_ui_enabled: 5}", "stream_ui_enabled"}};
  for (const auto& [yaml, expected] : cases) EXPECT_THAT(problems(yaml), ElementsAre(HasSubstr(expected))) << yaml;
}

}  // namespace
}  // namespace eventgate

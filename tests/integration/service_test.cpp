#include "eventgate/cli/service.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kTestSchema = R"(
title: test
$id: /test/1.0.0
$schema: https://json-schema.org/draft-07/schema#
type: object
required: [$schema, meta]
properties:
  $schema: {type: string}
  meta:
    type: object
    required: [stream]
    properties:
      stream: {type: string}
      id: {type: string}
      dt: {type: string, format: date-time, maxLength: 128}
      request_id: {type: string}
  test: {type: string}
  test_default: {type: string, default: default_value}
)";

constexpr const char* kErrorSchema = R"(
title: error
$id: /error/2.1.0
$schema: https://json-schema.org/draft-07/schema#
type: object
required: [$schema, meta, message]
properties:
  $schema: {type: string}
  meta: {type: object, required: [stream], properties: {stream: {type: string}}}
  message: {type: string}
)";

constexpr const char* kStreams = R"(
test.event: {schema_title: test}
eventgate.error: {schema_title: error}
)";

/// Schemas, stream configs and an output file in a fresh folder.
class Folder {
 public:
  Folder() {
    folder_.write("schemas/test/1.0.0.yaml", kTestSchema);
    folder_.write("schemas/error/2.1.0.yaml", kErrorSchema);
    folder_.write("streams.yaml", kStreams);
  }

  Config config() const {
    Config config;
    config.num_workers = 2;
    config.http.port = 0;
    config.http.interface = "127.0.0.1";
    config.http.metrics_port = 0;
    config.schema.schema_base_uris = {folder_.path() + "/schemas"};
    config.schema.schema_file_extension = ".yaml";
    config.streams.stream_config_uri = {folder_.path() + "/streams.yaml"};
    config.gate.wikimedia = true;
    config.gate.stream_field = {FieldPath("meta.stream")};
    config.gate.id_field = FieldPath("meta.id");
    config.gate.dt_field = FieldPath("meta.dt");
    config.gate.error_stream = "eventgate.error";
    config.file.emplace();
    config.file->output_path = output();
    config.shutdown_timeout = std::chrono::seconds(30);
    return config;
  }

  std::string path() const { return folder_.path(); }
  std::string output() const { return folder_.path() + "/events.ndjson"; }
  void write(const std::string& name, const std::string& text) const { folder_.write(name, text); }

  /// The events in the output file.
  std::vector<json> events() const {
    std::vector<json> all;
    std::ifstream file(output());
    for (std::string line; std::getline(file, line);) all.push_back(json::parse(line));
    return all;
  }

 private:
  TemporaryFolder folder_;
};

std::string test_event(const std::string& test) {
  return R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event"},"test":)" + test + "}";
}

std::vector<std::string> values(const std::vector<json>& events, const std::string& member) {
  std::vector<std::string> all;
  for (const json& event : events)
    if (event.contains(member)) all.push_back(event[member]);
  std::sort(all.begin(), all.end());
  return all;
}

TEST(Service, ProducesAValidEventToTheFileBeforeItAnswers) {
  const Folder folder;
  Service service(folder.config());
  HttpClient client(service.port());
  const HttpReply reply = client.post("/v1/events", test_event("\"hello\""),
                                      {"Content-Type: application/json", "X-Request-Id: the-request"});
  EXPECT_EQ(reply.status, 201u);
  EXPECT_EQ(reply.reason, "All 1 out of 1 events were accepted.");
  const auto events = folder.events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["test"], "hello");
  EXPECT_EQ(events[0]["test_default"], "default_value");
  EXPECT_EQ(events[0]["meta"]["request_id"], "the-request");
  EXPECT_EQ(events[0]["meta"]["id"].get<std::string>().size(), 36u);
}

TEST(Service, TellsAnInvalidEventAndMakesAnErrorEvent) {
  const Folder folder;
  Service service(folder.config());
  HttpClient client(service.port());
  const HttpReply reply = client.post("/v1/events", test_event("5"));
  EXPECT_EQ(reply.status, 400u);
  EXPECT_EQ(json::parse(reply.body)["invalid"][0]["context"]["errorsText"], "'.test' should be string");
  EXPECT_TRUE(service.stop());
  const auto events = folder.events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["$schema"], "/error/2.1.0");
  EXPECT_EQ(events[0]["meta"]["stream"], "eventgate.error");
  EXPECT_EQ(events[0]["raw_event"], test_event("5"));
}

TEST(Service, TellsTheEventsOfAMixedArrayApart) {
  const Folder folder;
  Service service(folder.config());
  HttpClient client(service.port());
  const HttpReply reply = client.post("/v1/events", "[" + test_event("\"a\"") + "," + test_event("5") +
                                                        R"(,{"$schema":"/none/1.0.0"},)" + test_event("\"b\"") + "]");
  EXPECT_EQ(reply.status, 207u);
  EXPECT_EQ(reply.reason, "2 out of 4 events were accepted, but 2 failed (1 invalid and 1 errored).");
  const json body = json::parse(reply.body);
  EXPECT_EQ(body["invalid"][0]["index"], 1);
  EXPECT_EQ(body["error"][0]["index"], 2);
  EXPECT_EQ(body["error"][0]["context"]["message"], "Failed loading schema at /none/1.0.0");
  EXPECT_EQ(values(folder.events(), "test"), (std::vector<std::string>{"a", "b"}));
}

TEST(Service, ProducesHastyEventsBeforeItIsStopped) {
  const Folder folder;
  Service service(folder.config());
  for (int i = 0; i < 20; ++i) {
    HttpClient client(service.port());
    const HttpReply reply = client.post("/v1/events?hasty=true", test_event("\"" + std::to_string(100 + i) + "\""));
    EXPECT_EQ(reply.status, 202u);
  }
  EXPECT_TRUE(service.stop());
  EXPECT_EQ(values(folder.events(), "test").size(), 20u);
}

TEST(Service, AnswersWhatIsOnTheWireWhenItIsStopped) {
  const Folder folder;
  Service service(folder.config());
  std::vector<HttpClient> clients;
  for (int i = 0; i < 50; ++i) {
    clients.emplace_back(service.port());
    clients.back().send(http_request("POST", i % 5 ? "/v1/events?hasty=true" : "/v1/events",
                                     test_event("\"" + std::to_string(100 + i) + "\""),
                                     {"Content-Type: application/json"}));
  }
  EXPECT_TRUE(service.stop());
  for (int i = 0; i < 50; ++i) {
    const auto reply = clients[static_cast<std::size_t>(i)].reply();
    ASSERT_TRUE(reply) << i;
    EXPECT_EQ(reply->status, i % 5 ? 202u : 201u);
  }
  EXPECT_EQ(values(folder.events(), "test").size(), 50u);
}

TEST(Service, TakesNoConnectionsOnceItIsStopped) {
  const Folder folder;
  Service service(folder.config());
  const std::uint16_t port = service.port();
  EXPECT_TRUE(service.stop());
  EXPECT_THROW(HttpClient{port}, std::runtime_error);
}

TEST(Service, IsReadyOnceItCanProduce) {
  const Folder folder;
  Service service(folder.config());
  HttpClient client(service.port());
  EXPECT_EQ(client.get("/readyz").status, 200u);
  EXPECT_EQ(client.get("/healthz").status, 200u);
}

TEST(Service, IsNotReadyWhileKafkaIsDownButServes) {
  const Folder folder;
  Config config = folder.config();
  config.kafka.emplace();
  config.kafka->guaranteed.conf =
      config.kafka->hasty.conf = {{"bootstrap.servers", "127.0.0.1:1"}, {"message.timeout.ms", "500"}};
  config.produce_timeout = config.kafka->produce_timeout = std::chrono::seconds(20);
  Service service(std::move(config));
  HttpClient client(service.port());
  EXPECT_EQ(client.get("/readyz").status, 503u);
  const HttpReply reply = client.post("/v1/events", test_event("\"x\""));
  EXPECT_EQ(reply.status, 500u);
  const json context = json::parse(reply.body)["error"][0]["context"];
  EXPECT_EQ(context["delivery"], "unknown");  // the file has it
  EXPECT_EQ(context["message"], "kafka: Local: Message timed out");
}

TEST(Service, ServesMetrics) {
  const Folder folder;
  Service service(folder.config());
  HttpClient(service.port()).post("/v1/events", test_event("\"x\""));
  const HttpReply reply = HttpClient(service.metrics_port().value()).get("/metrics");
  EXPECT_THAT(reply.body,
              testing::ContainsRegex("eventgate_events_produced_total[{][^}]*schema_uri=\"/test/1.0.0\"[^}]*[}] 1"));
  EXPECT_THAT(reply.body, HasSubstr("eventgate_stream_config"));
}

TEST(Service, ServesMetricsAtTheirInterfaceOnly) {
  const TemporaryFolder folder;
  const GateProcess gate({}, "output_path: " + folder.path() + "/events/\nmetrics: {interface: 127.0.0.2}\n");
  EXPECT_THAT(gate.log_with("metrics_interface"), HasSubstr(R"("metrics_interface":"127.0.0.2")"));
  HttpClient metrics(gate.metrics_port(), std::chrono::seconds(30), INADDR_LOOPBACK + 1);
  EXPECT_EQ(metrics.get("/metrics").status, 200u);
  EXPECT_THROW(HttpClient{gate.metrics_port()}, std::runtime_error);
  EXPECT_EQ(HttpClient(gate.port()).get("/healthz").status, 200u);
}

TEST(Service, DoesNotStartOnAPortThatIsTaken) {
  const Folder folder;
  Service service(folder.config());
  Config config = folder.config();
  config.http.port = service.port();
  EXPECT_THAT([&] { Service again(std::move(config)); },
              testing::ThrowsMessage<std::runtime_error>(HasSubstr(std::to_string(service.port()))));
}

TEST(Service, DoesNotStartWithoutItsStreamConfigs) {
  const Folder folder;
  Config config = folder.config();
  config.streams.stream_config_uri = {folder.path() + "/none.yaml"};
  EXPECT_THAT([&] { Service service(std::move(config)); },
              testing::ThrowsMessage<std::runtime_error>(HasSubstr("none.yaml")));
}

TEST(Service, DoesNotStartWithoutASchemaThatIsRequired) {
  const Folder folder;
  Config config = folder.config();
  config.schema.schema_precache_uris = {"/test/1.0.0", "/none/1.0.0"};
  config.schema.schema_precache_required = true;
  EXPECT_THAT([&] { Service service(std::move(config)); },
              testing::ThrowsMessage<std::runtime_error>(HasSubstr("/none/1.0.0")));
}

TEST(Service, GivesUpWhatDoesNotDrainInTime) {
  const Folder folder;
  Config config = folder.config();
  config.file.reset();
  config.kafka.emplace();
  config.kafka->guaranteed.conf = config.kafka->hasty.conf = {{"bootstrap.servers", "127.0.0.1:1"}};
  config.gate.ledger_stream = "test.event";  // which it cannot produce, either
  config.shutdown_timeout = std::chrono::milliseconds(400);
  Service service(std::move(config));
  HttpClient client(service.port());
  EXPECT_EQ(client.post("/v1/events?hasty=true", test_event("\"x\"")).status, 202u);
  EXPECT_FALSE(service.stop());
}

/// A client that has sent half of its body.
HttpClient half_sent(std::uint16_t port) {
  HttpClient client(port);
  const std::string request = http_request("POST", "/v1/events", test_event("\"x\""));
  client.send(request.substr(0, request.size() - 5));
  return client;
}

TEST(Service, HalfABody_StopIsSoonAndDrained) {
  const Folder folder;
  Config config = folder.config();
  config.shutdown_timeout = std::chrono::minutes(5);
  Service service(std::move(config));
  const HttpClient client = half_sent(service.port());
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(service.stop());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(1));
}

TEST(Service, HalfABodyAndNoTime_EveryEventIsSettled) {
  const Folder folder;
  Config config = folder.config();
  config.shutdown_timeout = std::chrono::seconds(1);  // less than the grace for half a body
  Service service(std::move(config));
  HttpClient(service.port()).post("/v1/events", test_event("\"x\""));
  const HttpClient client = half_sent(service.port());
  EXPECT_TRUE(service.stop());
  EXPECT_EQ(values(folder.events(), "test"), std::vector<std::string>{"x"});
}

}  // namespace
}  // namespace eventgate

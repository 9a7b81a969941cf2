// Configs of production, unchanged, as processes in front of what they name: the schema host, MediaWiki's Action API
// and a real Kafka behind TLS.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "eventgate/fetch/object_reader.hpp"
#include "kafka_gate.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/http_test_server.hpp"
#include "support/kafka_broker.hpp"
#include "support/paths.hpp"
#include "support/sink_driver.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using testing::HasSubstr;

const std::string kShared = shared_dir() + "/data";

/// A config, and the outside world that it names.
struct Deployment {
  std::string name;                  ///< Of the service; `destination_event_service` of its streams.
  std::size_t streams;               ///< Those whose schema is in a repository.
  std::vector<std::string> missing;  ///< Precached schemas that are in no repository.
  bool own = false;                  ///< The project's fixture, else one of Wikimedia's.
};

void PrintTo(const Deployment& deployment, std::ostream* out) { *out << deployment.name; }

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Json document(const std::string& text) {
  auto parsed = parse_object_text(text);
  if (!parsed) throw std::runtime_error(parsed.error().message);
  return std::move(*parsed);
}

/// Stream configs that are not among the recorded ones.
constexpr const char* kExternalStreams = R"({
  "eventgate-analytics-external.test.event": {"schema_title": "test/event"},
  "eventgate-analytics-external.error.validation": {"schema_title": "error"},
  "eventlogging_SearchSatisfaction": {"schema_title": "analytics/legacy/searchsatisfaction", "topic_prefixes": null},
  "/^mediawiki\\.job\\..+/": {"schema_title": "mediawiki/job"},
  "mediawiki.of_no_schema": {"schema_title": "mediawiki/of_no_schema"}})";

constexpr const char* kOwnStreams = R"({
  "eventgate-own.test.event": {"schema_title": "test/event", "message_key_fields": {"dt": "meta.dt", "a.test": "test"},
    "producers": {"eventgate": {"enrich_fields_from_http_headers": {"http.request_headers.user-agent": false}}}},
  "eventgate-own.error.validation": {"schema_title": "error"},
  "mediawiki.interwiki_link_hover": {"schema_title": "analytics/link_hover"},
  "eventlogging_Test": {"schema_title": "analytics/legacy/test", "topic_prefixes": null},
  "w3c.reportingapi.network_error": {"schema_title": "w3c/reportingapi/network_error"},
  "/^mediawiki\\.job\\..+/": {"schema_title": "test/event"},
  "mediawiki.of_no_schema": {"schema_title": "mediawiki/of_no_schema"}})";

Json stream_configs_of(const Deployment& deployment) {
  if (deployment.own) return document(kOwnStreams);
  if (deployment.name == "eventgate-analytics-external") return document(kExternalStreams);
  return document(text_of(kShared + "/stream-configs/" + deployment.name + ".json")).at("streams");
}

/// The schema of `file`, which may be a link checked out as text: the name of a file beside it.
std::string schema_text(const fs::path& file) {
  const std::string text = text_of(file);
  if (text.size() < 64 && text.find_first_of(":\n/") == std::string::npos && fs::exists(file.parent_path() / text))
    return text_of(file.parent_path() / text);
  return text;
}

/// Of each title in the repository, an example of its newest schema that has one.
std::map<std::string, Json> examples_of(const fs::path& repository) {
  std::map<std::string, std::pair<std::array<int, 3>, Json>> newest;
  for (const auto& entry :
       fs::recursive_directory_iterator(repository, fs::directory_options::follow_directory_symlink)) {
    std::array<int, 3> version{};
    int end = 0;
    const std::string name = entry.path().filename().string();
    std::sscanf(name.c_str(), "%d.%d.%d.yaml%n", version.data(), &version[1], &version[2], &end);
    if (static_cast<std::size_t>(end) != name.size()) continue;
    Json schema = document(text_of(entry.path()));
    if (!schema.contains("title") || !schema.contains("examples") || !schema["examples"][0].contains("$schema"))
      continue;
    auto& known = newest[schema["title"].get<std::string>()];
    if (known.second.is_null() || version > known.first) known = {version, schema["examples"][0]};
  }
  std::map<std::string, Json> examples;
  for (auto& [title, example] : newest) examples.emplace(title, std::move(example.second));
  return examples;
}

/// A stream that is declared by `key`, a name or a /regex/ of those used here.
std::string stream_of(const std::string& key) {
  if (!key.starts_with('/')) return key;
  if (key == "/^swift\\.(.+\\.)?upload-complete$/") return "swift.upload-complete";
  EXPECT_EQ(key, "/^mediawiki\\.job\\..+/");
  return "mediawiki.job.refreshLinks";
}

/// The hosts that a deployment's config names, and the config that gives their addresses.
class Surroundings {
 public:
  explicit Surroundings(const Deployment& deployment, const TestCertificate* certificate = nullptr)
      : deployment_(deployment),
        stream_configs_(stream_configs_of(deployment)),
        schemas_([this](const ServedRequest& request) { return schema_answer(request); }, certificate),
        api_([this](const ServedRequest& request) { return api_answer(request); }, certificate) {
    if (deployment.own) {
      fs::create_directories(folder_.path() + "/repositories/primary");
      fs::create_directory_symlink(source_dir() + "/schemas", repository("primary"));
    } else {
      fs::create_directory_symlink(kShared + "/schema-repos", folder_.path() + "/repositories");
    }
  }

  std::string config_file() const {
    return deployment_.own ? source_dir() + "/tests/broker/production.yaml"
                           : kShared + "/production-configs/" + deployment_.name + ".yaml";
  }
  std::string repository(const std::string& name) const {
    return folder_.path() + "/repositories/" + name + "/jsonschema";
  }
  const Json& stream_configs() const { return stream_configs_; }
  std::vector<ServedRequest> api_requests() const { return api_.requests(); }

  /// The addresses, and no more, as YAML (JSON is some). `host`: what the hosts are called.
  std::string addresses(const std::string& brokers, const std::string& kafka_ca_file,
                        const std::string& host = "127.0.0.1") const {
    const Json conf = document(text_of(config_file())).at("services").at(0).at("conf");
    const auto moved = [&](const std::string& uri, const HttpTestServer& server) {
      return uri.starts_with("http") ? server.uri(uri.substr(uri.find('/', uri.find("://") + 3)), host) : uri;
    };
    Json bases = Json::array();
    for (const Json& base : conf.at("schema_base_uris")) bases.push_back(moved(base, schemas_));
    Json kafka;
    kafka["conf"] = {{"metadata.broker.list", brokers}, {"ssl.ca.location", kafka_ca_file}};
    return "stream_config_uri: " + Json(moved(conf.at("stream_config_uri"), api_)).dump() +
           "\nschema_base_uris: " + bases.dump() + "\nkafka: " + kafka.dump() + "\n";
  }

 private:
  std::string schema_answer(const ServedRequest& request) const {
    const std::string target = request.target();
    const fs::path file = folder_.path() + target;
    if (!target.starts_with("/repositories/") || target.find("..") != std::string::npos || !fs::is_regular_file(file))
      return http_answer("no such file", "404 Not Found");
    return http_answer(schema_text(file));
  }

  /// As MediaWiki answers: failures too have the status 200.
  std::string api_answer(const ServedRequest& request) const {
    const auto failure = [](const std::string& code, const std::string& info) {
      return http_answer(Json{{"error", {{"code", code}, {"info", info}}}}.dump(), "200 OK",
                         "MediaWiki-API-Error: " + code + "\r\n");
    };
    if (request.header("Host") != "meta.wikimedia.org") return failure("nosuchwiki", "another wiki was asked for");
    const std::string target = request.target();
    if (target !=
        "/w/api.php?format=json&action=streamconfigs&constraints=destination_event_service=" + deployment_.name)
      return failure("badvalue", "Unrecognized value for parameter \"action\": " + target);
    return http_answer(Json{{"streams", stream_configs_}}.dump(), "200 OK",
                       "Content-Type: application/json; charset=utf-8\r\n");
  }

  const Deployment deployment_;
  const TemporaryFolder folder_;
  const Json stream_configs_;
  HttpTestServer schemas_;
  HttpTestServer api_;
};

bool becomes_ready(const GateProcess& gate) {
  return becomes([&] { return HttpClient(gate.port()).get("/readyz").status == 200; });
}

class ProductionConfig : public testing::TestWithParam<Deployment> {
 protected:
  void SetUp() override {
    if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
    if (!GetParam().own && !fs::exists(kShared)) GTEST_SKIP() << "Wikimedia's configs are not here: " << kShared;
  }
};

TEST_P(ProductionConfig, StartsAndAdmitsToEachStreamItsOwnSchemaAndNoOther) {
  const Deployment& deployment = GetParam();
  const Surroundings surroundings(deployment);
  KafkaBroker kafka({"--tls"});
  GateProcess gate({surroundings.config_file()}, surroundings.addresses(kafka.tls_address(), kafka.ca_file()));
  ASSERT_TRUE(becomes_ready(gate)) << gate.log();

  // Of each stream, its schema's example and one of the next schema.
  std::map<std::string, Json> examples = examples_of(surroundings.repository("primary"));
  if (fs::exists(surroundings.repository("secondary")))
    examples.merge(examples_of(surroundings.repository("secondary")));
  std::vector<std::string> streams;
  std::vector<std::string> lost;  // those whose schema is in no repository
  Json events = Json::array();
  Json lost_events = Json::array();
  for (const auto& [key, config] : surroundings.stream_configs().items()) {
    const std::string title = config.at("schema_title");
    const auto own = examples.find(title);
    if (own == examples.end()) {
      lost.push_back(key);
      lost_events.push_back({{"$schema", "/" + title + "/1.0.0"}, {"meta", {{"stream", stream_of(key)}}}});
      continue;
    }
    const auto other = std::next(own) == examples.end() ? examples.begin() : std::next(own);
    for (Json event : {own->second, other->second}) {
      event["meta"]["stream"] = stream_of(key);
      events.push_back(std::move(event));
    }
    streams.push_back(stream_of(key));
  }
  EXPECT_EQ(streams.size(), deployment.streams);

  const HttpReply reply = HttpClient(gate.port()).post("/v1/events", events.dump());
  ASSERT_EQ(reply.status, 207u) << reply.body;
  const Json failed = Json::parse(reply.body);
  EXPECT_EQ(failed.at("invalid"), Json::array());
  ASSERT_EQ(failed.at("error").size(), streams.size()) << failed.at("error").dump();
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const Json& error = failed.at("error").at(i);
    EXPECT_EQ(error.at("index"), 2 * i + 1);
    EXPECT_THAT(error.at("context").at("message").get<std::string>(),
                HasSubstr("is not allowed in stream; schema title must be "));
  }

  // A 207 says that the others are produced. Some are looked for: each takes a consumer its time.
  for (std::size_t i = 0; i < streams.size(); i += 1 + streams.size() / 8) {
    const std::string& stream = streams[i];
    const std::string topic = (stream.starts_with("eventlogging_") ? "" : "eqiad.") + stream;
    const auto records = kafka.records(topic);
    ASSERT_EQ(records.size(), 1u) << topic;
    EXPECT_EQ(Json::parse(records[0].value).at("meta").at("stream"), stream);
  }

  EXPECT_EQ(HttpClient(gate.port()).get("/v1/_test/events").status, 201u);
  const Json declared = Json::parse(HttpClient(gate.port()).get("/v1/stream-configs").body);
  EXPECT_EQ(declared.size(), surroundings.stream_configs().size());

  // What is in no repository is told and counted, and stops nothing.
  const std::string log = gate.log();
  for (const std::string& schema : deployment.missing)
    EXPECT_THAT(log, testing::ContainsRegex("A schema of schema_precache_uris cannot be used[^\n]*" + schema));
  const std::string metrics = HttpClient(gate.metrics_port()).get("/metrics").body;
  EXPECT_EQ(metric(metrics, "eventgate_schema_failures_total"), static_cast<double>(deployment.missing.size()));
  EXPECT_EQ(metric(metrics, "eventgate_events_produced_total"), static_cast<double>(streams.size() + 1));

  const auto told = [&] {
    return metric(HttpClient(gate.metrics_port()).get("/metrics").body, "eventgate_streams_without_schema_total");
  };
  EXPECT_EQ(lost.size(), surroundings.stream_configs().size() - deployment.streams);
  EXPECT_TRUE(becomes([&] { return told() == static_cast<double>(lost.size()); })) << told();
  std::istringstream lines(gate.log());
  std::set<std::string> told_of;
  for (std::string line; std::getline(lines, line);)
    if (const Json entry = Json::parse(line); entry.contains("schema_title")) told_of.insert(entry.at("stream"));
  EXPECT_EQ(told_of, std::set<std::string>(lost.begin(), lost.end()));
  if (!lost.empty()) {
    const HttpReply refused = HttpClient(gate.port()).post("/v1/events", lost_events.dump());
    EXPECT_EQ(refused.status, 500u);
    const Json errors = Json::parse(refused.body).at("error");
    ASSERT_EQ(errors.size(), lost.size());
    for (std::size_t i = 0; i < lost.size(); ++i)
      EXPECT_EQ(errors[i].at("context").at("message"),
                "Failed loading schema at " + lost_events[i].at("$schema").get<std::string>());
  }

  gate.signal(SIGTERM);
  EXPECT_EQ(gate.wait(), 0) << gate.log();
}

INSTANTIATE_TEST_SUITE_P(
    Deployments, ProductionConfig,
    testing::Values(Deployment{"eventgate-own", 6, {"/in/no/repository/1.0.0"}, true},
                    Deployment{"eventgate-main", 45, {"/mediawiki/page/image-suggestions-feedback/1.0.0"}},
                    Deployment{"eventgate-analytics", 7, {"/sparql/query/1.2.0"}},
                    Deployment{"eventgate-analytics-external", 4, {}}, Deployment{"eventgate-logging-external", 5, {}}),
    [](const testing::TestParamInfo<Deployment>& deployment) {
      std::string name = deployment.param.name;
      std::erase(name, '-');
      return name;
    });

const Deployment kOwn{"eventgate-own", 6, {"/in/no/repository/1.0.0"}, true};

TEST(Production, AnInvalidEventIsToldToTheErrorStream) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  const Surroundings surroundings(kOwn);
  KafkaBroker kafka({"--tls"});
  GateProcess gate({surroundings.config_file()}, surroundings.addresses(kafka.tls_address(), kafka.ca_file()));
  ASSERT_TRUE(becomes_ready(gate)) << gate.log();
  const std::string event = R"({"$schema":"/test/event/1.0.0","meta":{"stream":"eventgate-own.test.event"},"test":5})";
  EXPECT_EQ(HttpClient(gate.port()).post("/v1/events", event).status, 400u);
  gate.signal(SIGTERM);
  EXPECT_EQ(gate.wait(), 0) << gate.log();
  const auto errors = kafka.values("eqiad.eventgate-own.error.validation");
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(Json::parse(errors[0]).at("raw_event"), event);
  EXPECT_EQ(Json::parse(errors[0]).at("emitter_id"), "eventgate-own-production");
}

TEST(Production, BrokersThatAnotherAuthorityVouchesForAreRefused) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  const Surroundings surroundings(kOwn);
  KafkaBroker kafka({"--tls"});
  const TemporaryFolder folder;
  const std::string another = folder.write("another-ca.pem", TestCertificate("DNS:localhost").pem());
  const GateProcess gate({surroundings.config_file()},
                         surroundings.addresses(kafka.tls_address(), another) + "produce_timeout: 4s\n");
  HttpReply ready;
  EXPECT_TRUE(becomes([&] {
    ready = HttpClient(gate.port()).get("/readyz");
    return ready.body.find("certificate verify failed") != std::string::npos;
  })) << ready.body;
  EXPECT_EQ(ready.status, 503u);
  const HttpReply reply = HttpClient(gate.port()).get("/v1/_test/events");
  EXPECT_EQ(reply.status, 500u);
  EXPECT_EQ(Json::parse(reply.body).at("error").at(0).at("context").at("delivery"), "not_produced");
  EXPECT_THAT(gate.log_with("certificate verify failed"), HasSubstr("certificate verify failed"));
  EXPECT_FALSE(kafka.has_topic("eqiad.eventgate-own.test.event"));
}

TEST(Production, CheckFindsWhatIsMissing) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  const Surroundings surroundings(kOwn);
  KafkaBroker kafka({"--tls", "auto.create.topics.enable=false"});
  kafka.create_topic("eqiad.eventgate-own.test.event", 1, {{"max.message.bytes", "100000"}});
  const TemporaryFolder folder;
  const std::string addresses = surroundings.addresses(kafka.tls_address(), kafka.ca_file());
  const GateRun run =
      run_gate({"check", "-c", surroundings.config_file(), "-c", folder.write("addresses.yaml", addresses)});
  EXPECT_EQ(run.status, 1);
  for (const char* problem :
       {"schema_base_uris: 'file:///srv/service/schemas/event/primary/jsonschema/': expected a directory",
        "schema_precache_uris: '/in/no/repository/1.0.0': expected a schema in one of schema_base_uris",
        "stream 'mediawiki.of_no_schema': expected a schema of the title 'mediawiki/of_no_schema'",
        "kafka: expected the topic 'eqiad.mediawiki.interwiki_link_hover', which is not there",
        "kafka: expected the topic 'eventlogging_Test', which is not there",
        "kafka: message.max.bytes is 1048576: expected at most 100000"})
    EXPECT_THAT(run.output, HasSubstr(problem));
  EXPECT_THAT(run.output, HasSubstr("warning: kafka: the replication factor is 1"));
  EXPECT_THAT(run.output, HasSubstr("warning: kafka: min.insync.replicas is 1"));
  EXPECT_THAT(run.output, HasSubstr("warning: kafka: message.timestamp.after.max.ms is "));
  // Three warnings of the topic. Problems: the directory, the schema, the stream, five topics, the size.
  EXPECT_EQ(std::count(run.output.begin(), run.output.end(), '\n'), 12) << run.output;
}

}  // namespace
}  // namespace eventgate

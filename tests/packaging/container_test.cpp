// docker/Dockerfile and docker/compose.yaml, held to the repository: no engine is needed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eventgate/cli/command_line.hpp"
#include "eventgate/config/config.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "support/paths.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

const fs::path kSource = source_dir();
const std::string kConfig = "/etc/eventgate/config.yaml";

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  EXPECT_TRUE(in) << file;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> lines;
  std::istringstream in(text_of(file));
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

Json yaml(const fs::path& file) {
  const auto object = parse_object_text(text_of(file));
  EXPECT_TRUE(object) << file;
  return object ? *object : Json::object();
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

std::pair<std::string, std::string> cut(const std::string& text, const std::string& at) {
  const std::size_t found = text.find(at);
  return found == std::string::npos ? std::pair(text, std::string())
                                    : std::pair(text.substr(0, found), text.substr(found + at.size()));
}

struct Instruction {
  std::string name, arguments;
};

/// The instructions of each stage of the Dockerfile.
std::vector<std::vector<Instruction>> stages() {
  std::vector<std::vector<Instruction>> result;
  for (const std::string& line : lines_of(kSource / "docker/Dockerfile")) {
    if (line.empty() || line[0] == '#') continue;
    EXPECT_FALSE(line.ends_with('\\')) << "an instruction is one line here: " << line;
    const auto [name, arguments] = cut(line, " ");
    if (name == "FROM") result.emplace_back();
    result.back().push_back({name, arguments});
  }
  return result;
}

std::vector<std::string> arguments_of(const std::vector<Instruction>& stage, const std::string& name) {
  std::vector<std::string> found;
  for (const Instruction& instruction : stage)
    if (instruction.name == name) found.push_back(instruction.arguments);
  return found;
}

/// The program's arguments in a command as JSON, held to those that it takes.
CommandLine command_line(std::vector<std::string> arguments) {
  const auto line = parse_command_line(arguments);
  if (line) return *line;
  ADD_FAILURE() << line.error().message;
  return {};
}

Config config(const std::vector<std::string>& files) {
  const auto result = read_config(files);
  if (result) return *result;
  ADD_FAILURE() << testing::PrintToString(result.error().problems);
  return {};
}

/// As the package has it, but for paths.
const std::string kShipped = kSource / "config/config.yaml";

TEST(Dockerfile, HasTwoStagesAndEndsAsNobodyWithTheGate) {
  const auto found = stages();
  ASSERT_EQ(found.size(), 2u);
  const std::vector<Instruction>& last = found.back();
  const auto user = arguments_of(last, "USER");
  ASSERT_EQ(user.size(), 1u);
  EXPECT_GT(std::stoi(user[0]), 0) << user[0];
  EXPECT_THAT(arguments_of(last, "ENTRYPOINT"), testing::ElementsAre(R"(["eventgate"])"));
  const auto command = arguments_of(last, "CMD");
  ASSERT_EQ(command.size(), 1u);
  const CommandLine line = command_line(Json::parse(command[0]));
  EXPECT_EQ(line.command, CommandLine::Command::serve);
  EXPECT_THAT(line.files, testing::ElementsAre(kConfig));
}

TEST(Dockerfile, RunLinesAreThoseOfCi) {
  const auto found = stages();
  const auto ci = lines_of(kSource / ".ci/run");
  for (const std::string& run : arguments_of(found.front(), "RUN")) EXPECT_THAT(ci, Contains("step " + run));
  // tests/packaging/package_test.sh takes those of the last stage from the file itself.
  EXPECT_THAT(text_of(kSource / "tests/packaging/package_test.sh"),
              HasSubstr(R"(stage == 2 && sub(/^RUN /, "")' docker/Dockerfile)"));
  EXPECT_THAT(arguments_of(found.back(), "RUN"), testing::Not(IsEmpty()));
}

TEST(Dockerfile, IsHealthyWhenTheCommandSaysSo) {
  const auto health = arguments_of(stages().back(), "HEALTHCHECK");
  ASSERT_EQ(health.size(), 1u);
  std::vector<std::string> command = Json::parse(cut(health[0], "CMD ").second);
  ASSERT_EQ(command.front(), "eventgate");
  command.erase(command.begin());
  const CommandLine line = command_line(command);
  EXPECT_EQ(line.command, CommandLine::Command::health);
  EXPECT_THAT(line.files, testing::ElementsAre(kConfig));
}

TEST(Dockerfile, ExposesThePortsOfTheConfig) {
  const Config shipped = config({kShipped});
  EXPECT_THAT(
      arguments_of(stages().back(), "EXPOSE"),
      testing::ElementsAre(std::to_string(shipped.http.port) + " " + std::to_string(*shipped.http.metrics_port)));
}

TEST(Dockerfile, CopiesWhatIsThere) {
  const auto found = stages();
  for (const std::string& copy : arguments_of(found.front(), "COPY"))
    EXPECT_TRUE(fs::exists(kSource / words(copy).at(0))) << copy;
  // The package is where `./dev package` puts it, below the folder that the first stage works in.
  const auto copies = arguments_of(found.back(), "COPY");
  ASSERT_EQ(copies.size(), 1u);
  EXPECT_EQ(words(copies[0]).at(1), arguments_of(found.front(), "WORKDIR").at(0) + "/build/package/");
  EXPECT_THAT(text_of(kSource / "dev"), HasSubstr(R"(-B "$build/package")"));
}

TEST(Dockerfile, WritesToTheStateOnly) {
  const std::vector<Instruction> last = stages().back();
  const auto state = arguments_of(last, "WORKDIR");
  EXPECT_THAT(state, testing::ElementsAre("/var/lib/eventgate"));
  EXPECT_EQ(arguments_of(last, "VOLUME"), state);
  const std::string user = arguments_of(last, "USER").at(0);
  const auto [uid, gid] = cut(user, ":");
  EXPECT_THAT(arguments_of(last, "RUN"), Contains("install -d -o " + uid + " -g " + gid + " -m 0700 " + state.at(0)));
}

// --- compose

const fs::path kDocker = kSource / "docker";

Json services() { return yaml(kDocker / "compose.yaml").at("services"); }

struct Mount {
  std::string from, to, mode;
};

std::vector<Mount> mounts(const Json& service) {
  std::vector<Mount> result;
  for (const Json& volume : service.value("volumes", Json::array())) {
    const auto [from, rest] = cut(volume, ":");
    const auto [to, mode] = cut(rest, ":");
    result.push_back({from, to, mode});
  }
  return result;
}

/// Where the file at `path` in a container of `service` is in the repository; empty if it is not mounted.
fs::path mounted_at(const Json& service, const std::string& path) {
  for (const Mount& mount : mounts(service))
    if (mount.to == path) return kDocker / mount.from;
  return {};
}

/// The config of the gate in the compose file.
Config compose_config() {
  const Json gate = services().at("eventgate");
  const CommandLine line = command_line(gate.at("command"));
  EXPECT_EQ(line.command, CommandLine::Command::serve);
  std::vector<std::string> files;
  for (const std::string& file : line.files)
    files.push_back(file == kConfig ? kShipped : mounted_at(gate, file).string());
  return config(files);
}

TEST(Compose, HasTheGateKafkaPrometheusAndGrafana) {
  std::vector<std::string> names;
  const Json all = services();
  for (const auto& [name, service] : all.items()) {
    names.push_back(name);
    for (const Json& other : service.value("depends_on", Json::array())) EXPECT_TRUE(all.contains(other)) << other;
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("kafka", "eventgate", "prometheus", "grafana"));
}

TEST(Compose, BuildsTheImageOfTheDockerfile) {
  const Json build = services().at("eventgate").at("build");
  const fs::path context = kDocker / build.at("context");
  EXPECT_TRUE(fs::equivalent(context, kSource));
  EXPECT_TRUE(fs::equivalent(context / build.at("dockerfile"), kDocker / "Dockerfile"));
}

TEST(Compose, MountsWhatIsThere) {
  const Json compose = yaml(kDocker / "compose.yaml");
  for (const auto& [name, service] : compose.at("services").items()) {
    for (const Mount& mount : mounts(service)) {
      if (!mount.from.starts_with('.')) {
        EXPECT_TRUE(compose.at("volumes").contains(mount.from)) << mount.from;
        continue;
      }
      EXPECT_EQ(mount.mode, "ro") << mount.from;
      EXPECT_TRUE(fs::is_regular_file(kDocker / mount.from)) << mount.from;
    }
  }
}

TEST(Compose, RunsTheGateAsClosedAsItCanBe) {
  const Json gate = services().at("eventgate");
  EXPECT_EQ(gate.at("read_only"), true);
  EXPECT_EQ(gate.at("cap_drop"), Json::array({"ALL"}));
  EXPECT_EQ(gate.at("security_opt"), Json::array({"no-new-privileges:true"}));
  EXPECT_FALSE(gate.contains("user"));  // the image's
  const std::string state = arguments_of(stages().back(), "VOLUME").at(0);
  const auto all = mounts(gate);
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const Mount& mount) { return mount.to == state; }));
}

TEST(Compose, GivesTheGateAConfigWithoutAWarning) {
  const Config read = compose_config();
  EXPECT_THAT(read.warnings, IsEmpty());
  const Json gate = services().at("eventgate");
  const std::string port = std::to_string(read.http.port);
  EXPECT_EQ(gate.at("ports"), Json::array({port + ":" + port}));
  const std::string grace = gate.at("stop_grace_period");
  EXPECT_GT(std::chrono::seconds(std::stoi(grace)), read.shutdown_timeout) << grace;
  EXPECT_TRUE(read.live);
  EXPECT_FALSE(read.api.live_token.empty()) << "clients of a container are not on its host";
  EXPECT_TRUE(read.kafka->guaranteed.conf.contains("statistics.interval.ms")) << "the dashboard shows them";
  ASSERT_TRUE(read.spool);
  EXPECT_TRUE(fs::path(read.spool->path).is_relative()) << "below the state folder";
}

TEST(Compose, KafkaIsThatOfTheTestsAndWhereTheGateLooksForIt) {
  const Json kafka = services().at("kafka");
  const std::string starter = text_of(kSource / "tests/support/kafka/kafka");
  EXPECT_THAT(starter, HasSubstr("version=${KAFKA_VERSION:-" + cut(kafka.at("image"), "apache/kafka:").second + "}"));
  const Json& variables = kafka.at("environment");
  for (const auto& [name, value] : variables.items()) {
    std::string option = cut(name, "KAFKA_").second;
    for (char& c : option) c = c == '_' ? '.' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    EXPECT_THAT(starter, HasSubstr("\n" + option + "=")) << name;
  }
  EXPECT_EQ(variables.at("KAFKA_PROCESS_ROLES"), "broker,controller");
  const std::string address = cut(variables.at("KAFKA_ADVERTISED_LISTENERS"), "PLAINTEXT://").second;
  EXPECT_EQ(compose_config().kafka->guaranteed.conf.at("metadata.broker.list"), address);
  EXPECT_EQ(cut(address, ":").first, "kafka");
  const auto kept = mounts(kafka);
  EXPECT_TRUE(std::any_of(kept.begin(), kept.end(), [&](const Mount& mount) {
    return mount.to == variables.at("KAFKA_LOG_DIRS") && !mount.from.starts_with('.');
  }));
  EXPECT_THAT(variables.at("KAFKA_LISTENERS").get<std::string>(), HasSubstr(":" + cut(address, ":").second + ","));
}

TEST(Compose, PrometheusScrapesTheGateByTheRules) {
  const Json prometheus = services().at("prometheus");
  const fs::path file = mounted_at(prometheus, "/etc/prometheus/prometheus.yml");
  const Json read = yaml(file);
  EXPECT_EQ(read.at("scrape_configs").at(0).at("static_configs").at(0).at("targets"),
            Json::array({"eventgate:" + std::to_string(*compose_config().http.metrics_port)}));
  const std::string rules = read.at("rule_files").at(0);
  const fs::path folder = fs::path(rules).parent_path();
  std::vector<std::string> there;
  for (const Mount& mount : mounts(prometheus))
    if (fs::path(mount.to).parent_path() == folder) there.push_back(mount.from);
  EXPECT_THAT(there,
              testing::UnorderedElementsAre("../ops/prometheus/alerts.yaml", "../ops/prometheus/recording.yaml"));
}

TEST(Compose, GrafanaShowsTheDashboardOfThatPrometheus) {
  const Json grafana = services().at("grafana");
  const std::string provisioning = "/etc/grafana/provisioning/";
  const Json source = yaml(mounted_at(grafana, provisioning + "datasources/eventgate.yaml")).at("datasources").at(0);
  EXPECT_EQ(source.at("url"), "http://prometheus:" + cut(services().at("prometheus").at("ports").at(0), ":").second);
  const Json provider = yaml(mounted_at(grafana, provisioning + "dashboards/eventgate.yaml")).at("providers").at(0);
  const std::string folder = provider.at("options").at("path");
  EXPECT_EQ(mounted_at(grafana, folder + "/eventgate.json"), kDocker / "../ops/grafana/eventgate.json");
}

// --- docs/deploying.md

/// Its YAML of this kind.
Json manifest(const std::string& kind) {
  const std::string text = text_of(kSource / "docs/deploying.md");
  for (std::size_t at = 0; (at = text.find("```yaml\n", at)) != std::string::npos;) {
    const std::size_t end = text.find("```", at + 8);
    const auto object = parse_object_text(std::string_view(text).substr(at + 8, end - at - 8));
    if (object && object->value("kind", "") == kind) return *object;
    at = end + 3;
  }
  ADD_FAILURE() << "no " << kind;
  return Json::object();
}

TEST(Kubernetes, TheDeploymentFitsTheImageAndTheConfig) {
  const Config shipped = config({kShipped});
  const Json pod = manifest("Deployment").at("spec").at("template").at("spec");
  const Json& gate = pod.at("containers").at(0);
  EXPECT_EQ(command_line(gate.at("args")).files.at(0), kConfig);
  const Json ports = gate.at("ports");
  EXPECT_EQ(ports.at(0).at("containerPort"), shipped.http.port);
  EXPECT_EQ(ports.at(1).at("containerPort"), *shipped.http.metrics_port);
  for (const auto& [probe, path] : {std::pair("startupProbe", "/healthz"), std::pair("livenessProbe", "/healthz"),
                                    std::pair("readinessProbe", "/readyz")}) {
    EXPECT_EQ(gate.at(probe).at("httpGet"), Json({{"path", path}, {"port", shipped.http.port}})) << probe;
  }
  const int before = std::stoi(gate.at("lifecycle").at("preStop").at("exec").at("command").at(1).get<std::string>());
  EXPECT_GT(std::chrono::seconds(pod.at("terminationGracePeriodSeconds")),
            shipped.shutdown_timeout + std::chrono::seconds(before));
  const std::string user = arguments_of(stages().back(), "USER").at(0);
  EXPECT_EQ(std::to_string(pod.at("securityContext").at("runAsUser").get<int>()), cut(user, ":").first);
  EXPECT_EQ(gate.at("securityContext").at("readOnlyRootFilesystem"), true);
  EXPECT_EQ(gate.at("volumeMounts").at(1).at("mountPath"), arguments_of(stages().back(), "VOLUME").at(0));
  const std::string memory = gate.at("resources").at("limits").at("memory");
  EXPECT_GT(std::stoul(memory) << 20, shipped.http.max_inflight_bytes) << memory;
  EXPECT_EQ(manifest("HorizontalPodAutoscaler").at("spec").at("scaleTargetRef").at("name"),
            manifest("Deployment").at("metadata").at("name"));
}

}  // namespace
}  // namespace eventgate

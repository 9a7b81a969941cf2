// Rows at the paces that production has.
#include <unistd.h>

#include <cstdio>

#include "paced.hpp"

namespace eventgate::bench {
namespace {

/// As production sends them: a gate there takes some hundreds to some thousands of requests a second, singly.
const Pace kPaces[] = {{"paced, 1,000/s evenly", 1, std::chrono::microseconds(1000)},
                       {"paced, 5,000/s evenly", 1, std::chrono::microseconds(200)},
                       {"paced, 10,000/s evenly", 1, std::chrono::microseconds(100)},
                       {"paced, 30,000/s evenly", 3, std::chrono::microseconds(100)},
                       {"paced, bursts of 64 each 10 ms", 64, std::chrono::microseconds(10000)}};

void print_paced(const Pace& pace, const std::vector<PacedServer>& servers,
                 const std::vector<PacedMeasurement>& results) {
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const PacedMeasurement& found = results[i];
    const bool is_yardstick = servers[i].yardstick == i;
    char text[128];
    int size = std::snprintf(text, sizeof text, ", %.0f/s, p50 %.0f, p99 %.0f us", found.requests_per_second,
                             found.p50_microseconds, found.p99_microseconds);
    if (found.system_calls)
      std::snprintf(text + size, sizeof text - static_cast<std::size_t>(size), ", %.1f calls", *found.system_calls);
    const std::string& yardstick = servers[servers[i].yardstick].name;
    print_row(pace.name + ": " + servers[i].name + text, found.cpu_microseconds,
              is_yardstick ? "1 wire" : times(found.ratio, yardstick.c_str()),
              servers[i].goal ? goal_of(found.ratio, *servers[i].goal, yardstick.c_str()) : "");
  }
}

/// A yardstick's server, running.
class YardstickServer {
 public:
  explicit YardstickServer(const std::function<void(int listener)>& serve)
      : listener_(listen_on_loopback(port_)), process_([&] { serve(listener_); }, cores().server) {
    ::close(listener_);
  }
  const Process& process() const { return process_; }
  std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
  int listener_;
  Process process_;
};

}  // namespace

void measure_paces(const std::filesystem::path& directory) {
  std::vector<const Pace*> paces;
  for (const Pace& pace : kPaces)
    if (wanted({pace.name.c_str()})) paces.push_back(&pace);
  if (paces.empty()) return;
  if (!cores().apart) {
    std::printf("NO PACED ROWS: the client needs a core of its own\n");
    return;
  }
  const std::string event = search_subject().event;
  const auto folder = directory / "paced-events", kafka_directory = directory / "paced-kafka";
  std::filesystem::create_directory(folder);
  std::filesystem::create_directory(kafka_directory);
  std::optional<Broker> broker;
  try {
    broker.emplace(directory / "paced-broker");
  } catch (const std::runtime_error& failure) {
    std::printf("\nNO KAFKA ROWS: no broker could be started: %s\n", failure.what());
  }
  const YardstickServer wire_server(serve_constant_answer);
  std::optional<YardstickServer> relay_server;
  if (broker)
    relay_server.emplace([&](int listener) {
      serve_relay(listener, {{"metadata.broker.list", broker->bootstrap()}, {"queue.buffering.max.ms", "10"}});
    });
  Gate files(directory / "paced-events", "output_path: " + folder.string() + "/\n");
  std::optional<Gate> kafka;
  std::vector<PacedServer> servers = {{"wire", wire_server.process(), wire_server.port(), "/v1/events", 201, 0},
                                      {"1 event, file", files.process(), files.port(), "/v1/events", 201, 0, 1.5}};
  if (broker) {
    kafka.emplace(kafka_directory, "kafka:\n  conf: {metadata.broker.list: '" + broker->bootstrap() +
                                       "', queue.buffering.max.ms: 10}\n");
    servers.push_back({"hasty", kafka->process(), kafka->port(), "/v1/events?hasty=true", 202, 0, 1.5});
    servers.push_back({"relay", relay_server->process(), relay_server->port(), "/v1/events", 201, 0});
    servers.push_back({"guaranteed", kafka->process(), kafka->port(), "/v1/events", 201, 3, 1.4});
  }
  for (const Pace* pace : paces)
    print_paced(*pace, servers, measure_paced(servers, event, *pace, [&] { empty_files(folder); }));
}

}  // namespace eventgate::bench

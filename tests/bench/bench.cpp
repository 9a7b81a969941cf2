// The cost of the gate, as CPU from the kernel's accounting: steps in a loop, then whole requests by wrk. Absolute
// times differ between machines by more than 2, so everything is a multiple of a yardstick measured in the same run.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <thread>

#include "bench.hpp"
#include "paced.hpp"
#include "readers.hpp"
#include "support/http_client.hpp"
#include "support/paths.hpp"

namespace eventgate::bench {
namespace {

double parse = 0;  // the yardsticks, microseconds
double wire = 0;
double relay = 0;

void print_heading(const std::string& heading, const char* unit) {
  std::printf("\n%-58s %9s  %-22s %s\n", heading.c_str(), unit, "multiple", "goal");
}

/// Microseconds of a request to a server that `serve` runs.
double measure_yardstick(const std::filesystem::path& body, const std::function<void(int listener)>& serve) {
  std::uint16_t port = 0;
  const int listener = listen_on_loopback(port);
  Process server([&] { serve(listener); }, cores().server);
  ::close(listener);
  return measure(server, port, {"/v1/events", body, 64, 201}, [] {}).cpu_microseconds;
}

/// Before the stages and each of the groups of requests: what else the machine does changes within the minutes of a
/// run.
void measure_yardsticks(const std::filesystem::path& one, bool requests = true) {
  const Stage parsing = parse_stage("parse", search_subject());
  parse = microseconds(parsing);
  print_row("parse: " + parsing.about, parse, "1 parse", "");
  if (!requests) return;
  wire = measure_yardstick(one, serve_constant_answer);
  print_row("wire: a constant answer by raw epoll, a request", wire, "1 wire, " + times(wire / parse, "parse"), "");
}

// --- Whole requests

struct Row {
  std::string what;
  Load load;
  std::size_t events;          ///< In a request.
  std::optional<double> goal;  ///< Multiples of the wire for one event, of the parse for several.
  bool relayed = false;        ///< Answered once Kafka has it.
};

void measure_rows(Gate& gate, const std::vector<Row>& rows, const std::function<void()>& between) {
  for (const Row& row : rows) {
    if (row.what.find(bench_options().only) == std::string::npos) continue;
    const Measurement found = measure(gate.process(), gate.port(), row.load, between);
    const bool single = row.events == 1;
    const double cpu = found.cpu_microseconds / static_cast<double>(row.events);
    const double multiple = cpu / (single ? wire : parse);
    const char* yardstick = single ? "wire" : "parse";
    std::string both = times(multiple, yardstick);
    if (single) both += ", " + (row.relayed ? times(cpu / relay, "relay") : times(cpu / parse, "parse"));
    char latency[96];
    std::snprintf(latency, sizeof latency, ", %.0f/s, p99 %.1f ms", found.requests_per_second,
                  found.p99_microseconds / 1e3);
    print_row(row.what + latency, cpu, both, row.goal ? goal_of(multiple, *row.goal, yardstick) : "");
  }
}

void print_resident(Gate& gate, const char* when, double goal) {
  const double resident = static_cast<double>(gate.process().resident()) / 1e6;
  print_row(when, resident, "MB", goal_of(resident, goal, "MB"));
}

constexpr const char* kIdleBeside = "1 event, file, beside 10,000 idle connections";

/// What 10,000 connections that had one answer and are kept alive cost in memory, and others in time.
void measure_idle(const std::filesystem::path& directory, const std::string& files, const Load& load) {
  if (!wanted({kIdleBeside})) return;
  Gate gate(directory, files);
  const auto nothing = [] {};
  const double alone = measure(gate.process(), gate.port(), load, nothing).cpu_microseconds;
  const std::size_t before = gate.process().resident();
  const Connections idle(gate.port(), 10000);
  const double more = static_cast<double>(gate.process().resident() - before) / 1e6;
  print_row("resident, more with 10,000 idle connections", more, "MB", goal_of(more, 25, "MB"));
  const double beside = measure(gate.process(), gate.port(), load, nothing).cpu_microseconds;
  print_row(kIdleBeside, beside, times(beside / alone, "alone"), goal_of(beside / alone, 1.1, "alone"));
}

constexpr const char* kIdleReaders = "1 event, file, beside 10,000 idle readers";
constexpr const char* kStuckReader = "1 event, file, beside a reader that does not read";
constexpr const char* kReplaying = "1 event, file, beside a replay of a full topic: p99";
constexpr const char* kBrokerAway = "1 event, file, beside a read side whose broker is away";

/// What readers cost those who send events.
void measure_intake_beside_readers(const std::filesystem::path& directory) {
  if (!wanted({kIdleReaders, kStuckReader, kReplaying, kBrokerAway})) return;
  const Subject subject = search_subject();
  const auto one = directory / "one", files = directory / "events";
  write_file(one, subject.event);
  const Load load{"/v1/events", one, 64, 201};
  const auto gate_with = [&](const char* name, const std::string& more) {
    const auto own = directory / name;
    std::filesystem::create_directories(own / "events");
    return std::make_unique<Gate>(own, "output_path: " + (own / "events").string() +
                                           "/\nmax_stream_clients: 20000\nnum_stream_workers: 1\n" + more);
  };
  const auto cpu_of = [&](Gate& gate) {
    return [&] { return measure(gate.process(), gate.port(), load, [] {}).cpu_microseconds; };
  };
  const auto alone = gate_with("alone", "");
  if (wanted({kIdleReaders})) {
    const auto read = gate_with("idle-readers", "streams: true\n");
    const Connections idle(alone->port(), 10000);
    // Nothing comes to this stream. A process of its own, because of the file descriptors.
    const SharedFile shared(directory / "idle-readers.counts");
    Process readers({"/proc/self/exe", "--clients", std::to_string(read->port()), "10000",
                     directory / "idle-readers.counts", "/v2/stream/bench.error"},
                    cores().client, directory / "idle-readers.log");
    while (shared.counts().begun < 10000) {
      if (!readers.running()) throw std::runtime_error("the readers have ended");
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    const auto [beside_idle, beside_readers] = in_turn(cpu_of(*alone), cpu_of(*read));
    print_row(kIdleReaders, beside_readers, times(beside_readers / beside_idle, "idle connections"),
              goal_of(beside_readers / beside_idle, 1.02, ""));
  }
  if (wanted({kStuckReader, kReplaying})) {
    const auto read = gate_with("stuck-reader", "streams: true\n");
    const std::string request = "GET /v2/stream/" + subject.stream + "?since=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    const auto [without, with] = in_turn(cpu_of(*alone), [&] {
      const Connections stuck(read->port(), 1, request);
      return cpu_of(*read)();
    });
    print_row(kStuckReader, with, times(with / without, "alone"), goal_of(with / without, 1.1, "alone"));
    const auto p99_of = [&](Gate& gate) {
      return measure(gate.process(), gate.port(), load, [] {}).p99_microseconds / 1e3;
    };
    const SharedFile shared(directory / "replaying");
    const double quiet = p99_of(*alone);
    const Process replay({"/proc/self/exe", "--clients", std::to_string(read->port()), "1", directory / "replaying",
                          "/v2/stream/" + subject.stream + "?since=0"},
                         cores().client, directory / "replaying.log");
    const double p99 = p99_of(*read);
    print_row(kReplaying, p99, "ms, " + times(p99 / quiet, "alone"), "");
  }
  if (wanted({kBrokerAway})) {
    const auto read =
        gate_with("broker-away", "streams: true\nkafka: {streams: {conf: {metadata.broker.list: '127.0.0.1:1'}}}\n");
    const auto [without, with] = in_turn(cpu_of(*alone), cpu_of(*read));
    print_row(kBrokerAway, with, times(with / without, "alone"), goal_of(with / without, 1.1, "alone"));
  }
}

constexpr const char* kTwoThreads = "100 events, file, two I/O threads";

/// Of two threads the client takes a part of one's core: they are held to the cores that it leaves, as one thread is to
/// the one that it has alone.
void measure_two_threads(const std::filesystem::path& directory, const std::string& files, const Load& load,
                         const std::function<void()>& between) {
  if (!wanted({kTwoThreads})) return;
  double rate[2], per_core[2];
  for (const int threads : {1, 2}) {
    Running running;
    running.threads = threads;
    if (threads == 2) CPU_OR(&running.where, &cores().server, &cores().client);
    Gate gate(directory, files, running);
    const Measurement found = measure(gate.process(), gate.port(), load, between);
    rate[threads - 1] = found.requests_per_second;
    per_core[threads - 1] = found.requests_per_second /
                            std::min<double>(threads, CPU_COUNT(&running.where) - (threads - 1) * found.client_cores);
  }
  const double ratio = 2 * per_core[1] / per_core[0];
  char text[64];
  std::snprintf(text, sizeof text, ">= 1.7: %s", ratio >= 1.7 ? "kept" : "MISSED");
  print_row(kTwoThreads + std::string(", requests a second"), rate[1], times(rate[1] / rate[0], "one thread"), "");
  print_row("the same, of the cores that the client leaves", rate[1], times(ratio, "one thread"), text);
}

constexpr const char* kStreamConfigs = "GET /v1/stream-configs of 250 streams of 500";

/// What clients ask the service of stream configs. The settings are as large as Wikimedia's.
void measure_stream_configs(const std::filesystem::path& directory, const std::string& files) {
  if (!wanted({kStreamConfigs})) return;
  nlohmann::ordered_json streams;
  std::string target = "/v1/stream-configs?streams=";
  for (int i = 0; i < 500; ++i) {
    const std::string name = "mediawiki.some_feature.event_" + std::to_string(i);
    if (i % 2 == 0) target += (i > 0 ? "|" : "") + name;
    streams[name] = {{"schema_title", "analytics/some_feature"},
                     {"topic_prefixes", {"eqiad.", "codfw."}},
                     {"canary_events_enabled", true},
                     {"sample", {{"unit", "session"}, {"rate", 0.5}}},
                     {"producers",
                      {{"eventgate",
                        {{"enrich_fields_from_http_headers",
                          {{"meta.request_id", "x-request-id"}, {"http.request_headers.user-agent", "user-agent"}}}}}}},
                     {"consumers", {{"analytics_hive_ingestion", {{"enabled", true}}}}},
                     {"destination_event_service", "eventgate-analytics-external"}};
  }
  Running running;
  running.streams = streams.dump();
  Gate gate(directory, files, running);
  HttpClient client(gate.port());
  constexpr int kRequests = 500;
  std::size_t size = 0;
  const auto ask = [&](int count) {
    while (count-- > 0) size = client.get(target).body.size();
  };
  ask(kRequests);
  std::array<double, 3> cpu{};
  for (double& each : cpu) {
    const double before = gate.process().cpu_microseconds();
    ask(kRequests);
    each = (gate.process().cpu_microseconds() - before) / kRequests;
  }
  std::sort(cpu.begin(), cpu.end());
  print_row(std::string(kStreamConfigs) + ", " + std::to_string(size / 1000) + " kB", cpu[1], "a request",
            goal_of(cpu[1], 1000, "us"));
}

constexpr const char* kStart = "start to first 201, primary schemas precached";

void measure_start(const std::filesystem::path& directory, const std::string& files) {
  const Subject subject = revision_subject();
  if (!wanted({kStart}) || schemas_of(subject.schema_base).size() < 10) return;
  const std::string request =
      "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\n"
      "Content-Length: " +
      std::to_string(subject.event.size()) + "\r\n\r\n" + subject.event;
  std::array<double, 3> seconds{};
  for (double& time : seconds) {
    Running running;
    running.precached = &subject;
    CPU_OR(&running.where, &cores().server, &cores().client);
    const auto begun = std::chrono::steady_clock::now();
    Gate gate(directory, files, running);
    const std::string line = status_line(gate.port(), request);
    time = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    if (!line.starts_with("HTTP/1.1 201")) throw std::runtime_error("expected status 201, got '" + line + "'");
  }
  std::sort(seconds.begin(), seconds.end());
  print_row(kStart, seconds[1], "s", goal_of(seconds[1], 0.4, "s"));
}

/// CPU seconds of a command that ends with `status`: median of three.
double seconds_of(const std::vector<std::string>& arguments, const std::string& folder, int status) {
  std::array<double, 3> seconds{};
  for (double& time : seconds) {
    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("no process");
    if (pid == 0) {
      if (::chdir(folder.c_str()) != 0 || !std::freopen("/dev/null", "w", stdout) ||
          !std::freopen("/dev/null", "w", stderr))
        ::_exit(127);
      std::vector<std::string> words{bench_options().gate};
      words.insert(words.end(), arguments.begin(), arguments.end());
      std::vector<char*> argv;
      for (std::string& word : words) argv.push_back(word.data());
      argv.push_back(nullptr);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    int ended = 0;
    rusage usage{};
    ::wait4(pid, &ended, 0, &usage);
    if (!WIFEXITED(ended) || WEXITSTATUS(ended) != status) throw std::runtime_error("expected another exit status");
    const auto of = [](const timeval& part) {
      return static_cast<double>(part.tv_sec) + static_cast<double>(part.tv_usec) * 1e-6;
    };
    time = of(usage.ru_utime) + of(usage.ru_stime);
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[1];
}

constexpr const char* kSchemaTest = "schema test, primary: 53 schemas, 83 versions";
constexpr const char* kSchemaBuild = "schema build --all --check, primary";

/// What authors run, with Wikimedia's primary repository.
void measure_schema_tools(const std::filesystem::path& directory) {
  const std::string archive = shared_dir() + "/data/schema-repos/primary.tar.gz";
  if (!wanted({kSchemaTest, kSchemaBuild}) || !std::filesystem::exists(archive)) return;
  const std::string folder = directory / "primary";
  std::filesystem::create_directory(folder);
  if (std::system(("tar xzf " + archive + " -C " + folder).c_str()) != 0)
    throw std::runtime_error(archive + ": expected an archive that tar takes");
  const double test = seconds_of({"schema", "test", "."}, folder, 1);  // it has two problems
  print_row(kSchemaTest, test, "s", goal_of(test, 0.17, "s"));
  const double build = seconds_of({"schema", "build", "--all", "--check"}, folder, 0);
  print_row(kSchemaBuild, build, "s", goal_of(build, 0.5, "s"));
}

void measure_requests(const std::filesystem::path& directory) {
  const Subject subject = search_subject();
  nlohmann::ordered_json invalid = nlohmann::ordered_json::parse(subject.event);
  invalid["wiki"] = 1;
  invalid["schema"] = true;
  invalid["dt"] = "yesterday";
  const auto one = directory / "one", hundred = directory / "hundred", three_errors = directory / "three-errors";
  write_file(one, subject.event);
  write_file(hundred, array_of(subject.event, 100));
  write_file(three_errors, invalid.dump());

  const auto folder = directory / "events";
  std::filesystem::create_directory(folder);
  const std::string files = "output_path: " + folder.string() + "/\n";
  const auto empty = [&folder] { empty_files(folder); };
  {
    Gate gate(directory, files);
    measure_rows(gate,
                 {{"1 event, file", {"/v1/events", one, 64, 201}, 1, 2.2},
                  {"1 event, file, hasty", {"/v1/events?hasty=true", one, 64, 202}, 1, {}},
                  {"100 events, file", {"/v1/events", hundred, 16, 201}, 100, 0.20},
                  {"1 event with three errors, 400", {"/v1/events", three_errors, 64, 400}, 1, 4.5}},
                 empty);
    if (bench_options().only.empty()) print_resident(gate, "resident after it", 30);
  }
  measure_idle(directory, files, {"/v1/events", one, 64, 201});
  measure_two_threads(directory, files, {"/v1/events", hundred, 16, 201}, empty);
  measure_stream_configs(directory, files);
  measure_start(directory, files);
  measure_schema_tools(directory);

  if (wanted({"1 event, file, live, nobody looking on", "100 events, file, live, nobody looking on"})) {
    measure_yardsticks(one);
    Gate gate(directory, "live: true\n" + files);
    measure_rows(gate,
                 {{"1 event, file, live, nobody looking on", {"/v1/events", one, 64, 201}, 1, {}},
                  {"100 events, file, live, nobody looking on", {"/v1/events", hundred, 16, 201}, 100, {}}},
                 empty);
  }

  if (wanted({"1 event, spool, no Kafka", "100 events, spool, no Kafka"})) {
    // Nobody listens there: each event goes to the spool, and is synced.
    Gate gate(directory, "kafka: {conf: {metadata.broker.list: '127.0.0.1:1', log_level: 0}}\nspool: {path: '" +
                             (directory / "spool").string() + "', max_bytes: 64gb}\n");
    measure_rows(gate,
                 {{"1 event, spool, no Kafka", {"/v1/events", one, 64, 201}, 1, {}},
                  {"100 events, spool, no Kafka", {"/v1/events", hundred, 8, 201}, 100, {}}},
                 [] {});
    std::printf("%-58s %9.1f  MB\n", "resident after it", static_cast<double>(gate.process().resident()) / 1e6);
  }

  if (!wanted({"1 event, Kafka guaranteed", "1 event, Kafka hasty", "100 events, Kafka guaranteed"})) return;
  std::optional<Broker> broker;
  try {
    broker.emplace(directory / "broker");
  } catch (const std::runtime_error& failure) {
    std::printf("\nNO KAFKA ROWS: no broker could be started: %s\n", failure.what());
    return;
  }
  const KafkaOptions options{
      {"metadata.broker.list", broker->bootstrap()}, {"compression.codec", "snappy"}, {"message.max.bytes", "4194304"}};
  const std::string linger = "10";  // of guaranteed events, milliseconds
  KafkaOptions guaranteed = options;
  guaranteed.emplace("queue.buffering.max.ms", linger);
  measure_yardsticks(one);
  relay = measure_yardstick(one, [&](int listener) { serve_relay(listener, guaranteed); });
  print_row("relay: raw epoll, a constant answer once Kafka has the body", relay, times(relay / wire, "wire"), "");
  std::string conf;
  for (const auto& [name, value] : options) conf += (conf.empty() ? "" : ", ") + name + ": '" + value + "'";
  Gate gate(directory, "kafka:\n  conf: {" + conf + "}\n  guaranteed: {conf: {queue.buffering.max.ms: " + linger +
                           "}}\n  hasty: {conf: {queue.buffering.max.ms: 1000}}\n");
  measure_rows(gate,
               {{"1 event, Kafka guaranteed", {"/v1/events", one, 64, 201}, 1, 3.2, true},
                {"1 event, Kafka hasty", {"/v1/events?hasty=true", one, 64, 202}, 1, 2.8}},
               [] {});
  if (bench_options().only.empty()) print_resident(gate, "resident after 64 connections of these", 30);
  measure_rows(gate, {{"100 events, Kafka guaranteed", {"/v1/events", hundred, 16, 201}, 100, 0.40}}, [] {});
}

// --- The command

const Stage* find(const std::vector<Stage>& stages, const std::string& name) {
  for (const Stage& stage : stages)
    if (stage.name == name) return &stage;
  return nullptr;
}

int run_stage(const std::string& name, std::size_t count) {
  const Stage parsing = parse_stage("parse", search_subject());
  if (name == parsing.name) {
    parsing.run(count);
    return 0;
  }
  const TemporaryDirectory directory;
  const Stages stages(directory.path());
  const Stage* stage = find(stages.all(), name);
  if (!stage) {
    std::fprintf(stderr, "no stage '%s': expected %s", name.c_str(), parsing.name.c_str());
    for (const Stage& known : stages.all()) std::fprintf(stderr, ", %s", known.name.c_str());
    std::fprintf(stderr, "\n");
    return 2;
  }
  stage->run(count);
  return 0;
}

int run_all(bool requests) {
  const TemporaryDirectory directory;
  const Subject subject = search_subject();
  const auto one = directory.path() / "one";
  write_file(one, subject.event);
  if (!cores().apart) std::printf("ONE CORE ONLY: the client's work disturbs the server's\n");
  std::printf("event: %s, %zu bytes; CPU time, median of three\n", subject.schema_uri.c_str(), subject.event.size());

  print_heading("yardsticks", "us");
  measure_yardsticks(one, requests);

  if (bench_options().only.empty()) {
    print_heading("stages", "us/event");
    const Stages stages(directory.path());
    std::map<std::string, double> all = {{"parse", parse}};
    for (const Stage& stage : stages.all()) {
      const double cpu = all[stage.name] = microseconds(stage);
      const double multiple = cpu / all.at(stage.parse);
      print_row(stage.name + ": " + stage.about, cpu, times(multiple, "parse"),
                stage.goal ? goal_of(multiple, *stage.goal, "parse") : "");
      std::filesystem::resize_file(directory.path() / "stage.ndjson", 0);
    }
  }

  if (requests) {
    print_heading("whole requests, the gate's CPU", "us/event");
    measure_requests(directory.path());
    measure_paces(directory.path());
  }
  return 0;
}

void print_usage(std::FILE* to) {
  std::fputs(
      "usage: eventgate_bench                          everything\n"
      "       eventgate_bench --stages                 the stages only\n"
      "       eventgate_bench readers [--only TEXT]    the rows about readers of streams only\n"
      "       eventgate_bench --only TEXT [--gate PATH]\n"
      "                                                the yardsticks and the rows of whole requests whose names have "
      "TEXT,\n"
      "                                                perhaps of another build's gate\n"
      "       eventgate_bench --stage NAME --count N   one stage N times and nothing else: for callgrind and perf\n",
      to);
}

int run_readers() {
  const TemporaryDirectory directory;
  if (!cores().apart) std::printf("ONE CORE ONLY: the client's work disturbs the server's\n");
  print_heading("readers of streams, the gate's CPU", "us");
  measure_readers(directory.path(), bench_options().gate, bench_options().only);
  measure_intake_beside_readers(directory.path());
  return 0;
}

/// The processes that the rows of readers start.
int run_other_end(const std::vector<std::string>& arguments) {
  if (arguments.size() == 5 && arguments[0] == "--clients")
    run_clients(
        static_cast<std::uint16_t>(std::stoul(arguments[1])), std::stoul(arguments[2]), arguments[3],
        "GET " + arguments[4].substr(0, arguments[4].find('\n')) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
            (arguments[4].find('\n') == std::string::npos ? ""
                                                          : arguments[4].substr(arguments[4].find('\n') + 1) + "\r\n") +
            "\r\n");
  if (arguments.size() == 5 && arguments[0] == "--raw-server")
    run_raw_server(arguments[1], arguments[2], read_file(arguments[3]), std::stoul(arguments[4]));
  return 2;
}

int run(std::vector<std::string> arguments) {
  if (!arguments.empty() && (arguments[0] == "--clients" || arguments[0] == "--raw-server"))
    return run_other_end(arguments);
  const bool is_about_readers = !arguments.empty() && arguments[0] == "readers";
  if (is_about_readers) arguments.erase(arguments.begin());
  if (arguments.empty()) {
    if (!is_about_readers) run_all(true);
    return run_readers();
  }
  if (arguments == std::vector<std::string>{"--stages"}) return run_all(false);
  if ((arguments.size() == 2 || (arguments.size() == 4 && arguments[2] == "--gate")) && arguments[0] == "--only") {
    bench_options().only = arguments[1];
    if (arguments.size() == 4) bench_options().gate = arguments[3];
    return is_about_readers ? run_readers() : run_all(true);
  }
  if (arguments.size() == 4 && arguments[0] == "--stage" && arguments[2] == "--count")
    return run_stage(arguments[1], std::stoul(arguments[3]));
  const bool help = arguments[0] == "--help";
  print_usage(help ? stdout : stderr);
  return help ? 0 : 2;
}

}  // namespace

}  // namespace eventgate::bench

int main(int argc, char** argv) {
  eventgate::bench::end_in_order_on_signals();
  try {
    return eventgate::bench::run({argv + 1, argv + argc});
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bench: %s\n", failure.what());
    return 1;
  }
}

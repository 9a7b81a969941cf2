#pragma once

#include <sched.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace eventgate::bench {

// --- Fixtures: what is posted (fixture.cpp)

/// An event and where its schema is.
struct Subject {
  std::string schema_base;  ///< A directory of `.yaml` schemas.
  std::string schema_uri;
  std::string schema_title;
  std::string stream;
  std::string event;  ///< Compact JSON: the first example of the schema.
};

/// The document at `path`. Throws std::runtime_error if there is none.
nlohmann::ordered_json read_schema(const std::string& path);

/// The searchsatisfaction event if Wikimedia's schemas are there, else one of its shape and size.
Subject search_subject();
/// The revision-create event if Wikimedia's schemas are there, else one of its shape and size.
Subject revision_subject();

/// The versions of all schemas below `base`, as schema_uris.
std::vector<std::string> schemas_of(const std::filesystem::path& base);

/// `count` times `event` as a JSON array.
std::string array_of(const std::string& event, std::size_t count);

/// Stream configs (JSON) that admit the subjects, and error events to `bench.error`.
std::string stream_configs_text(const std::vector<Subject>& subjects);

// --- Stages: one step in a loop (stages.cpp)

struct Stage {
  std::string name;   ///< For `--stage`.
  std::string about;  ///< For the table.
  /// Runs the step `count` times.
  std::function<void(std::size_t count)> run;
  std::optional<double> goal = std::nullopt;  ///< Parses that it may take at most.
  std::string parse = "parse";                ///< The stage, before this one, that parses its event.
};

/// The stages and what they need. Throws std::runtime_error if something they need is not there.
class Stages {
 public:
  /// Files go to `directory`.
  explicit Stages(const std::filesystem::path& directory);
  ~Stages();
  const std::vector<Stage>& all() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// nlohmann's parse of an event. That of the search event is the yardstick.
Stage parse_stage(const std::string& name, const Subject& subject);

/// What the compiled validator stands in for: valijson's, of the search event (valijson.cpp).
Stage valijson_stage();

/// CPU microseconds of one pass, the whole process: median of three after a warm-up.
double microseconds(const Stage& stage);

// --- The wire (wire.cpp)

/// Answers every request of the connections to `listener` with a constant 201, by raw epoll. Does not return.
[[noreturn]] void serve_constant_answer(int listener);

/// librdkafka's options by their own names.
using KafkaOptions = std::map<std::string, std::string>;

/// The same once Kafka has acknowledged the body, whatever it is: the least that a server can do that answers for
/// Kafka by librdkafka. Throws std::runtime_error with what librdkafka says of `options`.
[[noreturn]] void serve_relay(int listener, const KafkaOptions& options);

// --- Processes (process.cpp)

/// Where the server and where everything else of a measurement runs.
struct Cores {
  cpu_set_t server;
  cpu_set_t client;
  bool apart;  ///< Whether they are different ones.
};
const Cores& cores();

/// A process that ends when this does, at the latest.
class Process {
 public:
  /// Runs `arguments` (the first is found in PATH) on `where`. stdout and stderr go to `output`, a file.
  Process(const std::vector<std::string>& arguments, const cpu_set_t& where, const std::filesystem::path& output);
  /// Runs `body` in a fork. Only while the process has one thread.
  Process(const std::function<void()>& body, const cpu_set_t& where);
  ~Process();
  Process(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  /// Waits for its end. Its exit code, or -1 if a signal ended it.
  int wait();
  /// SIGTERM, and waits.
  void stop();
  /// CPU of all its threads from the kernel's accounting, in microseconds.
  double cpu_microseconds() const;
  /// VmRSS, in bytes.
  std::size_t resident() const;

 private:
  pid_t pid_;
};

/// A Kafka broker of the tests' starter, stopped at the end.
class Broker {
 public:
  /// Throws std::runtime_error if none can be started.
  explicit Broker(const std::filesystem::path& directory);
  ~Broker();
  Broker(const Broker&) = delete;
  const std::string& bootstrap() const { return bootstrap_; }
  pid_t pid() const;

 private:
  const std::string directory_;
  std::string bootstrap_;
};

/// SIGINT and SIGTERM make the next or current `output_of` throw, so that everything started is ended.
void end_in_order_on_signals();

/// stdout of a command run on the client's cores. Throws std::runtime_error with its stderr if it fails.
std::string output_of(const std::vector<std::string>& arguments);

/// A directory of its own, removed with all that is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& text);

/// A listening socket on a free loopback port.
int listen_on_loopback(std::uint16_t& port);
std::uint16_t free_port();

// --- Rows of the table (bench.cpp)

void print_row(const std::string& what, double cpu, const std::string& multiple, const std::string& goal);
/// `value` as a multiple of the yardstick.
std::string times(double value, const char* yardstick);
/// Whether `value` is at most `goal`.
std::string goal_of(double value, double goal, const char* yardstick);
/// The medians of five each, measured in turn, because the machine does other work, too.
std::pair<double, double> in_turn(const std::function<double()>& one, const std::function<double()>& other);

// --- The gate (gate.cpp)

/// What the command line says.
struct BenchOptions {
  std::string gate;  ///< The program that Gate runs. This build's, unless another one is named.
  std::string only;  ///< Rows of whole requests are measured whose names have this.
};
BenchOptions& bench_options();

/// Returns true if a row with one of these names is to be measured.
bool wanted(std::initializer_list<const char*> rows);

/// How a gate is run.
struct Running {
  int threads = 1;
  cpu_set_t where = cores().server;
  const Subject* precached = nullptr;  ///< With all of its repository. Null: the search event's schema alone.
  std::string streams = {};            ///< Stream configs. Empty: those of the events.
};

/// The gate, running.
class Gate {
 public:
  /// `output` has the keys of the output, YAML. Returns when the gate is ready. Throws std::runtime_error with its log
  /// if it ends before.
  Gate(const std::filesystem::path& directory, const std::string& output, const Running& running = {});
  ~Gate();
  Gate(const Gate&) = delete;

  std::uint16_t port() const { return port_; }
  Process& process() { return *process_; }

 private:
  std::uint16_t port_;
  std::optional<Process> process_;
};

/// Empties the files that the gate has written below `directory`.
void empty_files(const std::filesystem::path& directory);

// --- Load (load.cpp)

/// What is posted, and what must come back.
struct Load {
  std::string target;  ///< Path and query.
  std::filesystem::path body;
  int connections;
  int status;  ///< Of every reply.
};

/// The first line of the reply to `request`; empty if there is none within 15 s.
std::string status_line(std::uint16_t port, const std::string& request);

/// Connections that had an answer each and are kept alive, until this is destroyed.
class Connections {
 public:
  /// Throws std::runtime_error if not all can be had.
  /// `request` has a whole answer, or an endless one of which nothing but the beginning is read.
  Connections(std::uint16_t port, std::size_t count,
              const std::string& request = "OPTIONS /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  ~Connections();
  Connections(const Connections&) = delete;

 private:
  std::vector<int> sockets_;
};

struct Measurement {
  double cpu_microseconds;  ///< Of the server, for one request.
  double p99_microseconds;
  double requests_per_second;
  double client_cores;  ///< CPU seconds of the client, for one second.
};

/// Posts one request and throws std::runtime_error if the reply's status is another; then a warm-up and three runs of
/// wrk. The medians. `between` runs after each.
Measurement measure(Process& server, std::uint16_t port, const Load& load, const std::function<void()>& between);

}  // namespace eventgate::bench

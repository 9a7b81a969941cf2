// What readers of streams cost. Each row holds the gate to the raw server, measured in the same run at the same pace:
// it writes frames that are made already, and does nothing else. A stream has two topics of one partition, as
// Wikimedia's have.
#include "readers.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "bench.hpp"
#include "support/topic_writer.hpp"

namespace eventgate::bench {
namespace {

using std::chrono::milliseconds;
namespace fs = std::filesystem;

const std::vector<std::string> kTopics{"bench.one", "bench.two"};
constexpr std::size_t kEventBytes = 700;
constexpr std::chrono::seconds kPatience{180};

void wait_until(const std::string& what, const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) throw std::runtime_error("timed out: " + what);
    std::this_thread::sleep_for(milliseconds(2));
  }
}

std::string event_text() {
  std::string text =
      R"({"$schema":"/bench/1.0.0","meta":{"stream":"bench","id":"66666666-0000-4000-8000-000000000001",)"
      R"("dt":"2026-11-30T00:00:00.000Z","domain":"de.wikipedia.org"},"bot":false,"text":")";
  text += kMark;
  text.append(kEventBytes - text.size() - 2, 'x');
  return text + "\"}";
}

/// What the gate makes of an event, in one chunk.
std::string frame_text() {
  const std::string entry = R"({"topic":"bench.one","partition":0,"offset":123456,"timestamp":1795910400001})";
  std::string text = "event: message\nid: [" + entry + "," + entry + "]\ndata: ";
  text += event_text() + "\n\n";
  text.insert(text.size() - 4, R"(,"topic":"bench.one","partition":0,"offset":123456)");
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", text.size());
  return size + text + "\r\n";
}

std::size_t threads_of(pid_t pid) {
  const fs::directory_iterator all("/proc/" + std::to_string(pid) + "/task");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// Bytes that the process has written to files and sockets.
double written_by(pid_t pid) {
  std::istringstream lines(read_file("/proc/" + std::to_string(pid) + "/io"));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("wchar: ")) return std::strtod(line.c_str() + 7, nullptr);
  throw std::runtime_error("no wchar of process " + std::to_string(pid));
}

/// Clients of one server, in a process of their own.
class Clients {
 public:
  Clients(const fs::path& directory, std::uint16_t port, std::size_t count, const std::string& target)
      : shared_(next_file(directory)), count_(count) {
    process_.emplace(std::vector<std::string>{"/proc/self/exe", "--clients", std::to_string(port),
                                              std::to_string(count), file_.string(), target},
                     cores().client, directory / "clients.log");
  }

  SharedCounts& counts() const { return shared_.counts(); }
  std::size_t count() const { return count_; }
  void wait_for_all() {
    wait_until("all clients are there: " + std::to_string(counts().begun), [this] {
      if (!process_->running()) throw std::runtime_error("the clients have ended");
      return counts().begun >= count_;
    });
  }
  /// From now on `reached_at` is when `events` more have come to each client.
  void expect(std::size_t events) {
    counts().target = counts().frames + events * count_;
    counts().reached_at = 0;
  }
  void wait_for_target() {
    wait_until("all events have come", [this] { return counts().reached_at != 0; });
  }

 private:
  fs::path next_file(const fs::path& directory) {
    static int number = 0;
    return file_ = directory / ("clients-" + std::to_string(number++));
  }

  fs::path file_;
  SharedFile shared_;
  const std::size_t count_;
  std::optional<Process> process_;
};

/// The server that writes frames made before.
class RawServer {
 public:
  RawServer(const fs::path& directory, std::size_t frames_a_write)
      : shared_(unused(directory / "raw")), fifo_(unused(directory / "raw.fifo")) {
    if (::mkfifo(fifo_.c_str(), 0600) != 0) throw std::runtime_error("no FIFO");
    write_file(directory / "raw.frame", frame_text());
    process_.emplace(
        std::vector<std::string>{"/proc/self/exe", "--raw-server", (directory / "raw").string(), fifo_.string(),
                                 (directory / "raw.frame").string(), std::to_string(frames_a_write)},
        cores().server, directory / "raw.log");
    wait_until("the raw server listens", [this] { return shared_.counts().port != 0; });
    commands_ = ::open(fifo_.c_str(), O_WRONLY | O_CLOEXEC);
  }
  ~RawServer() { ::close(commands_); }
  RawServer(const RawServer&) = delete;

  std::uint16_t port() const { return static_cast<std::uint16_t>(shared_.counts().port); }
  Process& process() { return *process_; }
  void write_rounds(std::uint32_t rounds) {
    if (::write(commands_, &rounds, sizeof rounds) != sizeof rounds) throw std::runtime_error("no raw server");
  }

 private:
  static fs::path unused(const fs::path& path) {
    fs::remove(path);
    return path;
  }

  SharedFile shared_;
  const fs::path fifo_;
  std::optional<Process> process_;
  int commands_ = -1;
};

/// A gate that reads the topics from a broker.
class ReadingGate {
 public:
  ReadingGate(const fs::path& directory, const std::string& binary, const std::string& brokers)
      : directory_(directory), binary_(binary), port_(free_port()) {
    write_file(directory / "read-streams.yaml", "bench: {topics: [bench.one, bench.two]}\n");
    write_file(directory / "read.yaml",
               "streams: true\nintake: false\nnum_stream_workers: 1\nnum_workers: 1\n"
               "interface: 127.0.0.1\nmax_stream_clients: 20000\nmax_connections: 20000\n"
               "replay_rate: 64gb\nport: " +
                   std::to_string(port_) + "\nstream_config_uri: " + (directory / "read-streams.yaml").string() +
                   "\nkafka: {streams: {conf: {metadata.broker.list: '" + brokers + "'}}}\n");
    start();
  }
  ~ReadingGate() { process_->stop(); }

  void restart() {
    process_->stop();
    start();
  }
  std::uint16_t port() const { return port_; }
  Process& process() { return *process_; }

 private:
  void start() {
    process_.emplace(std::vector<std::string>{binary_, "serve", "-c", (directory_ / "read.yaml").string()},
                     cores().server, directory_ / "read.log");
    wait_until("the gate is ready", [this] {
      if (!process_->running())
        throw std::runtime_error("the gate did not start:\n" + read_file(directory_ / "read.log"));
      return status_line(port_, "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").find(" 200 ") !=
             std::string::npos;
    });
  }

  const fs::path directory_;
  const std::string binary_;
  const std::uint16_t port_;
  std::optional<Process> process_;
};

/// Events at a pace that gives each its own round.
struct Pace {
  std::size_t rounds;
  std::uint32_t events;  ///< A round.
  milliseconds pause;    ///< Between rounds.
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double quantile(std::vector<double> values, double of) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         static_cast<std::size_t>(std::ceil(of * static_cast<double>(values.size()))) - 1)];
}

struct Paced {
  double microseconds;            ///< CPU of the server, an event and client.
  std::vector<double> latencies;  ///< Milliseconds from `send` to the last client.
};

/// Calls `send` for each round, and waits until all clients have its events.
Paced measure_paced(Process& server, Clients& clients, const Pace& pace, const std::function<void()>& send) {
  Paced found{0, {}};
  std::vector<double> costs;
  for (int run = 0; run < 3; ++run) {
    const double before = server.cpu_microseconds();
    for (std::size_t i = 0; i < pace.rounds; ++i) {
      clients.expect(pace.events);
      const std::int64_t begun = monotonic_nanoseconds();
      send();
      clients.wait_for_target();
      found.latencies.push_back(static_cast<double>(clients.counts().reached_at - begun) / 1e6);
      std::this_thread::sleep_for(pace.pause);
    }
    costs.push_back((server.cpu_microseconds() - before) /
                    static_cast<double>(pace.rounds * pace.events * clients.count()));
  }
  found.microseconds = median(costs);
  return found;
}

class ReaderRows {
 public:
  ReaderRows(const fs::path& directory, const std::string& binary, const std::string& only)
      : directory_(directory),
        binary_(binary),
        only_(only),
        broker_(directory / "readers-broker"),
        writer_(std::make_unique<TopicWriter>(broker_.bootstrap())) {
    for (const std::string& topic : kTopics) writer_->create_topic(topic);
  }

  void measure() {
    measure_replay();
    measure_live("50 clients, one event a write", 50, {200, 1, milliseconds(5)}, 2);
    measure_live("200 clients, one event a write", 200, {100, 1, milliseconds(5)}, 2);
    measure_live("200 clients, 16 events a write", 200, {50, 16, milliseconds(5)}, 3);
    measure_live("10,000 clients, one event a write", 10'000, {15, 1, milliseconds(20)}, 2);
    measure_live("10,000 clients, 16 events a write", 10'000, {5, 16, milliseconds(20)}, 3);
    measure_restart();
  }

 private:
  bool wanted(const std::string& name) const { return name.find(only_) != std::string::npos; }

  void produce(std::size_t count) {
    const std::string text = event_text();
    std::vector<TopicWriter::Written> records;
    for (std::size_t i = 0; i < count; ++i) {
      times_[topic_].push_back(time_);
      records.push_back({kTopics[topic_], text, time_++, std::nullopt, 0});
    }
    topic_ = (topic_ + 1) % kTopics.size();
    writer_->write(records);
    produced_ += count;
  }

  void print(const std::string& name, double cost, double limit, double goal) {
    print_row(name, cost, times(cost / limit, "raw"), goal_of(cost / limit, goal, "raw"));
    print_row("  raw writev of prebuilt frames", limit, "1 raw", "");
  }

  Paced measure_raw(std::size_t count, const Pace& pace) {
    RawServer server(directory_, pace.events);
    Clients clients(directory_, server.port(), count, "/");
    clients.wait_for_all();
    return measure_paced(server.process(), clients, pace, [&] { server.write_rounds(1); });
  }

  void measure_replay() {
    const std::string name = "1 client, replay";
    if (!wanted(name)) return;
    constexpr std::uint32_t kEvents = 50'000;
    for (std::uint32_t i = 0; i < kEvents; i += 1000) produce(1000);
    std::vector<double> costs, limits;
    ReadingGate gate(directory_, binary_, broker_.bootstrap());
    RawServer server(directory_, 1);
    for (int run = 0; run < 3; ++run) {
      const double before = gate.process().cpu_microseconds();
      Clients client(directory_, gate.port(), 1, "/v2/stream/bench?since=0");
      wait_until("the replay is through", [&] { return client.counts().frames >= produced_; });
      costs.push_back((gate.process().cpu_microseconds() - before) / static_cast<double>(produced_));
    }
    Clients client(directory_, server.port(), 1, "/");
    client.wait_for_all();
    for (int run = 0; run < 3; ++run) {
      const double before = server.process().cpu_microseconds();
      client.expect(kEvents);
      server.write_rounds(kEvents);
      client.wait_for_target();
      limits.push_back((server.process().cpu_microseconds() - before) / kEvents);
    }
    print(name, median(costs), median(limits), 3);
  }

  void measure_live(const std::string& name, std::size_t count, const Pace& pace, double goal) {
    if (!wanted(name)) return;
    ReadingGate gate(directory_, binary_, broker_.bootstrap());
    // The first reader makes the gate's memory of the topics.
    const std::size_t threads_before = [&] {
      Clients first(directory_, gate.port(), 1, "/v2/stream/bench");
      first.wait_for_all();
      return threads_of(gate.process().pid());
    }();
    const std::size_t resident = gate.process().resident();
    Clients clients(directory_, gate.port(), count, "/v2/stream/bench");
    clients.wait_for_all();
    clients.expect(1);
    produce(1);
    clients.wait_for_target();
    const double more = static_cast<double>(gate.process().resident()) - static_cast<double>(resident);
    const double out = written_by(broker_.pid());
    const std::size_t before = produced_;
    const Paced found = measure_paced(gate.process(), clients, pace, [&] { produce(pace.events); });
    const Paced raw = measure_raw(count, pace);
    const double limit = raw.microseconds;
    print(name, found.microseconds, limit, goal);
    // Each record is written to the log once, and to each reader once.
    const double sent = (written_by(broker_.pid()) - out) / static_cast<double>((produced_ - before) * kEventBytes) - 1;
    const double bound = 5 + 10 + (count > 1000 ? 2 * static_cast<double>(count) * limit * pace.events / 1e3 : 0);
    char text[128];
    std::snprintf(text, sizeof text, "  produce to last client, p50 %.1f ms; p99", quantile(found.latencies, 0.5));
    const double p99 = quantile(found.latencies, 0.99);
    print_row(text, p99, "ms", pace.events == 1 ? goal_of(p99, bound, "ms") : "");
    std::snprintf(text, sizeof text, "  the raw server's, p50 %.1f ms; p99", quantile(raw.latencies, 0.5));
    print_row(text, quantile(raw.latencies, 0.99), "ms", "");
    // What Kafka writes beside the records is little only if there are many.
    if (pace.events > 1) print_row("  the broker sends each record so many times", sent, "times", "");
    if (count < 1000) return;
    print_row("  memory of a client", more / static_cast<double>(count) / 1e3, "KB",
              goal_of(more / static_cast<double>(count) / 1e3, 8.192, "KB"));
    print_row("  threads more",
              static_cast<double>(threads_of(gate.process().pid())) - static_cast<double>(threads_before), "threads",
              "");
  }

  /// All readers come back to a gate that was restarted, to where they were.
  void measure_restart() {
    const std::string name = "10,000 readers, gate restarted: all live again";
    if (!wanted(name)) return;
    constexpr std::size_t kReaders = 10'000;
    ReadingGate gate(directory_, binary_, broker_.bootstrap());
    const std::array<std::size_t, 2> at{times_[0].size(), times_[1].size()};
    {
      Clients clients(directory_, gate.port(), kReaders, "/v2/stream/bench");
      clients.wait_for_all();
      clients.expect(100);
      for (int i = 0; i < 10; ++i) produce(10);
      clients.wait_for_target();
    }
    gate.restart();
    const std::int64_t begun = monotonic_nanoseconds();
    // The ids of readers who have got half of the events.
    std::string id = "[";
    for (std::size_t i = 0; i < kTopics.size(); ++i)
      id += std::string(i > 0 ? "," : "") + R"({"topic":")" + kTopics[i] + R"(","partition":0,"offset":)" +
            std::to_string(at[i] + 25) + R"(,"timestamp":)" + std::to_string(times_[i][at[i] + 24] + 1) + "}";
    Clients clients(directory_, gate.port(), kReaders, "/v2/stream/bench\nLast-Event-ID: " + id + "]");
    clients.counts().target = kReaders * 50;
    clients.counts().reached_at = 0;
    clients.wait_for_all();
    clients.wait_for_target();
    clients.expect(1);
    produce(1);
    clients.wait_for_target();
    const double seconds = static_cast<double>(clients.counts().reached_at - begun) / 1e9;
    print_row(name, seconds, "s", goal_of(seconds, 30, "s"));
  }

  const fs::path directory_;
  const std::string binary_;
  const std::string only_;
  Broker broker_;
  std::unique_ptr<TopicWriter> writer_;
  std::size_t topic_ = 0;
  std::size_t produced_ = 0;
  std::int64_t time_ = 1795910400000;
  std::array<std::vector<std::int64_t>, 2> times_;  // of the records of each topic
};

}  // namespace

void measure_readers(const fs::path& directory, const std::string& binary, const std::string& only) {
  try {
    ReaderRows(directory, binary, only).measure();
  } catch (const std::runtime_error& failure) {
    std::printf("\nROWS OF READERS ENDED: %s\n", failure.what());
  }
}

}  // namespace eventgate::bench

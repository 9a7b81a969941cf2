// The gate under a service manager: what it tells it, and the socket it gets from it.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/becomes.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/notify_socket.hpp"
#include "support/paths.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kShipped = source_dir() + "/config/config.yaml";
constexpr const char* kEvent = R"({"$schema":"/test/event/1.0.0","meta":{"stream":"test.event"},"test":"x"})";
constexpr const char* kInvalid = R"({"$schema":"/test/event/1.0.0","meta":{"stream":"test.event"},"test":5})";

/// A socket of the loopback.
class LoopbackSocket {
 public:
  explicit LoopbackSocket(int type = SOCK_STREAM, bool listens = true)
      : socket_(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    const bool done = ::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                      (!listens || ::listen(socket_, 4096) == 0) &&
                      ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    if (!done) throw std::runtime_error("no socket");
    port_ = ntohs(address.sin_port);
  }
  LoopbackSocket(const LoopbackSocket&) = delete;
  LoopbackSocket& operator=(const LoopbackSocket&) = delete;
  ~LoopbackSocket() { ::close(socket_); }

  int descriptor() const { return socket_; }
  std::uint16_t port() const { return port_; }
  /// What a gate is started with that gets it from systemd.
  StartedWith handed_over(const std::string& more = "") const {
    return {"LISTEN_FDS=1 LISTEN_PID=$$ " + more, socket_};
  }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

/// Config over the shipped one: events go to `folder`, and metrics are not served.
std::string quiet(const TemporaryFolder& folder, const std::string& more = "") {
  return "metrics: []\noutput_path: " + folder.path() + "/events/\n" + more;
}

TEST(ServiceManagerOfAGate, HearsReadyReloadingAndStopping) {
  const TemporaryFolder folder;
  const NotifySocket manager;
  const std::string level = folder.write("level.yaml", "logging: {level: warn}\n");
  GateProcess gate({kShipped, level}, quiet(folder, "logging: {level: info}\n"), {"NOTIFY_SOCKET=" + manager.path()});
  EXPECT_EQ(manager.next(), "STATUS=starting: schemas and stream configs are read");
  EXPECT_EQ(manager.next(), "READY=1\nSTATUS=ready");
  gate.signal(SIGHUP);
  EXPECT_THAT(manager.next(), HasSubstr("RELOADING=1"));
  EXPECT_EQ(manager.next(), "READY=1\nSTATUS=reloaded");
  folder.write("level.yaml", "max_body_size: many\n");
  gate.signal(SIGHUP);
  EXPECT_THAT(manager.next_with("READY=1"), HasSubstr("refused: " + level + ": max_body_size is \"many\", expected"));
  EXPECT_EQ(HttpClient(gate.port()).post("/v1/events", kEvent).status, 201u);
  gate.signal(SIGTERM);
  manager.next_with("STOPPING=1");
  EXPECT_EQ(gate.wait(), 0);
}

TEST(ServiceManagerOfAGate, HearsThatKafkaIsMissing) {
  const TemporaryFolder folder;
  const NotifySocket manager;
  const GateProcess gate({kShipped}, "startup_timeout: 0s\nkafka: {conf: {metadata.broker.list: '127.0.0.1:1'}}\n",
                         {"NOTIFY_SOCKET=" + manager.path()});
  EXPECT_THAT(manager.next_with("READY=1"), HasSubstr("\nSTATUS=not ready: "));
}

/// The threads of `process` that wait for sockets.
std::vector<pid_t> io_threads(pid_t process) {
  std::vector<pid_t> found;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
    long call = -1;
    std::ifstream(task.path() / "syscall") >> call;
#ifdef SYS_epoll_wait
    if (call == SYS_epoll_wait) found.push_back(std::stoi(task.path().filename()));
#endif
    if (call == SYS_epoll_pwait) found.push_back(std::stoi(task.path().filename()));
  }
  return found;
}

/// Stops a thread of another process while this lives.
class HeldThread {
 public:
  explicit HeldThread(pid_t thread) : thread_(thread) {
    held_ = ::ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) == 0;
    if (!held_) return;
    ::ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr);
    ::waitpid(thread_, nullptr, __WALL);
  }
  ~HeldThread() {
    if (held_) ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr);
  }
  HeldThread(const HeldThread&) = delete;
  HeldThread& operator=(const HeldThread&) = delete;

  bool held() const { return held_; }

 private:
  pid_t thread_;
  bool held_;
};

TEST(ServiceManagerOfAGate, GetsNoWatchdogWhileAnIoThreadHangs) {
  const TemporaryFolder folder;
  const LoopbackSocket socket;
  const NotifySocket manager;
  const std::string config = folder.write("config.yaml", quiet(folder, "num_workers: 2\nstreams: false\n"));
  const pid_t gate = start_gate({"serve", "-c", kShipped, "-c", config}, folder.path() + "/output",
                                socket.handed_over("WATCHDOG_USEC=200000 NOTIFY_SOCKET=" + manager.path()));
  manager.next_with("WATCHDOG=1");
  std::vector<pid_t> threads;
  EXPECT_TRUE(becomes([&] {
    threads = io_threads(gate);
    return threads.size() == 2;
  }));
  bool held = true;
  for (const pid_t thread : threads) {
    {
      const HeldThread hanging(thread);
      held = hanging.held();
      if (!held) break;
      // What was on its way; then nothing for five times the interval.
      while (!manager.next(1000).empty()) continue;
    }
    manager.next_with("WATCHDOG=1");
  }
  ::kill(gate, SIGTERM);
  int status = -1;
  waitpid(gate, &status, 0);
  EXPECT_EQ(status, 0);
  if (!held) GTEST_SKIP() << "a process may not stop a thread of another here";
}

TEST(ServiceManagerOfAGate, ThatCannotBeReachedIsAWarning) {
  const TemporaryFolder folder;
  const GateProcess gate({kShipped}, quiet(folder), {"NOTIFY_SOCKET=" + folder.path() + "/none WATCHDOG_USEC=often"});
  EXPECT_EQ(HttpClient(gate.port()).post("/v1/events", kEvent).status, 201u);
  EXPECT_TRUE(becomes([&] { return gate.log().find("expected a socket at NOTIFY_SOCKET") != std::string::npos; }));
}

TEST(InheritedSocket, IsServedInPlaceOfThePort) {
  const TemporaryFolder folder;
  const LoopbackSocket socket;
  const std::string config = folder.write("config.yaml", quiet(folder, "port: 8193\n"));
  const pid_t gate = start_gate({"serve", "-c", kShipped, "-c", config}, folder.path() + "/log", socket.handed_over());
  EXPECT_EQ(HttpClient(socket.port()).post("/v1/events", kEvent).status, 201u);
  ::kill(gate, SIGTERM);
  int status = -1;
  waitpid(gate, &status, 0);
  EXPECT_EQ(status, 0);
  std::ifstream log(folder.path() + "/log");
  const std::string text(std::istreambuf_iterator<char>(log), {});
  EXPECT_THAT(text, HasSubstr("\"msg\":\"listening\""));
  EXPECT_THAT(text, HasSubstr("\"port\":" + std::to_string(socket.port())));
  EXPECT_THAT(text, HasSubstr("The port of the inherited socket counts, not `port`"));
}

TEST(InheritedSocket, OfAnotherProcessIsLeftAlone) {
  const TemporaryFolder folder;
  const LoopbackSocket socket;
  const GateProcess gate({kShipped}, quiet(folder), {"LISTEN_FDS=1 LISTEN_PID=1", socket.descriptor()});
  EXPECT_NE(gate.port(), socket.port());
  EXPECT_EQ(HttpClient(gate.port()).post("/v1/events", kEvent).status, 201u);
  EXPECT_THAT(gate.log_with("LISTEN_FDS is"), HasSubstr("LISTEN_FDS is for another process"));
}

/// What becomes of a start with such sockets, which must leave no files.
std::string refused_start(const StartedWith& with) {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("config.yaml", quiet(folder, "port: 0\ninterface: 127.0.0.1\nproduce_timeout: 1s\n"));
  const GateRun run = run_gate({"serve", "-c", kShipped, "-c", file}, with);
  EXPECT_EQ(run.status, 1);
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/events"));
  return run.output;
}

TEST(InheritedSocket, ThatIsNoListeningTcpSocketFailsTheStart) {
  const std::string expected = "eventgate: LISTEN_FDS: descriptor 3 is no listening TCP socket: expected one";
  const LoopbackSocket udp(SOCK_DGRAM, false);
  EXPECT_THAT(refused_start(udp.handed_over()), HasSubstr(expected));
  const LoopbackSocket silent(SOCK_STREAM, false);
  EXPECT_THAT(refused_start(silent.handed_over()), HasSubstr(expected));
  const TemporaryFolder folder;
  const int file = ::open(folder.write("file", "").c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_THAT(refused_start({"LISTEN_FDS=1 LISTEN_PID=$$", file}), HasSubstr(expected));
  ::close(file);
}

TEST(InheritedSocket, MoreThanOneFailsTheStart) {
  const LoopbackSocket socket;
  EXPECT_THAT(refused_start({"LISTEN_FDS=2 LISTEN_PID=$$; exec 4>&1", socket.descriptor()}),
              HasSubstr("LISTEN_FDS is 2: expected one socket, that of `port`"));
}

TEST(InheritedSocket, NumbersThatAreNoneFailTheStart) {
  EXPECT_THAT(refused_start({"LISTEN_FDS=some LISTEN_PID=$$"}),
              HasSubstr("and LISTEN_FDS is 'some': expected the numbers of a process and of its sockets"));
  EXPECT_THAT(refused_start({"LISTEN_FDS=1 LISTEN_PID=me"}), HasSubstr("LISTEN_PID is 'me' and LISTEN_FDS is '1'"));
  EXPECT_THAT(refused_start({"LISTEN_FDS=1 LISTEN_PID=$$; exec 3>&-"}), HasSubstr("Bad file descriptor"));
}

TEST(Signals, ThatMeanNothingChangeNothing) {
  const TemporaryFolder folder;
  GateProcess gate({kShipped}, quiet(folder));
  for (const int signal : {SIGUSR1, SIGUSR2, SIGALRM}) {
    gate.signal(signal);
    EXPECT_TRUE(becomes([&] { return gate.log().find(sigdescr_np(signal)) != std::string::npos; })) << signal;
  }
  EXPECT_THAT(gate.log_with("A signal means"), HasSubstr("\"msg\":\"A signal means nothing here"));
  EXPECT_EQ(HttpClient(gate.port()).post("/v1/events", kEvent).status, 201u);
  gate.signal(SIGTERM);
  EXPECT_EQ(gate.wait(), 0);
}

/// What became of the requests of some clients, each on a connection of its own.
struct Requests {
  std::atomic<int> answered{0}, refused{0}, unanswered{0}, not_201{0};

  void post(std::uint16_t port) {
    std::optional<HttpClient> client;
    try {
      client.emplace(port);
    } catch (const std::runtime_error&) {
      ++refused;
      return;
    }
    try {
      const HttpReply reply =
          client->post("/v1/events", kEvent, {"Content-Type: application/json", "Connection: close"});
      ++(reply.status == 201 ? answered : not_201);
    } catch (const std::runtime_error&) {
      ++unanswered;
    }
  }
};

TEST(InheritedSocket, TenRestartsUnderLoadRefuseNothingAndAnswerEverything) {
  const TemporaryFolder folder;
  const LoopbackSocket socket;
  std::optional<GateProcess> gate;
  gate.emplace(std::vector<std::string>{kShipped}, quiet(folder), socket.handed_over());
  Requests requests;
  std::atomic<bool> done{false};
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      while (!done) requests.post(socket.port());
    });
  }
  for (int restart = 0; restart < 10; ++restart) {
    const int before = requests.answered;
    EXPECT_TRUE(becomes([&] { return requests.answered > before + 100; }));
    gate->signal(SIGTERM);
    EXPECT_EQ(gate->wait(), 0) << gate->log();
    gate.emplace(std::vector<std::string>{kShipped}, quiet(folder), socket.handed_over());
  }
  done = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(requests.refused, 0);
  EXPECT_EQ(requests.unanswered, 0);
  EXPECT_EQ(requests.not_201, 0);
  std::printf("ten restarts under load: %d requests answered, %d refused, %d unanswered\n", requests.answered.load(),
              requests.refused.load(), requests.unanswered.load());
}

}  // namespace
}  // namespace eventgate

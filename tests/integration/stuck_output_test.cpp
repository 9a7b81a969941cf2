// The program beside outputs that take nothing, and clients that do not go on: it serves, and a stop ends in time.

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/becomes.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

constexpr const char* kSchema = R"({"title": "test", "type": "object", "properties": {"$schema": {"type": "string"}}})";
constexpr const char* kEvent = R"({"$schema":"/test/1.0.0"})";

/// The program with a full pipe, which is never read, as its standard output, and perhaps as its standard error.
class StuckGate {
 public:
  explicit StuckGate(const std::string& config, bool errors_too = false) {
    folder_.write("schemas/test/1.0.0.json", kSchema);
    // The log, which would say which port it is, is not read: the socket is inherited.
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 100), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    const std::string file = folder_.write("config.yaml", "num_workers: 2\nschema_base_uris: [" + folder_.path() +
                                                              "/schemas]\nschema_file_extension: .json\n"
                                                              "stream_from_schema_uri: true\n" +
                                                              config);
    EXPECT_EQ(::pipe2(pipe_, O_CLOEXEC), 0);
    fill();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_[1], STDOUT_FILENO);
    if (errors_too) posix_spawn_file_actions_adddup2(&actions, pipe_[1], STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions, listener_, 3);
    std::vector<std::string> words{
        "/bin/sh", "-c", "export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$0\" \"$@\"", gate_binary(), "serve", "-c", file};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&pid_, argv.front(), &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~StuckGate() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(listener_);
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }

  std::uint16_t port() const { return port_; }
  /// Waits until it serves.
  bool serves() const { return HttpClient(port_).get("/healthz").status == 200; }
  void signal(int number) const { ::kill(pid_, number); }

  /// Its exit code, or less than 0 if a signal ended it.
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  void fill() const {
    ::fcntl(pipe_[1], F_SETFL, O_NONBLOCK);
    const std::string some(4096, '\n');
    while (::write(pipe_[1], some.data(), some.size()) > 0) {
    }
    ::fcntl(pipe_[1], F_SETFL, 0);
  }

  TemporaryFolder folder_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  int pipe_[2] = {-1, -1};
  pid_t pid_ = -1;
};

std::string file_output(const TemporaryFolder& folder) { return "output_path: " + folder.path() + "/events.ndjson\n"; }

TEST(StuckOutput, LogIsNotRead_ItServesAndSigtermEndsItWithinShutdownTimeout) {
  const TemporaryFolder output;
  StuckGate gate(file_output(output) + "shutdown_timeout: 3s\nlogging: {level: trace}\n");
  ASSERT_TRUE(gate.serves());
  for (int i = 0; i < 300; ++i) {
    HttpClient client(gate.port());
    EXPECT_EQ(client.post("/v1/events", kEvent).status, 201u);
    EXPECT_EQ(client.post("/v1/events", R"({"$schema":"/none/1.0.0"})").status, 500u);
  }
  const auto begin = steady_clock::now();
  gate.signal(SIGTERM);
  EXPECT_EQ(gate.wait(), 0);
  EXPECT_LT(steady_clock::now() - begin, seconds(25));
}

TEST(StuckOutput, LogIsNotRead_ASecondSignalEndsItAtOnce) {
  const TemporaryFolder output;
  StuckGate gate(file_output(output) + "shutdown_timeout: 10m\n");
  ASSERT_TRUE(gate.serves());
  const auto begin = steady_clock::now();
  gate.signal(SIGTERM);
  // Those of a kind count once while the first is not seen yet.
  gate.signal(SIGINT);
  EXPECT_EQ(gate.wait(), 1);
  EXPECT_LT(steady_clock::now() - begin, seconds(60));
}

TEST(StuckOutput, NeitherOutputIsRead_AStartThatFailsEnds) {
  StuckGate gate("output_path: /nowhere/events.ndjson\n", true);
  EXPECT_EQ(gate.wait(), 1);
}

TEST(StuckOutput, EventsGoToAPipeThatIsNotRead_EachFailsInTimeAndTheStopIsClean) {
  StuckGate gate(
      "output_path: stdout\nlogging: {streams: [{type: stderr}]}\nproduce_timeout: 2s\nshutdown_timeout: 5m\n");
  ASSERT_TRUE(gate.serves());
  HttpClient client(gate.port());
  const HttpReply reply = client.post("/v1/events", kEvent);
  EXPECT_EQ(reply.status, 500u);
  EXPECT_THAT(reply.body, HasSubstr("not_produced"));
  EXPECT_THAT(reply.body, HasSubstr("within produce_timeout"));
  const auto begin = steady_clock::now();
  gate.signal(SIGTERM);
  EXPECT_EQ(gate.wait(), 0);
  EXPECT_LT(steady_clock::now() - begin, seconds(60));
}

TEST(StuckClient, HalfABodyAndAnAnswerThatIsNotRead_SigtermEndsItSoonWithStatus0) {
  const TemporaryFolder folder;
  folder.write("schemas/test/1.0.0.json", kSchema);
  GateProcess gate({},
                   "num_workers: 2\nschema_base_uris: [" + folder.path() +
                       "/schemas]\nschema_file_extension: .json\nstream_from_schema_uri: true\nshutdown_timeout: 5m\n" +
                       file_output(folder));
  HttpClient half(gate.port());
  half.send("POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
  HttpClient deaf(gate.port());
  std::string requests;
  for (int i = 0; i < 1500; ++i) requests += http_request("GET", "/?spec");
  deaf.send(requests);
  HttpClient good(gate.port());
  EXPECT_EQ(good.post("/v1/events", kEvent).status, 201u);
  const auto begin = steady_clock::now();
  gate.signal(SIGTERM);
  EXPECT_EQ(gate.wait(), 0);
  EXPECT_LT(steady_clock::now() - begin, seconds(60));
}

TEST(MovedOutput, SighupOpensTheFileAgain) {
  const TemporaryFolder folder;
  folder.write("schemas/test/1.0.0.json", kSchema);
  GateProcess gate({}, "schema_base_uris: [" + folder.path() +
                           "/schemas]\nschema_file_extension: .json\nstream_from_schema_uri: true\n" +
                           file_output(folder));
  const auto post = [&] { return HttpClient(gate.port()).post("/v1/events", kEvent).status; };
  const auto lines = [&](const std::string& name) {
    std::ifstream in(folder.path() + "/" + name);
    std::size_t count = 0;
    for (std::string line; std::getline(in, line);) ++count;
    return count;
  };
  EXPECT_EQ(post(), 201u);
  std::filesystem::rename(folder.path() + "/events.ndjson", folder.path() + "/events.ndjson.1");
  gate.signal(SIGHUP);
  EXPECT_TRUE(becomes([&] { return std::filesystem::exists(folder.path() + "/events.ndjson"); }));
  EXPECT_EQ(post(), 201u);
  EXPECT_EQ(lines("events.ndjson"), 1u);
  EXPECT_EQ(lines("events.ndjson.1"), 1u);
  std::filesystem::remove(folder.path() + "/events.ndjson");
  EXPECT_EQ(post(), 201u);
  EXPECT_EQ(lines("events.ndjson"), 1u);
  EXPECT_THAT(gate.log_with("An output file was opened again"), HasSubstr("An output file was opened again"));
}

}  // namespace
}  // namespace eventgate

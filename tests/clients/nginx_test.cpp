// nginx in front of a gate, with the configuration that docs/deploying.md shows.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "support/process_group.hpp"
#include "support/shell.hpp"
#include "support/stream_client.hpp"
#include "support/stream_gate.hpp"
#include "support/web_driver.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;
using testing::Not;

/// nginx as it is installed or, if it is not, as `./dev test` unpacks it.
std::string nginx_program() {
  const std::string installed = program_path("nginx");
  if (!installed.empty()) return installed;
  const std::string unpacked = clients_folder() + "/nginx/usr/sbin/nginx";
  return ::access(unpacked.c_str(), X_OK) == 0 ? unpacked : "";
}

/// The first block of nginx in docs/deploying.md.
std::string documented() {
  const std::string text = file_content(source_dir() + "/docs/deploying.md");
  const std::string begin = "```nginx\n";
  const std::size_t at = text.find(begin) + begin.size();
  return text.substr(at, text.find("```", at) - at);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// nginx on a free port in front of `gate`.
class Proxy {
 public:
  /// `read_timeout` and `http_version` replace those of the document.
  Proxy(const StreamGate& gate, const std::string& read_timeout, const std::string& http_version = "1.1") {
    std::string server = replaced(documented(), "127.0.0.1:8192", "127.0.0.1:" + std::to_string(gate.port()));
    server = replaced(server, "proxy_read_timeout 60s", "proxy_read_timeout " + read_timeout);
    server = replaced(server, "proxy_http_version 1.1", "proxy_http_version " + http_version);
    // Another process may take the port before nginx does: then another one is tried.
    for (int i = 0; i < 20 && !process_; ++i) start(server);
    if (!process_) throw std::runtime_error("nginx does not start");
  }

  std::uint16_t port() const { return port_; }
  std::string uri(const std::string& target) const { return "http://127.0.0.1:" + std::to_string(port_) + target; }
  std::string log() const { return process_->log(); }

 private:
  void start(const std::string& server) {
    port_ = free_port();
    std::string paths;
    for (const char* const name : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
      paths += std::string(name) + "_temp_path " + folder_.path() + "/" + name + ";\n";
    const std::string file = folder_.write(
        "nginx.conf", "daemon off;\nmaster_process off;\npid " + folder_.path() +
                          "/pid;\nerror_log stderr info;\nevents {}\n" + "http {\naccess_log off;\n" + paths +
                          replaced(server, "listen 80;", "listen 127.0.0.1:" + std::to_string(port_) + ";") + "}\n");
    process_.emplace(std::vector<std::string>{nginx_program(), "-e", "stderr", "-c", file}, folder_.path());
    const bool listens = becomes([&] {
      if (log().find("[emerg]") != std::string::npos) return true;
      try {
        return HttpClient(port_).get("/healthz").status == 200;
      } catch (const std::exception&) {
        return false;
      }
    });
    if (!listens || log().find("[emerg]") != std::string::npos) process_.reset();
  }

  static std::uint16_t free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(socket);
    return ntohs(address.sin_port);
  }

  TemporaryFolder folder_;
  std::uint16_t port_ = 0;
  std::optional<ProcessGroup> process_;
};

class Nginx : public testing::Test {
 protected:
  void SetUp() override {
    if (nginx_program().empty())
      GTEST_SKIP() << "NO NGINX HERE: a proxy in front of streams is not tested (./dev test unpacks it; Debian: nginx)";
  }
};

/// Bytes of a stream that has sent nothing but heartbeats.
std::size_t heartbeats(const std::string& body) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = body.find(": heartbeat", at)) != std::string::npos; ++at) ++count;
  return count;
}

// Over HTTP/1.0, which nginx speaks by default, it keeps what has no length until its buffer is full, unless it is told
// not to.
TEST_F(Nginx, EventsPassAtOnce) {
  const StreamGate gate(StreamsFrom::files);
  int posted = 0;
  for (const char* const version : {"1.1", "1.0"}) {
    const Proxy proxy(gate, "60s", version);
    StreamClient client(proxy.port(), "/v2/stream/test.a");
    EXPECT_EQ(client.status(), 200u);
    client.wait_for_id();
    // Each event comes while the next one is not posted yet.
    for (int i = 0; i < 5; ++i, ++posted) {
      gate.post_numbers(posted, 1);
      const std::vector<StreamEvent> events = client.events(1);
      ASSERT_EQ(events.size(), 1u) << version;
      EXPECT_THAT(events[0].data, HasSubstr("\"test\":\"" + std::to_string(posted) + "\""));
    }
  }
}

TEST_F(Nginx, HeartbeatsKeepASilentStream) {
  const StreamGate gate(StreamsFrom::files, "stream_heartbeat: 200ms\n");
  const Proxy proxy(gate, "5s");
  StreamClient client(proxy.port(), "/v2/stream/test.a");
  const auto began = std::chrono::steady_clock::now();
  // Longer than nginx waits for a byte.
  while (std::chrono::steady_clock::now() - began < std::chrono::seconds(7))
    ASSERT_TRUE(client.read_chunk()) << proxy.log();
  EXPECT_GT(heartbeats(client.body()), 0u);
  gate.post_numbers(0, 1);
  EXPECT_EQ(client.events(1).size(), 1u);
  EXPECT_THAT(proxy.log(), Not(HasSubstr("timed out")));
}

TEST_F(Nginx, SilenceLongerThanProxyReadTimeoutIsCut) {
  const StreamGate gate(StreamsFrom::files, "stream_heartbeat: 1h\n");
  const Proxy proxy(gate, "1s");
  StreamClient client(proxy.port(), "/v2/stream/test.a");
  client.wait_for_id();
  while (client.read_chunk()) {
  }
  EXPECT_TRUE(becomes([&] { return proxy.log().find("upstream timed out") != std::string::npos; })) << proxy.log();
}

TEST_F(Nginx, LimitCountsTheClientWhateverItSays) {
  const StreamGate gate(StreamsFrom::files, "client_ip_connection_limit: 1\ntrusted_proxies: [127.0.0.1]\n");
  const Proxy proxy(gate, "60s");
  StreamClient open(proxy.port(), "/v2/stream/test.a");
  EXPECT_EQ(open.status(), 200u);
  Shell shell(gate.folder());
  const auto status = [&](const std::string& address, const std::string& more) {
    shell.run("curl -s -o /dev/null -w '%{http_code}' --max-time 30 --interface " + address + " " + more + " '" +
              proxy.uri("/v2/stream/test.a?until=now") + "'");
    return shell.output;
  };
  EXPECT_EQ(status("127.0.0.1", ""), "429");
  // Another client has a place of its own, although both come from nginx's address.
  EXPECT_EQ(status("127.0.0.2", ""), "200");
  EXPECT_EQ(status("127.0.0.1", "-H 'X-Forwarded-For: 10.1.1.1'"), "429");
  EXPECT_EQ(status("127.0.0.1", "-H 'X-Client-IP: 10.1.1.1'"), "429");
}

TEST_F(Nginx, StopOfTheGateEndsTheBodyProperly) {
  const StreamGate gate(StreamsFrom::files);
  const Proxy proxy(gate, "60s");
  StreamClient client(proxy.port(), "/v2/stream/test.a");
  client.wait_for_id();
  gate.process().signal(SIGTERM);
  EXPECT_TRUE(client.wait_for_end());
  EXPECT_THAT(client.body(), HasSubstr("retry: "));
}

}  // namespace
}  // namespace eventgate

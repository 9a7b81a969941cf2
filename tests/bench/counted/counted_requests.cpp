// One kind of whole requests in one thread, for callgrind: instructions.sh runs it and says what it costs.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/api/routes.hpp"
#include "eventgate/base/percent.hpp"
#include "eventgate/delivery/fan_out.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/gate/event_gate.hpp"
#include "eventgate/http/server.hpp"
#include "eventgate/legacy/beacons.hpp"
#include "eventgate/legacy/user_agents.hpp"
#include "eventgate/logging/log.hpp"
#include "eventgate/readers/stream_readers.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/streams/stream_config_source.hpp"
#include "eventgate/telemetry/beacon_metrics.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/stream_metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "support/memory_source.hpp"
#include "support/paths.hpp"
#include "taking_sink.hpp"

namespace eventgate::bench {
namespace {

// Without what the gate adds.
constexpr std::string_view kEvent =
    R"({"$schema":"/bench/search/1.0.0","meta":{"stream":"bench.search","domain":"en.m.wiki.example.org"},)"
    R"("dt":"2026-03-14T15:09:26.535Z","schema":"BenchSearch","host":"en.m.wiki.example.org","wiki":"examplewiki",)"
    R"("event":{"source":"full_text","unique_id":"a1f3c09d72be5648e0p7m2k9w4zq",)"
    R"("session_id":"5d2e8b7041c69fa3d8p7m2k8v1xr","page_view_id":"0f9e8d7c6b5a49382716p7m2k9w4","scrolled":false,)"
    R"("action":"visit_page","article_id":4711,"position":2,"query":"how tall is the eiffel tower"}})";

std::string request_of(const std::string& body, const std::string& query = "") {
  return "POST /v1/events" + query +
         " HTTP/1.1\r\nHost: 127.0.0.1:8192\r\nUser-Agent: bench/1.0\r\nContent-Type: "
         "application/json\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// The same event as a hasty POST and as a legacy beacon: the capsule of a beacon, without what the gate adds.
constexpr std::string_view kCapsule =
    R"({"event":{"source":"full_text","unique_id":"a1f3c09d72be5648e0p7m2k9w4zq",)"
    R"("session_id":"5d2e8b7041c69fa3d8p7m2k8v1xr","page_view_id":"0f9e8d7c6b5a49382716p7m2k9w4","scrolled":false,)"
    R"("action":"visit_page","article_id":4711,"position":2,"query":"how tall is the eiffel tower"},)"
    R"("schema":"BenchSearch","revision":18288361,"webHost":"en.m.wiki.example.org","wiki":"examplewiki"})";

/// What a client that posts it would have to add itself.
std::string event_of_capsule() {
  std::string event(kCapsule.substr(0, kCapsule.size() - 1));
  return event + R"(,"$schema":"/analytics/legacy/benchsearch/1.0.0","meta":{"stream":"eventlogging_BenchSearch",)"
                 R"("domain":"en.m.wiki.example.org"},"client_dt":"2026-03-14T15:09:26.535Z"})";
}

std::string beacon_request() {
  return "GET /beacon/event?" + percent_encode(kCapsule) +
         "; HTTP/1.1\r\nHost: 127.0.0.1:8192\r\nUser-Agent: bench/1.0\r\n\r\n";
}

std::string body_of(const std::string& kind) {
  const std::string event(kEvent);
  if (kind == "one" || kind == "one_beside_readers") return event;
  if (kind == "hundred") {
    std::string array = "[" + event;
    for (int i = 1; i < 100; ++i) array += "," + event;
    return array + "]";
  }
  if (kind == "invalid") {
    std::string invalid = event;
    const auto replace = [&invalid](std::string_view from, std::string_view to) {
      invalid.replace(invalid.find(from), from.size(), to);
    };
    replace(R"("scrolled":false)", R"("scrolled":1)");
    replace(R"("article_id":4711)", R"("article_id":"4711")");
    replace("2026-03-14T15:09:26.535Z", "yesterday");
    return invalid;
  }
  throw std::runtime_error("expected one, one_beside_readers, hundred, invalid, hasty or beacon, not '" + kind + "'");
}

/// The gate behind its HTTP server, and a client on the same thread.
class Rig {
 public:
  Rig()
      : schemas_(schema_options(), make_uri_reader({}), telemetry_),
        streams_(stream_options(), make_uri_reader({}), telemetry_),
        producer_(one(std::make_unique<TakingSink>()), std::chrono::seconds(10), telemetry_),
        gate_(gate_options(), schemas_, &streams_, producer_, telemetry_),
        server_(http_options(), HttpServices{make_router({}, http_options(), services()), nullptr, telemetry_},
                {io_.get_executor()}, HttpPorts(http_options(), io_.get_executor())) {
    schemas_.precache();
    client_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    address.sin_port = ::htons(server_.port());
    const int on = 1;
    if (::connect(client_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::setsockopt(client_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        ::fcntl(client_, F_SETFL, O_NONBLOCK) != 0)
      throw std::runtime_error("a connection over loopback cannot be had");
  }
  ~Rig() { ::close(client_); }

  /// Posts `request`, and throws std::runtime_error unless the answer has `status`.
  void post(std::string_view request, std::string_view status) {
    while (!request.empty()) {
      const ssize_t sent = ::send(client_, request.data(), request.size(), MSG_NOSIGNAL);
      if (sent > 0) request.remove_prefix(static_cast<std::size_t>(sent));
      io_.poll();
    }
    std::size_t size = 0;
    while (!whole({answer_, size})) {
      io_.poll();
      const ssize_t got = ::recv(client_, answer_ + size, sizeof answer_ - size, 0);
      if (got > 0) size += static_cast<std::size_t>(got);
      if (got == 0) throw std::runtime_error("the server closed the connection");
    }
    if (std::string_view(answer_ + 9, 3) != status)
      throw std::runtime_error("expected status " + std::string(status) + ": " + std::string(answer_, size));
  }

 private:
  static bool whole(std::string_view answer) {
    constexpr std::string_view kLength = "content-length: ";
    const std::size_t end = answer.find("\r\n\r\n");
    if (end == std::string_view::npos) return false;
    if (answer.substr(9, 3) == "204") return true;
    return answer.size() == end + 4 + std::strtoul(answer.data() + answer.find(kLength) + kLength.size(), nullptr, 10);
  }

  static SchemaOptions schema_options() {
    SchemaOptions options;
    options.schema_base_uris = {source_dir() + "/tests/bench/schemas", source_dir() + "/schemas"};
    options.schema_file_extension = ".yaml";
    options.schema_precache_uris = {"/bench/search/1.0.0", "/analytics/legacy/benchsearch/1.0.0", "/error/2.1.0"};
    options.schema_precache_required = true;
    return options;
  }
  static StreamConfigOptions stream_options() {
    StreamConfigOptions options;
    options.stream_config_uri = {source_dir() + "/tests/bench/counted/streams.yaml"};
    return options;
  }
  static GateOptions gate_options() {
    GateOptions options;
    options.wikimedia = true;
    options.stream_field = {FieldPath("meta.stream")};
    options.id_field = FieldPath("meta.id");
    options.dt_field = FieldPath("meta.dt");
    options.error_stream = "bench.error";
    return options;
  }
  static HttpOptions http_options() {
    HttpOptions options;
    options.interface = "127.0.0.1";
    options.port = 0;
    options.max_body_size = 1 << 20;
    return options;
  }

  static LegacyOptions legacy_options() {
    LegacyOptions options;
    options.schemas["BenchSearch"].version = "1.0.0";
    options.user_agent_regexes = source_dir() + "/tests/bench/counted/user_agents.yaml";
    return options;
  }
  ApiServices services() {
    ApiServices services{gate_, &streams_};
    services.beacons = &beacons_;
    return services;
  }

  Metrics metrics_{"bench"};
  Telemetry telemetry_{metrics_};
  BeaconMetrics beacon_metrics_{metrics_};
  UserAgents user_agents_{legacy_options().user_agent_regexes};
  boost::asio::io_context io_{1};
  SchemaRepository schemas_;
  StreamConfigSource streams_;
  FanOut producer_;
  EventGate gate_;
  Beacons beacons_{legacy_options(), {}, gate_, schemas_, beacon_metrics_, &user_agents_};
  HttpServer server_;
  int client_ = -1;
  char answer_[65536];
};

/// Readers of a stream to which nothing comes. Their other ends are sockets of this process.
class IdleReaders {
 public:
  explicit IdleReaders(std::size_t count) {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < 2 * count + 100) throw std::runtime_error("too few file descriptors (ulimit -n)");
    source_.make_topic("quiet");
    for (std::size_t i = 0; i < count; ++i) {
      int ends[2];
      if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        throw std::runtime_error("no sockets for readers");
      clients_.push_back(ends[0]);
      StreamRequest request;
      request.streams = {"quiet"};
      request.topics = {"quiet"};
      std::promise<void> opened;
      const auto opening = readers_.open(std::move(request), 0, [&opened] { opened.set_value(); });
      opened.get_future().wait();
      readers_.start({ends[1], "HTTP/1.1 200 OK\r\n\r\n", true}, opening, nullptr);
    }
    // The last one has its preamble: all are there.
    char byte;
    pollfd last{clients_.back(), POLLIN, 0};
    ::poll(&last, 1, -1);
    if (::recv(clients_.back(), &byte, 1, 0) != 1) throw std::runtime_error("a reader has no preamble");
  }
  ~IdleReaders() {
    for (const int client : clients_) ::close(client);
  }
  IdleReaders(const IdleReaders&) = delete;
  IdleReaders& operator=(const IdleReaders&) = delete;

 private:
  static std::shared_ptr<const ExposedStreams> streams() {
    std::vector<ExposedStream> streams(1);
    streams[0].name = "quiet";
    streams[0].topics = {"quiet"};
    return std::make_shared<const ExposedStreams>(
        std::move(streams), std::vector<std::pair<std::string, std::shared_ptr<const RedactionRules>>>());
  }

  Metrics metrics_{"readers"};
  StreamMetrics counts_{metrics_};
  MemorySource source_;
  StreamReaders readers_{ReaderOptions(), source_, counts_, streams()};
  std::vector<int> clients_;
};

constexpr std::size_t kIdleReaders = 5000;  // two sockets each

}  // namespace

/// What callgrind counts: instructions.sh names this function.
[[gnu::noinline]] void post_counted(const std::function<void()>& post, int count) {
  for (int i = 0; i < count; ++i) post();
}

int run(const std::string& kind, int count) {
  set_log_level(LogLevel::fatal);
  std::optional<IdleReaders> readers;
  if (kind == "one_beside_readers") readers.emplace(kIdleReaders);
  Rig rig;
  std::string request;
  std::string_view status = "201";
  if (kind == "hasty") {
    request = request_of(event_of_capsule(), "?hasty=true");
    status = "202";
  } else if (kind == "beacon") {
    request = beacon_request();
    status = "204";
  } else {
    request = request_of(body_of(kind));
    if (kind == "invalid") status = "400";
  }
  const auto post = [&] { rig.post(request, status); };
  for (int i = 0; i < 20; ++i) post();
  post_counted(post, count);
  std::printf("g++ %s, glibc %s, %s\n", __VERSION__, ::gnu_get_libc_version(),
              __builtin_cpu_supports("avx2") ? "AVX2" : "no AVX2");
  return 0;
}

}  // namespace eventgate::bench

int main(int argc, char** argv) {
  try {
    if (argc != 3)
      throw std::runtime_error("usage: counted_requests one|one_beside_readers|hundred|invalid|hasty|beacon COUNT");
    return eventgate::bench::run(argv[1], std::atoi(argv[2]));
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "counted_requests: %s\n", failure.what());
    return 1;
  }
}

// Posts events to a gate in front of a real Kafka while things go wrong, and holds what is in Kafka afterwards to what
// the clients were told. See promises.hpp for the rules and `--help` for the arguments.

#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "promises.hpp"
#include "reader_oracle.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/kafka_cluster.hpp"
#include "support/paths.hpp"
#include "topic_reader.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Random = std::mt19937_64;

constexpr std::size_t kClients = 6;
constexpr std::chrono::seconds kProduceTimeout{3};
/// What the gate gives Kafka for a guaranteed event, unless its config says otherwise: `message.timeout.ms`.
constexpr std::chrono::milliseconds kTimeOfKafka = kProduceTimeout - std::chrono::milliseconds(1500);
constexpr std::chrono::seconds kShutdownTimeout{5};
/// An answer later than this is a broken promise; what is between is left to a machine that is busy with other things.
constexpr std::chrono::seconds kLatestAnswer{60};
constexpr std::chrono::minutes kPatience{5};
constexpr std::size_t kSmallTopic = 2000;  // bytes of its largest batch

const std::string kPrefix = "test.keyed.oracle.";
const std::map<std::string, int> kTopics{{kPrefix + "one", 1}, {kPrefix + "small", 1}, {kPrefix + "three", 3}};
const std::string kErrorTopic = "eventgate.error.validation";  // error_stream of config/config.yaml
const std::map<std::string, int> kAllTopics = [] {
  std::map<std::string, int> all = kTopics;
  all.emplace(kErrorTopic, 1);
  return all;
}();

std::size_t below(Random& random, std::size_t bound) { return static_cast<std::size_t>(random() % bound); }
/// From `least` to `most`.
std::size_t between(Random& random, std::size_t least, std::size_t most) {
  return least + below(random, most - least + 1);
}

// --- What is sent

std::string random_id(Random& random) {
  std::array<char, 37> text{};
  const auto high = random(), low = random();
  std::snprintf(text.data(), text.size(), "%08x-%04x-4%03x-a%03x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>(high >> 16 & 0xffff), static_cast<unsigned>(high & 0xfff),
                static_cast<unsigned>(low >> 48 & 0xfff), static_cast<unsigned long long>(low & 0xffffffffffff));
  return text.data();
}

/// `may_be_large`: it may be too large for its topic, if that is the small one.
SentEvent random_event(Random& random, const std::string& id, const std::string& topic, bool may_be_large) {
  SentEvent event;
  event.id = id;
  event.topic = topic;
  const bool small = event.topic == kPrefix + "small";
  event.fits = !small || !may_be_large || below(random, 8) > 0;
  const std::size_t length = !event.fits ? kSmallTopic + 500 : between(random, 1, small ? 300 : 900);
  const std::string space(below(random, 3), ' ');

  event.additions = {"request_id"};
  event.text = "{\"$schema\":" + space + "\"/test/event/1.0.0\",\"meta\":{" + space + "\"stream\":\"" + event.topic +
               "\",\"id\":\"" + event.id + '"';
  if (below(random, 2) > 0) {
    std::array<char, 64> dt{};
    std::snprintf(dt.data(), dt.size(), ",\"dt\":\"2026-%02u-%02uT%02u:00:00.%03uZ\"",
                  static_cast<unsigned>(between(random, 1, 6)), static_cast<unsigned>(between(random, 1, 28)),
                  static_cast<unsigned>(below(random, 24)), static_cast<unsigned>(below(random, 1000)));
    event.text += dt.data();
  } else {
    event.additions.insert("dt");
  }
  event.text += '}' + space;
  static const std::string kLetters = "abcdefghijklmnopqrstuvwxyz0123456789 ";
  std::string text = below(random, 2) > 0 ? "\\u00e4\\n" : "\u00e4";
  while (text.size() < length) text += kLetters[below(random, kLetters.size())];
  if (event.fits && below(random, 4) == 0) {
    event.additions.insert("test");
    event.text += ",\"test_map\":{\"a\":\"" + text + "\"}}";
  } else {
    event.text += ",\"test\":" + space + '"' + text + "\"}";
  }
  return event;
}

SentEvent random_event(Random& random) {
  const std::string id = random_id(random);
  auto topic = kTopics.begin();
  std::advance(topic, below(random, kTopics.size()));
  return random_event(random, id, topic->first, true);
}

struct Request {
  std::vector<SentEvent*> events;
  bool array = false;
  bool hasty = false;
  enum class Cut : std::uint8_t { no, in_the_body, before_the_answer } cut = Cut::no;

  std::string bytes() const {
    std::string body;
    for (const SentEvent* event : events) body += (body.empty() ? (array ? "[" : "") : ", ") + event->text;
    if (array) body += ']';
    return http_request("POST", hasty ? "/v1/events?hasty=true" : "/v1/events", body,
                        {"Content-Type: application/json"});
  }
};

// --- What is answered

void answer(SentEvent& event, Answer kind, const std::string& text) {
  event.answer = kind;
  event.answer_text = text;
}

/// Writes to each event of `request` what `reply` says of it.
void take_reply(const Request& request, const HttpReply& reply, bool spool) {
  const std::string status = std::to_string(reply.status);
  const auto all = [&](Answer kind, const std::string& text) {
    for (SentEvent* event : request.events) answer(*event, kind, text);
  };
  const auto wrong = [&] { all(Answer::wrong, status + ' ' + reply.reason + ' ' + reply.body.substr(0, 2000)); };
  if (request.hasty && reply.status == 202 && reply.body.empty()) return all(Answer::promised, status);
  if (reply.status == 503 && reply.header("retry-after")) return all(Answer::refused, status);
  if (request.hasty) return wrong();
  if (reply.status == 201 && reply.body.empty()) {
    const std::string kept = reply.header("x-eventgate-durability").value_or("");
    if (spool && kept != "disk" && kept != "kafka") return wrong();
    return all(Answer::produced, status + (kept.empty() ? "" : ' ' + kept));
  }
  if (reply.status != 207 && reply.status != 500) return wrong();
  const auto body = nlohmann::json::parse(reply.body, nullptr, false);
  if (!body.is_object() || body.value("invalid", nlohmann::json()) != nlohmann::json::array()) return wrong();
  const auto errors = body.value("error", nlohmann::json::array());
  if (errors.empty() || (errors.size() == request.events.size()) != (reply.status == 500)) return wrong();
  all(Answer::produced, status);
  std::set<std::size_t> listed;
  for (const auto& error : errors) {
    const std::size_t index = error.value("index", request.events.size());
    if (index >= request.events.size() || !listed.insert(index).second) return wrong();
    SentEvent& event = *request.events[index];
    const auto context = error.value("context", nlohmann::json::object());
    const std::string delivery = context.value("delivery", "");
    if (error.at("event").at("meta").value("id", "") != event.id) return wrong();
    answer(event,
           delivery == "not_produced" ? Answer::not_produced
           : delivery == "unknown"    ? Answer::unknown
                                      : Answer::wrong,
           status + ' ' + delivery + ": " + context.value("message", ""));
  }
}

/// Where the gate is: which process, and its port.
struct Target {
  std::size_t gate = 0;
  std::uint16_t port = 0;  ///< 0: nowhere.
};

/// The requests of a round, sent by several clients as far as they are released.
class Traffic {
 public:
  Traffic(std::vector<Request> requests, std::function<Target()> target, bool spool)
      : requests_(std::move(requests)), target_(std::move(target)), spool_(spool) {
    for (std::size_t i = 0; i < kClients; ++i) threads_.emplace_back([this] { run(); });
  }
  ~Traffic() {
    release(requests_.size());
    for (std::thread& thread : threads_) thread.join();
  }
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  /// Lets `count` more requests go.
  void release(std::size_t count) {
    const std::lock_guard lock(mutex_);
    released_ = std::min(requests_.size(), released_ + count);
    change_.notify_all();
  }

  /// Returns once all that were released but `except` are answered, or will not be.
  void wait(std::size_t except) {
    std::unique_lock lock(mutex_);
    change_.wait(lock, [&] { return ended_ + except >= released_; });
  }

  /// Lets all go, and returns once they are answered, or will not be.
  void wait_for_all() {
    release(requests_.size());
    wait(0);
  }

  /// The longest that an answer took.
  std::chrono::milliseconds slowest() {
    const std::lock_guard lock(mutex_);
    return slowest_;
  }

 private:
  struct Connection {
    Target target;
    HttpClient client;
  };

  void run() {
    std::optional<Connection> connection;
    for (;;) {
      std::size_t taken;
      {
        std::unique_lock lock(mutex_);
        change_.wait(lock, [&] { return next_ < released_ || next_ == requests_.size(); });
        if (next_ == requests_.size()) return;
        taken = next_++;
      }
      const auto start = Clock::now();
      try {
        if (!send(requests_[taken], connection)) connection.reset();
      } catch (const std::exception& failure) {  // no connection, or no answer for so long
        if (connection)
          for (SentEvent* event : requests_[taken].events) answer(*event, Answer::wrong, failure.what());
        connection.reset();
      }
      const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
      const std::lock_guard lock(mutex_);
      slowest_ = std::max(slowest_, took);
      ++ended_;
      change_.notify_all();
    }
  }

  /// Whether the connection can be used again.
  bool send(const Request& request, std::optional<Connection>& connection) const {
    if (!connection) {
      const Target target = target_();
      if (target.port == 0) return false;
      connection.emplace(Connection{target, HttpClient(target.port, kLatestAnswer)});
    }
    HttpClient& client = connection->client;
    for (SentEvent* event : request.events) event->gate = connection->target.gate;
    const std::string bytes = request.bytes();
    const auto start = Clock::now();
    client.send(request.cut == Request::Cut::in_the_body ? bytes.substr(0, bytes.size() - bytes.size() / 4) : bytes);
    if (request.cut != Request::Cut::no) return false;
    const auto reply = client.reply();
    if (!reply) return false;
    for (SentEvent* event : request.events)
      event->took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    take_reply(request, *reply, spool_);
    return reply->header("connection") != "close";
  }

  const std::vector<Request> requests_;
  const std::function<Target()> target_;
  const bool spool_;
  std::mutex mutex_;
  std::condition_variable change_;
  std::size_t released_ = 0, next_ = 0, ended_ = 0;
  std::chrono::milliseconds slowest_{0};
  std::vector<std::thread> threads_;
};

// --- What goes wrong

/// A small disk of its own for this process and its children; gone with them.
class SmallDisk {
 public:
  SmallDisk() {
    mounted_ = ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
               ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=32m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  /// Whether it is one: else it is a folder, and cannot be filled.
  bool mounted() const { return mounted_; }
  const std::string& path() const { return folder_.path(); }

  /// Leaves no byte free.
  void fill() const {
    std::ofstream out(filler(), std::ios::binary | std::ios::app);
    for (std::size_t piece = 1 << 20; piece > 0; piece /= 2)
      while (out.write(std::string(piece, 'x').data(), static_cast<std::streamsize>(piece)).flush()) continue;
  }
  void clear() const { fs::remove(filler()); }

 private:
  std::string filler() const { return folder_.path() + "/filler"; }

  TemporaryFolder folder_;
  bool mounted_ = false;
};

enum class Fault : std::uint8_t {
  freeze_broker,
  kill_gate,
  kill_broker,
  stop_gate,
  restart_broker,
  cut_clients,
  stop_broker,
  fill_disk,
};
constexpr std::array<const char*, 8> kFaultNames{"broker frozen",  "gate killed",      "broker killed",
                                                 "gate stopped",   "broker restarted", "clients cut off",
                                                 "broker stopped", "disk full"};
std::string name_of(Fault fault) { return kFaultNames[static_cast<std::size_t>(fault)]; }

bool is_of_broker(Fault fault) {
  return fault == Fault::freeze_broker || fault == Fault::kill_broker || fault == Fault::restart_broker ||
         fault == Fault::stop_broker;
}
bool needs_start(Fault fault) { return is_of_broker(fault) && fault != Fault::freeze_broker; }
bool is_of_gate(Fault fault) { return fault == Fault::kill_gate || fault == Fault::stop_gate; }

struct Options {
  std::size_t rounds = 20;
  int brokers = 1;
  std::uint64_t seed = 0;
  bool spool = false;
  std::optional<std::size_t> only;     ///< A round to be run alone.
  std::optional<std::size_t> readers;  ///< Breaks of readers of streams; nothing is posted then.
};

/// SIGTERM was sent: the round is the last one.
volatile std::sig_atomic_t stop_asked_for = 0;

class Oracle {
 public:
  explicit Oracle(const Options& options)
      : options_(options), broker_(options.brokers), promises_(kTimeOfKafka, options.spool) {
    for (const auto& [topic, partitions] : kAllTopics) {
      std::map<std::string, std::string> config;
      if (topic == kPrefix + "small") config["max.message.bytes"] = std::to_string(kSmallTopic);
      // All brokers have all records; one of three may be away.
      if (options.brokers > 2) config["min.insync.replicas"] = std::to_string(options.brokers - 1);
      KafkaCluster::Placement placement(static_cast<std::size_t>(partitions));
      for (int p = 0; p < partitions; ++p)
        for (int i = 0; i < options.brokers; ++i)
          placement[static_cast<std::size_t>(p)].push_back((first_leader_ + p + i) % options.brokers + 1);
      ++first_leader_;
      broker_.create_topic(topic, placement, config);
    }
    reader_.emplace(broker_.address(), kAllTopics);
    epochs_ = leader_epochs();
    fs::create_directories(spool_folder());
  }

  /// Whether every promise was kept.
  bool run();

 private:
  void run_round(std::size_t round);
  std::vector<Request> make_requests(Random& random, std::size_t round, std::size_t count);
  void begin(Fault fault, int node);
  void end(Fault fault, int node);
  void start_gate(bool file);
  void end_gate(int signal);
  void read_files(std::size_t gate);
  double metric(const std::string& name) const;
  bool replayed() const;
  bool drained() const;
  void read_topics();
  void settle();
  void await_leaders();
  std::vector<int> leader_epochs() const;
  void read_spool();
  /// Writes down that something has happened, and when in the round.
  void note(const std::string& what) {
    std::array<char, 32> at{};
    std::snprintf(at.data(), at.size(), " %.1f", std::chrono::duration<double>(Clock::now() - start_).count());
    history_ += (history_.empty() ? "" : ", ") + what + at.data();
  }
  std::string spool_folder() const { return disk_.path() + "/spool"; }
  std::string file_folder(std::size_t gate) const { return disk_.path() + "/file" + std::to_string(gate) + '/'; }
  Target target() {
    const std::lock_guard lock(target_mutex_);
    return target_;
  }
  void set_target(Target target) {
    const std::lock_guard lock(target_mutex_);
    target_ = target;
  }
  void print_summary() const;

  const Options options_;
  const SmallDisk disk_;  // before the processes that are to see it
  int first_leader_ = 0;  // of the next topic, counted from 0
  KafkaCluster broker_;
  std::optional<TopicReader> reader_;
  std::unique_ptr<GateProcess> gate_;
  std::vector<GateLife> gates_;
  std::mutex target_mutex_;
  Target target_;
  Promises promises_;
  Random choices_;  // of the round
  // Requests that are made to learn whether the gate knows the leaders: their first number, how many there are, and the
  // partitions that have got one.
  std::size_t first_probe_ = 0, probes_ = 0;
  std::set<std::pair<std::string, int>> probed_;
  std::vector<int> epochs_;  // of the leaders that the gate knows

  std::size_t round_ = 0;
  Clock::time_point start_;       // of the round
  Clock::time_point stop_began_;  // of the gate that was told last to end
  RoundFaults faults_;
  std::string history_;
  std::map<std::string, std::size_t> fault_counts_;
  std::chrono::milliseconds slowest_{0};
};

void Oracle::start_gate(bool file) {
  gates_.push_back({});
  gates_.back().file = file;
  const std::size_t number = gates_.size() - 1;
  const bool idempotent = below(choices_, 2) > 0;
  std::ostringstream config;
  config << "topic_prefix: ''\n"
         << "produce_timeout: " << kProduceTimeout.count() << "s\n"
         << "shutdown_timeout: " << kShutdownTimeout.count() << "s\n"
         << "keepalive_timeout: 10m\n"
         << "kafka:\n"
         << "  conf: {metadata.broker.list: '" << broker_.address() << "', reconnect.backoff.max.ms: 250"
         << ", enable.idempotence: " << (idempotent ? "true" : "false") << "}\n"
         << "  guaranteed: {conf: {linger.ms: " << below(choices_, 10) << "}}\n"
         << "  hasty: {conf: {linger.ms: " << below(choices_, 200)
         << ", queue.buffering.max.messages: " << (below(choices_, 2) > 0 ? 20 : 10000) << "}}\n";
  if (file) config << "output_path: " << file_folder(number) << '\n';
  if (options_.spool) config << "spool: {path: " << spool_folder() << ", min_free: 1mb}\n";
  gate_ = std::make_unique<GateProcess>(std::vector<std::string>{source_dir() + "/config/config.yaml"}, config.str());
  set_target({number, gate_->port()});
  note("gate " + std::to_string(number) + (idempotent ? " (idempotent) started" : " started"));
}

/// The end of a log.
std::string tail(const std::string& log) { return log.substr(log.size() - std::min<std::size_t>(log.size(), 8000)); }

/// With the hasty producer's queue full, for one.
bool has_lost_error_events(const std::string& log) {
  return log.find("\"An error event is lost\"") != std::string::npos;
}

/// Ends it with `signal`, or waits for its end (0).
void Oracle::end_gate(int signal) {
  if (!gate_) return;
  set_target({});
  if (signal != 0) {
    stop_began_ = Clock::now();
    gate_->signal(signal);
  }
  GateLife& life = gates_.back();
  life.end = signal == SIGKILL ? GateLife::End::killed : GateLife::End::stopped;
  const int status = gate_->wait();
  life.gave_up = Clock::now() - stop_began_ >= kShutdownTimeout;
  if (life.gave_up) note("the stop took all its time");
  const std::string log = gate_->log();
  // The last line says what of the hasty events was lost.
  const std::size_t lost = log.rfind("\"hasty_events_lost\":");
  if (lost != std::string::npos) life.lost = std::stoul(log.substr(log.find(':', lost) + 1));
  life.lost_error_events = has_lost_error_events(log);
  const bool may_lose = faults_.broker || life.gave_up || leader_epochs() != epochs_;
  if (life.end == GateLife::End::killed ? status != -SIGKILL : status != 0 && !(status == 1 && may_lose))
    promises_.broken(round_, "the gate ended with " + std::to_string(status) + ": " + tail(log));
  if (life.file) read_files(gates_.size() - 1);
  gate_.reset();
}

/// Reads the lines of a gate that has ended; only a killed one may leave half a line.
void Oracle::read_files(std::size_t gate) {
  const fs::path folder = file_folder(gate);
  if (!fs::exists(folder)) return;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    for (std::string line; std::getline(in, line);) {
      if (in.eof()) {
        if (gates_[gate].end != GateLife::End::killed) promises_.broken(round_, "half a line in a file: " + line);
        break;
      }
      promises_.find_in_file(line);
    }
  }
  fs::remove_all(folder);
}

/// `node`: of a fault of the broker.
void Oracle::begin(Fault fault, int node) {
  ++fault_counts_[name_of(fault)];
  switch (fault) {
    case Fault::freeze_broker:
      return broker_.freeze(node);
    case Fault::kill_broker:
      return broker_.kill(node);
    case Fault::stop_broker:
      return broker_.stop(node);
    case Fault::restart_broker:
      return broker_.restart(node);
    case Fault::kill_gate:
      return end_gate(SIGKILL);
    case Fault::stop_gate:
      stop_began_ = Clock::now();
      return gate_->signal(SIGTERM);
    case Fault::fill_disk:
      return disk_.fill();
    case Fault::cut_clients:
      return;  // the requests have it in them
  }
}

void Oracle::end(Fault fault, int node) {
  switch (fault) {
    case Fault::freeze_broker:
      broker_.thaw(node);
      return note("thawed");
    case Fault::kill_broker:
    case Fault::stop_broker:
      broker_.restart(node);
      return note("broker back");
    case Fault::kill_gate:
    case Fault::stop_gate:
      end_gate(0);
      return start_gate(gates_.back().file);
    case Fault::fill_disk:
      disk_.clear();
      return note("disk cleared");
    case Fault::restart_broker:
    case Fault::cut_clients:
      return;
  }
}

std::vector<Request> Oracle::make_requests(Random& random, std::size_t round, std::size_t count) {
  std::vector<Request> requests(count);
  for (std::size_t i = 0; i < count; ++i) {
    Request& request = requests[i];
    request.hasty = below(random, 5) < 2;
    request.array = below(random, 3) == 0;
    const std::size_t size = request.array ? between(random, 1, 20) : 1;
    for (std::size_t e = 0; e < size; ++e) {
      SentEvent event = random_event(random);
      event.round = round;
      event.request = i;
      request.events.push_back(&promises_.add(std::move(event)));
    }
  }
  return requests;
}

/// Reads what the spool still holds.
void Oracle::read_spool() {
  if (!options_.spool) return;
  std::istringstream lines(run_gate({"spool", "export", spool_folder()}).output);
  const std::string before = ",\"value\":";  // and behind it a }
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find(before);
    if (at != std::string::npos)
      promises_.find_in_spool(line.substr(at + before.size(), line.size() - at - before.size() - 1));
  }
}

/// The sum of the running gate's series of that name; less than 0 if there is none.
double Oracle::metric(const std::string& name) const {
  std::istringstream lines(HttpClient(gate_->metrics_port()).get("/metrics").body);
  double sum = -1;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(name + '{')) sum = std::max(sum, 0.0) + std::stod(line.substr(line.rfind(' ')));
  return sum;
}

/// Whether the spool has nothing for Kafka any more; what it has set aside stays there.
bool Oracle::replayed() const { return options_.spool && gate_ && metric("eventgate_spool_records") == 0; }

/// Whether Kafka's client has told of every record what became of it.
bool Oracle::drained() const { return !gate_ || metric("eventgate_records_in_flight") == 0; }

void Oracle::read_topics() {
  reader_->read([this](const std::string& topic, const ConsumedRecord& record) {
    if (topic == kErrorTopic) return promises_.find_error_event(record.value);
    promises_.find(topic, record);
    const auto event = promises_.events().find(std::string(member_text(record.value, "id")));
    if (event != promises_.events().end() && event->second.round == round_ && event->second.request >= first_probe_)
      probed_.insert({topic, record.partition});
  });
}

/// Waits until all that has to be in Kafka is there, and the gate holds nothing for it, as long as that may take.
void Oracle::settle() {
  const auto until = Clock::now() + kPatience;
  for (;;) {
    const bool over = Clock::now() > until;
    const bool read_all = replayed() || over;
    if (gate_) gates_.back().lost_error_events = has_lost_error_events(gate_->log());
    read_topics();
    bool there = promises_.missing(round_, gates_) == 0;
    if (!there && read_all) {
      read_spool();
      there = promises_.missing(round_, gates_) == 0;
    }
    if (there && drained()) return;
    if (over) {
      if (!drained()) promises_.broken(round_, "the gate has records of which it does not learn what became");
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

/// Posts events to a gate that has seen a fault until each partition has one of them. The gate knows the leaders then,
/// so that the fault is no cause of anything in the next round.
void Oracle::await_leaders() {
  const auto until = Clock::now() + kPatience;
  probed_.clear();
  std::size_t partitions = 0;
  for (const auto& [ignored, count] : kTopics) partitions += static_cast<std::size_t>(count);
  while (probed_.size() < partitions && Clock::now() < until) {
    Request request;
    request.array = true;
    for (const auto& [topic, count] : kTopics) {
      for (int i = 0; i < count; ++i) {
        SentEvent event = random_event(choices_, random_id(choices_), topic, false);
        event.round = round_;
        event.request = first_probe_ + probes_;
        request.events.push_back(&promises_.add(std::move(event)));
      }
    }
    ++probes_;
    Traffic(
        {request}, [this] { return target(); }, options_.spool)
        .wait_for_all();
    settle();
  }
  if (probed_.size() < partitions) promises_.broken(round_, "the gate does not reach all leaders after the fault");
}

/// Of all topics' partitions.
std::vector<int> Oracle::leader_epochs() const {
  std::vector<int> all;
  if (options_.brokers == 1) return all;
  for (const auto& [topic, partitions] : kTopics) {
    const std::vector<int> epochs = broker_.leader_epochs(topic, partitions);
    all.insert(all.end(), epochs.begin(), epochs.end());
  }
  return all;
}

void Oracle::run_round(std::size_t round) {
  start_ = Clock::now();
  round_ = round;
  history_.clear();
  faults_ = {};
  choices_.seed(options_.seed * 1000003 + round);

  // One fault after the other in turn, and another one with it or behind it in two rounds of three.
  std::vector<Fault> faults{static_cast<Fault>(round % kFaultNames.size())};
  if (below(choices_, 3) > 0) faults.push_back(static_cast<Fault>(below(choices_, kFaultNames.size())));
  if (!disk_.mounted()) std::erase(faults, Fault::fill_disk);
  // A start of the broker takes the longest of all: one a round.
  if (options_.brokers == 1 && faults.size() == 2 && needs_start(faults[0]) && needs_start(faults[1]))
    faults.pop_back();
  if (faults.empty()) faults.push_back(Fault::freeze_broker);
  const auto is = [&](auto&& kind) { return std::any_of(faults.begin(), faults.end(), kind); };
  const bool full = is([](Fault fault) { return fault == Fault::fill_disk; });
  const bool file = full && !options_.spool;
  faults_.broker = is(is_of_broker);
  faults_.gate = is(is_of_gate);
  faults_.disk = file;
  // Two of the same thing, or a start on a full disk, come one after the other.
  const bool of_different =
      faults.size() == 2 && (options_.brokers > 1 ? is_of_broker(faults[0]) || is_of_broker(faults[1])
                                                  : is_of_broker(faults[0]) != is_of_broker(faults[1]));
  const bool both = of_different && is_of_gate(faults[0]) == false && is_of_gate(faults[1]) == false;
  const bool gate_and_broker = faults.size() == 2 && faults_.gate && faults_.broker;
  const bool nested = (both || gate_and_broker) && below(choices_, 3) > 0;

  // Two faults of brokers are of two brokers: one within the other leaves no majority.
  std::array<int, 2> nodes{1, 1};
  if (options_.brokers > 1) {
    nodes[0] = static_cast<int>(between(choices_, 1, static_cast<std::size_t>(options_.brokers)));
    nodes[1] = nodes[0] % options_.brokers + 1;
  }
  struct Step {
    Fault fault;
    int node;
    bool begins;
  };
  std::vector<Step> steps;
  if (!nested) {
    for (std::size_t i = 0; i < faults.size(); ++i)
      steps.insert(steps.end(), {{faults[i], nodes[i], true}, {faults[i], nodes[i], false}});
  } else {
    const bool swapped = below(choices_, 2) > 0;
    const std::size_t first = swapped ? 1 : 0, second = 1 - first;
    const std::size_t first_to_end = below(choices_, 2) == 0 ? first : second, last_to_end = 1 - first_to_end;
    steps = {{faults[first], nodes[first], true},
             {faults[second], nodes[second], true},
             {faults[first_to_end], nodes[first_to_end], false},
             {faults[last_to_end], nodes[last_to_end], false}};
  }
  // How many requests are let go before each step and behind the last, and how many need not be answered by then.
  std::vector<std::pair<std::size_t, std::size_t>> released;
  std::size_t count = 0;
  for (std::size_t i = 0; i <= steps.size(); ++i) {
    released.emplace_back(between(choices_, 4, 12), below(choices_, kClients));
    count += released.back().first;
  }
  std::vector<Request> requests = make_requests(choices_, round, count);
  first_probe_ = count;
  probes_ = 0;
  for (std::size_t i = 0, at = released[0].first; i < steps.size(); at += released[++i].first) {
    if (steps[i].fault != Fault::cut_clients || !steps[i].begins) continue;
    for (std::size_t r = at; r < at + released[i + 1].first; ++r) {
      if (below(choices_, 3) == 0) continue;
      requests[r].cut = below(choices_, 2) > 0 ? Request::Cut::in_the_body : Request::Cut::before_the_answer;
      for (SentEvent* event : requests[r].events) event->cut = true;
    }
  }

  if (gate_ && gates_.back().file != file) end_gate(SIGTERM);
  if (!gate_) start_gate(file);
  {
    Traffic traffic(
        std::move(requests), [this] { return target(); }, options_.spool);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      traffic.release(released[i].first);
      traffic.wait(released[i].second);
      if (steps[i].begins) {
        begin(steps[i].fault, steps[i].node);
        const bool numbered = options_.brokers > 1 && is_of_broker(steps[i].fault);
        note(name_of(steps[i].fault) + (numbered ? " (" + std::to_string(steps[i].node) + ')' : ""));
      } else {
        end(steps[i].fault, steps[i].node);
      }
    }
    traffic.release(released.back().first);
    traffic.wait(0);
    note("all answered");
    slowest_ = std::max(slowest_, traffic.slowest());
  }
  const std::size_t broken_before = promises_.broken_count();
  settle();
  faults_.leaders = leader_epochs() != epochs_;
  if (faults_.leaders && !faults_.broker) note("leaders moved by themselves");
  if (options_.brokers > 1 && (faults_.broker || faults_.leaders)) {
    // The next round's faults are to be its only ones, so that no election may come behind.
    const auto until = Clock::now() + kPatience;
    do {
      for (const auto& [topic, partitions] : kAllTopics) broker_.wait_for_sync(topic, partitions);
      epochs_ = leader_epochs();
      if (!file) await_leaders();
    } while (leader_epochs() != epochs_ && Clock::now() < until);
  }
  if (file) end_gate(SIGTERM);
  promises_.judge(round, faults_, gates_);
  note("judged");
  std::printf("round %zu: %s s; %zu requests\n", round, history_.c_str(), count);
  for (const auto& [of, what] : promises_.take_broken())
    std::printf("BROKEN, seed %llu, round %zu (seen in round %zu: %s): %s\n",
                static_cast<unsigned long long>(options_.seed), of, round, history_.c_str(), what.c_str());
  if (promises_.broken_count() > broken_before && gate_) {
    std::printf("the log of gate %zu, what it still has to do, and what went wrong:\n%s\n", gates_.size() - 1,
                tail(gate_->log()).c_str());
    std::istringstream lines(HttpClient(gate_->metrics_port()).get("/metrics").body);
    for (std::string line; std::getline(lines, line);)
      for (const char* name : {"eventgate_records_in_flight{", "eventgate_inflight_bytes{",
                               "eventgate_hasty_events_lost_total{", "eventgate_producer_errors_total{"})
        if (line.starts_with(name)) std::printf("%s\n", line.c_str());
  }
  std::fflush(stdout);
}

bool Oracle::run() {
  std::printf("oracle: seed %llu, %zu rounds, spool %s, brokers %d, librdkafka %s\n",
              static_cast<unsigned long long>(options_.seed), options_.rounds, options_.spool ? "on" : "off",
              options_.brokers, rd_kafka_version_str());
  if (!disk_.mounted()) std::printf("left out: the full disk, which needs root to mount a small one\n");
  const std::size_t first = options_.only.value_or(0);
  const std::size_t last = options_.only ? *options_.only + 1 : options_.rounds;
  for (std::size_t round = first; round < last && stop_asked_for == 0; ++round) run_round(round);
  // What comes late comes now.
  faults_ = {};
  if (gate_) end_gate(SIGTERM);
  settle();
  read_spool();
  for (const auto& [of, what] : promises_.take_broken())
    std::printf("BROKEN, seed %llu, round %zu (seen at the end): %s\n", static_cast<unsigned long long>(options_.seed),
                of, what.c_str());
  print_summary();
  return promises_.broken_count() == 0;
}

void Oracle::print_summary() const {
  std::map<Answer, std::size_t> answers;
  std::size_t late = 0;
  for (const auto& [ignored, event] : promises_.events()) {
    ++answers[event.answer];
    late += event.answer == Answer::unknown && event.found > 0 ? 1 : 0;
  }
  std::printf("faults:");
  for (const auto& [name, count] : fault_counts_) std::printf(" %s %zu;", name.c_str(), count);
  std::printf(
      "\nevents sent %zu: produced %zu, promised (202) %zu, not produced %zu, unknown %zu (%zu of them in Kafka),"
      " refused (503) %zu, no answer %zu; gate processes %zu; slowest answer %.1f s of produce_timeout %lld s\n",
      promises_.events().size(), answers[Answer::produced], answers[Answer::promised], answers[Answer::not_produced],
      answers[Answer::unknown], late, answers[Answer::refused], answers[Answer::none], gates_.size(),
      static_cast<double>(slowest_.count()) / 1000, static_cast<long long>(kProduceTimeout.count()));
  std::printf("obligations %zu, kept %zu, broken %zu, duplicates %zu\n", promises_.obligations(),
              promises_.obligations() - std::min(promises_.obligations(), promises_.broken_count()),
              promises_.broken_count(), promises_.duplicates());
}

std::optional<Options> parse(const std::vector<std::string>& arguments) {
  Options options;
  options.seed = std::random_device{}() % 1000000;
  const auto number = [](const std::string& text) -> std::optional<std::uint64_t> {
    if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos)
      return std::nullopt;
    return std::stoull(text);
  };
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const std::string next = i + 1 < arguments.size() ? arguments[i + 1] : "";
    if (argument == "--spool") {
      options.spool = true;
    } else if (argument == "--brokers" && (next == "1" || next == "3")) {
      options.brokers = std::stoi(next);
      ++i;
    } else if ((argument == "--seed" || argument == "--round" || argument == "--readers") && number(next)) {
      if (argument == "--seed") options.seed = *number(next);
      if (argument == "--readers") options.readers = *number(next);
      if (argument == "--round") options.only = *number(next);
      ++i;
    } else if (number(argument).value_or(0) > 0) {
      options.rounds = *number(argument);
    } else {
      return std::nullopt;
    }
  }
  return options;
}

int run(const std::vector<std::string>& arguments) {
  const auto options = parse(arguments);
  if (!options) {
    std::fputs(
        "usage: oracle [ROUNDS] [--seed N] [--round N] [--spool] [--brokers 1|3]\n"
        "       oracle --readers BREAKS [--seed N]\n"
        "ROUNDS: 20. --seed: of the schedule; a random one else. --round: only this round of the schedule.\n"
        "--spool: with a spool. --brokers: one (1), or a cluster of three, of which faults take one or two.\n"
        "--readers: readers of streams instead, which are cut off so many times and come back with their last id.\n"
        "SIGTERM: this round is the last one. Exit status: 1 if a promise was broken, 77 if there is no Kafka.\n",
        stderr);
    return 2;
  }
  if (const auto reason = KafkaBroker::unavailable()) {
    std::printf("no Kafka: %s\n", reason->c_str());
    return 77;
  }
  if (options->readers) return run_reader_oracle({*options->readers, options->seed}) ? 0 : 1;
  std::signal(SIGTERM, [](int) { stop_asked_for = 1; });
  return Oracle(*options).run() ? 0 : 1;
}

}  // namespace
}  // namespace eventgate

int main(int argc, char** argv) {
  try {
    return eventgate::run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& failure) {
    std::printf("oracle: %s\n", failure.what());
    return 1;
  }
}

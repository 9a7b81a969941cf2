#include "reader_oracle.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "reader_promises.hpp"
#include "support/becomes.hpp"
#include "support/event_stream_client.hpp"
#include "support/gate_process.hpp"
#include "support/kafka_broker.hpp"
#include "support/temporary_folder.hpp"
#include "support/topic_writer.hpp"

namespace eventgate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Random = std::mt19937_64;

constexpr std::size_t kReaders = 4;
constexpr std::size_t kBreaksPerRound = 4;
constexpr seconds kPatience{180};  // until every reader has what is there
constexpr std::int64_t kFirstTime = 1700000000000;

const std::vector<std::string> kTopics{"oracle.one", "oracle.two"};

std::size_t below(Random& random, std::size_t bound) { return static_cast<std::size_t>(random() % bound); }

/// Where the gate listens; 0: nowhere.
using Port = std::atomic<std::uint16_t>;

/// A client that reads both topics, is cut off at random, and comes back with the last id it has seen, as EventSource
/// does. `run` is called on a thread of its own.
class OracleReader {
 public:
  OracleReader(std::size_t number, std::uint64_t seed, const Port& port)
      : name_("reader " + std::to_string(number)), random_(seed), port_(port), promises_(name_) {}

  /// Reads until `stop`. Cuts connections while there are `breaks` left.
  void run(std::atomic<std::int64_t>& breaks, const std::atomic<bool>& stop) {
    while (!stop) {
      try {
        read_connection(breaks, stop);
      } catch (const std::exception&) {  // nobody listens
        std::this_thread::sleep_for(milliseconds(20));
      }
    }
  }

  /// Calls `use` with what the reader was sent. Thread-safe.
  template <typename Use>
  auto with_promises(Use&& use) {
    const std::lock_guard lock(mutex_);
    return use(promises_);
  }

  /// Returns true once it has its first id.
  bool has_begun() {
    const std::lock_guard lock(mutex_);
    return !last_id_.empty();
  }
  std::string last_id() {
    const std::lock_guard lock(mutex_);
    return last_id_;
  }

 private:
  void read_connection(std::atomic<std::int64_t>& breaks, const std::atomic<bool>& stop) {
    const std::uint16_t port = port_;
    if (port == 0) throw std::runtime_error("no gate");
    EventStreamClient client(port, "/v2/stream/" + kTopics[0] + "," + kTopics[1], last_id());
    // Some connections end within an event, others after many.
    const std::size_t bytes_at_once = std::size_t{1} << (4 + below(random_, 13));
    const std::size_t blocks = below(random_, 60);
    for (std::size_t read = 0; !stop && !client.ended();) {
      const std::vector<SseBlock> found = client.read(milliseconds(20), bytes_at_once);
      for (const SseBlock& block : found) take(block);
      read += found.size();
      if (client.status() != 0 && client.status() != 200) return refused(client);
      if (read > blocks && has_begun() && breaks.fetch_sub(1) > 0) return;
    }
  }

  void refused(const EventStreamClient& client) {
    if (client.status() != 503) {
      const std::lock_guard lock(mutex_);
      promises_.broken("was answered " + std::to_string(client.status()) + " to " + last_id_ + ": " + client.rest());
    }
    std::this_thread::sleep_for(milliseconds(100));
  }

  void take(const SseBlock& block) {
    const std::lock_guard lock(mutex_);
    try {
      if (block.id) take_id(*block.id);
      if (block.event == "gap") {
        const auto gap = nlohmann::json::parse(block.data);
        promises_.gap(gap.at("topic"), gap.at("partition"), gap.at("from"), gap.at("to"));
      } else if (!block.data.empty() && (block.event.empty() || block.event == "message")) {
        const auto event = nlohmann::json::parse(block.data);
        const auto& meta = event.at("meta");
        if (event.at("number") != meta.at("id")) promises_.broken("an event is changed: " + block.data);
        promises_.event(meta.at("topic"), meta.at("partition"), meta.at("offset"), meta.at("id"));
      }
    } catch (const nlohmann::json::exception& wrong) {
      promises_.broken("was sent " + block.data + " with id " + block.id.value_or("(none)") + ": " + wrong.what());
    }
  }

  void take_id(const std::string& id) {
    const auto entries = nlohmann::json::parse(id);
    if (entries.empty()) promises_.broken("was sent an empty id");
    if (last_id_.empty())
      for (const auto& entry : entries) promises_.begin(entry.at("topic"), entry.at("partition"), entry.at("offset"));
    last_id_ = id;
  }

  const std::string name_;
  Random random_;
  const Port& port_;
  std::mutex mutex_;
  ReaderPromises promises_;
  std::string last_id_;
};

enum class Fault : std::uint8_t {
  none,
  kill_gate,
  stop_gate,
  freeze_gate,
  kill_broker,
  freeze_broker,
  add_partition,
  retention,
  make_anew,
};
constexpr std::array<const char*, 9> kFaultNames{"none",           "gate killed",   "gate stopped",    "gate frozen",
                                                 "broker killed",  "broker frozen", "partition added", "retention",
                                                 "topic made anew"};

/// A wait of the schedule, not for something.
void pass(milliseconds time) { std::this_thread::sleep_for(time); }

class ReaderOracle {
 public:
  explicit ReaderOracle(const ReaderOracleOptions& options)
      : options_(options), choices_(options.seed), writer_(broker_.address()) {
    for (const std::string& topic : kTopics) make_topic(topic, 1);
    config_folder_.write("streams.yaml",
                         "oracle.one: {schema_title: one, topics: [oracle.one]}\n"
                         "oracle.two: {schema_title: two, topics: [oracle.two]}\n");
    start_gate();
    for (std::size_t i = 0; i < kReaders; ++i)
      readers_.push_back(std::make_unique<OracleReader>(i, options.seed * kReaders + i, port_));
    for (const auto& reader : readers_)
      threads_.emplace_back([this, &reader = *reader] { reader.run(breaks_, stop_); });
  }
  ~ReaderOracle() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  ReaderOracle(const ReaderOracle&) = delete;
  ReaderOracle& operator=(const ReaderOracle&) = delete;

  bool run() {
    std::printf("reader oracle: seed %llu, %zu breaks, %zu readers, librdkafka %s\n",
                static_cast<unsigned long long>(options_.seed), options_.breaks, kReaders, rd_kafka_version_str());
    if (!becomes(
            [&] {
              return std::all_of(readers_.begin(), readers_.end(), [](const auto& one) { return one->has_begun(); });
            },
            seconds(120))) {
      std::printf("no reader begins: %s\n", gate_->log().c_str());
      return false;
    }
    for (std::size_t done = 0; done < options_.breaks; ++round_) {
      const std::size_t breaks = std::min(kBreaksPerRound, options_.breaks - done);
      run_round(breaks);
      done += breaks;
    }
    std::size_t events = 0, gaps = 0;
    for (const auto& reader : readers_) {
      events += reader->with_promises([](const ReaderPromises& promises) { return promises.events(); });
      gaps += reader->with_promises([](const ReaderPromises& promises) { return promises.gaps(); });
    }
    std::printf("faults:");
    for (const auto& [name, count] : fault_counts_) std::printf(" %s %zu;", name.c_str(), count);
    std::printf("\nevents written %zu, read %zu by %zu readers, gaps %zu, broken %zu\n", written_, events, kReaders,
                gaps, broken_);
    return broken_ == 0;
  }

 private:
  void run_round(std::size_t breaks) {
    const Fault fault = static_cast<Fault>(round_ % kFaultNames.size());
    ++fault_counts_[kFaultNames[static_cast<std::size_t>(fault)]];
    breaks_ = static_cast<std::int64_t>(breaks);
    write_some();
    begin(fault);
    write_some();
    // The readers are cut off as often as the round wants while there is something to read.
    const bool cut = becomes(
        [&] {
          if (breaks_ > 0) write(kTopics[below(choices_, kTopics.size())], 1 + below(choices_, 20));
          return breaks_ <= 0;
        },
        kPatience);
    breaks_ = 0;
    std::size_t missing = 0;
    becomes(
        [&] {
          missing = 0;
          for (const auto& reader : readers_)
            missing +=
                reader->with_promises([&](const ReaderPromises& promises) { return promises.missing(history_); });
          return missing == 0;
        },
        kPatience);
    judge(fault, cut, missing);
    if (missing > 0) return;
    history_.settle();
    for (const auto& reader : readers_) reader->with_promises([](ReaderPromises& promises) { promises.settle(); });
  }

  void judge(Fault fault, bool cut, std::size_t missing) {
    const char* name = kFaultNames[static_cast<std::size_t>(fault)];
    if (!cut) print_broken(name, "the readers were not cut off as often as the round wants");
    for (const auto& reader : readers_)
      for (const std::string& problem :
           reader->with_promises([&](ReaderPromises& promises) { return promises.judge(history_); }))
        print_broken(name, problem);
    std::printf("round %zu: %s, %zu events so far%s\n", round_, name, written_,
                missing == 0 ? "" : ", some are missing");
    if (missing > 0)
      for (const auto& reader : readers_) std::printf("last id: %s\n", reader->last_id().c_str());
    std::fflush(stdout);
  }

  void print_broken(const char* fault, const std::string& what) {
    ++broken_;
    std::printf("BROKEN, seed %llu, round %zu (%s): %s\n", static_cast<unsigned long long>(options_.seed), round_,
                fault, what.c_str());
  }

  void begin(Fault fault) {
    const std::string& topic = kTopics[below(choices_, kTopics.size())];
    switch (fault) {
      case Fault::none:
        return;
      case Fault::kill_gate:
      case Fault::stop_gate:
        end_gate(fault == Fault::kill_gate ? SIGKILL : SIGTERM);
        write_some();
        return start_gate();
      case Fault::freeze_gate:
        gate_->signal(SIGSTOP);
        write_some();
        pass(milliseconds(below(choices_, 1000)));
        return gate_->signal(SIGCONT);
      case Fault::kill_broker:
        broker_.kill();
        pass(milliseconds(below(choices_, 2000)));
        return broker_.restart();
      case Fault::freeze_broker:
        broker_.freeze();
        pass(milliseconds(below(choices_, 5000)));
        return broker_.thaw();
      case Fault::add_partition:
        return writer_.add_partitions(topic, ++partitions_[topic]);
      case Fault::retention:
        return delete_some(topic);
      case Fault::make_anew:
        writer_.delete_topic(topic);
        history_.make_anew(topic);
        // Later than all that was there, so that a reader of the old topic finds its place.
        time_ += 1000000;
        return make_topic(topic, 1 + static_cast<int>(below(choices_, 2)));
    }
  }

  /// Deletes up to everything of a partition, while the gate is away or not: a reader may have all of it, or none.
  void delete_some(const std::string& topic) {
    const bool behind = below(choices_, 2) > 0;
    if (behind) end_gate(SIGKILL);
    write(topic, 100);
    for (auto& [place, end] : ends_) {
      if (place.first != topic) continue;
      const auto offset = static_cast<std::int64_t>(below(choices_, static_cast<std::size_t>(end) + 1));
      if (offset == 0) continue;
      // First in the book: a reader may learn of it at once.
      history_.delete_before(topic, place.second, offset);
      writer_.delete_records(topic, place.second, offset);
    }
    if (behind) start_gate();
  }

  void make_topic(const std::string& topic, int partitions) {
    writer_.create_topic(topic, partitions);
    partitions_[topic] = partitions;
    std::erase_if(ends_, [&](const auto& end) { return end.first.first == topic; });
  }

  void write_some() {
    for (const std::string& topic : kTopics) write(topic, below(choices_, 100));
  }

  /// Writes events whose times are equal, or out of order.
  void write(const std::string& topic, std::size_t count) {
    std::vector<TopicWriter::Written> records;
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string id = "event-" + std::to_string(written_ + i);
      ids.push_back(id);
      records.push_back({topic,
                         R"({"$schema":"/oracle/1.0.0","meta":{"stream":")" + topic + R"(","id":")" + id +
                             R"("},"number":")" + id + R"(","text":")" + std::string(below(choices_, 900), 'x') + "\"}",
                         time_ + static_cast<std::int64_t>(below(choices_, 50)), std::nullopt,
                         static_cast<std::int32_t>(below(choices_, static_cast<std::size_t>(partitions_[topic])))});
    }
    time_ += static_cast<std::int64_t>(below(choices_, 50));
    const std::vector<std::int64_t> offsets = writer_.write(records);
    for (std::size_t i = 0; i < count; ++i) {
      history_.add(topic, records[i].partition, offsets[i], ids[i]);
      std::int64_t& end = ends_[{topic, records[i].partition}];
      end = std::max(end, offsets[i] + 1);
    }
    written_ += count;
  }

  /// The buffer of some gates has few events, so that readers replay what others get from the buffer.
  void start_gate() {
    const bool is_small = below(choices_, 2) > 0;
    gate_ = std::make_unique<GateProcess>(std::vector<std::string>{source_dir() + "/config/config.yaml"},
                                          "streams: true\nintake: false\nstream_config_uri: " + config_folder_.path() +
                                              "/streams.yaml\nstream_buffer: " + (is_small ? "64kb" : "16mb") +
                                              "\nkafka: {conf: {metadata.broker.list: '" + broker_.address() + "'}}\n",
                                          StartedWith(), last_port_);
    last_port_ = gate_->port();
    port_ = gate_->port();
  }

  void end_gate(int signal) {
    port_ = 0;
    gate_->signal(signal);
    gate_->signal(SIGCONT);
    gate_->wait();
    gate_.reset();
  }

  const ReaderOracleOptions options_;
  Random choices_;
  KafkaBroker broker_;
  TopicWriter writer_;
  TemporaryFolder config_folder_;
  std::unique_ptr<GateProcess> gate_;
  Port port_{0};
  std::uint16_t last_port_ = 0;
  TopicHistory history_;
  std::map<std::string, int> partitions_;
  std::map<std::pair<std::string, std::int32_t>, std::int64_t> ends_;
  std::int64_t time_ = kFirstTime;
  std::size_t written_ = 0;
  std::size_t round_ = 0;
  std::size_t broken_ = 0;
  std::map<std::string, std::size_t> fault_counts_;
  std::atomic<std::int64_t> breaks_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::unique_ptr<OracleReader>> readers_;
  std::vector<std::thread> threads_;
};

}  // namespace

bool run_reader_oracle(const ReaderOracleOptions& options) { return ReaderOracle(options).run(); }

}  // namespace eventgate

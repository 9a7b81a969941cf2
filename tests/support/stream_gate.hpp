#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>

#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/kafka_broker.hpp"
#include "support/paths.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {

/// What a gate reads its streams from.
enum class StreamsFrom : std::uint8_t { files, kafka };

inline std::string name_of(StreamsFrom source) { return source == StreamsFrom::files ? "files" : "kafka"; }
inline void PrintTo(StreamsFrom source, std::ostream* out) { *out << name_of(source); }

inline constexpr const char* kStreamToken = "0123456789abcdef";

/// A gate with the streams `test.a` (alias `a`), `test.b` and `test.private`, which takes events and sends them to
/// readers. Those of a gate with Kafka have topics of their own on the broker of the run.
class StreamGate {
 public:
  /// `config`: YAML over what makes the gate.
  explicit StreamGate(StreamsFrom source, const std::string& config = "") {
    folder_.write("streams.yaml",
                  "test.a: {schema_title: test/event, description: Events to read, stream_aliases: [a]}\n"
                  "test.b: {schema_title: test/event, description: Others}\n"
                  "test.private: {schema_title: test/event, private: true}\n");
    config_ = "service_name: eventgate\nschema_base_uris: [" + source_dir() +
              "/schemas]\nstream_config_uri: " + folder_.path() +
              "/streams.yaml\nstream_field: meta.stream\nstreams: true\nstream_token: " + kStreamToken + "\n";
    if (source == StreamsFrom::kafka) {
      topic_prefix_ = fresh_topic() + ".";
      std::replace(topic_prefix_.begin(), topic_prefix_.end(), '/', '_');  // of the name of a parameterized test
      config_ += "topic_prefix: " + topic_prefix_ + "\nkafka: {conf: {metadata.broker.list: '" +
                 KafkaBroker::shared().address() + "'}}\n";
    } else {
      config_ += "output_path: " + folder_.path() + "/events/\n";
    }
    config_ += config;
    process_.emplace(std::vector<std::string>(), config_);
  }

  /// Ends the gate by a signal, and starts it again at the same port.
  void restart(int signal) {
    const std::uint16_t port = process_->port();
    process_->signal(signal);
    process_->wait();
    process_.reset();
    process_.emplace(std::vector<std::string>(), config_, StartedWith(), port);
  }

  std::string uri(const std::string& target) const { return "http://127.0.0.1:" + std::to_string(port()) + target; }
  std::uint16_t port() const { return process_->port(); }
  const GateProcess& process() const { return *process_; }
  std::string topic(const std::string& stream) const { return topic_prefix_ + stream; }
  const std::string& folder() const { return folder_.path(); }

  /// An event whose field `test` is the JSON text `test`.
  static std::string event(const std::string& test, const std::string& stream = "test.a",
                           const std::string& more = "") {
    return R"({"$schema":"/test/event/1.0.0","meta":{"stream":")" + stream + "\"" + more + R"(},"test":)" + test + "}";
  }

  /// Posts events. Throws if they are not all produced.
  void post(const std::string& events) const {
    const HttpReply reply = HttpClient(port()).post("/v1/events", events);
    if (reply.status != 201) throw std::runtime_error(reply.body);
  }

  /// Posts `count` events whose fields `test` are the numbers from `first` on, in arrays of at most 100.
  void post_numbers(int first, int count, const std::string& stream = "test.a") const {
    for (int done = 0; done < count; done += 100) {
      std::string events;
      for (int i = done; i < std::min(done + 100, count); ++i)
        events += (events.empty() ? "[" : ",") + event("\"" + std::to_string(first + i) + "\"", stream);
      post(events + "]");
    }
  }

 private:
  TemporaryFolder folder_;
  std::string topic_prefix_;
  std::string config_;
  std::optional<GateProcess> process_;
};

}  // namespace eventgate

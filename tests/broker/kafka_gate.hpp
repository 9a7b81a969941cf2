#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/kafka_broker.hpp"
#include "support/paths.hpp"

namespace eventgate {

inline const std::string kShippedConfig = source_dir() + "/config/config.yaml";

/// What makes a gate with the shipped config produce to `broker`; `more` is YAML, at first of `kafka`.
inline std::string config_of(const KafkaBroker& broker, const std::string& more = "") {
  return "kafka:\n  conf: {metadata.broker.list: '" + broker.address() + "'}\n" + more;
}

/// An event of the stream `test.keyed.NAME`, with an id of its own.
inline std::string keyed_event(const std::string& name, int number, const std::string& test = "x") {
  return R"({"$schema":"/test/event/1.0.0","meta":{"stream":"test.keyed.)" + name +
         R"(","id":"00000000-0000-4000-8000-)" + std::to_string(100000000000 + number) + R"("},"test":")" + test +
         "\"}";
}

/// An array of `count` of them, with the numbers from `first`.
inline std::string keyed_events(const std::string& name, int first, int count, const std::string& test = "x") {
  std::string body;
  for (int i = 0; i < count; ++i) body += (i == 0 ? '[' : ',') + keyed_event(name, first + i, test);
  return body + ']';
}

/// The numbers of the events in the topic of `test.keyed.NAME`, in their order. The gate's `topic_prefix` is empty.
inline std::vector<int> keyed_numbers(const KafkaBroker& broker, const std::string& name) {
  std::vector<int> numbers;
  for (const std::string& value : broker.values("test.keyed." + name)) {
    const std::string id = nlohmann::json::parse(value).at("meta").at("id");
    numbers.push_back(static_cast<int>(std::stoll(id.substr(id.rfind('-') + 1)) - 100000000000));
  }
  return numbers;
}

/// The sum of the metric's values in those series that have `label`.
inline double metric(const std::string& text, const std::string& name, const std::string& label = "") {
  double sum = 0;
  for (std::size_t at = 0; (at = text.find("\n" + name + "{", at)) != std::string::npos;) {
    const std::string line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
    if (line.find(label) != std::string::npos) sum += std::stod(line.substr(line.rfind(' ')));
    at += line.size();
  }
  return sum;
}

inline double metric(const GateProcess& gate, const std::string& name, const std::string& label = "") {
  return metric(HttpClient(gate.metrics_port()).get("/metrics").body, name, label);
}

}  // namespace eventgate

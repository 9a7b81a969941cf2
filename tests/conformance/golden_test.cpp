#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <set>
#include <thread>

#include "eventgate/cli/service.hpp"
#include "golden.hpp"
#include "support/temporary_folder.hpp"

// Holds the gate to the recorded replies of the original (golden/README.md), request by request over real sockets.

namespace eventgate {
namespace {

using golden::json;

using golden::kGolden;
using golden::kPatience;

/// The set-up the default profile was recorded with, writing to `output`.
Config default_config(const std::string& output) {
  Config config;
  config.num_workers = 1;
  config.http.port = 0;
  config.http.interface = "127.0.0.1";
  config.http.max_body_size = 4 << 20;
  config.api.test_events =
      R"([{"$schema":"/test/0.0.1","meta":{"stream":"test_events","id":"12345678-1234-5678-1234-567812345678"},"test":"example string"}])";
  config.schema.schema_base_uris = golden::schema_base_uris();
  config.gate.stream_field = {FieldPath("meta.stream")};
  config.gate.stream_from_schema_uri = true;  // the recordings' output is a file
  config.file = FileSinkOptions{};
  config.file->output_path = output;
  config.logging.level = LogLevel::fatal;
  return config;
}

/// The lines that a file has gained since the last look, waiting until there are `count`.
class Output {
 public:
  explicit Output(std::string path) : path_(std::move(path)) {}

  std::vector<json> next(std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    std::vector<json> lines;
    for (;;) {
      std::ifstream file(path_);
      file.seekg(static_cast<std::streamoff>(read_));
      std::string text((std::istreambuf_iterator<char>(file)), {});
      text.resize(text.rfind('\n') + 1);
      std::size_t begin = 0;
      for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
        lines.push_back(json::parse(text.substr(begin, end - begin)));
      read_ += text.size();
      if (lines.size() >= count || std::chrono::steady_clock::now() > until) return lines;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

 private:
  std::string path_;
  std::size_t read_ = 0;
};

std::string produced_difference(const json& recorded, std::vector<json> produced) {
  if (!recorded.contains("produced")) return produced.empty() ? "" : std::to_string(produced.size()) + " produced";
  // In any order: the original overtakes itself while it loads a schema.
  std::multiset<json> found, expected;
  for (const json& event : produced) found.insert(golden::by_form(event));
  for (const json& event : recorded["produced"]) expected.insert(golden::by_form(event));
  return found == expected ? "" : "produced " + json(found).dump();
}

TEST(Golden, DefaultSetUp) {
  if (!golden::have_recordings()) GTEST_SKIP() << "the recordings of the original are not here: " << kGolden;
  const TemporaryFolder folder;
  const json expected = golden::expectations();
  golden::Tally tally;
  std::unique_ptr<Service> shared;
  std::unique_ptr<Output> shared_output;
  std::size_t fresh = 0;
  for (const json& recorded : golden::read_lines(kGolden + "/default.jsonl")) {
    const std::string name = recorded["name"];
    const std::string profile = recorded["profile"];
    const bool own = profile != "default" || !shared;
    std::unique_ptr<Service> service;
    std::unique_ptr<Output> output;
    if (own) {
      const std::string path = folder.path() + "/" + std::to_string(fresh++) + ".ndjson";
      Config config = default_config(path);
      if (profile == "small") {
        config.http.max_body_size = HttpOptions().max_body_size;
        config.api.test_events.clear();
      }
      service = std::make_unique<Service>(std::move(config));
      output = std::make_unique<Output>(path);
      if (profile == "default") {
        shared = std::move(service);
        shared_output = std::move(output);
      }
    }
    const std::uint16_t port = (service ? service : shared)->port();
    const std::vector<HttpReply> replies =
        golden::replies_to(port, golden::request_bytes(recorded), name == "pipelined" ? 2 : 1);
    const json* instead = expected.contains(name) ? &expected[name] : nullptr;
    std::size_t count = recorded.contains("produced") ? recorded["produced"].size() : 0;
    if (instead) count = instead->value("produced", std::size_t{0});
    const std::vector<json> produced = (output ? output : shared_output)->next(count);
    std::string difference = instead ? golden::difference_from_expected(*instead, replies, produced.size())
                                     : golden::difference_from_recording(recorded, replies);
    if (difference.empty() && !instead) difference = produced_difference(recorded, produced);
    tally.add(name, difference, instead);
  }
  tally.print("default");
  EXPECT_GE(tally.matches, 278u);
}

}  // namespace
}  // namespace eventgate

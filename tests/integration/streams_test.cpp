// Streams of a running gate that writes files: through restarts, deletion of old hours, reloads and a stop.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "eventgate/files/hour_partitions.hpp"
#include "support/becomes.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/stream_client.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kSchema = R"({"title": "test", "type": "object", "properties": {
  "$schema": {"type": "string"}, "n": {"type": "integer"}, "meta": {"type": "object"}}})";

/// A gate with the stream test.a, whose topic is a folder.
class Streams : public testing::Test {
 protected:
  void SetUp() override {
    folder_.write("schemas/test/1.0.0", kSchema);
    folder_.write("streams.yaml", "test.a: {schema_title: test}\n");
    write_config("");
  }

  void write_config(const std::string& more) {
    folder_.write("config.yaml", "schema_base_uris: [" + folder_.path() + "/schemas]\nstream_config_uri: " +
                                     folder_.path() + "/streams.yaml\noutput_path: " + folder_.path() +
                                     "/events/\nstream_field: meta.stream\nstreams: true\n" + more);
  }

  /// Sends SIGHUP, and returns the log lines up to its outcome.
  std::string reload() {
    const std::size_t size = gate_->log().size();
    std::string log;
    gate_->signal(SIGHUP);
    EXPECT_TRUE(becomes([&] {
      log = gate_->log().substr(size);
      return log.find("\"msg\":\"reloaded\"") != std::string::npos ||
             log.find("\"msg\":\"The reload is refused") != std::string::npos;
    }));
    return log;
  }

  void start() { gate_.emplace(std::vector<std::string>{folder_.path() + "/config.yaml"}, ""); }

  /// Posts the event number `n`. Returns true if it was produced.
  bool post(std::int64_t n) {
    try {
      return HttpClient(gate_->port())
                 .post("/v1/events",
                       R"({"$schema":"/test/1.0.0","n":)" + std::to_string(n) + R"(,"meta":{"stream":"test.a"}})")
                 .status == 201;
    } catch (const std::exception&) {
      return false;
    }
  }

  StreamClient read(const std::string& query = "", const std::string& id = "") {
    std::vector<std::string> headers;
    if (!id.empty()) headers.push_back("Last-Event-ID: " + id);
    return StreamClient(gate_->port(), "/v2/stream/test.a" + query, headers);
  }

  static std::int64_t number_of(const StreamEvent& event) { return json::parse(event.data)["n"]; }

  /// Writes events as the file sink would have, `hours` ago. Their numbers are negative.
  void write_old_hour(int hours, std::int64_t first, std::int64_t count) {
    const Hour hour =
        std::chrono::floor<std::chrono::hours>(std::chrono::system_clock::now()) - std::chrono::hours(hours);
    const fs::path path = part_file_path(folder_.path() + "/events", "test.a", hour, "20200101T000000Z-00000000");
    fs::create_directories(path.parent_path());
    std::ofstream out(path);
    for (std::int64_t n = first; n < first + count; ++n) out << "{\"n\":" << n << "}\n";
  }

  void delete_old_hour(int hours) {
    const Hour hour =
        std::chrono::floor<std::chrono::hours>(std::chrono::system_clock::now()) - std::chrono::hours(hours);
    ASSERT_FALSE(remove_partition(fs::path(folder_.path()) / "events" / "test.a" / hour_path(hour)));
  }

  TemporaryFolder folder_;
  std::optional<GateProcess> gate_;
};

TEST_F(Streams, EventJustPosted_IsSent) {
  start();
  StreamClient client = read();
  client.wait_for_id();
  ASSERT_TRUE(post(1));
  const std::vector<StreamEvent> events = client.events(1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(number_of(events[0]), 1);
  EXPECT_EQ(json::parse(events[0].data)["meta"]["topic"], "test.a");
}

// The reader is cut off at random, and the gate is stopped or killed between its connections.
TEST_F(Streams, RestartsOfReaderAndGate_EachEventComesOnce) {
  start();
  std::mt19937 random(11);
  std::vector<std::int64_t> produced;
  std::vector<std::int64_t> seen;
  std::string id;
  std::int64_t next = 0;
  for (int round = 0; round < 10; ++round) {
    StreamClient client = read(id.empty() ? "?since=0" : "", id);
    const int count = static_cast<int>(random() % 20);
    for (int i = 0; i < count; ++i, ++next)
      if (post(next)) produced.push_back(next);
    const std::size_t left = produced.size() - seen.size();
    for (const StreamEvent& event : client.events(left == 0 ? 0 : random() % left)) {
      seen.push_back(number_of(event));
      id = event.id;
    }
    if (round % 3 == 2) {
      gate_->signal(round % 2 ? SIGKILL : SIGTERM);
      gate_->wait();
      start();
    }
  }
  StreamClient rest = read(id.empty() ? "?since=0" : "", id);
  for (const StreamEvent& event : rest.events(produced.size() - seen.size())) seen.push_back(number_of(event));
  EXPECT_EQ(seen, produced);
}

TEST_F(Streams, HourDeletedUnderAReader_IsAGap) {
  write_old_hour(5, -20, 10);
  write_old_hour(3, -10, 10);
  start();
  StreamClient client = read("?since=0&limit=4");
  std::string id;
  for (const StreamEvent& event : client.events(4)) id = event.id;
  delete_old_hour(5);
  StreamClient again = read("", id);
  const std::optional<StreamEvent> gap = again.next();
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->type, "gap");
  EXPECT_EQ(number_of(again.events(1).at(0)), -10);
}

TEST_F(Streams, ReloadThatNoLongerDeclaresAStream_EndsIt) {
  start();
  StreamClient client = read();
  client.wait_for_id();
  folder_.write("streams.yaml", "test.b: {schema_title: test}\n");
  gate_->signal(SIGHUP);
  const std::optional<StreamEvent> end = client.next();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->type, "end");
}

// --- what readers do is nothing to intake

TEST_F(Streams, ReaderThatDoesNotRead_IntakeTakesAllAndKeepsNoMemoryForIt) {
  write_config("max_body_size: 16mb\n");
  start();
  const StreamClient stuck = read("?since=0");
  // More than the sockets take.
  const std::string padding(90'000, 'x');
  std::string events = "[";
  for (int i = 0; i < 100; ++i)
    events += (i > 0 ? "," : "") + std::string(R"({"$schema":"/test/1.0.0","n":1,"meta":{"stream":"test.a"},"x":")") +
              padding + "\"}";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(HttpClient(gate_->port()).post("/v1/events", events + "]").status, 201u);
  StreamClient other = read("?last=1");
  EXPECT_EQ(other.events(1).size(), 1u);
  const std::string metrics = HttpClient(gate_->metrics_port()).get("/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("eventgate_inflight_bytes{service=\"eventgate\"} 0\n"));
  EXPECT_THAT(metrics, HasSubstr("eventstreams_connected_clients{service=\"eventgate\",stream=\"test.a\"} 2\n"));
}

TEST_F(Streams, ReplaysOfAFullTopic_IntakeTakesAll) {
  write_old_hour(3, -40'000, 40'000);
  start();
  std::vector<StreamClient> replays;
  for (int i = 0; i < 5; ++i) replays.push_back(read("?since=0"));
  for (std::int64_t n = 0; n < 50; ++n) EXPECT_TRUE(post(n));
  for (StreamClient& replay : replays) {
    const std::vector<StreamEvent> events = replay.events(40'050);
    ASSERT_EQ(events.size(), 40'050u);
    EXPECT_EQ(number_of(events.back()), 49);
  }
}

TEST_F(Streams, BrokerOfTheReadSideIsAway_IntakeTakesAllAndIsReady) {
  write_config("kafka: {streams: {conf: {metadata.broker.list: '127.0.0.1:1'}}}\nstream_open_timeout: 100ms\n");
  start();
  EXPECT_EQ(read().status(), 503u);
  for (std::int64_t n = 0; n < 20; ++n) EXPECT_TRUE(post(n));
  EXPECT_EQ(HttpClient(gate_->port()).get("/readyz").status, 200u);
}

// --- reloads

TEST_F(Streams, ReloadOfRedaction_CountsForTheNextEventAndForOldOnes) {
  start();
  StreamClient client = read();
  client.wait_for_id();
  ASSERT_TRUE(post(1));
  EXPECT_TRUE(json::parse(client.events(1).at(0).data).contains("n"));
  folder_.write("streams.yaml", "test.a: {schema_title: test, redact: [{fields: [n]}]}\n");
  ASSERT_THAT(reload(), HasSubstr("\"msg\":\"reloaded\""));
  ASSERT_TRUE(post(2));
  EXPECT_FALSE(json::parse(client.events(1).at(0).data).contains("n"));
  StreamClient old = read("?since=0&limit=2");
  for (const StreamEvent& event : old.events(2)) EXPECT_FALSE(json::parse(event.data).contains("n")) << event.data;
}

TEST_F(Streams, ReloadWithARuleThatCannotBeUsed_LeavesTheOldOnes) {
  folder_.write("streams.yaml", "test.a: {schema_title: test, redact: [{fields: [n]}]}\n");
  start();
  StreamClient client = read();
  client.wait_for_id();
  folder_.write("streams.yaml", "test.a: {schema_title: test, redact: [{fields: 5}]}\n");
  EXPECT_THAT(reload(), HasSubstr("Streams and their redaction stay as they were, because a rule cannot be used"));
  ASSERT_TRUE(post(1));
  EXPECT_FALSE(json::parse(client.events(1).at(0).data).contains("n"));
}

TEST_F(Streams, ReloadOfRedactedPages_CountsAndNeedsNoRestart) {
  start();
  StreamClient client = read();
  client.wait_for_id();
  const std::string page = R"({"$schema":"/test/1.0.0","meta":{"stream":"test.a","domain":"en.wikipedia.org"},)"
                           R"("page_title":"Secret","performer":{"user_text":"X"}})";
  const auto post_page = [&] { return HttpClient(gate_->port()).post("/v1/events", page).status; };
  ASSERT_EQ(post_page(), 201u);
  EXPECT_TRUE(json::parse(client.events(1).at(0).data).contains("performer"));
  write_config("mediawiki_redacted_pages: {en.wikipedia.org: [Secret]}\n");
  EXPECT_THAT(reload(), Not(HasSubstr("need a restart")));
  ASSERT_EQ(post_page(), 201u);
  EXPECT_FALSE(json::parse(client.events(1).at(0).data).contains("performer"));
}

TEST_F(Streams, ReloadOfAllowedStreams_EndsOthersAndAllowsThemAgain) {
  start();
  StreamClient client = read();
  client.wait_for_id();
  write_config("allowed_streams: []\n");
  EXPECT_THAT(reload(), Not(HasSubstr("need a restart")));
  const std::optional<StreamEvent> end = client.next();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->type, "end");
  EXPECT_EQ(read().status(), 400u);
  write_config("allowed_streams: many: things\n");
  EXPECT_THAT(reload(), HasSubstr("The reload is refused"));
  EXPECT_EQ(read().status(), 400u);
  write_config("");
  EXPECT_THAT(reload(), HasSubstr("\"msg\":\"reloaded\""));
  EXPECT_EQ(read().status(), 200u);
}

TEST_F(Streams, ReloadThatMakesAStreamPrivate_EndsItForClientsWithoutTheToken) {
  write_config("stream_token: 0123456789abcdef\n");
  start();
  StreamClient client = read();
  StreamClient trusted(gate_->port(), "/v2/stream/test.a", {"Authorization: Bearer 0123456789abcdef"});
  client.wait_for_id();
  trusted.wait_for_id();
  folder_.write("streams.yaml", "test.a: {schema_title: test, private: true}\n");
  reload();
  const std::optional<StreamEvent> end = client.next();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->type, "end");
  ASSERT_TRUE(post(1));
  EXPECT_EQ(trusted.events(1).size(), 1u);
}

TEST_F(Streams, ReloadThatTakesATopicFromAStream_EndsTheBodySoThatClientsComeBack) {
  write_config("stream_config_overrides: {test.a: {topics: [test.a, test.b]}}\n");
  start();
  StreamClient client = read();
  client.wait_for_id();
  write_config("stream_config_overrides: {test.a: {topics: [test.a]}}\n");
  reload();
  EXPECT_TRUE(client.wait_for_end());
  EXPECT_THAT(client.body(), HasSubstr("retry: "));
  EXPECT_EQ(read("", client.id()).status(), 200u);
}

TEST_F(Streams, Sigterm_EndsTheBodyAndTheGateExitsCleanly) {
  start();
  StreamClient client = read();
  client.wait_for_id();
  gate_->signal(SIGTERM);
  EXPECT_TRUE(client.wait_for_end());
  EXPECT_THAT(client.body(), HasSubstr("retry: "));
  EXPECT_EQ(gate_->wait(), 0);
}

TEST_F(Streams, TokenOfPrivateStreams_ShowsThem) {
  folder_.write("streams.yaml", "test.a: {schema_title: test, private: true}\n");
  folder_.write("more.yaml", "stream_token: 0123456789abcdef\n");
  gate_.emplace(std::vector<std::string>{folder_.path() + "/config.yaml", folder_.path() + "/more.yaml"}, "");
  EXPECT_EQ(read().status(), 400u);
  EXPECT_EQ(HttpClient(gate_->port()).get("/v2/stream").body, "[]");
  const StreamClient seen(gate_->port(), "/v2/stream/test.a", {"Authorization: Bearer 0123456789abcdef"});
  EXPECT_EQ(seen.status(), 200u);
}

}  // namespace
}  // namespace eventgate

// Clients as they are, and as docs/reading.md shows them, reading a gate that ends each stream after a second: each is
// redirected, comes back by itself and has every event once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "support/http_test_server.hpp"
#include "support/process_group.hpp"
#include "support/shell.hpp"
#include "support/stream_gate.hpp"
#include "support/web_driver.hpp"

namespace eventgate {
namespace {

constexpr int kAtOnce = 10;  // events posted together
constexpr int kBreaks = 2;

std::vector<std::string> numbers(int count) {
  std::vector<std::string> found;
  for (int i = 0; i < count; ++i) found.push_back(std::to_string(i));
  return found;
}

/// What a client that writes a line for each event has read so far. Anything else that it says of the stream counts
/// too.
std::vector<std::string> events_in(const std::string& log) {
  std::vector<std::string> found;
  for (const std::string& line : lines_in(log)) {
    if (line.starts_with("event ")) found.push_back(line.substr(6));
    if (line.starts_with("gap ")) found.push_back(line);
  }
  return found;
}

class Clients : public testing::Test {
 protected:
  /// A server with the same path, which leads to the gate.
  std::string redirecting_uri() const { return redirect_.uri("/v2/stream/test.a?since=0"); }

  /// Posts events while the client reads, and while it is away, until it has come back `kBreaks` times.
  template <typename Read>
  void expect_each_event_once(const Read& read) {
    int posted = 0;
    for (int cut = 1; cut <= kBreaks; ++cut) {
      gate_.post_numbers(posted, kAtOnce);
      posted += kAtOnce;
      EXPECT_TRUE(becomes([&] { return read().size() >= static_cast<std::size_t>(posted); })) << log();
      EXPECT_TRUE(becomes([&] { return cuts() >= cut; })) << log();
      gate_.post_numbers(posted, kAtOnce);
      posted += kAtOnce;
    }
    EXPECT_TRUE(becomes([&] { return read().size() >= static_cast<std::size_t>(posted); })) << log();
    EXPECT_EQ(read(), numbers(posted)) << log();
  }

  void expect_client_reads(const std::vector<std::string>& words) {
    client_.emplace(words, home_.path());
    expect_each_event_once([this] { return events_in(client_->log()); });
  }

  std::string log() const { return client_ ? client_->log() : ""; }

  /// Streams that the gate has ended because of their age.
  int cuts() const {
    const std::string text = HttpClient(gate_.process().metrics_port()).get("/metrics").body;
    const std::size_t at =
        text.find("eventgate_stream_disconnects_total{service=\"eventgate\",cause=\"max_connection_time\"} ");
    return at == std::string::npos ? 0 : std::stoi(text.substr(text.find(' ', at)));
  }

  const TemporaryFolder home_;
  const StreamGate gate_{StreamsFrom::files, "max_connection_time: 1s\n"};
  const HttpTestServer redirect_{[this](const ServedRequest& request) {
    return http_answer("", "307 Temporary Redirect",
                       "Access-Control-Allow-Origin: *\r\nLocation: " + gate_.uri(request.target()) + "\r\n");
  }};
  std::optional<ProcessGroup> client_;
};

/// The snippet of docs/reading.md that has `word`, with another URI in it.
std::string documented(const std::string& word, const std::string& uri) {
  const std::string text = file_content(source_dir() + "/docs/reading.md");
  const std::size_t begin = text.find('\n', text.rfind("```", text.find(word))) + 1;
  std::string snippet = text.substr(begin, text.find("```", begin) - begin);
  const std::string shown = "http://127.0.0.1:8192/v2/stream/test.event";
  const std::size_t at = snippet.find(shown);
  EXPECT_NE(at, std::string::npos) << snippet;
  return snippet.replace(at, shown.size(), uri);
}

/// The path of a package that `./dev test` installs, or why there is none.
std::string package(const std::string& name) { return clients_folder() + "/" + name; }
bool is_there(const std::string& path) { return std::filesystem::exists(path); }

TEST_F(Clients, EventsourceOfNode) {
  if (program_path("node").empty() || !is_there(package("node/node_modules/eventsource")))
    GTEST_SKIP() << "NO CLIENT HERE: npm's eventsource is not tested (./dev test installs it; Debian: nodejs, npm)";
  expect_client_reads({program_path("env"), "NODE_PATH=" + package("node/node_modules"), "node", "-e",
                       documented("require('eventsource')", redirecting_uri())});
}

TEST_F(Clients, SseclientOfPython) {
  if (!is_there(package("sseclient/sseclient.py")))
    GTEST_SKIP() << "NO CLIENT HERE: PyPI's sseclient is not tested (./dev test installs it; Debian: python3-pip)";
  expect_client_reads({program_path("env"), "PYTHONPATH=" + package("sseclient"), "python3", "-u", "-c",
                       documented("import SSEClient", redirecting_uri())});
}

TEST_F(Clients, RequestsSseOfPython) {
  if (!is_there(package("requests-sse/requests_sse")))
    GTEST_SKIP() << "NO CLIENT HERE: PyPI's requests-sse is not tested (./dev test installs it; Debian: python3-pip)";
  expect_client_reads({program_path("env"), "PYTHONPATH=" + package("requests-sse"), "python3", "-u", "-c",
                       documented("from requests_sse import", redirecting_uri())});
}

TEST_F(Clients, CurlAndJq) {
  if (program_path("curl").empty() || program_path("jq").empty())
    GTEST_SKIP() << "NO CLIENT HERE: curl with jq is not tested (Debian: curl, jq)";
  ASSERT_EQ(::mkfifo((home_.path() + "/pipe").c_str(), 0600), 0);
  expect_client_reads({source_dir() + "/tests/clients/curl_reader.sh", redirecting_uri()});
}

// Lines of JSON end by themselves with `until`; a token opens a private stream.
TEST_F(Clients, CurlAndJqReadWhatIsThere) {
  if (program_path("curl").empty() || program_path("jq").empty())
    GTEST_SKIP() << "NO CLIENT HERE: curl with jq is not tested (Debian: curl, jq)";
  gate_.post_numbers(0, 7);
  gate_.post_numbers(7, 1, "test.private");
  Shell shell(home_.path());
  const std::string lines = "curl -sL -H 'Accept: application/json' ";
  shell.run(lines + "'" + redirect_.uri("/v2/stream/test.a?last=5&until=now") + "' | jq -r .test");
  EXPECT_EQ(shell.output, "2\n3\n4\n5\n6\n");
  shell.run(lines + "-H 'Authorization: Bearer " + kStreamToken + "' '" +
            gate_.uri("/v2/stream/test.private?since=0&until=now") + "' | jq -r .test");
  EXPECT_EQ(shell.output, "7\n");
  shell.run(lines + "'" + gate_.uri("/v2/stream") + "' | jq -r '.[].name'");
  EXPECT_EQ(shell.output, "test.a\ntest.b\n");
}

TEST_F(Clients, EventSourceOfABrowser) {
  if (!WebDriver::available())
    GTEST_SKIP() << "NO DRIVER HERE: EventSource of a browser is not tested (Debian: chromium and chromium-driver)";
  std::string snippet = documented("require('eventsource')", redirecting_uri());
  snippet.erase(0, snippet.find('\n'));
  const std::string page =
      "<!DOCTYPE html><title>a page</title><script>\n"
      "const read = []; console.log = (...texts) => read.push(texts.slice(-1)[0]);\n" +
      snippet + "</script>";
  const HttpTestServer site([&page](const ServedRequest&) {
    return http_answer(page, "200 OK", "Content-Type: text/html; charset=utf-8\r\n");
  });
  WebDriver browser;
  browser.open(site.uri("/"));
  expect_each_event_once([&browser] { return browser.run("return read").get<std::vector<std::string>>(); });
}

}  // namespace
}  // namespace eventgate

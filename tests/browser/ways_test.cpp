// The twelve ways in which a page of another origin sends an event, in headless Chromium: what arrives, and what the
// page sees. docs/http.md has the table, which these tests hold.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "live_gate.hpp"
#include "support/http_test_server.hpp"

namespace eventgate {
namespace {

using nlohmann::json;

/// A way by its name in the table, and what the page calls. `url` and `event` are its parameters.
struct Way {
  const char* name;
  const char* call;
};

const std::vector<Way>& ways() {
  static const std::vector<Way> all{
      {"`sendBeacon`, a string", "navigator.sendBeacon(url, event)"},
      {"`sendBeacon`, a Blob of `application/json`",
       "navigator.sendBeacon(url, new Blob([event], {type: 'application/json'}))"},
      {"`sendBeacon`, a Blob without type", "navigator.sendBeacon(url, new Blob([event]))"},
      {"`sendBeacon`, `URLSearchParams`", "navigator.sendBeacon(url, new URLSearchParams({event}))"},
      {"`fetch`, JSON", "post(event, {headers: {'content-type': 'application/json'}})"},
      {"`fetch`, text", "post(event)"},
      {"`fetch`, `keepalive`", "post(event, {keepalive: true})"},
      {"`fetch`, `credentials: 'include'`", "post(event, {credentials: 'include'})"},
      {"`fetch`, `X-Request-Id`", "post(event, {headers: {'x-request-id': '8d3d8a54-6d3b-4f0e-9c1a-2f1f0f6f3c55'}})"},
      {"`fetch`, `traceparent`",
       "post(event, {headers: {traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'}})"},
      {"`fetch`, gzip by `CompressionStream`",
       "post(await new Response(new Blob([event]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer(), "
       "{headers: {'content-type': 'application/json', 'content-encoding': 'gzip'}})"},
      {"`fetch`, `FormData`", "(form => (form.append('event', event), post(form)))(new FormData())"}};
  return all;
}

/// What the page sees of each way: `true` of a beacon, the status of a fetch, or `CORS error`.
std::map<std::string, std::string> seen_by_page(WebDriver& browser, const std::string& url) {
  std::string script = "const url = '" + url +
                       "';\n"
                       "const post = async (body, init) => {\n"
                       "  try { return String((await fetch(url, {method: 'POST', body, ...init})).status); }\n"
                       "  catch (error) { return 'CORS error'; }\n"
                       "};\n"
                       "const seen = {};\n"
                       "let event;\n";
  for (const Way& way : ways()) {
    const std::string name = json(way.name).dump();
    script += "event = JSON.stringify({$schema: '/test/event/1.0.0', meta: {stream: 'test.event'}, test: " + name +
              "});\nseen[" + name + "] = String(await " + way.call + ");\n";
  }
  const json seen = browser.run_async(script + "return seen;");
  if (!seen.is_object()) throw std::runtime_error("the page failed: " + seen.dump());
  return seen;
}

/// The ways by which events are in the file.
std::multiset<std::string> arrived_in(const std::string& file) {
  std::multiset<std::string> found;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) found.insert(json::parse(line).at("test"));
  return found;
}

std::string cell(bool arrives, const std::string& seen) {
  if (arrives) return seen == "CORS error" ? "arrives; the answer is hidden" : "arrives; " + seen;
  return seen == "true" ? "nothing arrives; true" : seen;
}

/// What becomes of each way, sent by the page at `page`.
std::map<std::string, std::string> outcomes(WebDriver& browser, const std::string& page, const std::string& config) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/events.ndjson";
  const LiveGate gate("output_path: " + file + "\n" + config);
  browser.open(page);
  const std::map<std::string, std::string> seen = seen_by_page(browser, gate.uri("/v1/events"));
  // Beacons have no answer to wait for. The first and the third always arrive.
  EXPECT_TRUE(becomes([&] {
    const auto found = arrived_in(file);
    return found.contains(ways()[0].name) && found.contains(ways()[2].name);
  }));
  if (config.find("reflect") != std::string::npos && page.starts_with("http")) {
    EXPECT_TRUE(becomes([&] { return arrived_in(file).contains(ways()[1].name); }));
  }
  std::map<std::string, std::string> cells;
  const auto found = arrived_in(file);
  for (const auto& [name, what] : seen) {
    EXPECT_LE(found.count(name), 1u) << name;
    cells[name] = cell(found.contains(name), what);
  }
  return cells;
}

TEST(BrowserWays, ArriveAsTheTableOfTheDocumentSays) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const HttpTestServer site([](const ServedRequest&) {
    return http_answer("<!DOCTYPE html><title>a page</title>", "200 OK", "Content-Type: text/html\r\n");
  });
  const TemporaryFolder folder;
  const std::string of_file = "file://" + folder.write("page.html", "<!DOCTYPE html><title>a page</title>");
  // Another site than 127.0.0.1, with its own origin.
  const std::string of_site = site.uri("/", "localhost");
  WebDriver browser;
  const std::string reflect = "cors: reflect\ncors_credentials: true\n";
  const auto usual = outcomes(browser, of_site, "");
  const auto usual_of_file = outcomes(browser, of_file, "");
  const auto reflected = outcomes(browser, of_site, reflect);
  const auto reflected_of_file = outcomes(browser, of_file, reflect);
  std::ifstream in(source_dir() + "/docs/http.md");
  const std::string document{std::istreambuf_iterator<char>(in), {}};
  for (const Way& way : ways()) {
    const std::string row = std::string("| ") + way.name + " | " + usual.at(way.name) + " | " +
                            usual_of_file.at(way.name) + " | " + reflected.at(way.name) + " | " +
                            reflected_of_file.at(way.name) + " |\n";
    EXPECT_NE(document.find(row), std::string::npos) << "docs/http.md has not: " << row;
  }
}

TEST(BrowserWays, APageThatIsNotListedSeesACorsErrorAndNothingIsProduced) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const HttpTestServer site([](const ServedRequest&) {
    return http_answer("<!DOCTYPE html><title>a page</title>", "200 OK", "Content-Type: text/html\r\n");
  });
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/events.ndjson";
  const std::string listed = "http://127.0.0.1:" + std::to_string(site.port());
  const LiveGate gate("output_path: " + file + "\ncors: ['" + listed + "']\ncors_credentials: true\n");
  WebDriver browser;
  browser.open(site.uri("/", "localhost"));
  for (const auto& [name, seen] : seen_by_page(browser, gate.uri("/v1/events")))
    // A browser tells no page what becomes of its beacon.
    EXPECT_EQ(seen, name.starts_with("`sendBeacon`") ? "true" : "CORS error") << name;
  browser.open(site.uri("/"));
  seen_by_page(browser, gate.uri("/v1/events"));
  EXPECT_TRUE(becomes([&] { return arrived_in(file).size() >= 10; }));
  // The events of the page that is listed, once each: URLSearchParams and FormData are no events.
  for (const Way& way : ways()) {
    const bool is_event = std::string(way.name).find("`URLSearchParams`") == std::string::npos &&
                          std::string(way.name).find("`FormData`") == std::string::npos;
    EXPECT_EQ(arrived_in(file).count(way.name), is_event ? 1u : 0u) << way.name;
  }
  const json rejected = json::parse(HttpClient(gate.process.port()).get("/v1/live/count").body);
  EXPECT_EQ(rejected.value("accepted", 0), 10) << rejected;
}

}  // namespace
}  // namespace eventgate

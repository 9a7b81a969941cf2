#pragma once

#include <atomic>
#include <cstddef>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/http_test_server.hpp"
#include "support/paths.hpp"
#include "support/web_driver.hpp"

// What the tests of the browser client share: a site whose page has the client, and a server in the place of the gate.

namespace eventgate {

/// A site with an empty page, and the client beside it: `/client.js`, as the gate serves it.
class ClientSite {
 public:
  ClientSite()
      : server_([](const ServedRequest& request) -> std::optional<std::string> {
          if (request.target() == "/client.js")
            return http_answer(file_text("client.min.js"), "200 OK",
                               "Connection: close\r\nContent-Type: text/javascript\r\n");
          return http_answer("<!DOCTYPE html><title>a page</title>", "200 OK",
                             "Connection: close\r\nContent-Type: text/html\r\n");
        }) {}

  std::string page(const std::string& path = "/") const { return server_.uri(path); }

  static std::string file_text(const std::string& name) {
    std::ifstream in(source_dir() + "/clients/js/" + name);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  HttpTestServer server_;
};

/// Script that makes `events` a client of these options, JavaScript's text of an object without its braces, and `event`
/// a maker of events.
inline std::string with_client(const std::string& options) {
  return "const {createClient} = await import('/client.js');"
         "window.drops = [];"
         "window.event = (test, more) => ({$schema: '/test/event/1.0.0', test, ...more});"
         "window.events = createClient({" +
         options + "}); events.on('drop', drop => drops.push(drop));";
}

/// A server in the place of the gate. It answers posts as it is told to, and remembers their events.
class StandIn {
 public:
  using Json = nlohmann::json;

  /// The answer to the post number `number` (from 0) with these events, without CORS headers: `201 Created`, header
  /// fields, a body. An empty status ends the connection without an answer.
  struct Answer {
    std::string status = "201 Created";
    std::string headers = {};
    std::string body = {};
  };
  using Decide = std::function<Answer(std::size_t number, const Json& events)>;

  explicit StandIn(Decide decide)
      : decide_(std::move(decide)), server_([this](const ServedRequest& request) { return answer(request); }) {}

  std::string url() const { return server_.uri(""); }

  /// The bodies of the posts so far.
  std::vector<Json> posts() const {
    const std::lock_guard lock(mutex_);
    return posts_;
  }
  /// How often each event was posted, by its member `test`.
  std::map<std::string, std::size_t> counts() const {
    std::map<std::string, std::size_t> found;
    for (const Json& post : posts())
      for (const Json& event : post) ++found[event.at("test").get<std::string>()];
    return found;
  }
  /// Requests that are no posts, such as preflights, of which a client has none.
  std::size_t others() const { return others_; }

 private:
  std::string answer(const ServedRequest& request) {
    if (!request.head.starts_with("POST ")) {
      ++others_;
      return http_answer("", "404 Not Found");
    }
    const Json events = Json::parse(request.body);
    std::size_t number = 0;
    {
      const std::lock_guard lock(mutex_);
      number = posts_.size();
      posts_.push_back(events);
    }
    const Answer told = decide_(number, events);
    if (told.status.empty()) return {};
    return http_answer(told.body, told.status,
                       "Connection: close\r\nAccess-Control-Allow-Origin: *\r\n"
                       "Access-Control-Expose-Headers: retry-after\r\n" +
                           told.headers);
  }

  Decide decide_;
  mutable std::mutex mutex_;
  std::vector<Json> posts_;
  std::atomic<std::size_t> others_ = 0;
  HttpTestServer server_;  // last: its threads use the rest
};

}  // namespace eventgate

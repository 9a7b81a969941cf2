#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eventgate/http/endpoint.hpp"
#include "eventgate/http/http_options.hpp"
#include "eventgate/http/router.hpp"
#include "eventgate/http/server.hpp"
#include "eventgate/json/json_nodes.hpp"

// The HTTP interface of EventGate: its endpoints, and the table of its routes. Module `http` serves them; the endpoints
// hand events to the gate. `openapi.json` describes the same operations.

namespace eventgate {

class Beacons;
class EventGate;
class LiveFeed;
class Metrics;
class SchemaRepository;
class StreamReaders;
class StreamConfigSource;

/// The service of stream configs: option `stream_config_service`.
struct StreamServiceOptions {
  std::string path;  ///< Of the route that answers as MediaWiki's Action API does. Empty: there is none.
  std::map<std::string, std::string, std::less<>> wikis;  ///< Host in lower case to the wiki that it stands for.
  std::string own_wiki = "metawiki";                      ///< `stream_config_wiki`: answered to all if `path` is empty.
};

/// The options of the endpoints. They must outlive the router.
struct ApiOptions {
  std::string service_name = "eventgate";
  std::size_t max_events = 10000;  ///< Events of a request.
  JsonLimits json;
  bool tell_durability = false;  ///< Responses to events have `X-EventGate-Durability`.
  bool note_failures = false;    ///< The responses to events have a `note`, for the log of requests.
  bool client = true;            ///< There are the routes of the browser client.
  std::string test_events;       ///< A JSON array. Empty: there is no route `/v1/_test/events`.
  std::string live_token;        ///< Bearer token for the live routes. Empty: only clients on this host may use them.
  StreamServiceOptions stream_service;
  std::chrono::milliseconds live_heartbeat{15000};  ///< The longest silence on a stream of `/v1/live`.
};

/// What the endpoints ask. All of it must outlive the router.
struct ApiServices {
  EventGate& gate;
  StreamConfigSource* streams = nullptr;  ///< Null: there is no route `/v1/stream-configs`.
  LiveFeed* live = nullptr;               ///< The events of the live routes. Null: there are no such routes.
  /// The gate's. Not null if `live` is not null. Null: the OpenAPI document has no schemas of streams.
  SchemaRepository* schemas = nullptr;
  /// Returns the reason of a 503 at `/readyz`, or nullopt. Empty: never. Thread-safe.
  std::function<std::optional<std::string>()> not_ready_reason = {};
  /// Returns what serves although it is outdated, for `stale` at `/readyz`. Empty: nothing. Thread-safe.
  std::function<std::vector<std::string>()> stale = {};
  /// Returns the reason of a 503 to all events, or nullopt. Empty: never. Thread-safe.
  std::function<std::optional<std::string>()> overload_reason = {};
  StreamReaders* readers = nullptr;  ///< Null: there are no routes below `/v2`.
  bool intake = true;                ///< False: there are no routes that take events.
  Beacons* beacons = nullptr;        ///< Null: there are no routes of legacy beacons.
};

/// Makes the endpoints and the table of their routes. `http` are the options of the server.
Router make_router(const ApiOptions& options, const HttpOptions& http, const ApiServices& services);

/// Makes the function that shows requests refused whole to those who look on. `feed` must outlive it.
std::function<void(const RejectedRequest&)> make_rejection_observer(LiveFeed& feed);

/// Makes the endpoint of `metrics_port`: `GET /metrics`, and 404 for other paths. `metrics` must outlive it.
std::unique_ptr<Endpoint> make_metrics_endpoint(const Metrics& metrics);

}  // namespace eventgate

#include "eventgate/api/routes.hpp"

#include <utility>

#include "beacon_endpoint.hpp"
#include "client_endpoints.hpp"
#include "eventgate/legacy/beacons.hpp"
#include "events_endpoint.hpp"
#include "health_endpoints.hpp"
#include "info_endpoints.hpp"
#include "live_counts_endpoints.hpp"
#include "live_endpoints.hpp"
#include "stream_configs_endpoint.hpp"
#include "stream_endpoints.hpp"

namespace eventgate {

namespace {

/// The routes of the live page.
void add_live_routes(std::vector<Route>& routes, const ApiOptions& options, const HttpOptions& http,
                     const ApiServices& services) {
  const auto access = std::make_shared<const LiveAccess>(options.live_token);
  routes.push_back({Method::get, "/live", "getLivePage", std::make_unique<LivePageEndpoint>(access), true});
  routes.push_back({Method::get, "/v1/live", "getLiveEvents",
                    std::make_unique<LiveEventsEndpoint>(access, *services.live, options.live_heartbeat), true});
  routes.push_back(
      {Method::get, "/v1/live/schema", "getLiveSchema",
       std::make_unique<LiveSchemaEndpoint>(access, *services.schemas, services.streams, http.request_timeout), true});
  routes.push_back({Method::get, "/v1/live/count", "getLiveCount",
                    std::make_unique<LiveCountEndpoint>(access, *services.live), true});
  routes.push_back({Method::post, "/v1/live/reset", "postLiveReset",
                    std::make_unique<LiveResetEndpoint>(access, *services.live), true});
  routes.push_back({Method::get, "/v1/live/summary", "getLiveSummary",
                    std::make_unique<LiveSummaryEndpoint>(access, *services.live, services.streams), true});
}

bool has_stream_page(const ApiServices& services) {
  return services.readers && services.readers->options().stream_ui_enabled;
}

/// The routes of legacy beacons, which have paths of the config.
void add_beacon_routes(std::vector<Route>& routes, const ApiServices& services) {
  for (const std::string& path : services.beacons->options().routes)
    for (const Method method : {Method::get, Method::post})
      routes.push_back({method, path, method == Method::get ? "getBeacon" : "postBeacon",
                        std::make_unique<BeaconEndpoint>(*services.beacons, services.overload_reason), false, false,
                        true});
}

}  // namespace

Router make_router(const ApiOptions& options, const HttpOptions& http, const ApiServices& services) {
  const EventsOptions events{options.max_events, options.json, options.tell_durability, options.note_failures};
  std::vector<Route> routes;
  const auto get = [&routes](std::string_view path, std::string_view operation, std::unique_ptr<Endpoint> endpoint) {
    routes.push_back({Method::get, path, operation, std::move(endpoint)});
  };
  // The router compares paths in this order.
  if (services.intake)
    routes.push_back({Method::post, "/v1/events", "postEvents",
                      std::make_unique<EventsEndpoint>(services.gate, services.overload_reason, events), false, false,
                      true});
  if (services.intake && !options.test_events.empty())
    get("/v1/_test/events", "getTestEvents",
        std::make_unique<EventsEndpoint>(services.gate, services.overload_reason, events, options.test_events));
  if (services.streams) {
    const StreamServiceOptions& service = options.stream_service;
    get("/v1/stream-configs", "getStreamConfigs", std::make_unique<StreamConfigsEndpoint>(service, *services.streams));
    get("/v1/stream-configs/{streams}", "getSomeStreamConfigs",
        std::make_unique<StreamConfigsEndpoint>(service, *services.streams));
    if (!service.path.empty())
      get(service.path, "getStreamConfigsAsMediaWiki",
          std::make_unique<StreamConfigsActionEndpoint>(service, *services.streams));
  }
  if (services.readers) {
    routes.push_back(
        {Method::get, "/v2/stream", "listStreams", std::make_unique<StreamListEndpoint>(*services.readers)});
    routes.push_back({Method::get, "/v2/stream/{streams}", "readStreams",
                      std::make_unique<StreamEndpoint>(*services.readers), false, true});
    if (has_stream_page(services))
      get("/v2/ui", "getStreamPage", std::make_unique<StreamPageEndpoint>(services.readers->options()));
  }
  get("/_info", "getInfo", std::make_unique<InfoEndpoint>(options.service_name));
  get("/_info/name", "getName", std::make_unique<NameEndpoint>(options.service_name));
  get("/_info/version", "getVersion", std::make_unique<VersionEndpoint>());
  get("/_info/home", "getHome", std::make_unique<HomeEndpoint>());
  get("/robots.txt", "getRobots", std::make_unique<RobotsEndpoint>());
  get("/healthz", "getHealth", std::make_unique<HealthEndpoint>());
  get("/readyz", "getReadiness", std::make_unique<ReadinessEndpoint>(services.not_ready_reason, services.stale));
  if (services.intake && options.client)
    for (const ClientFile& file : kClientFiles)
      get(file.path, file.operation, std::make_unique<ClientFileEndpoint>(file));
  if (services.live) add_live_routes(routes, options, http, services);
  if (services.beacons) add_beacon_routes(routes, services);
  constexpr std::string_view kRoot = "/";
  constexpr std::string_view kDocumentation = "getDocumentation";
  std::vector<OpenApiDocument::Operation> operations{{std::string(kDocumentation), std::string(kRoot)}};
  for (const Route& route : routes) operations.push_back({std::string(route.operation), std::string(route.path)});
  const DocumentationEndpoint::Links links{services.live != nullptr, has_stream_page(services), http.metrics_port};
  get(kRoot, kDocumentation,
      std::make_unique<DocumentationEndpoint>(
          std::make_unique<OpenApiDocument>(operations, services.readers, services.schemas), links));
  return Router(std::move(routes), "/?spec lists what there is.");
}

}  // namespace eventgate

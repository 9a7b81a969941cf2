#include "health_endpoints.hpp"

#include "eventgate/json/json_text.hpp"
#include "json_response.hpp"

namespace eventgate {

namespace {

/// Adds the header that keeps caches from storing the response, which is true at this moment only.
Response without_caching(Response response) {
  response.extra_headers += "cache-control: no-store\r\n";
  return response;
}

}  // namespace

Response HealthEndpoint::respond(const Exchange& /*exchange*/) const {
  return without_caching(json_response("{\"status\":\"up\"}"));
}

Response ReadinessEndpoint::respond(const Exchange& exchange) const {
  std::optional<std::string> reason;
  if (not_ready_reason_) reason = not_ready_reason_();
  if (!reason && exchange.stopping()) reason = "The service is stopping.";
  if (reason) return without_caching(problem(503, *reason, exchange.request()));
  std::string stale;
  for (const std::string& what : stale_ ? stale_() : std::vector<std::string>())
    stale += (stale.empty() ? "" : ",") + json_string(what);
  return without_caching(
      json_response(stale.empty() ? "{\"status\":\"ready\"}" : "{\"status\":\"ready\",\"stale\":[" + stale + "]}"));
}

}  // namespace eventgate

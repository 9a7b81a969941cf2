#include "metrics_endpoint.hpp"

#include "eventgate/api/routes.hpp"
#include "eventgate/telemetry/metrics.hpp"

namespace eventgate {

Response MetricsEndpoint::respond(const Exchange& exchange) const {
  const Request& request = exchange.request();
  const std::string_view target = request.target();
  if (target.substr(0, target.find('?')) != "/metrics")
    return problem(404, "Nothing is at this path. Expected /metrics.", request);
  if (request.method != Method::get && request.method != Method::head) {
    Response response = problem(405, "Expected GET.", request);
    response.extra_headers = "allow: GET,HEAD\r\n";
    return response;
  }
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = metrics_.text();
  return response;
}

std::unique_ptr<Endpoint> make_metrics_endpoint(const Metrics& metrics) {
  return std::make_unique<MetricsEndpoint>(metrics);
}

}  // namespace eventgate

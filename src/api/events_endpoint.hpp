#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "eventgate/api/parse_body.hpp"
#include "eventgate/gate/request_context.hpp"
#include "eventgate/http/endpoint.hpp"
#include "eventgate/json/json_nodes.hpp"

namespace eventgate {

class EventGate;
struct ProcessResult;

/// Returns true if the parameter `hasty` asks for a response before the events are produced. It is not `false`, `0` or
/// empty.
bool is_hasty(const RequestContext& context);

/// Options of EventsEndpoint. See ApiOptions.
struct EventsOptions {
  std::size_t max_events;
  JsonLimits json;
  bool tell_durability;
  bool note_failures;
};

/// `POST /v1/events`, and `GET /v1/_test/events`: parses the body, and hands its events to the gate.
///
/// Thread-safe.
class EventsEndpoint final : public Endpoint {
 public:
  using OverloadReason = std::function<std::optional<std::string>()>;

  /// `gate` must outlive this. `fixed_body` is processed as if it were posted; empty: the request's body is.
  EventsEndpoint(EventGate& gate, OverloadReason overload_reason, EventsOptions options, std::string fixed_body = {});

  Task<Reply> handle(Exchange& exchange) override;

 private:
  std::optional<Response> check_headers(const Exchange& exchange) const;
  std::optional<Response> check_body(const ParsedBody& parsed, const RequestContext& context,
                                     const Exchange& exchange) const;
  Reply reject(const Exchange& exchange, Response response) const;
  Response response_to(const ProcessResult& result, const Request& request) const;

  EventGate& gate_;
  const OverloadReason overload_reason_;
  const EventsOptions options_;
  const std::string fixed_body_;
};

}  // namespace eventgate

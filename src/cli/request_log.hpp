#pragma once

#include "eventgate/http/server.hpp"

namespace eventgate {

/// Logs a request in one line, as `serve --dev` does: `POST /v1/events: 400 1 out of 1 events were invalid and not
/// accepted: '.test' should be string, 0.8 ms`. As JSON the parts are fields. Client errors are warnings, failures of
/// the server errors. Thread-safe.
void log_request(const AnsweredRequest& request);

}  // namespace eventgate

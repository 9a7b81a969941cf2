#pragma once

#include <boost/asio/io_context.hpp>

#include "eventgate/gate/event_batch.hpp"
#include "eventgate/gate/event_gate.hpp"
#include "eventgate/gate/request_context.hpp"

namespace eventgate {

/// Processes `batch` by `gate` and returns the result. Runs `context` until then; no other thread may run it.
ProcessResult process_blocking(EventGate& gate, const EventBatch& batch, const RequestContext& request,
                               boost::asio::io_context& context);

}  // namespace eventgate

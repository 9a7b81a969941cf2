#pragma once

#include <boost/asio/io_context.hpp>

#include "eventgate/events/event_batch.hpp"
#include "eventgate/events/request_context.hpp"
#include "eventgate/gate/event_gate.hpp"

namespace eventgate {

/// What becomes of `batch` in `gate`, awaited in `context`, which nobody else runs.
ProcessResult process_now(EventGate& gate, const EventBatch& batch, const RequestContext& request,
                          boost::asio::io_context& context);

}  // namespace eventgate

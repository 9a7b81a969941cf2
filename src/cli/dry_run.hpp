#pragma once

#include <boost/asio/io_context.hpp>

#include "eventgate/gate/event_batch.hpp"
#include "eventgate/gate/event_gate.hpp"
#include "eventgate/gate/request_context.hpp"

namespace eventgate {

/// What becomes of `batch` in `gate`, awaited in `context`, which nobody else runs.
ProcessResult process_blocking(EventGate& gate, const EventBatch& batch, const RequestContext& request,
                               boost::asio::io_context& context);

}  // namespace eventgate

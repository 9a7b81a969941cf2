#pragma once

#include <string>
#include <string_view>

#include "eventgate/delivery/sink.hpp"
#include "eventgate/gate/gate_types.hpp"
#include "eventgate/gate/live_feed.hpp"
#include "request_scratch.hpp"

// Adds the events of a request to the live feed, once the outcome of each is known.

namespace eventgate {

/// Adds the events noted in `memory.live` to `feed`, in the order posted. OutcomeRecorder has marked their outcomes;
/// `result` has the statuses of those that were not produced.
void report_live_events(LiveFeed& feed, const RequestContext& context, Assurance assurance, RequestMemory& memory,
                        const ProcessResult& result);

/// Appends the parameters of the query but `hasty` as a JSON array of [name, value]. Appends nothing if there are none.
void append_live_query(std::string& out, const RequestContext& context);

}  // namespace eventgate

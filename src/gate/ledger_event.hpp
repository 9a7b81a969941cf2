#pragma once

#include <string>
#include <string_view>

#include "eventgate/telemetry/ledger.hpp"

namespace eventgate {

/// Appends the ledger event of `row` as JSON text (schema `/eventgate/ledger/1.0.0`) without its schema_uri and stream,
/// which the gate adds at the configured fields. Its `dt` is the start of the minute in which the row begins.
void append_ledger_event(std::string& out, const LedgerRow& row, std::string_view emitter_id);

}  // namespace eventgate

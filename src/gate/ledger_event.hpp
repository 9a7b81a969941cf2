#pragma once

#include <string>
#include <string_view>

#include "eventgate/telemetry/ledger.hpp"

namespace eventgate {

/// Appends the ledger event of `row` as JSON text (schema `/eventgate/ledger/1.0.0`), but for its schema_uri and
/// stream: the gate adds these, at the fields where it looks for them. Its `dt` is the start of the minute in which the
/// row begins.
void append_ledger_event(std::string& out, const LedgerRow& row, std::string_view emitter_id);

}  // namespace eventgate

#pragma once

#include "eventgate/delivery/delivery_handle.hpp"
#include "eventgate/delivery/record.hpp"

namespace eventgate {

class Telemetry;

// How the spool settles the handle of its caller. Each function counts the report as late if the client was already
// answered `unknown`. Thread-safe.

/// Kafka has the record.
void settle_delivered(DeliveryHandle& handle, Assurance assurance, Telemetry& telemetry);

/// The store has the record.
void settle_spooled(DeliveryHandle& handle, Assurance assurance, Telemetry& telemetry);

/// Neither has the record.
void settle_failed(DeliveryHandle& handle, Assurance assurance, DeliveryFailure failure, Telemetry& telemetry);

}  // namespace eventgate

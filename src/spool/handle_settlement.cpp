#include "handle_settlement.hpp"

#include <string_view>
#include <utility>

#include "eventgate/telemetry/telemetry.hpp"

namespace eventgate {
namespace {

void count_if_late(const DeliveryHandle& handle, Assurance assurance, bool delivered, Telemetry& telemetry) {
  const std::string_view producer = assurance == Assurance::guaranteed ? "guaranteed" : "hasty";
  if (handle.timed_out()) telemetry.late_delivery(producer, delivered);
}

}  // namespace

void settle_delivered(DeliveryHandle& handle, Assurance assurance, Telemetry& telemetry) {
  count_if_late(handle, assurance, true, telemetry);
  handle.succeed();
}

void settle_spooled(DeliveryHandle& handle, Assurance assurance, Telemetry& telemetry) {
  count_if_late(handle, assurance, true, telemetry);
  handle.acknowledge_spooled();
}

void settle_failed(DeliveryHandle& handle, Assurance assurance, DeliveryFailure failure, Telemetry& telemetry) {
  count_if_late(handle, assurance, false, telemetry);
  handle.fail(std::move(failure));
}

}  // namespace eventgate

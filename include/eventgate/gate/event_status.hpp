#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "eventgate/delivery/delivery_failure.hpp"
#include "eventgate/schema/validation_error.hpp"

namespace eventgate {

/// What became of an event that was not produced. One that was has no status: it is counted.
struct EventStatus {
  enum class Kind : std::uint8_t { invalid, error };
  Kind kind = Kind::error;
  std::size_t index = 0;                ///< Its place in the posted array.
  std::string event;                    ///< JSON text, as completed as it got. A string of the text if it has a flaw.
  std::vector<ValidationError> errors;  ///< Of an invalid one.
  std::string message;                  ///< Of an error.
  bool has_delivery = false;            ///< An error of delivery: `delivery` says what is known.
  Delivery delivery = Delivery::not_produced;
  bool retry = true;  ///< Of an error of delivery: false if sending the event again is of no use.
};

/// Appends `status` as it stands in a reply: `{"status", "event", "context", "index"}`, `context` with `errors` and
/// `errorsText` of an invalid event, with `message` of an error, and with `delivery` of one of delivery; `retry` is
/// there if it is false.
void append_status(std::string& out, const EventStatus& status);

}  // namespace eventgate

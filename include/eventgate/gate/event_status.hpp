#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "eventgate/delivery/delivery_failure.hpp"
#include "eventgate/schema/validation_error.hpp"

namespace eventgate {

/// The failure of one event, as the reply lists it. Produced events have no status; they are only counted.
struct EventStatus {
  enum class Kind : std::uint8_t { invalid, error };
  Kind kind = Kind::error;
  std::size_t index = 0;                ///< Index in the posted array.
  std::string event;                    ///< JSON text, as completed so far. An event with flaws is a JSON string of it.
  std::vector<ValidationError> errors;  ///< Set if `kind` is invalid.
  std::string message;                  ///< Set if `kind` is error.
  bool has_delivery = false;            ///< The delivery failed. Only then `delivery` and `retry` have a meaning.
  Delivery delivery = Delivery::not_produced;
  bool retry = true;  ///< False if the same event would fail again.
};

/// Appends `status` in the form of a reply:
///
///     {"status": "invalid", "event": {...}, "context": {"errors": [...], "errorsText": "..."}, "index": 0}
///     {"status": "error", "event": {...}, "context": {"message": "...", "delivery": "unknown", "retry": false}, ...}
///
/// `delivery` is present if the delivery failed, and `retry` only if it is false. A last member `hint` names properties
/// and values that the texts of the errors leave out; see ValidationError.
void append_status(std::string& out, const EventStatus& status);

}  // namespace eventgate

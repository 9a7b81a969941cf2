#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace eventgate {

// Why a record was not delivered, and what that means for the reply and for sending the record again.

/// The possible states of an event whose delivery failed. The reply names it in the field `delivery`.
enum class Delivery : std::uint8_t {
  not_produced,  ///< The event is not in Kafka and will never be.
  unknown,       ///< The event may be in Kafka now or later.
};

/// What the cause of a failure concerns. It decides whether the record is worth sending again.
enum class FailureScope : std::uint8_t {
  transient,  ///< An outage that passes: the same record may be taken later.
  topic,      ///< The topic is missing or forbidden until an operator changes that.
  record,     ///< Kafka will never take this record.
  capacity,   ///< A queue or the spool is full: the sender should retry later.
};

/// Why a record was not delivered.
struct DeliveryFailure {
  Delivery delivery;
  std::string message;
  FailureScope scope = FailureScope::transient;
  /// The broker denies the gate the right to produce this record. Sending it again fails until an operator grants it.
  bool denied = false;
  /// Value of a hasty record with FailureScope::record, for the error event about it. Null if the sink has no copy.
  std::shared_ptr<const std::string> value = nullptr;

  /// Returns true if the same record may be taken when it is sent again.
  bool is_retryable() const noexcept { return scope != FailureScope::record && !denied; }
};

}  // namespace eventgate

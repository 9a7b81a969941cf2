#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "eventgate/delivery/delivery_handle.hpp"

namespace eventgate {

/// When the client is answered.
enum class Assurance : std::uint8_t {
  guaranteed,  ///< After delivery.
  hasty,       ///< Before delivery, with 202.
};

/// One event on its way to a sink.
///
/// The caller owns the texts. A sink copies what it needs before `Sink::produce` returns. A sink that
/// `borrows_record_text` may also read them later, on the handle's I/O thread, until the handle is settled or timed
/// out.
struct Record {
  std::string_view topic;
  std::optional<std::string_view> message_key;  ///< JSON text.
  std::string_view value;                       ///< The event's JSON text.
  std::int64_t timestamp = 0;                   ///< Milliseconds since the epoch.
  DeliveryHandle* handle = nullptr;             ///< The sink settles it exactly once.
  bool already_answered = false;                ///< The client has its 202, so the record waits while a queue is full.
};

}  // namespace eventgate

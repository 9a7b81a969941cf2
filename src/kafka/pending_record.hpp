#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <optional>
#include <string>

#include "eventgate/delivery/delivery_handle.hpp"

namespace eventgate {

/// A copy of a record that will be sent again: the broker refused its whole batch, the queue was full, or its client
/// had a fatal error.
struct PendingRecord {
  std::string topic;
  std::optional<std::string> message_key;
  std::string value;
  std::int64_t timestamp = 0;  ///< Milliseconds since the epoch.
  DeliveryHandle* handle = nullptr;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;  ///< Result of the last try.
};

}  // namespace eventgate

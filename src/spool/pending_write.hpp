#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "eventgate/delivery/delivery_handle.hpp"
#include "eventgate/delivery/record.hpp"
#include "eventgate/spool/spool_store.hpp"

namespace eventgate {

/// A copy of a record that waits for the spool's thread, which writes it to the store or sends it to Kafka.
struct PendingWrite {
  SpooledRecord record;
  DeliveryHandle* client_handle = nullptr;  ///< The handle of the sink's caller.
  bool already_answered = false;            ///< As in Record. Without room in the store such a record waits.
  bool attempt_in_flight = false;           ///< The report of its first attempt is still to come.
  bool attempt_reported = false;            ///< That report came while the record waited here.
  bool maybe_stored = false;                ///< A write failed, but the store may have the record all the same.
  std::optional<DeliveryFailure> failure;   ///< Result of its first attempt.
  /// Until then the record may wait for earlier ones of its topic.
  std::chrono::steady_clock::time_point wait_until;
};

/// Returns a copy of `record`.
SpooledRecord copy_record(const Record& record, std::int64_t id, Assurance assurance);

/// Returns a Record that refers to the texts of `record`, without a handle.
Record view_record(const SpooledRecord& record);

/// Returns the bytes that `record` needs in memory or in the store, roughly.
std::size_t size_of(const SpooledRecord& record);

}  // namespace eventgate

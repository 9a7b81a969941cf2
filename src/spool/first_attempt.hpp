#pragma once

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "eventgate/delivery/record.hpp"
#include "pending_write.hpp"

namespace eventgate {

struct AttemptBatch;

/// The first attempt to deliver one record to Kafka. It is the handle that Kafka's sink settles.
///
/// The state decides, by an atomic exchange, whether the report or the spool settles the client's handle:
///
///     in_flight --report: success, or a failure that no retry mends--> ended    the report settles the client's handle
///     in_flight --report: another failure-->                           failed   a copy is to be made
///     in_flight --time is over-->                                      copied   a copy waits for the store or is in it
///     failed    --copied, or lost without room-->                      ended
///     copied    --report-->                             ended or failed         the report goes to the spool's thread
struct FirstAttempt final : DeliveryHandle {
  using DeliveryHandle::set_listener;
  enum State : std::uint8_t { in_flight, copied, failed, ended };

  AttemptBatch* batch = nullptr;
  DeliveryHandle* client_handle = nullptr;
  Record record;
  std::int64_t id = 0;
  std::atomic<State> state{in_flight};
  std::optional<DeliveryFailure> failure;
};

/// The first attempts of records that were handed over together. Lives until all of them are reported, or longer if a
/// deadline refers to it.
struct AttemptBatch : boost::intrusive_ref_counter<AttemptBatch> {
  AttemptBatch(std::size_t attempt_count, Assurance how, IoExecutor on)
      : executor(std::move(on)),
        assurance(how),
        size(attempt_count),
        all(std::make_unique<FirstAttempt[]>(attempt_count)),
        unreported(attempt_count) {}

  std::span<FirstAttempt> attempts() const { return {all.get(), size}; }
  /// Returns true if this batch owns the texts. Otherwise the client's request owns them, and they may be read on its
  /// I/O thread only, while its handle is not timed out.
  bool owns_texts() const { return !own_records.empty(); }

  const IoExecutor executor;
  const Assurance assurance;
  const std::size_t size;
  const std::unique_ptr<FirstAttempt[]> all;
  std::vector<PendingWrite> own_records;
  std::chrono::steady_clock::time_point metadata_deadline;  // until then topics may load their metadata
  std::atomic<std::size_t> unreported;
  std::atomic<bool> copy_posted{false};
};
using AttemptBatchPointer = boost::intrusive_ptr<AttemptBatch>;

}  // namespace eventgate

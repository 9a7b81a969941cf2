#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "eventgate/delivery/sink.hpp"

namespace eventgate {

class Telemetry;

struct SpoolOptions {
  std::string path;                               ///< The spool's own folder.
  std::chrono::milliseconds after{200};           ///< Time for Kafka to take a record before it is spooled.
  std::size_t max_bytes = std::size_t{1} << 30;   ///< Size of the store.
  std::size_t min_free = std::size_t{256} << 20;  ///< Bytes of the disk that the store leaves free.
  std::size_t replay_rate = 5000;                 ///< Records a second.
  std::chrono::milliseconds warm_up{5000};        ///< More time than `after`, while a topic loads its metadata.
};

/// Makes a sink in front of the sink `kafka`. It syncs a record to a local store if Kafka does not acknowledge it in
/// time or an outage fails it. The record's handle then gets `acknowledge_spooled`. Once Kafka is back, the stored
/// records of a topic are delivered in order, each at least once.
///
/// - A first attempt cannot be recalled. A spooled record is replayed only after its first attempt has failed. It
///   leaves the store if that attempt succeeds.
/// - While a topic has records in the store, new ones queue behind them.
/// - The store has no room beyond `max_bytes`, below `min_free` or after a disk error. A record that Kafka does not
///   take then fails with FailureScope::capacity. A record in flight gets Kafka's result. An already answered record
///   waits for room until `stop`.
/// - A record that Kafka will never take is set aside: it stays in the store and is not replayed.
///
/// Call `produce` on the I/O thread of the handles. The texts of a record must live until its handle is settled or
/// timed out. `telemetry` must outlive the sink. Throws std::runtime_error naming `spool.path` if the store cannot be
/// opened.
std::unique_ptr<Sink> make_spool_sink(SpoolOptions options, std::unique_ptr<Sink> kafka, Telemetry& telemetry);

}  // namespace eventgate

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "eventgate/delivery/sink.hpp"

namespace eventgate {

class Telemetry;

struct SpoolOptions {
  std::string path;                      ///< A folder of its own.
  std::chrono::milliseconds after{200};  ///< What Kafka has not taken by then is spooled.
  std::size_t max_bytes = std::size_t{1} << 30;
  std::size_t min_free = std::size_t{256} << 20;  ///< Bytes of the disk that are left to others.
  std::size_t replay_rate = 5000;                 ///< Records a second.
  std::chrono::milliseconds warm_up{5000};        ///< More than `after`, for a topic that is still being made ready.
};

/// A sink in front of `kafka` that answers for it: what Kafka has not acknowledged `after` its handing over, or refuses
/// because of an outage, is synced to a local store and delivered from there when Kafka is back, in order within a
/// topic, and at least once. Such a record's slot gets `acknowledge_spooled`.
///
/// - A first attempt is not called back, so a spooled record is replayed only when that has failed, and removed when it
///   succeeds.
/// - While a topic has records in the store, new ones queue behind them.
/// - A topic that is still being made ready gets up to `warm_up` more than `after`.
/// - With no room in the store (`max_bytes`, `min_free`, an error of the disk) records of topics that cannot be
///   produced to are refused with FailureScope::capacity; those already under way have the fate that Kafka gives them.
///   Promised records wait for room instead, until `stop`.
/// - A record that Kafka will never take is set aside in the store.
///
/// Records' texts must live until their slot is settled or abandoned (Record). `produce` on the slots' I/O thread.
/// Throws std::runtime_error naming `spool.path` if the store cannot be opened.
std::unique_ptr<Sink> make_spool_sink(SpoolOptions options, std::unique_ptr<Sink> kafka, Telemetry& events);

}  // namespace eventgate

#pragma once

#include <cstddef>
#include <cstdint>

namespace eventgate {

struct ReaderOracleOptions {
  std::size_t breaks = 40;  ///< Times that a reader is cut off, all readers together.
  std::uint64_t seed = 0;
};

/// Writes events to a real Kafka while readers of the gate's streams are cut off and come back with their last id, and
/// while gate and broker are killed and frozen, partitions are added, retention deletes, and topics are made anew. Then
/// it holds what each reader got to what is in Kafka, by the rules of ReaderPromises. Returns true if all are kept.
bool run_reader_oracle(const ReaderOracleOptions& options);

}  // namespace eventgate

#pragma once

#include <string>

#include "eventgate/tables/stream_table.hpp"

namespace eventgate {

/// Returns the Iceberg table of a stream, for Spark. Its columns have the names of the JSON, because Kafka Connect's
/// sink finds them by name.
std::string iceberg_statements(const StreamTable& table, const TableOptions& options);

}  // namespace eventgate

#pragma once

#include <string>

#include "eventgate/tables/stream_table.hpp"

namespace eventgate {

/// Returns the view of a stream over its files, for DuckDB.
std::string duckdb_statements(const StreamTable& table, const TableOptions& options);

}  // namespace eventgate

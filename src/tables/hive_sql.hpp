#pragma once

#include <string>
#include <vector>

#include "eventgate/tables/stream_table.hpp"

namespace eventgate {

/// Returns the tables over the files of a stream, the view over them, and what finds their partitions. Spark, Hive and
/// Trino.
std::string hive_statements(const StreamTable& table, const TableOptions& options);

/// Returns the view over the tables alone.
std::string hive_view(const StreamTable& table, const TableOptions& options);

/// Returns the names of the tables over files, one for each topic.
std::vector<std::string> files_table_names(const StreamTable& table, const TableOptions& options);

}  // namespace eventgate

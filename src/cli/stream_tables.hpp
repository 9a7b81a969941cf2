#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "eventgate/config/config.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/streams/stream_configs.hpp"
#include "eventgate/tables/stream_table.hpp"

namespace eventgate {

/// A stream's table, and the versions of its schema that it is made of.
struct VersionedTable {
  StreamTable table;
  std::vector<std::pair<std::string, TableColumns>> versions;  ///< By URI, oldest first.
};

/// The tables of streams, and what is wrong with them. Each text names the stream.
struct FoundTables {
  std::vector<VersionedTable> tables;
  std::vector<std::string> problems;  ///< What keeps a schema from being a table.
  /// Those of `problems` about the fields of a schema that is good otherwise.
  std::vector<std::string> schema_problems;
  std::vector<std::string> warnings;  ///< Fields that are columns of JSON text, and the like.
};

/// What tables are made for.
struct TablesQuery {
  std::vector<std::string> streams;  ///< Empty: all.
  std::string folder;                ///< Where the topics are. Empty, or a URI: not looked at.
  bool parquet = false;              ///< The files are Parquet.
  bool newest_only = false;          ///< Looks at no older version of a schema.
};

/// Finds the tables of the streams that are declared. Blocks.
FoundTables find_tables(const Config& config, const StreamConfigs& configs, ObjectReader& reader,
                        SchemaRepository& schemas, const TablesQuery& query);

}  // namespace eventgate

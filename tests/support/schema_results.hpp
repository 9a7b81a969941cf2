#pragma once

#include <string>
#include <vector>

#include "support/validated_event.hpp"

// What a schema makes of an event, as texts that tests compare.

namespace eventgate {

/// Returns the errors of `event` under `schema`, a line each: keyword, dataPath, schemaPath, params, message.
inline std::vector<std::string> errors_of(const std::string& schema, const std::string& event,
                                          const SchemaDocuments& documents = {}) {
  std::vector<std::string> lines;
  for (const ValidationError& error : validated(*compiled(schema, documents), event).errors)
    lines.push_back(error.keyword + " | " + error.data_path + " | " + error.schema_path + " | " + error.params + " | " +
                    error.message + (error.property_name ? " | " + *error.property_name : ""));
  return lines;
}

/// Returns true if `event` is valid under `schema`.
inline bool accepts(const std::string& schema, const std::string& event) {
  return validated(*compiled(schema), event).valid();
}

/// Returns `event` with the defaults of `schema`.
inline std::string completed(const std::string& schema, const std::string& event,
                             const SchemaDocuments& documents = {}) {
  return validated(*compiled(schema, documents), event).event;
}

}  // namespace eventgate

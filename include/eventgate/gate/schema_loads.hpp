#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "eventgate/io/task.hpp"
#include "eventgate/repository/schema_repository.hpp"

namespace eventgate {

/// Schemas of one request that load at the same time. The others of the request wait, so that a request which names
/// many schemas leaves threads to other requests.
inline constexpr std::size_t kMaxLoadsOfRequest = 16;

/// Loads the schemas `uris`, at most `kMaxLoadsOfRequest` at a time. Calls `loaded` once for each, with its index in
/// `uris` and the result. Resumes `suspended` after the last result or after `timeout`. On timeout the schemas without
/// a result fail; their loads go on, because other requests may wait for them. `uris` may be empty.
///
/// Use on the I/O thread of `executor`, where `loaded` runs too. The captures of `loaded` must live until `suspended`
/// is resumed or destroyed.
void load_schemas(SchemaRepository& schemas, std::vector<std::string> uris, std::chrono::milliseconds timeout,
                  const IoExecutor& executor, std::function<void(std::size_t, SchemaResult)> loaded,
                  ResumeHandle suspended);

}  // namespace eventgate

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "eventgate/io/task.hpp"
#include "eventgate/repository/schema_repository.hpp"

namespace eventgate {

/// Schemas of one request that are loaded at a time. The others of the request wait, so that a request which names many
/// leaves threads to other requests.
inline constexpr std::size_t kMaxLoadsOfRequest = 16;

/// Loads the schemas `uris`, at most `kMaxLoadsOfRequest` at a time, and calls `loaded` with the place in `uris` and
/// the result of each, once. Resumes `suspended` after the last of them, or when `timeout` has passed: then those
/// without a result fail, and their loads go on for others. `uris` may be empty.
///
/// Use on the I/O thread of `executor`; `loaded` runs there too. What `loaded` refers to must live until `suspended` is
/// resumed or destroyed.
void load_schemas(SchemaRepository& schemas, std::vector<std::string> uris, std::chrono::milliseconds timeout,
                  const IoExecutor& executor, std::function<void(std::size_t, SchemaResult)> loaded,
                  ResumeHandle suspended);

}  // namespace eventgate

#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/schema/compiled_schema.hpp"
#include "eventgate/uri/object_reader.hpp"

namespace eventgate {

class IntakeEvents;

struct SchemaOptions {
  std::vector<std::string> schema_base_uris;
  std::string schema_file_extension;
  bool allow_absolute_schema_uris = false;
  bool allow_insecure_schemas = false;
  std::vector<std::string> schema_precache_uris;
  bool schema_precache_required = false;
  std::size_t schema_cache_size = 4096;
  std::chrono::milliseconds schema_latest_ttl{60000};
  std::chrono::milliseconds schema_negative_ttl{10000};
};

/// Why a schema cannot be used.
struct SchemaFailure {
  /// Empty if no base has it; else what is wrong with it or with the bases.
  std::string reason;
};

using SchemaPointer = std::shared_ptr<const CompiledSchema>;
using SchemaResult = boost::system::result<SchemaPointer, SchemaFailure>;

/// A schema_uri's form (spec events, step 2).
enum class SchemaUriForm { path, absolute, illegal };
SchemaUriForm schema_uri_form(std::string_view schema_uri);

/// The schemas of the repositories, compiled and cached: one load at a time for each URI, failures remembered for a
/// while, a bounded number kept (LRU). A base that is down never makes a compiled schema unknown.
///
/// Thread-safe. Loads run on threads of its own, never on the caller's.
class SchemaRepository {
 public:
  SchemaRepository(SchemaOptions options, std::shared_ptr<ObjectReader> reader, IntakeEvents& events);
  ~SchemaRepository();

  /// What is known of `schema_uri` now: the compiled schema, or its remembered failure; nothing if it must be loaded.
  /// Fast.
  std::optional<SchemaResult> find(std::string_view schema_uri) const;

  /// Loads `schema_uri` if need be, then calls `done` on a loader thread (or at once, if it is known). `done` must only
  /// post.
  void load(std::string_view schema_uri, std::function<void(SchemaResult)> done);

  /// Loads `schema_precache_uris`; each failure is logged and counted. Blocks until all are loaded or failed.
  /// Throws std::runtime_error naming those that failed if `schema_precache_required`.
  void precache();

  /// The URI of every compiled schema now kept.
  std::vector<std::string> loaded() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate

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

/// A schema_uri's form (spec events, step 2). One of more than 1024 bytes is illegal.
enum class SchemaUriForm { path, absolute, illegal };
SchemaUriForm schema_uri_form(std::string_view schema_uri);

/// The schemas of the repositories, compiled and cached: one load at a time for each URI, failures remembered for a
/// while, a bounded number kept (LRU). A base that is down never makes a compiled schema unknown. Loads that ask
/// http(s) bases have threads apart, so a host that hangs delays no schema on disk.
///
/// `latest`, with or without an extension, is looked up again once it is older than `schema_latest_ttl`: at once where
/// all bases asked are on disk, else in the background while the old one serves, for as long again. If that fails, the
/// old one stays in use.
///
/// Thread-safe. Loads run on threads of its own, never on the caller's. The destructor waits for the reads under way
/// and fails the loads that still wait.
class SchemaRepository {
 public:
  /// Throws std::invalid_argument if one of `schema_base_uris` is empty. `events` must outlive this.
  SchemaRepository(SchemaOptions options, std::shared_ptr<ObjectReader> reader, IntakeEvents& events);
  ~SchemaRepository();

  /// What is known of `schema_uri` now: the compiled schema, its remembered failure, or that it is never looked for
  /// (illegal, or absolute where that is not allowed); nothing if it must be loaded. Fast.
  std::optional<SchemaResult> find(std::string_view schema_uri) const;

  /// Loads `schema_uri` if need be, then calls `done` on a loader thread (or at once, if it is known, or if too many
  /// loads wait). `done` must only post.
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

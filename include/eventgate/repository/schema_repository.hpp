#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/schema/compiled_schema.hpp"

namespace eventgate {

class Telemetry;

struct SchemaOptions {
  std::vector<std::string> schema_base_uris;
  std::string schema_file_extension;
  /// Allows http(s) URIs beside paths, and no others.
  bool allow_absolute_schema_uris = false;
  bool allow_insecure_schemas = false;
  std::vector<std::string> schema_precache_uris;
  bool schema_precache_required = false;
  std::size_t schema_cache_size = 4096;
  std::chrono::milliseconds schema_latest_ttl{60000};
  std::chrono::milliseconds schema_negative_ttl{10000};
  /// How long a version counts as read before it is looked at again; 0: for ever.
  std::chrono::milliseconds schema_revalidate{0};
  /// Folder where the documents of http(s) bases are kept, for when their host gives none. Empty: none.
  std::string cache_dir;
  /// Time for one load: its wait for a thread, all bases, `$ref`s and attempts. No option of the config.
  std::chrono::milliseconds load_timeout{30000};
};

/// Why a schema cannot be used.
struct SchemaFailure {
  /// Empty if no base has it; else what is wrong with it or with the bases.
  std::string reason;
};

using SchemaPointer = std::shared_ptr<const CompiledSchema>;
using SchemaResult = boost::system::result<SchemaPointer, SchemaFailure>;
/// The text of a schema's document.
using SchemaText = boost::system::result<std::string, SchemaFailure>;

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
/// A version is looked at again by its first use after `schema_revalidate`, in the background while the old one serves.
/// If one of its documents changed, the new schema takes its place, with a warning; if that fails (a base that is down
/// counts as failure here, whatever the later ones have), the old one stays in use.
///
/// The first base that has a document of the name, an object, has the schema, even if it cannot be used. A base that
/// gives what is no document hides none: it is logged, and the next base is asked.
///
/// With `cache_dir`, what http(s) bases gave is kept on disk, within bounds. It is used, with a warning, for a schema
/// not yet known that no base has while one gives no document: no answer, or an answer that is none. Such a schema is
/// looked at again after a minute.
///
/// The failure of a schema that asked for a document by an absolute URI has a reason that quotes neither the document
/// nor the connection: clients choose that host. The log has the whole reason.
///
/// Thread-safe. Loads run on threads of its own, never on the caller's. The destructor stops the reader, waits for the
/// reads under way and fails the loads that still wait.
class SchemaRepository {
 public:
  /// Throws std::invalid_argument if one of `schema_base_uris` is empty. `events` must outlive this.
  SchemaRepository(SchemaOptions options, std::shared_ptr<ObjectReader> reader, Telemetry& events);
  ~SchemaRepository();

  /// What is known of `schema_uri` now: the compiled schema, its remembered failure, or that it is never looked for
  /// (illegal, or absolute where that is not allowed); nothing if it must be loaded. Fast.
  std::optional<SchemaResult> find(std::string_view schema_uri) const;

  /// Loads `schema_uri` if need be, then calls `done` on a loader thread (or at once, if it is known, or if too many
  /// loads wait). `done` must only post. Loads of different requests take turns; `request` is any number that tells
  /// them apart, 0 is the gate itself.
  void load(std::string_view schema_uri, std::function<void(SchemaResult)> done, std::uint64_t request = 0);

  /// The document of `schema_uri`, indented, with each `$ref` replaced by what it leads to; what refers to itself stays
  /// a `$ref` there. It is read anew, and compiled, so that what cannot be used is a failure here too. Blocks: never on
  /// an I/O thread.
  SchemaText dereferenced(std::string_view schema_uri) const;

  /// Whether a document is being read.
  enum class DereferenceStart {
    started,
    not_cached,  ///< There is no compiled schema of that URI: nothing is loaded for one who only looks.
    too_many,    ///< Others are being read; later it may be taken.
  };
  /// Begins to read the document of a schema that is kept. If it `started`, `done` is called once with what
  /// `dereferenced` gives, on a loader thread, and must only post; else never.
  DereferenceStart begin_dereferencing(std::string_view schema_uri, std::function<void(SchemaText)> done);

  /// Loads `schema_precache_uris`; each failure is logged and counted. Blocks until all are loaded or failed.
  /// Throws std::runtime_error naming those that failed if `schema_precache_required`.
  /// Once `stop` is asked for, the reader is stopped, which ends the loads: throws std::runtime_error.
  void precache(std::stop_token stop = {});

  /// Forgets the failures it remembers and loads those of `schema_precache_uris` again that are not kept. Does not
  /// wait.
  void retry_failed();

  /// The URI of every compiled schema now kept.
  std::vector<std::string> cached_uris() const;

  /// The compiled schemas now kept that came from `cache_dir` or could not be looked at again.
  std::size_t stale_count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate

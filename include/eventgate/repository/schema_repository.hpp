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

// The schemas of all events. The gate looks a schema up by the schema_uri of an event; a schema that is not cached is
// read from the schema repositories (the bases), compiled and cached.

namespace eventgate {

class Telemetry;

/// The options of the config with the same names, and `load_timeout`.
struct SchemaOptions {
  std::vector<std::string> schema_base_uris;
  std::string schema_file_extension;
  /// Allows absolute http(s) URIs beside paths.
  bool allow_absolute_schema_uris = false;
  bool allow_insecure_schemas = false;
  std::vector<std::string> schema_precache_uris;
  bool schema_precache_required = false;
  std::size_t schema_cache_size = 4096;
  std::chrono::milliseconds schema_latest_ttl{60000};
  std::chrono::milliseconds schema_negative_ttl{10000};
  /// Age at which a version is loaded again. 0: never.
  std::chrono::milliseconds schema_revalidate{0};
  /// True: a version on disk that is older than `schema_revalidate` is read again before its next use, not in the
  /// background, so that the next event is judged by what the file says. It is not in the config: `serve --dev`.
  bool schema_revalidate_first = false;
  /// Folder for the documents of http(s) bases, which are used while their host gives none. Empty: no folder.
  std::string cache_dir;
  /// Limit of one load: its wait for a thread, all bases, `$ref`s and retries. It is not in the config.
  std::chrono::milliseconds load_timeout{30000};
};

/// The reason why a schema cannot be used.
struct SchemaFailure {
  /// Empty if no base has the schema. Otherwise what is wrong with it or with the bases.
  std::string reason;
};

using SchemaPointer = std::shared_ptr<const CompiledSchema>;
using SchemaResult = boost::system::result<SchemaPointer, SchemaFailure>;
/// The text of a schema's document.
using SchemaText = boost::system::result<std::string, SchemaFailure>;

/// A document as it is now.
struct SchemaDocument {
  SchemaText text;
  bool has_changed = false;  ///< It, or one that it refers to, differs from what the compiled schema was made of.
};

/// The form of a schema_uri. `illegal` is any other text, and a URI of more than 1024 bytes.
enum class SchemaUriForm { path, absolute, illegal };
SchemaUriForm schema_uri_form(std::string_view schema_uri);

/// The compiled schemas, cached by their URI (LRU, at most `schema_cache_size`).
///
/// **Loading.** There is one load at a time for each URI. The first base that has an object of the name has the schema,
/// even if it cannot be used. If a base gives something else, this is logged and the next base is asked. Failures are
/// cached for `schema_negative_ttl`. Loads that ask http(s) bases have threads of their own, so that a host that hangs
/// does not delay schemas on disk.
///
/// **Reloading.** `latest` is loaded again after `schema_latest_ttl`: at once if its bases are on disk, otherwise in
/// the background, and the old schema serves for at most `schema_latest_ttl` more. A version is loaded again at its
/// first use after `schema_revalidate`, in the background or, with `schema_revalidate_first`, before it. If a document
/// of a version has changed, the new schema replaces the old one, with a warning. If a reload fails, the old schema
/// stays; a base that does not answer is such a failure.
///
/// **`cache_dir`.** The documents of http(s) bases are also written to disk. A document from there is used, with a
/// warning, if the schema is not cached, no base has it and a base did not answer properly. It is loaded again after a
/// minute.
///
/// **Absolute URIs.** Clients choose their hosts. Therefore a failure that involves one quotes neither the document nor
/// the connection; the log has the whole reason.
///
/// Thread-safe. Loads run on own threads, never on the caller's.
class SchemaRepository {
 public:
  /// Throws std::invalid_argument if one of `schema_base_uris` is empty. `telemetry` must outlive this.
  SchemaRepository(SchemaOptions options, std::shared_ptr<ObjectReader> reader, Telemetry& telemetry);
  /// Stops the reader, waits for the reads in progress and fails the waiting loads.
  ~SchemaRepository();

  /// Returns the cached schema or the cached failure, or the failure of a URI that is never loaded (illegal, or
  /// absolute where that is not allowed). Returns nullopt if the schema must be loaded. Does not block.
  std::optional<SchemaResult> find(std::string_view schema_uri) const;

  /// Loads `schema_uri` unless it is cached. Calls `done` once: on a loader thread, or before it returns if the schema
  /// is cached or too many loads wait. `done` must not block. Loads of different requests take turns; `request` tells
  /// requests apart, and 0 is the gate itself.
  void load(std::string_view schema_uri, std::function<void(SchemaResult)> done, std::uint64_t request = 0);

  /// Reads the document of `schema_uri` anew and returns it, indented, with each `$ref` replaced by its target. A
  /// schema that refers to itself keeps the inner `$ref`. Fails if the schema cannot be compiled. Blocks: do not call
  /// it on an I/O thread.
  SchemaText dereferenced(std::string_view schema_uri) const;

  enum class DereferenceStart {
    started,
    not_cached,  ///< No compiled schema has this URI. A request to look at a schema does not load it.
    too_many,    ///< Other documents are being read. Try again later.
  };
  enum class Dereferenceable {
    cached,  ///< Only a cached schema.
    any,     ///< Any. Use it for URIs that no client can make up.
  };
  /// Starts to read the document of a schema. If it has `started`, `done` is called once, with the text that
  /// `dereferenced` returns, on a loader thread; it must not block. Otherwise `done` is never called.
  DereferenceStart begin_dereferencing(std::string_view schema_uri, Dereferenceable which,
                                       std::function<void(SchemaDocument)> done);

  /// Loads `schema_precache_uris` and waits for the results. Logs and counts each failure.
  ///
  /// Throws std::runtime_error, which names the failed schemas, if `schema_precache_required`. If `stop` is requested,
  /// it stops the reader and throws std::runtime_error.
  void precache(const std::stop_token& stop = {});

  /// Forgets the cached failures and starts to load those of `schema_precache_uris` that are not cached.
  void retry_failed();

  /// Returns the URIs of the cached schemas, sorted.
  std::vector<std::string> cached_uris() const;

  /// Returns the number of cached schemas that come from `cache_dir` or could not be reloaded.
  std::size_t stale_count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate

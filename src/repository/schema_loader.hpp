#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document_cache.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/schema/schema_compiler.hpp"
#include "schema_cache.hpp"

namespace eventgate {

/// One load of a schema: what to load, and what was read for it so far.
struct SchemaLoad {
  using Clock = std::chrono::steady_clock;

  std::string key;
  std::string uri;  ///< With a leading slash, or absolute.
  std::uint64_t request = 0;
  Clock::time_point start = Clock::now();
  Clock::time_point deadline;

  bool may_ask_hosts = false;
  /// The bases of the cached schema's documents. With a cached schema, an answer that is not sure is a failure.
  std::optional<std::map<std::string, std::size_t>> cached_bases;

  // Results.
  std::map<std::string, nlohmann::ordered_json> documents;
  SchemaOrigin origin;
  bool needs_host = false;         ///< A document is on no disk: repeat the load with `may_ask_hosts`.
  bool read_absolute_uri = false;  ///< A document was read by an absolute URI, which a client chose.
};

/// Reads the documents of a schema from the bases, checks them against their metaschemas and compiles the schema.
///
/// The first base that has an object of the name has the document, even if it cannot be used. A base that does not
/// answer, or gives something else, does not end the search, but it is a failure if no other base has the document.
///
/// Thread-safe. Blocks. `options` and `telemetry` must outlive this.
class SchemaLoader {
 public:
  /// Throws std::invalid_argument if one of `schema_base_uris` is empty.
  SchemaLoader(const SchemaOptions& options, std::shared_ptr<ObjectReader> reader, Telemetry& telemetry);

  /// Returns true if a document may come from a host.
  bool may_need_hosts() const;

  /// Returns the failure of a URI that is never loaded, or nullopt.
  std::optional<SchemaFailure> rejection_of(std::string_view schema_uri) const;

  SchemaLoad new_load(std::string_view schema_uri, std::uint64_t request) const;

  /// Runs `load` and compiles its schema. If it then `needs_host` and must not ask one, the result means nothing.
  SchemaResult run(SchemaLoad& load) const;

  /// Reads the schema anew and returns its document with each `$ref` replaced, indented. Sets `digest`, unless it is
  /// null, to the hash of what was read, which is that of a load of the same documents.
  SchemaText dereferenced(std::string_view schema_uri, std::size_t* digest = nullptr) const;

  /// Ends the reads that wait for hosts, and all later ones.
  void stop_reads();
  /// Does the same because the gate is stopping.
  void stop();
  bool is_stopping() const { return stopping_; }

 private:
  struct Base {
    std::string uri;  ///< Without trailing slashes.
    bool is_remote;
  };
  struct MissingDocument;
  using Document = boost::system::result<const nlohmann::ordered_json*, SchemaFailure>;

  SchemaResult compile(SchemaLoad& load) const;
  /// `load` must outlive the result.
  RefReader ref_reader(SchemaLoad& load) const;
  Document read_document(SchemaLoad& load, const std::string& uri) const;
  Document read_at(SchemaLoad& load, const std::string& uri, const std::string& place, MissingDocument& missing) const;
  Document read_cached(SchemaLoad& load, const std::string& uri, const std::string& place,
                       const std::string& reason) const;

  const SchemaOptions& options_;
  const std::shared_ptr<ObjectReader> reader_;
  Telemetry& telemetry_;
  std::vector<Base> bases_;
  mutable std::optional<DocumentCache> document_cache_;
  std::atomic<bool> stopping_{false};
};

}  // namespace eventgate

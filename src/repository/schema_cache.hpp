#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "eventgate/base/read_mostly_mutex.hpp"
#include "eventgate/repository/schema_repository.hpp"

namespace eventgate {

/// Where the documents of a schema come from.
struct SchemaOrigin {
  std::size_t digest = 0;                    ///< Hash of the documents.
  bool asked_host = false;                   ///< A load asks a host, which may hang.
  bool from_cache_dir = false;               ///< A document comes from `cache_dir`, because no base has it now.
  std::map<std::string, std::size_t> bases;  ///< From a document's path to the base it came from.
};

/// The schemas that were loaded, and the loads that failed, by the key of their URI.
///
/// A schema serves until it is evicted; at its time it is loaded again, in the background if possible. At most
/// `schema_cache_size` schemas and as many failures are kept.
///
/// Thread-safe. A look-up of a cached schema takes one lock without contention and writes nothing shared.
class SchemaCache {
 public:
  using Clock = std::chrono::steady_clock;

  /// `options` must outlive this.
  explicit SchemaCache(const SchemaOptions& options) : options_(options) {}

  struct Lookup {
    std::optional<SchemaResult> result;  ///< Nothing if the schema must be loaded first.
    bool needs_refresh = false;          ///< The caller must load it again; meanwhile `result` serves.
  };
  /// Looks a schema up. Of several callers only one gets `needs_refresh`, until `end_refresh`.
  Lookup find(std::string_view key) const;

  bool contains(std::string_view key) const;
  /// Returns the origin's `bases` of a cached schema. Returns nullopt if it is not cached.
  std::optional<std::map<std::string, std::size_t>> bases_of(std::string_view key) const;

  /// Returns the origin's `digest` of a cached schema. Returns nullopt if it is not cached.
  std::optional<std::size_t> digest_of(std::string_view key) const;

  enum class Update {
    loaded,            ///< The schema is new.
    changed,           ///< It replaces another version of it.
    unchanged,         ///< The documents are those of the cached schema, which stays.
    failed,            ///< The load failed, and no schema is cached.
    failed_to_reload,  ///< The load failed. The cached schema stays.
  };
  /// Stores the result of a load. Sets `result` to the cached schema if that stays. Remembers a failure for
  /// `schema_negative_ttl` if `remember_failure` is true.
  Update store(const std::string& key, SchemaResult& result, const SchemaOrigin& origin, bool remember_failure);

  /// Allows the next refresh of the schema.
  void end_refresh(std::string_view key);

  void forget_failures();

  /// Returns the URIs of the cached schemas, sorted.
  std::vector<std::string> uris() const;

  /// Returns the number of cached schemas that come from `cache_dir` or could not be loaded again.
  std::size_t stale_count() const;

 private:
  struct Entry {
    SchemaPointer schema;
    SchemaOrigin origin;
    bool is_latest = false;   ///< After `due` it serves only during a refresh, and not for long.
    bool is_stale = false;    ///< It could not be loaded again.
    Clock::time_point due{};  ///< Time to load it again; the maximum for never.
    /// The value of `stores_` when it was used last. Hot entries already have the newest value, so they are not
    /// written.
    mutable std::atomic<std::uint64_t> last_used{0};
    mutable std::atomic<bool> is_refreshing{false};
  };
  struct Failure {
    SchemaFailure failure;
    Clock::time_point until;
  };
  struct KeyHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };
  template <typename T>
  using KeyMap = std::unordered_map<std::string, T, KeyHash, std::equal_to<>>;

  void store_schema(const std::string& key, const SchemaPointer& schema, const SchemaOrigin& origin,
                    Clock::time_point now);
  void store_failure(const std::string& key, const SchemaFailure& failure, Clock::time_point now);
  Clock::time_point next_load(const Entry& entry, Clock::time_point now) const;
  std::size_t max_entries() const;

  const SchemaOptions& options_;
  mutable ReadMostlyMutex mutex_;
  KeyMap<Entry> entries_;
  std::atomic<std::uint64_t> stores_{0};
  KeyMap<Failure> failures_;
  std::deque<std::pair<std::string, Clock::time_point>> failure_order_;  ///< The oldest first.
};

}  // namespace eventgate

#include "eventgate/repository/schema_repository.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "eventgate/logging/log.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "loader_pool.hpp"
#include "schema_cache.hpp"
#include "schema_loader.hpp"
#include "schema_uri.hpp"

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;
using Done = std::function<void(SchemaResult)>;

/// Limit of the loads that wait for a thread, for each pool.
constexpr std::size_t kMaxWaitingLoads = 1024;
/// Limit of the time a load waits for a thread that asks hosts. A host that hangs must not hold up the others for ever.
constexpr std::chrono::seconds kMaxWait{10};
/// Limit of the loads that precaching starts at once.
constexpr std::size_t kMaxPrecaching = 64;
/// Limit of the documents that are dereferenced at once. It leaves a thread of each pool to the loads.
constexpr std::size_t kMaxDereferencing = 2;
constexpr std::size_t kDiskThreads = 3;
constexpr std::size_t kHostThreads = 8;

/// The failure that clients see if a document was read by an absolute URI. They chose the host, so it reveals nothing
/// of what the host answered or how the connection failed.
constexpr const char* kAbsoluteUriFailed = "its host gave no schema that can be used (the log says why)";

}  // namespace

struct SchemaRepository::Impl {
  Impl(SchemaOptions given_options, std::shared_ptr<ObjectReader> reader, Telemetry& given_telemetry)
      : options(std::move(given_options)),
        telemetry(given_telemetry),
        loader(options, std::move(reader), telemetry),
        cache(options) {
    if (loader.may_need_hosts()) host_pool.emplace(kHostThreads, kMaxWaitingLoads);
    disk_pool.emplace(kDiskThreads, kMaxWaitingLoads);
  }

  ~Impl() {
    loader.stop();
    disk_pool.reset();  // Before the other pool, to which its loads may move on.
    host_pool.reset();
  }

  /// Loads a schema that is not cached, or any schema if `refresh` is true.
  void load(std::string_view schema_uri, Done done, std::uint64_t request, bool refresh = false) {
    if (auto failure = loader.rejection_of(schema_uri)) return done(*std::move(failure));
    const auto load = std::make_shared<SchemaLoad>(loader.new_load(schema_uri, request));
    SchemaCache::Lookup cached;
    {
      // `finish` stores its result before it removes the load, so each schema is cached, loading, or neither.
      const std::lock_guard lock(loads_mutex);
      if (!refresh) cached = cache.find(load->key);
      if (!cached.result) {
        const auto [waiting, is_first] = loads.try_emplace(load->key);
        waiting->second.push_back(std::move(done));
        if (!is_first) return;
      }
    }
    if (cached.result) {
      done(*std::move(cached.result));  // NOLINT(bugprone-use-after-move): it is moved only if nothing is cached
      if (cached.needs_refresh) refresh_schema(schema_uri);
      return;
    }
    start(load);
  }

  void refresh_schema(std::string_view schema_uri) {
    load(
        schema_uri, [](const SchemaResult&) {}, 0, true);
  }

  void start(const std::shared_ptr<SchemaLoad>& load) {
    LoaderPool& pool = load->may_ask_hosts ? *host_pool : *disk_pool;
    if (pool.post(load->request, [this, load, posted = Clock::now()] { run(load, posted); })) return;
    // The failure is not remembered, because the next event may find room.
    finish(*load, SchemaFailure{"too many schemas wait to be loaded"}, false);
  }

  void run(const std::shared_ptr<SchemaLoad>& load, Clock::time_point posted) {
    if (loader.is_stopping()) return finish(*load, SchemaFailure{"the gate is stopping"}, false);
    const bool waited_too_long = load->may_ask_hosts && Clock::now() - posted > kMaxWait;
    if (waited_too_long || Clock::now() >= load->deadline)
      return finish(*load, SchemaFailure{"it waited too long for others to be loaded"}, false);
    load->cached_bases = cache.bases_of(load->key);
    SchemaResult result = loader.run(*load);
    if (load->needs_host && !load->may_ask_hosts) {
      load->may_ask_hosts = true;
      return start(load);
    }
    finish(*load, std::move(result), true);
  }

  void finish(const SchemaLoad& load, SchemaResult result, bool remember_failure) {
    std::string reason;
    if (!result) {
      reason = result.error().reason;
      if (load.read_absolute_uri) result = SchemaFailure{kAbsoluteUriFailed};
    }
    report(load, cache.store(load.key, result, load.origin, remember_failure), reason);
    std::vector<Done> waiting;
    {
      // Last, because a refresh that begins while this load exists would join it.
      const std::lock_guard lock(loads_mutex);
      const auto it = loads.find(load.key);
      waiting = std::move(it->second);
      loads.erase(it);
      cache.end_refresh(load.key);
    }
    for (const Done& done : waiting) done(result);
  }

  void report(const SchemaLoad& load, SchemaCache::Update update, const std::string& failure_reason) {
    switch (update) {
      case SchemaCache::Update::changed:
        // `latest` is expected to change.
        if (!is_latest(load.key)) telemetry.schema_changed(load.uri);
        [[fallthrough]];
      case SchemaCache::Update::loaded:
        telemetry.schema_loaded(load.uri, Clock::now() - load.start);
        break;
      case SchemaCache::Update::unchanged:
        break;
      case SchemaCache::Update::failed_to_reload:
        if (!loader.is_stopping()) telemetry.schema_not_read_again(load.uri, failure_reason);
        break;
      case SchemaCache::Update::failed:
        telemetry.schema_failed(load.uri, failure_reason);
        break;
    }
  }

  DereferenceStart begin_dereferencing(std::string_view schema_uri, Dereferenceable which,
                                       std::function<void(SchemaDocument)> done) {
    if (which == Dereferenceable::cached && !cache.contains(schema_key(schema_uri)))
      return DereferenceStart::not_cached;
    auto job = [this, uri = std::string(schema_uri), done = std::move(done)] {
      SchemaDocument document{SchemaFailure{"the gate is stopping"}};
      try {
        std::size_t digest = 0;
        if (!loader.is_stopping()) {
          document.text = loader.dereferenced(uri, &digest);
          const std::optional<std::size_t> compiled = cache.digest_of(schema_key(uri));
          document.has_changed = compiled && *compiled != digest;
        }
      } catch (const std::exception& error) {
        document.text = SchemaFailure{std::string("it could not be read: ") + error.what()};
      }
      --dereferencing;
      done(std::move(document));
    };
    LoaderPool& pool = host_pool ? *host_pool : *disk_pool;
    if (dereferencing.fetch_add(1) < kMaxDereferencing && pool.post(0, std::move(job)))
      return DereferenceStart::started;
    --dereferencing;
    return DereferenceStart::too_many;
  }

  const SchemaOptions options;
  Telemetry& telemetry;
  SchemaLoader loader;
  SchemaCache cache;

  std::mutex loads_mutex;
  std::unordered_map<std::string, std::vector<Done>> loads;  ///< From the key of a load to those who wait for it.

  std::atomic<std::size_t> dereferencing{0};

  std::optional<LoaderPool> disk_pool;  ///< Its loads never wait for a host.
  std::optional<LoaderPool> host_pool;  ///< Exists only if a document may come from a host.
};

SchemaRepository::SchemaRepository(SchemaOptions options, std::shared_ptr<ObjectReader> reader, Telemetry& telemetry)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(reader), telemetry)) {}

SchemaRepository::~SchemaRepository() = default;

std::optional<SchemaResult> SchemaRepository::find(std::string_view schema_uri) const {
  SchemaCache::Lookup cached = impl_->cache.find(schema_key(schema_uri));
  if (!cached.result) {
    if (auto failure = impl_->loader.rejection_of(schema_uri)) return SchemaResult(*std::move(failure));
    impl_->telemetry.schema_miss();
    return std::nullopt;
  }
  if (cached.result->has_value()) impl_->telemetry.schema_hit();
  if (cached.needs_refresh) impl_->refresh_schema(schema_uri);
  return std::move(cached.result);
}

void SchemaRepository::load(std::string_view schema_uri, std::function<void(SchemaResult)> done,
                            std::uint64_t request) {
  impl_->load(schema_uri, std::move(done), request);
}

SchemaText SchemaRepository::dereferenced(std::string_view schema_uri) const {
  return impl_->loader.dereferenced(schema_uri);
}

SchemaRepository::DereferenceStart SchemaRepository::begin_dereferencing(std::string_view schema_uri,
                                                                         Dereferenceable which,
                                                                         std::function<void(SchemaDocument)> done) {
  return impl_->begin_dereferencing(schema_uri, which, std::move(done));
}

void SchemaRepository::precache(const std::stop_token& stop) {
  const std::stop_callback end_reads(stop, [this] { impl_->loader.stop_reads(); });
  const std::vector<std::string>& uris = impl_->options.schema_precache_uris;
  std::mutex mutex;
  std::condition_variable one_done;
  std::map<std::string, std::string> failed;
  std::size_t waiting = 0;
  for (const std::string& uri : uris) {
    {
      std::unique_lock lock(mutex);
      one_done.wait(lock, [&] { return waiting < kMaxPrecaching; });
      ++waiting;
    }
    load(uri, [&](const SchemaResult& result) {
      const std::lock_guard lock(mutex);
      if (!result) {
        const std::string& reason = result.error().reason;
        failed[uri] = reason.empty() ? "it is in none of schema_base_uris" : reason;
      }
      --waiting;
      one_done.notify_one();
    });
  }
  {
    std::unique_lock lock(mutex);
    one_done.wait(lock, [&] { return waiting == 0; });
  }
  if (stop.stop_requested()) throw std::runtime_error("Schemas were not loaded: the service is stopping");
  std::string names;
  for (const auto& [uri, reason] : failed) {
    log(LogLevel::error, "A schema of schema_precache_uris cannot be used", {{"uri", uri}, {"reason", reason}});
    names += (names.empty() ? "" : "; ") + uri + ": " + reason;
  }
  if (impl_->options.schema_precache_required && !failed.empty()) {
    throw std::runtime_error("schema_precache_uris: expected every schema to load (schema_precache_required), but " +
                             names);
  }
}

void SchemaRepository::retry_failed() {
  impl_->cache.forget_failures();
  for (const std::string& uri : impl_->options.schema_precache_uris) load(uri, [](const SchemaResult&) {});
}

std::vector<std::string> SchemaRepository::cached_uris() const { return impl_->cache.uris(); }

std::size_t SchemaRepository::stale_count() const { return impl_->cache.stale_count(); }

}  // namespace eventgate

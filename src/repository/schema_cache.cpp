#include "schema_cache.hpp"

#include <algorithm>
#include <mutex>
#include <shared_mutex>

#include "schema_uri.hpp"

namespace eventgate {
namespace {

/// A schema from `cache_dir` is loaded again after this time, because its host may answer by then.
constexpr std::chrono::milliseconds kCacheDirRetry{60000};

}  // namespace

SchemaCache::Lookup SchemaCache::find(std::string_view key) const {
  Lookup lookup;
  const std::shared_lock lock(mutex_);
  if (const auto it = entries_.find(key); it != entries_.end()) {
    const Entry& entry = it->second;
    if (entry.due != Clock::time_point::max()) {
      const auto now = Clock::now();
      if (now >= entry.due) {
        // A file is read at once. A host may hang, so the old schema serves for a while.
        const bool is_on_disk = !entry.origin.asked_host;
        if (entry.is_latest ? is_on_disk || now >= entry.due + options_.schema_latest_ttl
                            : is_on_disk && options_.schema_revalidate_first)
          return lookup;
        lookup.needs_refresh = !entry.is_refreshing.exchange(true, std::memory_order_relaxed);
      }
    }
    const auto now = stores_.load(std::memory_order_relaxed);
    if (entry.last_used.load(std::memory_order_relaxed) != now) entry.last_used.store(now, std::memory_order_relaxed);
    lookup.result.emplace(entry.schema);
  } else if (const auto failed = failures_.find(key); failed != failures_.end()) {
    if (Clock::now() < failed->second.until) lookup.result.emplace(failed->second.failure);
  }
  return lookup;
}

bool SchemaCache::contains(std::string_view key) const {
  const std::shared_lock lock(mutex_);
  return entries_.find(key) != entries_.end();
}

std::optional<std::map<std::string, std::size_t>> SchemaCache::bases_of(std::string_view key) const {
  const std::shared_lock lock(mutex_);
  const auto it = entries_.find(key);
  if (it == entries_.end()) return std::nullopt;
  return it->second.origin.bases;
}

std::optional<std::size_t> SchemaCache::digest_of(std::string_view key) const {
  const std::shared_lock lock(mutex_);
  const auto it = entries_.find(key);
  if (it == entries_.end()) return std::nullopt;
  return it->second.origin.digest;
}

SchemaCache::Update SchemaCache::store(const std::string& key, SchemaResult& result, const SchemaOrigin& origin,
                                       bool remember_failure) {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  const auto it = entries_.find(key);
  if (!result) {
    if (it == entries_.end()) {
      if (remember_failure) store_failure(key, result.error(), now);
      return Update::failed;
    }
    it->second.due = next_load(it->second, now);
    it->second.is_stale = true;
    result = it->second.schema;
    return Update::failed_to_reload;
  }
  Update update = Update::loaded;
  if (it != entries_.end()) {
    update = it->second.origin.digest == origin.digest ? Update::unchanged : Update::changed;
    if (update == Update::unchanged) result = it->second.schema;
  }
  store_schema(key, *result, origin, now);
  return update;
}

void SchemaCache::end_refresh(std::string_view key) {
  const std::shared_lock lock(mutex_);
  if (const auto it = entries_.find(key); it != entries_.end()) it->second.is_refreshing = false;
}

void SchemaCache::forget_failures() {
  const std::lock_guard lock(mutex_);
  failures_.clear();
  failure_order_.clear();
}

std::vector<std::string> SchemaCache::uris() const {
  std::vector<std::string> uris;
  {
    const std::shared_lock lock(mutex_);
    for (const auto& [key, entry] : entries_) uris.push_back(entry.schema->uri());
  }
  std::sort(uris.begin(), uris.end());
  return uris;
}

std::size_t SchemaCache::stale_count() const {
  const std::shared_lock lock(mutex_);
  return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), [](const auto& entry) {
    return entry.second.origin.from_cache_dir || entry.second.is_stale;
  }));
}

void SchemaCache::store_schema(const std::string& key, const SchemaPointer& schema, const SchemaOrigin& origin,
                               Clock::time_point now) {
  if (const auto it = failures_.find(key); it != failures_.end()) failures_.erase(it);
  Entry& entry = entries_[key];
  entry.schema = schema;
  entry.origin = origin;
  entry.is_latest = is_latest(key);
  entry.is_stale = false;
  entry.due = next_load(entry, now);
  entry.last_used = ++stores_;
  while (entries_.size() > max_entries()) {
    entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
      return a.second.last_used.load(std::memory_order_relaxed) < b.second.last_used.load(std::memory_order_relaxed);
    }));
  }
}

void SchemaCache::store_failure(const std::string& key, const SchemaFailure& failure, Clock::time_point now) {
  const auto until = now + options_.schema_negative_ttl;
  // All failures last equally long, so the oldest expire first.
  while (!failure_order_.empty() && (failure_order_.front().second <= now || failure_order_.size() >= max_entries())) {
    const auto it = failures_.find(failure_order_.front().first);
    if (it != failures_.end() && it->second.until == failure_order_.front().second) failures_.erase(it);
    failure_order_.pop_front();
  }
  failures_[key] = {failure, until};
  failure_order_.emplace_back(key, until);
}

SchemaCache::Clock::time_point SchemaCache::next_load(const Entry& entry, Clock::time_point now) const {
  if (entry.is_latest) return now + options_.schema_latest_ttl;
  const auto revalidate = options_.schema_revalidate;
  if (revalidate.count() > 0)
    return now + (entry.origin.from_cache_dir ? std::min(revalidate, kCacheDirRetry) : revalidate);
  return entry.origin.from_cache_dir ? now + kCacheDirRetry : Clock::time_point::max();
}

std::size_t SchemaCache::max_entries() const { return std::max<std::size_t>(options_.schema_cache_size, 1); }

}  // namespace eventgate

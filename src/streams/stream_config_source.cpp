#include "eventgate/streams/stream_config_source.hpp"

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "eventgate/base/atomic_file.hpp"
#include "eventgate/streams/stream_documents.hpp"
#include "eventgate/telemetry/telemetry.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

/// Time between the attempts at start. Each is twice the one before, so that a short outage delays the start little.
constexpr std::chrono::milliseconds kFirstRetryDelay{100};
constexpr std::chrono::milliseconds kMaxRetryDelay{2000};

/// Times `stream_config_ttl` after which the stream configs in use are stale. A single failed refresh is no alarm.
constexpr int kStaleTtls = 3;

/// Time between attempts after a start from `cache_dir` without a `stream_config_ttl`.
constexpr std::chrono::milliseconds kRetryAfterCachedStart{60000};

constexpr const char* kStopping = "The stream configs were not read: the service is stopping";

std::string json_text(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

struct StreamConfigSource::Impl {
  /// The last good document of a URI.
  struct Document {
    Json object;  ///< The declarations, at `stream_config_object_path`. Null: none yet.
    std::chrono::system_clock::time_point read_at;
    bool is_from_cache = false;
  };
  using Documents = std::vector<Document>;  // in the order of the URIs
  struct Snapshot {
    std::shared_ptr<const StreamConfigs> configs;
    std::shared_ptr<const StreamCatalog> catalog;
  };

  Impl(StreamConfigOptions of, std::shared_ptr<ObjectReader> objects, Telemetry& reports,
       std::function<void(const StreamConfigs&)> on_change)
      : options(std::move(of)),
        default_settings(default_stream_settings(options)),
        reader(std::move(objects)),
        telemetry(reports),
        changed(std::move(on_change)),
        documents(options.stream_config_uri.size()) {}

  /// Reads the document of one URI. Throws a std::exception with the reason.
  Document read(const std::string& uri) {
    Json object =
        read_stream_document(*reader, uri, options.stream_config_object_path,
                             [&](const std::string& warning) { telemetry.stream_configs_warning(uri, warning); });
    return {std::move(object), std::chrono::system_clock::now()};
  }

  /// Returns what `read` documents come to. Throws std::invalid_argument if they are no declarations.
  Snapshot merged(const Documents& from) const {
    std::vector<Json> objects;
    for (const Document& document : from) objects.push_back(document.object);
    const WikiDeclarations declarations(objects, default_settings, options.stream_config_groups);
    auto catalog = std::make_shared<const StreamCatalog>(declarations);
    std::vector<UnusableEntry> problems = declarations.problems();
    problems.insert(problems.end(), catalog->unusable_entries().begin(), catalog->unusable_entries().end());
    const Json own = declarations.of(options.stream_config_wiki);
    const auto before = configs();
    const auto now = std::chrono::system_clock::now();
    const TakenOutStreams taken_out = before ? before->taken_out_before(own, now) : TakenOutStreams();
    auto merged_configs = std::make_shared<const StreamConfigs>(own, problems, taken_out);
    for (const auto& [stream, since] : taken_out)
      if (since == now && !merged_configs->find(stream)) telemetry.stream_taken_out(stream);
    return {std::move(merged_configs), std::move(catalog)};
  }

  /// Counts the unusable entries. Logs them if they differ from those of the last read.
  void report_unusable(const StreamConfigs& read_configs) {
    std::string text = read_configs.unusable_reasons();
    const std::lock_guard lock(mutex);
    const bool changed_since = text != reported;
    reported = std::move(text);
    telemetry.stream_config_entries_unusable(options.stream_config_uri.front(), read_configs.unusable_entries().size(),
                                             changed_since ? std::string_view(reported) : std::string_view());
  }

  void use(Documents fresh, Snapshot snapshot) {
    report_unusable(*snapshot.configs);
    const std::lock_guard lock(mutex);
    documents = std::move(fresh);
    std::swap(current, snapshot);
  }

  /// Puts the documents that were read to use, beside the last good ones of the other URIs.
  void use_new(const std::vector<std::optional<Document>>& read_documents) {
    const std::lock_guard lock(change_mutex);
    Documents fresh;
    {
      const std::lock_guard reading(mutex);
      fresh = documents;
    }
    for (std::size_t i = 0; i < fresh.size(); ++i)
      if (read_documents[i]) fresh[i] = *read_documents[i];
    Snapshot snapshot = merged(fresh);
    report_read(fresh, read_documents, *snapshot.configs);
    const auto now_used = snapshot.configs;
    use(std::move(fresh), std::move(snapshot));
    if (changed) changed(*now_used);
  }

  void report_read(const Documents& fresh, const std::vector<std::optional<Document>>& read_documents,
                   const StreamConfigs& merged_configs) {
    for (std::size_t i = 0; i < fresh.size(); ++i) {
      if (!read_documents[i]) continue;
      telemetry.stream_configs_read(options.stream_config_uri[i], merged_configs.size());
      write_cache(options.stream_config_uri[i], fresh[i].object);
    }
  }

  std::filesystem::path cache_file(const std::string& uri) const {
    return cache_file_path(options.cache_dir, "stream-configs-", uri);
  }

  void write_cache(const std::string& uri, const Json& object) {
    if (options.cache_dir.empty()) return;
    const std::lock_guard lock(cache_mutex);
    if (const std::string reason = write_file_atomically(cache_file(uri), json_text(object)); !reason.empty())
      telemetry.stream_configs_warning(uri, "cannot be kept in cache_dir: " + reason);
  }

  /// Returns nullopt if `cache_dir` has no document of `uri` that is usable.
  std::optional<Document> cached(const std::string& uri) {
    if (options.cache_dir.empty()) return std::nullopt;
    const std::filesystem::path file = cache_file(uri);
    std::ifstream in(file, std::ios::binary);
    if (!in) return std::nullopt;
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    // nlohmann's own parser would search each ordered object for each of its keys.
    auto object = parse_object_text(text);
    if (!object) return std::nullopt;
    try {
      const WikiDeclarations declarations(std::vector<Json>(1, *object));
      // The file clock and the system clock have different epochs, so only the age carries over.
      const auto age = std::filesystem::file_time_type::clock::now() - std::filesystem::last_write_time(file);
      Document document{
          *std::move(object),
          std::chrono::system_clock::now() - std::chrono::duration_cast<std::chrono::system_clock::duration>(age),
          true};
      telemetry.stream_configs_warning(uri, "the copy in " + file.string() + " is used");
      return document;
    } catch (const std::exception&) {
      return std::nullopt;
    }
  }

  void read_first(const std::stop_token& stop) {
    const std::stop_callback end_read(stop, [this] { reader->stop(); });
    std::mutex unshared;
    std::unique_lock lock(unshared);
    std::condition_variable_any next_try;
    std::vector<std::optional<Document>> read_documents(options.stream_config_uri.size());
    std::chrono::milliseconds wait = kFirstRetryDelay;
    for (int retries = options.stream_config_retries;; --retries) {
      const auto failed = read_missing(read_documents, stop);
      if (failed.empty()) break;
      if (retries <= 0) {
        if (use_cached(failed, read_documents)) return;
        const auto& [index, reason] = failed.front();
        throw std::runtime_error("Cannot read the stream configs at stream_config_uri '" +
                                 options.stream_config_uri[index] + "': " + reason);
      }
      next_try.wait_for(lock, stop, wait, [] { return false; });
      if (stop.stop_requested()) throw std::runtime_error(kStopping);
      wait = std::min(2 * wait, kMaxRetryDelay);
    }
    Documents all;
    for (std::optional<Document>& document : read_documents) all.push_back(*document);
    Snapshot snapshot = merged(all);
    report_read(all, read_documents, *snapshot.configs);
    use(std::move(all), std::move(snapshot));
  }

  /// Reads the documents that are null. Returns the URIs that fail, by index, with their reasons.
  std::vector<std::pair<std::size_t, std::string>> read_missing(std::vector<std::optional<Document>>& read_documents,
                                                                const std::stop_token& stop) {
    std::vector<std::pair<std::size_t, std::string>> failed;
    for (std::size_t i = 0; i < read_documents.size(); ++i) {
      if (read_documents[i]) continue;
      try {
        read_documents[i] = read(options.stream_config_uri[i]);
      } catch (const std::exception& e) {
        if (stop.stop_requested()) throw std::runtime_error(kStopping);
        telemetry.stream_configs_failed(options.stream_config_uri[i], e.what());
        failed.emplace_back(i, e.what());
      }
    }
    if (stop.stop_requested()) throw std::runtime_error(kStopping);
    return failed;
  }

  /// Uses the copies in `cache_dir` of the documents that could not be read. Returns false if one is missing.
  bool use_cached(const std::vector<std::pair<std::size_t, std::string>>& failed,
                  const std::vector<std::optional<Document>>& read_documents) {
    Documents all;
    for (const std::optional<Document>& document : read_documents) all.push_back(document.value_or(Document()));
    for (const auto& [index, reason] : failed) {
      auto document = cached(options.stream_config_uri[index]);
      if (!document) return false;
      all[index] = *std::move(document);
    }
    Snapshot snapshot = merged(all);
    report_read(all, read_documents, *snapshot.configs);
    use(std::move(all), std::move(snapshot));
    is_cached = true;
    return true;
  }

  void refresh() {
    std::unique_lock lock(stop_mutex);
    const bool has_ttl = options.stream_config_ttl.count() > 0;
    const std::chrono::milliseconds wait = has_ttl ? options.stream_config_ttl : kRetryAfterCachedStart;
    while (has_ttl || is_cached) {
      if (stop_wanted.wait_for(lock, wait, [&] { return stopping; })) return;
      lock.unlock();
      std::vector<std::optional<Document>> read_documents(options.stream_config_uri.size());
      const bool all_read = read_again(read_documents);
      lock.lock();
      if (stopping) return;
      if (all_read) is_cached = false;
    }
  }

  /// Reads every document and uses those that can be read. Returns true if all can.
  bool read_again(std::vector<std::optional<Document>>& read_documents) {
    std::size_t failures = 0;
    for (std::size_t i = 0; i < read_documents.size(); ++i) {
      try {
        read_documents[i] = read(options.stream_config_uri[i]);
      } catch (const std::exception& e) {
        ++failures;
        const std::lock_guard lock(stop_mutex);
        if (stopping) return false;
        telemetry.stream_configs_failed(options.stream_config_uri[i], e.what());
      }
    }
    if (failures < read_documents.size()) use_new(read_documents);
    return failures == 0;
  }

  std::shared_ptr<const StreamConfigs> configs() const {
    const std::lock_guard lock(mutex);
    return current.configs;
  }

  /// Hold `mutex`.
  const Document& oldest() const {
    return *std::min_element(documents.begin(), documents.end(),
                             [](const Document& a, const Document& b) { return a.read_at < b.read_at; });
  }

  const StreamConfigOptions options;
  const Json default_settings;
  const std::shared_ptr<ObjectReader> reader;
  Telemetry& telemetry;
  const std::function<void(const StreamConfigs&)> changed;
  std::mutex change_mutex;  ///< Makes the last call of `changed` one with the stream configs in use.

  std::mutex cache_mutex;  ///< A refresh and `reload` may write the cache at the same time.

  mutable std::mutex mutex;
  Documents documents;
  Snapshot current;
  std::string reported;  ///< `unusable_reasons` of the last read.

  bool is_cached = false;  ///< Some document comes from `cache_dir`. For the constructor, then the refresh thread.

  std::mutex stop_mutex;
  std::condition_variable stop_wanted;
  bool stopping = false;
  std::thread thread;
};

StreamConfigSource::StreamConfigSource(StreamConfigOptions options, std::shared_ptr<ObjectReader> reader,
                                       Telemetry& telemetry, std::function<void(const StreamConfigs&)> changed,
                                       const std::stop_token& stop)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(reader), telemetry, std::move(changed))) {
  impl_->read_first(stop);
  if (impl_->options.stream_config_ttl.count() > 0 || impl_->is_cached) {
    impl_->thread = std::thread([impl = impl_.get()] { impl->refresh(); });
  }
}

StreamConfigSource::~StreamConfigSource() {
  {
    const std::lock_guard lock(impl_->stop_mutex);
    impl_->stopping = true;
  }
  impl_->stop_wanted.notify_all();
  impl_->reader->stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

std::shared_ptr<const StreamConfigs> StreamConfigSource::current() const { return impl_->configs(); }

std::shared_ptr<const StreamCatalog> StreamConfigSource::catalog() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->current.catalog;
}

std::function<void()> StreamConfigSource::reload() {
  std::vector<std::optional<Impl::Document>> read_documents;
  for (const std::string& uri : impl_->options.stream_config_uri) {
    try {
      read_documents.emplace_back(impl_->read(uri));
    } catch (const std::exception& e) {
      if (impl_->options.stream_config_uri.size() == 1) throw;
      throw std::runtime_error("stream_config_uri '" + uri + "': " + e.what());
    }
  }
  return [impl = impl_.get(), read_documents = std::move(read_documents)] { impl->use_new(read_documents); };
}

std::optional<std::string> StreamConfigSource::stale_reason() const {
  const std::lock_guard lock(impl_->mutex);
  const std::chrono::milliseconds ttl = impl_->options.stream_config_ttl;
  std::optional<std::string> reasons;
  for (std::size_t i = 0; i < impl_->documents.size(); ++i) {
    const Impl::Document& document = impl_->documents[i];
    const auto age = std::chrono::system_clock::now() - document.read_at;
    if (!document.is_from_cache && (ttl.count() <= 0 || age <= kStaleTtls * ttl)) continue;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
    reasons = reasons ? *reasons + "; stream configs" : "stream configs";
    if (impl_->documents.size() > 1) *reasons += " of " + impl_->options.stream_config_uri[i];
    *reasons += std::string(": ") + (document.is_from_cache ? "the copy in cache_dir, " : "") + "read " +
                std::to_string(seconds) + " s ago, and not since";
  }
  return reasons;
}

std::optional<std::string> StreamConfigSource::unusable_reason() const {
  const std::string text = current()->unusable_reasons();
  if (text.empty()) return std::nullopt;
  return "stream configs: entries that cannot be used: " + text;
}

std::chrono::system_clock::time_point StreamConfigSource::read_at() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->oldest().read_at;
}

}  // namespace eventgate

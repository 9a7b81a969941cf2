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

#include "eventgate/base/atomic_file.hpp"
#include "eventgate/json/field_path.hpp"
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

std::string string_member(const Json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Returns the error of the MediaWiki Action API, which sends errors with status 200. Without
/// `stream_config_object_path` (`is_enveloped` false) the document may declare a stream named `error`, so only an
/// object with the API's members is an error.
std::optional<std::string> api_error(const Json& document, bool is_enveloped) {
  const auto error = document.find("error");
  if (error == document.end()) return std::nullopt;
  const std::string code = string_member(*error, "code");
  if (!is_enveloped && (code.empty() || !error->contains("info"))) return std::nullopt;
  return "the reply is an error: " + (code.empty() ? json_text(*error) : code + ": " + string_member(*error, "info"));
}

}  // namespace

struct StreamConfigSource::Impl {
  Impl(StreamConfigOptions of, std::shared_ptr<ObjectReader> objects, Telemetry& reports,
       std::function<void(const StreamConfigs&)> on_change)
      : options(std::move(of)), reader(std::move(objects)), telemetry(reports), changed(std::move(on_change)) {}

  /// Throws a std::exception with the reason.
  std::shared_ptr<const StreamConfigs> read() {
    const auto document = reader->read(options.stream_config_uri);
    if (document.has_error()) throw std::runtime_error(document.error().message);
    const Json* object = &*document;
    const FieldPath path(options.stream_config_object_path);
    if (object->is_object()) {
      if (const auto error = api_error(*object, !path.empty())) throw std::runtime_error(*error);
      const auto warnings = object->find("warnings");
      if (!path.empty() && warnings != object->end() && !warnings->empty()) {
        telemetry.stream_configs_warning(options.stream_config_uri, json_text(*warnings));
      }
    }
    for (const std::string& key : path.keys()) {
      if (!object->is_object() || !object->contains(key)) {
        throw std::runtime_error("expected an object at `" + path.dotted() +
                                 "` (option `stream_config_object_path`), but there is no `" + key + "`");
      }
      object = &object->at(key);
    }
    auto configs = std::make_shared<const StreamConfigs>(*object);
    if (object->empty()) telemetry.stream_configs_warning(options.stream_config_uri, "no stream is declared");
    telemetry.stream_configs_read(options.stream_config_uri, object->size());
    report_unusable(*configs);
    write_cache(*configs);
    return configs;
  }

  /// Counts the unusable entries. Logs them if they differ from those of the last read.
  void report_unusable(const StreamConfigs& configs) {
    std::string text = configs.unusable_reasons();
    const std::lock_guard lock(mutex);
    const bool changed_since = text != reported;
    reported = std::move(text);
    telemetry.stream_config_entries_unusable(options.stream_config_uri, configs.unusable_entries().size(),
                                             changed_since ? std::string_view(reported) : std::string_view());
  }

  void use(std::shared_ptr<const StreamConfigs> configs, std::chrono::system_clock::time_point when,
           bool is_from_cache = false) {
    const std::lock_guard lock(mutex);
    current.swap(configs);
    read_at = when;
    from_cache = is_from_cache;
  }

  void use_new(std::shared_ptr<const StreamConfigs> configs) {
    const std::lock_guard lock(change_mutex);
    use(configs, std::chrono::system_clock::now());
    if (changed) changed(*configs);
  }

  std::filesystem::path cache_file() const {
    return cache_file_path(options.cache_dir, "stream-configs-", options.stream_config_uri);
  }

  void write_cache(const StreamConfigs& configs) {
    if (options.cache_dir.empty()) return;
    const std::lock_guard lock(cache_mutex);
    if (const std::string reason = write_file_atomically(cache_file(), configs.json()); !reason.empty())
      telemetry.stream_configs_warning(options.stream_config_uri, "cannot be kept in cache_dir: " + reason);
  }

  /// Returns false if `cache_dir` has no stream configs that are usable.
  bool use_cached() {
    if (options.cache_dir.empty()) return false;
    const std::filesystem::path file = cache_file();
    std::ifstream in(file, std::ios::binary);
    if (!in) return false;
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    // nlohmann's own parser would search each ordered object for each of its keys.
    const auto object = parse_object_text(text);
    if (!object) return false;
    try {
      auto configs = std::make_shared<const StreamConfigs>(*object);
      // The file clock and the system clock have different epochs, so only the age carries over.
      const auto age = std::filesystem::file_time_type::clock::now() - std::filesystem::last_write_time(file);
      report_unusable(*configs);
      use(std::move(configs),
          std::chrono::system_clock::now() - std::chrono::duration_cast<std::chrono::system_clock::duration>(age),
          true);
    } catch (const std::exception&) {
      return false;
    }
    telemetry.stream_configs_warning(options.stream_config_uri, "the copy in " + file.string() + " is used");
    return true;
  }

  void read_first(const std::stop_token& stop) {
    const std::stop_callback end_read(stop, [this] { reader->stop(); });
    std::mutex unshared;
    std::unique_lock lock(unshared);
    std::condition_variable_any next_try;
    std::chrono::milliseconds wait = kFirstRetryDelay;
    for (int retries = options.stream_config_retries;; --retries) {
      std::string reason;
      try {
        use(read(), std::chrono::system_clock::now());
        return;
      } catch (const std::exception& e) {
        reason = e.what();
      }
      if (stop.stop_requested()) throw std::runtime_error(kStopping);
      telemetry.stream_configs_failed(options.stream_config_uri, reason);
      if (retries <= 0) {
        is_cached = use_cached();
        if (is_cached) return;
        throw std::runtime_error("Cannot read the stream configs at stream_config_uri '" + options.stream_config_uri +
                                 "': " + reason);
      }
      next_try.wait_for(lock, stop, wait, [] { return false; });
      if (stop.stop_requested()) throw std::runtime_error(kStopping);
      wait = std::min(2 * wait, kMaxRetryDelay);
    }
  }

  void refresh() {
    std::unique_lock lock(stop_mutex);
    const bool has_ttl = options.stream_config_ttl.count() > 0;
    const std::chrono::milliseconds wait = has_ttl ? options.stream_config_ttl : kRetryAfterCachedStart;
    while (has_ttl || is_cached) {
      if (stop_wanted.wait_for(lock, wait, [&] { return stopping; })) return;
      lock.unlock();
      try {
        use_new(read());
        is_cached = false;
      } catch (const std::exception& e) {
        lock.lock();
        if (stopping) return;
        lock.unlock();
        telemetry.stream_configs_failed(options.stream_config_uri, e.what());
      }
      lock.lock();
    }
  }

  const StreamConfigOptions options;
  const std::shared_ptr<ObjectReader> reader;
  Telemetry& telemetry;
  const std::function<void(const StreamConfigs&)> changed;
  std::mutex change_mutex;  ///< Makes the last call of `changed` one with the stream configs in use.

  std::mutex cache_mutex;  ///< A refresh and `reload` may write the cache at the same time.

  mutable std::mutex mutex;
  std::shared_ptr<const StreamConfigs> current;
  std::chrono::system_clock::time_point read_at;
  std::string reported;     ///< `unusable_reasons` of the last read.
  bool from_cache = false;  ///< `current` comes from `cache_dir`.

  bool is_cached = false;  ///< As `from_cache`, for the constructor and then the refresh thread alone.

  std::mutex stop_mutex;
  std::condition_variable stop_wanted;
  bool stopping = false;
  std::thread thread;
};

StreamConfigSource::StreamConfigSource(StreamConfigOptions options, std::shared_ptr<ObjectReader> reader,
                                       Telemetry& telemetry, std::function<void(const StreamConfigs&)> changed,
                                       std::stop_token stop)
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

std::shared_ptr<const StreamConfigs> StreamConfigSource::current() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->current;
}

std::function<void()> StreamConfigSource::reload() {
  return [impl = impl_.get(), configs = impl_->read()] { impl->use_new(configs); };
}

std::optional<std::string> StreamConfigSource::stale_reason() const {
  const std::lock_guard lock(impl_->mutex);
  const std::chrono::milliseconds ttl = impl_->options.stream_config_ttl;
  const auto age = std::chrono::system_clock::now() - impl_->read_at;
  if (!impl_->from_cache && (ttl.count() <= 0 || age <= kStaleTtls * ttl)) return std::nullopt;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  return std::string("stream configs: ") + (impl_->from_cache ? "the copy in cache_dir, " : "") + "read " +
         std::to_string(seconds) + " s ago, and not since";
}

std::optional<std::string> StreamConfigSource::unusable_reason() const {
  const std::string text = current()->unusable_reasons();
  if (text.empty()) return std::nullopt;
  return "stream configs: entries that cannot be used: " + text;
}

std::chrono::system_clock::time_point StreamConfigSource::read_at() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->read_at;
}

}  // namespace eventgate

#include "eventgate/streams/stream_config_source.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
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

#include "eventgate/json/field_path.hpp"
#include "eventgate/telemetry/telemetry.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

// Between tries at start; each wait is twice the one before.
constexpr std::chrono::milliseconds kFirstWait{100};
constexpr std::chrono::milliseconds kLongestWait{2000};

// Those in use are stale if this many `stream_config_ttl` went by.
constexpr int kStaleTtls = 3;

// Between tries after a start from what was kept, without a `stream_config_ttl`.
constexpr std::chrono::milliseconds kKeptWait{60000};

constexpr const char* kStopping = "The stream configs were not read: the service is stopping";

std::string text_of(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string string_member(const Json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// What the MediaWiki Action API says went wrong, with status 200. Without `stream_config_object_path` the document may
/// be one of streams, of which one may be called `error`: only what looks like the API's is a failure then.
std::optional<std::string> api_error(const Json& document, bool enveloped) {
  const auto error = document.find("error");
  if (error == document.end()) return std::nullopt;
  const std::string code = string_member(*error, "code");
  if (!enveloped && (code.empty() || !error->contains("info"))) return std::nullopt;
  return "the reply is an error: " + (code.empty() ? text_of(*error) : code + ": " + string_member(*error, "info"));
}

/// The file that keeps what was read at `uri`: each URI has its own (FNV-1a).
std::filesystem::path kept_file(const std::string& cache_dir, const std::string& uri) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : uri) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  char name[48];
  std::snprintf(name, sizeof name, "stream-configs-%016llx.json", static_cast<unsigned long long>(hash));
  return std::filesystem::path(cache_dir) / name;
}

}  // namespace

struct StreamConfigSource::Impl {
  Impl(StreamConfigOptions of, std::shared_ptr<ObjectReader> objects, Telemetry& happenings,
       std::function<void(const StreamConfigs&)> on_change)
      : options(std::move(of)), reader(std::move(objects)), events(happenings), changed(std::move(on_change)) {}

  /// Throws a standard exception that says what is wrong.
  std::shared_ptr<const StreamConfigs> read() {
    const auto document = reader->read(options.stream_config_uri);
    if (document.has_error()) throw std::runtime_error(document.error().message);
    const Json* object = &*document;
    const FieldPath path(options.stream_config_object_path);
    if (object->is_object()) {
      if (const auto error = api_error(*object, !path.empty())) throw std::runtime_error(*error);
      const auto warnings = object->find("warnings");
      if (!path.empty() && warnings != object->end() && !warnings->empty()) {
        events.stream_configs_warning(options.stream_config_uri, text_of(*warnings));
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
    if (object->empty()) events.stream_configs_warning(options.stream_config_uri, "no stream is declared");
    events.stream_configs_read(options.stream_config_uri, object->size());
    report_unusable(*configs);
    keep(*configs);
    return configs;
  }

  /// Logs the entries that cannot be used, if they are not those of the last read.
  void report_unusable(const StreamConfigs& configs) {
    std::string text = configs.unusable_text();
    const std::lock_guard lock(mutex);
    const bool changed_since = text != reported;
    reported = std::move(text);
    events.stream_config_entries_unusable(options.stream_config_uri, configs.unusable().size(),
                                          changed_since ? std::string_view(reported) : std::string_view());
  }

  void use(std::shared_ptr<const StreamConfigs> configs, std::chrono::system_clock::time_point when,
           bool of_cache_dir = false) {
    const std::lock_guard lock(mutex);
    current.swap(configs);
    read_at = when;
    from_disk = of_cache_dir;
  }

  void use_again(std::shared_ptr<const StreamConfigs> configs) {
    const std::lock_guard lock(changing);
    use(configs, std::chrono::system_clock::now());
    if (changed) changed(*configs);
  }

  void keep(const StreamConfigs& configs) {
    if (options.cache_dir.empty()) return;
    const std::filesystem::path file = kept_file(options.cache_dir, options.stream_config_uri);
    const std::filesystem::path part = file.string() + ".part";
    std::error_code error;
    std::filesystem::create_directories(options.cache_dir, error);
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    out << configs.json();
    out.close();
    if (out) std::filesystem::rename(part, file, error);
    if (!out || error) {
      events.stream_configs_warning(options.stream_config_uri,
                                    "cannot be kept in cache_dir: expected to write " + file.string());
    }
  }

  bool use_kept() {
    if (options.cache_dir.empty()) return false;
    const std::filesystem::path file = kept_file(options.cache_dir, options.stream_config_uri);
    std::ifstream in(file, std::ios::binary);
    if (!in) return false;
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    // Not by nlohmann's own reader: it searches each object for each of its keys.
    const auto object = parse_object_text(text);
    if (!object) return false;
    try {
      auto configs = std::make_shared<const StreamConfigs>(*object);
      // The clocks of files and of the system differ in their epoch only.
      const auto age = std::filesystem::file_time_type::clock::now() - std::filesystem::last_write_time(file);
      report_unusable(*configs);
      use(std::move(configs),
          std::chrono::system_clock::now() - std::chrono::duration_cast<std::chrono::system_clock::duration>(age),
          true);
    } catch (const std::exception&) {
      return false;
    }
    events.stream_configs_warning(options.stream_config_uri, "those kept in " + file.string() + " are used");
    return true;
  }

  void read_first(const std::stop_token& stop) {
    const std::stop_callback end_read(stop, [this] { reader->stop(); });
    std::mutex unshared;
    std::unique_lock lock(unshared);
    std::condition_variable_any next_try;
    std::chrono::milliseconds wait = kFirstWait;
    for (int retries = options.stream_config_retries;; --retries) {
      std::string reason;
      try {
        use(read(), std::chrono::system_clock::now());
        return;
      } catch (const std::exception& e) {
        reason = e.what();
      }
      if (stop.stop_requested()) throw std::runtime_error(kStopping);
      events.stream_configs_failed(options.stream_config_uri, reason);
      if (retries <= 0) {
        kept = use_kept();
        if (kept) return;
        throw std::runtime_error("Cannot read the stream configs at stream_config_uri '" + options.stream_config_uri +
                                 "': " + reason);
      }
      next_try.wait_for(lock, stop, wait, [] { return false; });
      if (stop.stop_requested()) throw std::runtime_error(kStopping);
      wait = std::min(2 * wait, kLongestWait);
    }
  }

  void refresh() {
    std::unique_lock lock(stop_mutex);
    const bool again = options.stream_config_ttl.count() > 0;
    const std::chrono::milliseconds wait = again ? options.stream_config_ttl : kKeptWait;
    while (again || kept) {
      if (stop_wanted.wait_for(lock, wait, [&] { return stopping; })) return;
      lock.unlock();
      try {
        use_again(read());
        kept = false;
      } catch (const std::exception& e) {
        lock.lock();
        if (stopping) return;
        lock.unlock();
        events.stream_configs_failed(options.stream_config_uri, e.what());
      }
      lock.lock();
    }
  }

  const StreamConfigOptions options;
  const std::shared_ptr<ObjectReader> reader;
  Telemetry& events;
  const std::function<void(const StreamConfigs&)> changed;
  std::mutex changing;  ///< So that the last one in use is the last one `changed` is told of.

  mutable std::mutex mutex;
  std::shared_ptr<const StreamConfigs> current;
  std::chrono::system_clock::time_point read_at;
  std::string reported;    ///< `unusable_text` of the last read.
  bool from_disk = false;  ///< The current one is that of `cache_dir`.
  bool kept = false;       ///< The current one is that of `cache_dir`. Of the constructor, then of the refresh thread.

  std::mutex stop_mutex;
  std::condition_variable stop_wanted;
  bool stopping = false;
  std::thread thread;
};

StreamConfigSource::StreamConfigSource(StreamConfigOptions options, std::shared_ptr<ObjectReader> reader,
                                       Telemetry& events, std::function<void(const StreamConfigs&)> changed,
                                       std::stop_token stop)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(reader), events, std::move(changed))) {
  impl_->read_first(stop);
  if (impl_->options.stream_config_ttl.count() > 0 || impl_->kept) {
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

std::function<void()> StreamConfigSource::read_again() {
  return [impl = impl_.get(), configs = impl_->read()] { impl->use_again(configs); };
}

std::optional<std::string> StreamConfigSource::stale() const {
  const std::lock_guard lock(impl_->mutex);
  const std::chrono::milliseconds ttl = impl_->options.stream_config_ttl;
  const auto age = std::chrono::system_clock::now() - impl_->read_at;
  if (!impl_->from_disk && (ttl.count() <= 0 || age <= kStaleTtls * ttl)) return std::nullopt;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  return std::string("stream configs: ") + (impl_->from_disk ? "those kept in cache_dir, " : "") + "read " +
         std::to_string(seconds) + " s ago, and not since";
}

std::optional<std::string> StreamConfigSource::unusable() const {
  const std::string text = current()->unusable_text();
  if (text.empty()) return std::nullopt;
  return "stream configs: entries that cannot be used: " + text;
}

std::chrono::system_clock::time_point StreamConfigSource::read_at() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->read_at;
}

}  // namespace eventgate

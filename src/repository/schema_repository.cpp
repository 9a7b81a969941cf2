#include "eventgate/repository/schema_repository.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <shared_mutex>
#include <stdexcept>
#include <thread>
#include <unordered_map>

#include "dereference.hpp"
#include "document_cache.hpp"
#include "eventgate/logging/log.hpp"
#include "eventgate/repository/metaschema_check.hpp"
#include "eventgate/schema/schema_compiler.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "loader_pool.hpp"

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;
using Done = std::function<void(SchemaResult)>;

/// Longest schema_uri that is looked for, bytes.
constexpr std::size_t kMaxUriSize = 1024;
/// Documents that one schema may bring in by `$ref`.
constexpr std::size_t kMaxDocuments = 256;
/// Loads that may wait for a thread, in each pool.
constexpr std::size_t kMaxWaitingLoads = 1024;
/// How long a load may wait for a thread that asks hosts: where a host hangs, those behind it are not to queue up for
/// ever.
constexpr std::chrono::seconds kMaxWait{10};
/// Loads that precaching starts at once.
constexpr std::size_t kMaxPrecaching = 64;
/// After this a schema that came from `cache_dir` is looked at again.
constexpr std::chrono::milliseconds kKeptWait{60000};
/// Documents read at the same time for those who look at them: fewer than there are threads of any pool.
constexpr std::size_t kMaxDereferencing = 2;
constexpr std::size_t kDiskThreads = 3;
constexpr std::size_t kHostThreads = 8;

bool is_remote(std::string_view uri) { return uri.starts_with("http://") || uri.starts_with("https://"); }

std::string_view without_hash(std::string_view uri) {
  if (uri.ends_with('#')) uri.remove_suffix(1);
  return uri;
}

/// What a schema is kept under: the same for `a/1.0.0`, `/a/1.0.0` and `/a/1.0.0#`.
std::string_view key_of(std::string_view schema_uri) {
  schema_uri = without_hash(schema_uri);
  if (schema_uri.starts_with('/')) schema_uri.remove_prefix(1);
  return schema_uri;
}

std::string_view last_segment(std::string_view key) {
  const auto slash = key.rfind('/');
  return slash == std::string_view::npos ? key : key.substr(slash + 1);
}

bool is_latest(std::string_view key) {
  const std::string_view name = last_segment(key);
  return name == "latest" || name.starts_with("latest.");
}

/// Whether a URI ends in an extension that is no number: `.yaml` is one, the `.0` of `1.0.0` is none.
bool has_extension(std::string_view key) {
  const std::string_view name = last_segment(key);
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot + 1 == name.size()) return false;
  return name.find_first_not_of("0123456789", dot + 1) != std::string_view::npos;
}

struct KeyHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
};
template <typename T>
using KeyMap = std::unordered_map<std::string, T, KeyHash, std::equal_to<>>;

/// A shared mutex whose readers do not meet: each thread has a slot, and a writer takes them all. Reading costs one
/// uncontended lock; writing is for rare events.
class ReadMostlyMutex {
 public:
  void lock_shared() { slots_[slot()].mutex.lock(); }
  void unlock_shared() { slots_[slot()].mutex.unlock(); }
  void lock() {
    for (Slot& slot : slots_) slot.mutex.lock();
  }
  void unlock() {
    for (Slot& slot : slots_) slot.mutex.unlock();
  }

 private:
  static std::size_t slot() {
    static std::atomic<std::size_t> threads{0};
    thread_local const std::size_t own = threads.fetch_add(1, std::memory_order_relaxed) % kSlots;
    return own;
  }

  static constexpr std::size_t kSlots = 16;
  struct alignas(64) Slot {
    std::mutex mutex;
  };
  std::array<Slot, kSlots> slots_;
};

struct Base {
  std::string uri;  ///< Without trailing slashes.
  bool remote;
};

/// A schema that is kept.
struct Kept {
  SchemaPointer schema;
  std::size_t digest = 0;   ///< Of its documents.
  bool latest = false;      ///< Serves after `due` only while it is looked up again, and not for long.
  bool asked_host = false;  ///< Looking it up asks a host, which may hang.
  bool from_disk = false;   ///< Of documents kept in `cache_dir`.
  bool stale = false;       ///< It could not be looked up again.
  std::map<std::string, std::size_t> places;  ///< Of its documents, the base that each came from.
  Clock::time_point due;                      ///< To be looked up again then; the maximum: never.
  /// When it was used last, counted in schemas kept since: a hot entry is only read.
  mutable std::atomic<std::uint64_t> used{0};
  mutable std::atomic<bool> refreshing{false};  ///< It is being looked up again while it serves.
};

struct Failed {
  SchemaFailure failure;
  Clock::time_point until;
};

/// One load under way: the documents it has read so far, and what it found out about the bases.
struct Load {
  std::string key;
  std::string uri;  ///< As the schema is named: with its leading slash, or absolute.
  std::uint64_t request = 0;
  Clock::time_point start = Clock::now();
  Clock::time_point deadline;
  std::map<std::string, nlohmann::ordered_json> documents;
  bool may_ask_hosts = false;
  bool needs_host = false;  ///< A document is on no disk: to be tried again where hosts may be asked.
  bool asked_host = false;
  bool again = false;      ///< There is a schema that serves, so what is not sure is a failure.
  bool from_disk = false;  ///< A document was found in `cache_dir` only.
  bool absolute = false;   ///< A document was asked for by an absolute URI.
  std::size_t digest = 0;
  std::map<std::string, std::size_t> places;    ///< Of the documents, the base that each came from.
  std::map<std::string, std::size_t> previous;  ///< The same of the schema that serves.
};

/// What the documents of a load are, in a number.
std::size_t digest_of(const std::map<std::string, nlohmann::ordered_json>& documents) {
  std::string text;
  for (const auto& [uri, document] : documents) {
    using Json = nlohmann::ordered_json;
    text += uri + ' ' + document.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
  }
  return std::hash<std::string>()(text);
}

/// The bases that gave no document although they may have one: they did not answer, or what they gave is none.
struct Missing {
  std::vector<std::string> unavailable;  ///< Reasons.
  std::vector<std::string> unreadable;   ///< The same, each without its place.
  std::vector<std::string> unreadable_places;
  std::vector<std::string> remote_places;

  bool empty() const { return unavailable.empty() && unreadable.empty(); }

  std::string reason() const {
    if (unavailable.empty() && unreadable.size() == 1) return unreadable.front();
    std::string text;
    const auto add = [&](const std::string& reason) { text += (text.empty() ? "" : "; ") + reason; };
    for (const std::string& one : unavailable) add(one);
    for (std::size_t i = 0; i < unreadable.size(); ++i) add(unreadable_places[i] + ": " + unreadable[i]);
    return text;
  }
};

/// What clients are told if a document of an absolute URI was asked for: they name the host, so no text of what it
/// gave, and nothing of how its socket failed.
constexpr const char* kAbsoluteFailed = "its host gave no schema that can be used (the log says why)";

using Document = boost::system::result<const nlohmann::ordered_json*, SchemaFailure>;

}  // namespace

SchemaUriForm schema_uri_form(std::string_view schema_uri) {
  static constexpr auto allowed = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._~+-")) {
      table[static_cast<unsigned char>(c)] = true;
    }
    return table;
  }();
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };

  std::string_view rest = without_hash(schema_uri);
  if (rest.empty() || rest.size() > kMaxUriSize) return SchemaUriForm::illegal;
  if (letter(rest[0])) {
    const auto colon = rest.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+.-");
    if (colon != std::string_view::npos && rest[colon] == ':') return SchemaUriForm::absolute;
  }
  if (rest[0] == '/') rest.remove_prefix(1);
  for (;;) {
    std::size_t end = 0;
    while (end < rest.size() && allowed[static_cast<unsigned char>(rest[end])]) ++end;
    const std::string_view segment = rest.substr(0, end);
    if (segment.empty() || segment == "." || segment == "..") return SchemaUriForm::illegal;
    if (end == rest.size()) return SchemaUriForm::path;
    if (rest[end] != '/') return SchemaUriForm::illegal;
    rest.remove_prefix(end + 1);
  }
}

struct SchemaRepository::Impl {
  Impl(SchemaOptions given, std::shared_ptr<ObjectReader> given_reader, Telemetry& given_events)
      : options(std::move(given)), reader(std::move(given_reader)), events(given_events) {
    for (std::string uri : options.schema_base_uris) {
      if (uri.empty()) throw std::invalid_argument("schema_base_uris: expected paths and URIs, found an empty one");
      while (uri.size() > 1 && uri.ends_with('/')) uri.pop_back();
      bases.push_back({uri == "/" ? "" : uri, is_remote(uri)});
    }
    const bool asks_hosts = options.allow_absolute_schema_uris ||
                            std::any_of(bases.begin(), bases.end(), [](const Base& base) { return base.remote; });
    if (!options.cache_dir.empty()) kept_documents.emplace(options.cache_dir);
    if (asks_hosts) hosts.emplace(kHostThreads, kMaxWaitingLoads);
    disk.emplace(kDiskThreads, kMaxWaitingLoads);
  }

  ~Impl() {
    stopping = true;
    reader->stop();
    disk.reset();  // Its loads may go on to the hosts' pool.
    hosts.reset();
  }

  /// The failure of a URI that is never looked for, or nothing.
  std::optional<SchemaFailure> refusal(std::string_view schema_uri) const {
    switch (schema_uri_form(schema_uri)) {
      case SchemaUriForm::path:
        return std::nullopt;
      case SchemaUriForm::absolute:
        if (options.allow_absolute_schema_uris) {
          if (is_remote(schema_uri)) return std::nullopt;
          return SchemaFailure{"expected a path in the schema repositories, or an http:// or https:// URI"};
        }
        return SchemaFailure{"expected a path in the schema repositories (allow_absolute_schema_uris allows others)"};
      case SchemaUriForm::illegal:
        break;
    }
    return SchemaFailure{};
  }

  struct Known {
    std::optional<SchemaResult> result;
    bool refresh = false;  ///< To be looked up again by whoever sees this, while the result serves.
  };

  Known known(std::string_view key) const {
    Known answer;
    const std::shared_lock lock(mutex);
    if (const auto it = kept.find(key); it != kept.end()) {
      const Kept& entry = it->second;
      if (entry.due != Clock::time_point::max()) {
        const auto now = Clock::now();
        if (now >= entry.due) {
          // What is on disk is read again at once. A host may hang, so for a while the old one serves meanwhile.
          if (entry.latest && (!entry.asked_host || now >= entry.due + options.schema_latest_ttl)) return answer;
          answer.refresh = !entry.refreshing.exchange(true, std::memory_order_relaxed);
        }
      }
      const auto now = uses.load(std::memory_order_relaxed);
      if (entry.used.load(std::memory_order_relaxed) != now) {
        entry.used.store(now, std::memory_order_relaxed);
      }
      answer.result.emplace(entry.schema);
    } else if (const auto failed = failures.find(key); failed != failures.end()) {
      if (Clock::now() < failed->second.until) answer.result.emplace(failed->second.failure);
    }
    return answer;
  }

  /// Loads what is not known, or what `refresh` says is to be looked up again.
  void load(std::string_view schema_uri, Done done, std::uint64_t request, bool refresh = false) {
    if (auto failure = refusal(schema_uri)) return done(*std::move(failure));
    const auto load = std::make_shared<Load>();
    load->request = request;
    name(*load, schema_uri);
    Known answer;
    {
      // Known or under way, never neither: `finish` makes a result known before it takes the load away.
      const std::lock_guard lock(loads_mutex);
      if (!refresh) answer = known(load->key);
      if (!answer.result) {
        const auto [waiting, first] = loads.try_emplace(load->key);
        waiting->second.push_back(std::move(done));
        if (!first) return;
      }
    }
    if (answer.result) {
      done(*std::move(answer.result));
      if (answer.refresh) refresh_schema(schema_uri);
      return;
    }
    start(load);
  }

  void refresh_schema(std::string_view schema_uri) {
    const Done nobody = [](const SchemaResult&) {};
    load(schema_uri, nobody, 0, true);
  }

  void start(const std::shared_ptr<Load>& load) {
    LoaderPool& pool = load->may_ask_hosts ? *hosts : *disk;
    if (pool.post(load->request, [this, load, posted = Clock::now()] { run(load, posted); })) return;
    // Not remembered: the next event may find room.
    finish(*load, SchemaFailure{"too many schemas wait to be loaded"}, false);
  }

  void run(const std::shared_ptr<Load>& load, Clock::time_point posted) {
    if (stopping) return finish(*load, SchemaFailure{"the gate is stopping"}, false);
    if ((load->may_ask_hosts && Clock::now() - posted > kMaxWait) || Clock::now() >= load->deadline) {
      return finish(*load, SchemaFailure{"it waited too long for others to be loaded"}, false);
    }
    {
      const std::shared_lock lock(mutex);
      const auto serving = kept.find(load->key);
      load->again = serving != kept.end();
      if (load->again) load->previous = serving->second.places;
    }
    SchemaResult result = SchemaFailure{};
    try {
      result = attempt(*load);
      load->digest = digest_of(load->documents);
    } catch (const std::exception& error) {
      result = SchemaFailure{std::string("it could not be loaded: ") + error.what()};
    }
    if (load->needs_host && !load->may_ask_hosts) {
      load->may_ask_hosts = true;
      return start(load);
    }
    finish(*load, std::move(result), true);
  }

  /// What `load` is, of the URI `schema_uri`.
  void name(Load& load, std::string_view schema_uri) const {
    const bool absolute = schema_uri_form(schema_uri) == SchemaUriForm::absolute;
    load.key = key_of(schema_uri);
    load.uri = absolute ? load.key : "/" + load.key;
    load.deadline = load.start + options.load_timeout;
    load.may_ask_hosts = absolute ? is_remote(load.key) : !bases.empty() && bases.front().remote;
  }

  SchemaResult attempt(Load& load) const {
    const Document document = read_document(load, load.uri);
    if (!document) return document.error();
    auto compiled = compile_schema(load.uri, **document, refs_of(load));
    if (!compiled) return SchemaFailure{compiled.error()};
    return *std::move(compiled);
  }

  SchemaText dereferenced(std::string_view schema_uri) const {
    if (auto failure = refusal(schema_uri)) return *std::move(failure);
    Load load;
    name(load, schema_uri);
    load.may_ask_hosts = true;
    const SchemaResult compiled = attempt(load);
    if (!compiled) return compiled.error();
    auto whole = eventgate::dereferenced(load.uri, load.documents.at(load.uri), refs_of(load), RefRules::gate);
    if (!whole) return SchemaFailure{whole.error().message};
    return {boost::system::in_place_value,
            whole->dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n'};
  }

  Reading begin_dereferencing(std::string_view schema_uri, std::function<void(SchemaText)> done) {
    {
      const std::shared_lock lock(mutex);
      if (kept.find(key_of(schema_uri)) == kept.end()) return Reading::not_kept;
    }
    auto job = [this, uri = std::string(schema_uri), done = std::move(done)] {
      SchemaText text = SchemaFailure{"the gate is stopping"};
      try {
        if (!stopping) text = dereferenced(uri);
      } catch (const std::exception& error) {
        text = SchemaFailure{std::string("it could not be read: ") + error.what()};
      }
      --dereferencing;
      done(std::move(text));
    };
    LoaderPool& pool = hosts ? *hosts : *disk;
    if (dereferencing.fetch_add(1) < kMaxDereferencing && pool.post(0, std::move(job))) return Reading::begun;
    --dereferencing;
    return Reading::too_many;
  }

  /// `load` must outlive it.
  RefReader refs_of(Load& load) const {
    return [&](const std::string& path) -> boost::system::result<const nlohmann::ordered_json*, std::string> {
      const std::string_view uri = without_hash(path);
      if (refusal(uri))
        return std::string("expected the path of a schema in the schema repositories") +
               (options.allow_absolute_schema_uris ? ", or an http:// or https:// URI" : "") + ", found '" +
               path.substr(0, 200) + "'";
      const bool absolute = schema_uri_form(uri) == SchemaUriForm::absolute;
      const Document found = read_document(load, absolute ? std::string(uri) : "/" + std::string(key_of(uri)));
      if (found) return *found;
      const std::string& reason = found.error().reason;
      return std::string(uri) + (reason.empty() ? " is in none of schema_base_uris" : ": " + reason);
    };
  }

  /// A document of a load, checked against its metaschema.
  Document read_document(Load& load, const std::string& uri) const {
    if (const auto it = load.documents.find(uri); it != load.documents.end()) return &it->second;
    if (Clock::now() >= load.deadline) return SchemaFailure{"it was not loaded in time"};
    if (load.documents.size() >= kMaxDocuments) {
      return SchemaFailure{"expected at most " + std::to_string(kMaxDocuments) + " documents behind $ref"};
    }
    Missing missing;
    if (!uri.starts_with('/')) {
      load.absolute = true;
      Document found = read_at(load, uri, uri, missing);
      if (!found && !missing.empty()) return SchemaFailure{missing.reason()};
      return found;
    }
    const std::string path = uri + (has_extension(uri) ? "" : options.schema_file_extension);
    const auto previous = load.previous.find(uri);
    for (std::size_t i = 0; i < bases.size(); ++i) {
      const std::string place = bases[i].uri + path;
      Document found = read_at(load, uri, place, missing);
      if (found) load.places[uri] = i;
      if (found || !found.error().reason.empty()) return found;
      if (load.needs_host && !load.may_ask_hosts) return SchemaFailure{"it is on no disk"};
      // What serves came from this base, or none asked before: what a later one has may be another.
      if (load.again && !missing.unavailable.empty()) break;
      if (load.again && !missing.unreadable.empty() && previous != load.previous.end() && previous->second <= i) break;
    }
    for (const std::string& place : missing.remote_places) {
      if (const Document kept_one = read_kept(load, uri, place, missing.reason())) return kept_one;
    }
    return SchemaFailure{missing.reason()};
  }

  /// The document that `cache_dir` keeps of a place which gives none, for a schema not yet known. A failure: it has
  /// none.
  Document read_kept(Load& load, const std::string& uri, const std::string& place, const std::string& reason) const {
    if (!kept_documents || load.again || stopping) return SchemaFailure{};
    auto object = kept_documents->read(place);
    if (!object || check_schema(*object, options.allow_insecure_schemas)) return SchemaFailure{};
    events.schema_document_kept_used(place, reason);
    load.from_disk = true;
    return &load.documents.emplace(uri, *std::move(object)).first->second;
  }

  /// The document at one place. A failure without a reason: it is not there, or, as noted in `missing`, that cannot be
  /// said.
  Document read_at(Load& load, const std::string& uri, const std::string& place, Missing& missing) const {
    if (is_remote(place)) {
      load.needs_host = true;
      if (!load.may_ask_hosts) return SchemaFailure{};
      load.asked_host = true;
    }
    auto object = reader->read_until(place, load.deadline);
    if (object) {
      if (auto error = check_schema(*object, options.allow_insecure_schemas)) return SchemaFailure{*std::move(error)};
      // Not what clients name themselves, which has no end.
      if (kept_documents && is_remote(place) && uri.starts_with('/')) {
        const std::string problem = kept_documents->write(place, *object);
        if (!problem.empty()) events.schema_document_not_kept(place, problem);
      }
      return &load.documents.emplace(uri, *std::move(object)).first->second;
    }
    const ReadError& error = object.error();
    switch (error.kind) {
      case ReadError::Kind::not_found:
        break;
      case ReadError::Kind::unavailable:
        missing.unavailable.push_back(place + " is unavailable: " + error.message);
        if (is_remote(place)) missing.remote_places.push_back(place);
        break;
      case ReadError::Kind::invalid:
        events.schema_document_unreadable(place, error.message);
        missing.unreadable.push_back(error.message);
        missing.unreadable_places.push_back(place);
        if (is_remote(place)) missing.remote_places.push_back(place);
        break;
    }
    return SchemaFailure{};
  }

  void finish(const Load& load, SchemaResult result, bool remember) {
    const auto now = Clock::now();
    enum class Happened { loaded, changed, unchanged, failed, not_read_again } happened = Happened::loaded;
    std::string reason;
    {
      const std::lock_guard lock(mutex);
      const auto it = kept.find(load.key);
      if (!result) {
        reason = result.error().reason;
        if (load.absolute) result = SchemaFailure{kAbsoluteFailed};
      }
      if (result && it != kept.end() && it->second.digest == load.digest) {
        happened = Happened::unchanged;
        result = it->second.schema;
        keep(load, *result, now);
      } else if (result) {
        if (it != kept.end()) happened = Happened::changed;
        keep(load, *result, now);
      } else if (it != kept.end()) {
        // It could not be looked up again: the one we have stays in use.
        happened = Happened::not_read_again;
        it->second.due = due(it->second, now);
        it->second.stale = true;
        result = it->second.schema;
      } else {
        happened = Happened::failed;
        if (remember) remember_failure(load.key, result.error(), now + options.schema_negative_ttl, now);
      }
    }
    switch (happened) {
      case Happened::changed:
        // Another version under `latest` is what `latest` is for.
        if (!is_latest(load.key)) events.schema_changed(load.uri);
        [[fallthrough]];
      case Happened::loaded:
        events.schema_loaded(load.uri, now - load.start);
        break;
      case Happened::unchanged:
        break;
      case Happened::not_read_again:
        if (!stopping) events.schema_not_read_again(load.uri, reason);
        break;
      case Happened::failed:
        events.schema_failed(load.uri, reason);
        break;
    }
    std::vector<Done> waiting;
    {
      // After the result is known to `find`, so that nobody starts a second load in between.
      const std::lock_guard lock(loads_mutex);
      const auto it = loads.find(load.key);
      waiting = std::move(it->second);
      loads.erase(it);
      // Only now: a look begun while this load was still under way would have joined it, and never taken place.
      const std::shared_lock reading(mutex);
      if (const auto entry = kept.find(load.key); entry != kept.end()) entry->second.refreshing = false;
    }
    for (const Done& done : waiting) done(result);
  }

  void keep(const Load& load, const SchemaPointer& schema, Clock::time_point now) {
    if (const auto it = failures.find(load.key); it != failures.end()) failures.erase(it);
    Kept& entry = kept[load.key];
    entry.schema = schema;
    entry.digest = load.digest;
    entry.latest = is_latest(load.key);
    entry.asked_host = load.asked_host;
    entry.from_disk = load.from_disk;
    entry.stale = false;
    entry.places = load.places;
    entry.due = due(entry, now);
    entry.used = ++uses;
    while (kept.size() > std::max<std::size_t>(options.schema_cache_size, 1)) {
      kept.erase(std::min_element(kept.begin(), kept.end(), [](const auto& a, const auto& b) {
        return a.second.used.load(std::memory_order_relaxed) < b.second.used.load(std::memory_order_relaxed);
      }));
    }
  }

  Clock::time_point due(const Kept& entry, Clock::time_point now) const {
    if (entry.latest) return now + options.schema_latest_ttl;
    const auto again = options.schema_revalidate;
    if (again.count() > 0) return now + (entry.from_disk ? std::min(again, kKeptWait) : again);
    return entry.from_disk ? now + kKeptWait : Clock::time_point::max();
  }

  /// All failures last equally long, so the oldest are the first to go.
  void remember_failure(const std::string& key, const SchemaFailure& failure, Clock::time_point until,
                        Clock::time_point now) {
    while (!failure_order.empty() && (failure_order.front().second <= now ||
                                      failure_order.size() >= std::max<std::size_t>(options.schema_cache_size, 1))) {
      const auto it = failures.find(failure_order.front().first);
      if (it != failures.end() && it->second.until == failure_order.front().second) failures.erase(it);
      failure_order.pop_front();
    }
    failures[key] = {failure, until};
    failure_order.emplace_back(key, until);
  }

  const SchemaOptions options;
  const std::shared_ptr<ObjectReader> reader;
  Telemetry& events;
  std::vector<Base> bases;
  mutable std::optional<DocumentCache> kept_documents;  ///< Of `cache_dir`.

  mutable ReadMostlyMutex mutex;
  KeyMap<Kept> kept;
  std::atomic<std::uint64_t> uses{0};
  KeyMap<Failed> failures;
  std::deque<std::pair<std::string, Clock::time_point>> failure_order;

  std::mutex loads_mutex;
  std::unordered_map<std::string, std::vector<Done>> loads;

  std::atomic<std::size_t> dereferencing{0};

  std::atomic<bool> stopping{false};
  std::optional<LoaderPool> disk;   ///< Never waits for a host.
  std::optional<LoaderPool> hosts;  ///< If there are any to ask.
};

SchemaRepository::SchemaRepository(SchemaOptions options, std::shared_ptr<ObjectReader> reader, Telemetry& events)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(reader), events)) {}

SchemaRepository::~SchemaRepository() = default;

std::optional<SchemaResult> SchemaRepository::find(std::string_view schema_uri) const {
  Impl::Known answer = impl_->known(key_of(schema_uri));
  if (!answer.result) {
    if (auto failure = impl_->refusal(schema_uri)) return SchemaResult(*std::move(failure));
    impl_->events.schema_miss();
    return std::nullopt;
  }
  if (answer.result->has_value()) impl_->events.schema_hit();
  if (answer.refresh) impl_->refresh_schema(schema_uri);
  return std::move(answer.result);
}

void SchemaRepository::load(std::string_view schema_uri, std::function<void(SchemaResult)> done,
                            std::uint64_t request) {
  impl_->load(schema_uri, std::move(done), request);
}

SchemaText SchemaRepository::dereferenced(std::string_view schema_uri) const { return impl_->dereferenced(schema_uri); }

SchemaRepository::Reading SchemaRepository::begin_dereferencing(std::string_view schema_uri,
                                                                std::function<void(SchemaText)> done) {
  return impl_->begin_dereferencing(schema_uri, std::move(done));
}

void SchemaRepository::precache(std::stop_token stop) {
  const std::stop_callback end_reads(stop, [this] { impl_->reader->stop(); });
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
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->failures.clear();
    impl_->failure_order.clear();
  }
  for (const std::string& uri : impl_->options.schema_precache_uris) load(uri, [](const SchemaResult&) {});
}

std::vector<std::string> SchemaRepository::loaded() const {
  std::vector<std::string> uris;
  {
    const std::shared_lock lock(impl_->mutex);
    for (const auto& [key, entry] : impl_->kept) uris.push_back(entry.schema->uri());
  }
  std::sort(uris.begin(), uris.end());
  return uris;
}

std::size_t SchemaRepository::stale() const {
  const std::shared_lock lock(impl_->mutex);
  return static_cast<std::size_t>(std::count_if(impl_->kept.begin(), impl_->kept.end(), [](const auto& entry) {
    return entry.second.from_disk || entry.second.stale;
  }));
}

}  // namespace eventgate

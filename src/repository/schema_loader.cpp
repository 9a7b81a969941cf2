#include "schema_loader.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <stdexcept>
#include <utility>

#include "dereference.hpp"
#include "eventgate/base/quote.hpp"
#include "eventgate/repository/metaschema_check.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "schema_uri.hpp"

namespace eventgate {
namespace {

/// Limit of the documents that one schema brings in by `$ref`.
constexpr std::size_t kMaxDocuments = 256;

/// Returns a hash of the documents of a load.
std::size_t digest_of(const std::map<std::string, nlohmann::ordered_json>& documents) {
  std::string text;
  for (const auto& [uri, document] : documents) {
    using Json = nlohmann::ordered_json;
    text += uri + ' ' + document.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
  }
  return std::hash<std::string>()(text);
}

}  // namespace

/// The bases that may have a document but did not give it.
struct SchemaLoader::MissingDocument {
  std::vector<std::string> unavailable;  ///< Reasons of the bases that did not answer.
  std::vector<std::string> unreadable;   ///< Reasons of those that gave no JSON or YAML object.
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

SchemaLoader::SchemaLoader(const SchemaOptions& options, std::shared_ptr<ObjectReader> reader, Telemetry& telemetry)
    : options_(options), reader_(std::move(reader)), telemetry_(telemetry) {
  for (std::string uri : options_.schema_base_uris) {
    if (uri.empty()) throw std::invalid_argument("schema_base_uris: expected paths and URIs, found an empty one");
    while (uri.size() > 1 && uri.ends_with('/')) uri.pop_back();
    bases_.push_back({uri == "/" ? "" : uri, is_remote(uri)});
  }
  if (!options_.cache_dir.empty()) document_cache_.emplace(options_.cache_dir);
}

bool SchemaLoader::may_need_hosts() const {
  return options_.allow_absolute_schema_uris ||
         std::any_of(bases_.begin(), bases_.end(), [](const Base& base) { return base.is_remote; });
}

std::optional<SchemaFailure> SchemaLoader::rejection_of(std::string_view schema_uri) const {
  switch (schema_uri_form(schema_uri)) {
    case SchemaUriForm::path:
      return std::nullopt;
    case SchemaUriForm::absolute:
      if (options_.allow_absolute_schema_uris) {
        if (is_remote(schema_uri)) return std::nullopt;
        return SchemaFailure{"expected a path in the schema repositories, or an http:// or https:// URI"};
      }
      return SchemaFailure{"expected a path in the schema repositories (allow_absolute_schema_uris allows others)"};
    case SchemaUriForm::illegal:
      break;
  }
  return SchemaFailure{};
}

SchemaLoad SchemaLoader::new_load(std::string_view schema_uri, std::uint64_t request) const {
  const bool absolute = schema_uri_form(schema_uri) == SchemaUriForm::absolute;
  SchemaLoad load;
  load.key = schema_key(schema_uri);
  load.uri = absolute ? load.key : "/" + load.key;
  load.request = request;
  load.deadline = load.start + options_.load_timeout;
  load.may_ask_hosts = absolute ? is_remote(load.key) : !bases_.empty() && bases_.front().is_remote;
  return load;
}

SchemaResult SchemaLoader::run(SchemaLoad& load) const {
  try {
    SchemaResult result = compile(load);
    load.origin.digest = digest_of(load.documents);
    return result;
  } catch (const std::exception& error) {
    return SchemaFailure{std::string("it could not be loaded: ") + error.what()};
  }
}

SchemaResult SchemaLoader::compile(SchemaLoad& load) const {
  const Document document = read_document(load, load.uri);
  if (!document) return document.error();
  auto compiled = compile_schema(load.uri, **document, ref_reader(load));
  if (!compiled) return SchemaFailure{compiled.error()};
  return *std::move(compiled);
}

SchemaText SchemaLoader::dereferenced(std::string_view schema_uri, std::size_t* digest) const {
  if (auto failure = rejection_of(schema_uri)) return *std::move(failure);
  SchemaLoad load = new_load(schema_uri, 0);
  load.may_ask_hosts = true;
  const SchemaResult compiled = compile(load);
  if (digest) *digest = digest_of(load.documents);
  if (!compiled) return compiled.error();
  auto whole = eventgate::dereferenced(load.uri, load.documents.at(load.uri), ref_reader(load));
  if (!whole) return SchemaFailure{whole.error().message};
  return {boost::system::in_place_value,
          whole->dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n'};
}

void SchemaLoader::stop() {
  stopping_ = true;
  stop_reads();
}

void SchemaLoader::stop_reads() { reader_->stop(); }

RefReader SchemaLoader::ref_reader(SchemaLoad& load) const {
  return [&](const std::string& path) -> boost::system::result<const nlohmann::ordered_json*, std::string> {
    const std::string_view uri = without_hash(path);
    if (rejection_of(uri))
      return std::string("expected the path of a schema in the schema repositories") +
             (options_.allow_absolute_schema_uris ? ", or an http:// or https:// URI" : "") + ", found " + quote(path);
    const bool absolute = schema_uri_form(uri) == SchemaUriForm::absolute;
    const Document found = read_document(load, absolute ? std::string(uri) : "/" + std::string(schema_key(uri)));
    if (found) return *found;
    const std::string& reason = found.error().reason;
    return std::string(uri) + (reason.empty() ? " is in none of schema_base_uris" : ": " + reason);
  };
}

/// Returns a document of the load, checked against its metaschema.
SchemaLoader::Document SchemaLoader::read_document(SchemaLoad& load, const std::string& uri) const {
  if (const auto it = load.documents.find(uri); it != load.documents.end()) return &it->second;
  if (SchemaLoad::Clock::now() >= load.deadline) return SchemaFailure{"it was not loaded in time"};
  if (load.documents.size() >= kMaxDocuments) {
    return SchemaFailure{"expected at most " + std::to_string(kMaxDocuments) + " documents behind $ref"};
  }
  MissingDocument missing;
  if (!uri.starts_with('/')) {
    load.read_absolute_uri = true;
    Document found = read_at(load, uri, uri, missing);
    if (!found && !missing.empty()) return SchemaFailure{missing.reason()};
    return found;
  }
  const std::string path = uri + (has_extension(uri) ? "" : options_.schema_file_extension);
  for (std::size_t i = 0; i < bases_.size(); ++i) {
    const std::string place = bases_[i].uri + path;
    Document found = read_at(load, uri, place, missing);
    if (found) load.origin.bases[uri] = i;
    if (found || !found.error().reason.empty()) return found;
    if (load.needs_host && !load.may_ask_hosts) return SchemaFailure{"it is on no disk"};
    // The cached document may be the one of this base, so a later base must not replace it.
    if (load.cached_bases && !missing.unavailable.empty()) break;
    if (load.cached_bases && !missing.unreadable.empty()) {
      const auto cached_base = load.cached_bases->find(uri);
      if (cached_base != load.cached_bases->end() && cached_base->second <= i) break;
    }
  }
  for (const std::string& place : missing.remote_places) {
    if (Document cached = read_cached(load, uri, place, missing.reason())) return cached;
  }
  return SchemaFailure{missing.reason()};
}

/// Returns the document that `cache_dir` has of a place that gives none now. Returns a failure if it has none, or if
/// the schema is cached already.
SchemaLoader::Document SchemaLoader::read_cached(SchemaLoad& load, const std::string& uri, const std::string& place,
                                                 const std::string& reason) const {
  if (!document_cache_ || load.cached_bases || stopping_) return SchemaFailure{};
  auto object = document_cache_->read(place);
  if (!object || check_schema(*object, options_.allow_insecure_schemas)) return SchemaFailure{};
  telemetry_.schema_document_kept_used(place, reason);
  load.origin.from_cache_dir = true;
  return &load.documents.emplace(uri, *std::move(object)).first->second;
}

/// Returns the document at one place. Returns a failure without a reason if the place has none; `missing` tells if it
/// may have one.
SchemaLoader::Document SchemaLoader::read_at(SchemaLoad& load, const std::string& uri, const std::string& place,
                                             MissingDocument& missing) const {
  if (is_remote(place)) {
    load.needs_host = true;
    if (!load.may_ask_hosts) return SchemaFailure{};
    load.origin.asked_host = true;
  }
  auto object = reader_->read_until(place, load.deadline);
  if (object) {
    if (auto error = check_schema(*object, options_.allow_insecure_schemas)) return SchemaFailure{*std::move(error)};
    // Documents that clients name by absolute URIs are not cached: they have no bound.
    if (document_cache_ && is_remote(place) && uri.starts_with('/')) {
      const std::string problem = document_cache_->write(place, *object);
      if (!problem.empty()) telemetry_.schema_document_not_kept(place, problem);
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
      telemetry_.schema_document_unreadable(place, error.message);
      missing.unreadable.push_back(error.message);
      missing.unreadable_places.push_back(place);
      if (is_remote(place)) missing.remote_places.push_back(place);
      break;
  }
  return SchemaFailure{};
}

}  // namespace eventgate

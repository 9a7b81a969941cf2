#include "openapi_document.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "eventgate/readers/exposed_streams.hpp"
#include "eventgate/readers/stream_readers.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "pages.hpp"

namespace eventgate {

namespace {

using Json = nlohmann::ordered_json;
using std::chrono::steady_clock;

/// The age at which the schemas of streams are read again.
constexpr std::chrono::seconds kRenewal{60};

/// Returns the document of the operations that there are, without those of single streams.
std::string document_of(const std::vector<OpenApiDocument::Operation>& operations) {
  Json document = Json::parse(kOpenApi);
  Json paths = Json::object();
  std::set<Json> tags;
  for (const auto& [path, methods] : document["paths"].items()) {
    for (const auto& [method, described] : methods.items()) {
      const auto found = std::find_if(operations.begin(), operations.end(), [&described](const auto& operation) {
        return described["operationId"] == operation.id;
      });
      if (found == operations.end()) continue;
      paths[found->path] = methods;
      for (const Json& tag : described["tags"]) tags.insert(tag);
      break;
    }
  }
  document["paths"] = std::move(paths);
  Json& all_tags = document["tags"];
  all_tags.erase(std::remove_if(all_tags.begin(), all_tags.end(),
                                [&tags](const Json& tag) { return !tags.contains(tag["name"]); }),
                 all_tags.end());
  return document.dump();
}

/// Returns `document` with what is said of the streams.
std::string with_streams(std::string document, const StreamPaths& described) {
  constexpr std::string_view kPaths = "\"paths\":{";
  if (described.paths.size() > 2)
    document.insert(document.find(kPaths) + kPaths.size(), described.paths.substr(1, described.paths.size() - 2) + ',');
  constexpr std::string_view kNames = ",\"enum\":[\"NAMES_OF_STREAMS\"]";
  if (const std::size_t at = document.find(kNames); at != std::string::npos)
    document.replace(at, kNames.size(), described.names.size() > 2 ? ",\"enum\":" + described.names : "");
  return document;
}

/// Returns the URIs of the schemas of the streams that are described, each once.
std::vector<std::string> schema_uris(const ExposedStreams& streams) {
  std::set<std::string> uris;
  for (const ExposedStream& stream : streams.all())
    if (!stream.is_private && !stream.schema_uri.empty()) uris.insert(stream.schema_uri);
  return {uris.begin(), uris.end()};
}

}  // namespace

struct OpenApiDocument::State : std::enable_shared_from_this<State> {
  State(std::string document, SchemaRepository* repository) : base(std::move(document)), schemas(repository) {}

  /// Reads the schemas that are left, then makes the document.
  void read_on() {
    while (!left.empty()) {
      const std::string uri = left.back();
      left.pop_back();
      const auto start = schemas->begin_dereferencing(uri, SchemaRepository::Dereferenceable::any,
                                                      [self = shared_from_this(), uri](SchemaDocument document) {
                                                        // What was read before serves where a repository does not
                                                        // answer.
                                                        if (document.text) self->texts[uri] = *std::move(document.text);
                                                        self->read_on();
                                                      });
      if (start == SchemaRepository::DereferenceStart::started) return;
      // Others are reading. The rest is read at the next renewal.
      left.clear();
      is_whole = false;
    }
    finish();
  }

  void finish() {
    auto text = std::make_shared<const std::string>(
        with_streams(base, describe_streams(*streams, [this](const std::string& uri) -> std::optional<std::string> {
                       const auto found = texts.find(uri);
                       return found == texts.end() ? std::nullopt : std::optional(found->second);
                     })));
    std::vector<std::function<void()>> waiting;
    {
      const std::lock_guard lock(mutex);
      made = std::move(text);
      made_of = streams;
      made_at = is_whole ? steady_clock::now() : steady_clock::time_point();
      is_running = false;
      waiting.swap(waiters);
    }
    for (const auto& done : waiting) done();
  }

  const std::string base;
  SchemaRepository* const schemas;

  // Of the renewal that runs: one thread at a time uses these.
  std::shared_ptr<const ExposedStreams> streams;
  std::vector<std::string> left;
  std::map<std::string, std::string> texts;  ///< From the URI of a schema to its text.
  bool is_whole = true;

  mutable std::mutex mutex;
  std::shared_ptr<const std::string> made;
  std::shared_ptr<const ExposedStreams> made_of;
  steady_clock::time_point made_at;
  bool is_running = false;
  std::vector<std::function<void()>> waiters;
};

OpenApiDocument::OpenApiDocument(const std::vector<Operation>& operations, const StreamReaders* readers,
                                 SchemaRepository* schemas)
    : readers_(readers), state_(std::make_shared<State>(document_of(operations), schemas)) {
  const ExposedStreams none;
  state_->made = std::make_shared<const std::string>(with_streams(
      state_->base, describe_streams(readers ? *readers->streams() : none, [](const auto&) { return std::nullopt; })));
}

OpenApiDocument::~OpenApiDocument() = default;

std::shared_ptr<const std::string> OpenApiDocument::current() const {
  if (!readers_ || !state_->schemas) return latest();
  const auto streams = readers_->streams();
  const std::lock_guard lock(state_->mutex);
  if (state_->made_of != streams || steady_clock::now() - state_->made_at > kRenewal) return nullptr;
  return state_->made;
}

void OpenApiDocument::renew(std::function<void()> done) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->waiters.push_back(std::move(done));
    if (std::exchange(state_->is_running, true)) return;
  }
  state_->streams = readers_->streams();
  state_->left = schema_uris(*state_->streams);
  std::erase_if(state_->texts, [this](const auto& text) {
    return !std::binary_search(state_->left.begin(), state_->left.end(), text.first);
  });
  state_->is_whole = true;
  state_->read_on();
}

std::shared_ptr<const std::string> OpenApiDocument::latest() const {
  const std::lock_guard lock(state_->mutex);
  return state_->made;
}

}  // namespace eventgate

#include "canary_source.hpp"

#include <chrono>
#include <future>
#include <utility>

#include "eventgate/json/json_nodes.hpp"

namespace eventgate {
namespace {

SchemaOptions as_is_now(SchemaOptions options) {
  options.cache_dir.clear();
  return options;
}

}  // namespace

CanarySource::CanarySource(const Config& config, Telemetry& telemetry)
    : config_(config), schemas_(as_is_now(config.schema), make_uri_reader(config.schema_reader), telemetry) {}

SchemaResult CanarySource::schema(const std::string& uri) {
  std::promise<SchemaResult> loaded;
  schemas_.load(uri, [&loaded](SchemaResult result) { loaded.set_value(std::move(result)); });
  return loaded.get_future().get();
}

CanaryText CanarySource::event(const Canary& canary, const std::string& schema_title) {
  const std::string uri = newest_schema_uri(schema_title);
  const SchemaResult compiled = schema(uri);
  const auto failed = [&](const std::string& reason) {
    return CanaryFailure{"schema " + uri + ": " + (reason.empty() ? "expected one in schema_base_uris" : reason)};
  };
  if (!compiled) return failed(compiled.error().reason);
  const SchemaText document = schemas_.dereferenced(uri);
  if (!document) return failed(document.error().reason);
  return canary_event(canary, *document, **compiled, config_.gate);
}

std::string CanarySource::example_problem(const std::string& stream, const std::string& schema_title) {
  const auto now = std::chrono::system_clock::now();
  auto made = event({stream, now, now}, schema_title);
  if (!made) return made.error().reason;
  std::string text = *std::move(made);
  text.reserve(text.size() + kJsonPadding);
  JsonNodes nodes;
  if (const auto error = parse_json(text, nodes)) return "expected " + error->expected;
  const auto uri = config_.gate.schema_uri_field.front().find(nodes.root());
  if (!uri || !uri->is_string())
    return "expected the example to have `" + config_.gate.schema_uri_field.front().dotted() + "`";
  const SchemaResult named = schema(uri->string());
  if (!named) return "expected a schema at " + uri->string() + ", which the example names";
  if ((*named)->title() != schema_title)
    return "expected a schema of the title " + schema_title + " at " + uri->string() + ", which the example names";
  return canary_problem(nodes.root(), **named);
}

}  // namespace eventgate

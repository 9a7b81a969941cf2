#include <map>
#include <nlohmann/json.hpp>

#include "eventgate/base/percent.hpp"
#include "eventgate/readers/exposed_streams.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

Json parameter(const char* name, const char* in, const char* description) {
  return {{"name", name}, {"in", in}, {"description", description}, {"schema", {{"type", "string"}}}};
}

std::string description_of(const ExposedStream& stream) {
  std::string text = stream.description;
  if (stream.alias_of) text += "\n\n(NOTE: This stream is an alias of " + *stream.alias_of + ".)";
  if (!stream.schema_title.empty()) text += "\n\nSchema title: " + stream.schema_title;
  if (!stream.topics.empty()) {
    text += "\n\nTopics:";
    for (const std::string& topic : stream.topics) text += "\n- " + topic;
  }
  return text;
}

/// A schema, and an event that it gives as an example.
struct SchemaExample {
  Json schema = {{"type", "object"}};
  Json example;  ///< Null: none.
};

SchemaExample schema_example(const std::optional<std::string>& text) {
  SchemaExample result;
  if (!text) return result;
  Json schema = Json::parse(*text, nullptr, false);
  if (!schema.is_object()) return result;
  if (const auto examples = schema.find("examples");
      examples != schema.end() && examples->is_array() && !examples->empty() && examples->front().is_object())
    result.example = examples->front();
  // OpenAPI 3.0 knows no `examples` in a schema, and takes a `$id` or `$schema` for a name of its own.
  for (const char* const name : {"examples", "$id", "$schema"}) schema.erase(name);
  result.schema = std::move(schema);
  return result;
}

Json path_item(const ExposedStream& stream, const SchemaExample& schema) {
  Json content = {{"schema", schema.schema}};
  if (!schema.example.is_null()) content["example"] = schema.example;
  Json response = {{"description", "Events of " + stream.name + ", as they come"}};
  response["content"] = {{"text/event-stream", content}, {"application/json", content}};
  Json get = {{"summary", stream.name}, {"description", description_of(stream)}, {"tags", Json::array({"Streams"})}};
  get["parameters"] = Json::array(
      {parameter("Last-Event-ID", "header", "JSON array of the positions to go on from: the id of the last event"),
       parameter("since", "query", "Begin at this time: ISO 8601, RFC 2822, milliseconds since 1970, or -15m")});
  get["responses"] = {{"200", std::move(response)}};
  get["x-monitor"] = false;  // service-checker-swagger would wait for the end of the body
  return {{"get", std::move(get)}};
}

}  // namespace

StreamPaths describe_streams(const ExposedStreams& streams,
                             const std::function<std::optional<std::string>(const std::string& uri)>& find_schema) {
  std::map<std::string, SchemaExample> schemas;
  Json paths = Json::object();
  Json names = Json::array();
  for (const ExposedStream& stream : streams.all()) {
    if (stream.is_private) continue;
    const auto [schema, is_new] = schemas.try_emplace(stream.schema_uri);
    if (is_new && !stream.schema_uri.empty()) schema->second = schema_example(find_schema(stream.schema_uri));
    paths["/v2/stream/" + percent_encode(stream.name)] = path_item(stream, schema->second);
    names.push_back(stream.name);
  }
  const auto text = [](const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); };
  return {text(paths), text(names)};
}

}  // namespace eventgate

#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/schema/compiled_schema.hpp"
#include "eventgate/schema/schema_compiler.hpp"
#include "require.hpp"

/// What the schema targets have in common.
namespace eventgate::fuzz {

/// A repository of one document, /other/1.0.0.
inline RefReader refs() {
  static const auto other = nlohmann::ordered_json::parse(R"({
    "$id": "/other/1.0.0", "type": "object", "properties": {"a": {"type": "integer", "default": 1}, "o": {"$ref": "#"}},
    "definitions": {"x": {"type": ["string", "null"], "maxLength": 3, "default": "y"}}})");
  return [](const std::string& path) -> boost::system::result<const nlohmann::ordered_json*, std::string> {
    if (path == "/other/1.0.0") return &other;
    return std::string("there is no such document");
  };
}

/// An event in memory of its own size, so that a sanitizer sees every byte read beyond its padding.
struct Event {
  explicit Event(std::string_view text) : memory(text.begin(), text.end()), size(text.size()) {
    memory.insert(memory.end(), kJsonPadding, '"');
    memory.shrink_to_fit();
    is_json = !parse_json({memory.data(), size}, nodes);
  }
  std::vector<char> memory;
  std::size_t size;
  JsonNodes nodes;
  bool is_json;
};

/// Validates twice and holds the results to each other.
inline bool check_validation(const CompiledSchema& schema, const Event& event) {
  Validation first, second;
  const bool valid = schema.validate(event.nodes.root(), first);
  require(valid == first.errors.empty(), "valid is what has no errors");
  require(first.errors.size() <= kMaxErrors + 1, "errors are bounded");
  if (first.errors.size() > kMaxErrors)
    require(first.errors.back().keyword == "maxErrors", "the last error says there are more");
  for (const ValidationError& error : first.errors) {
    require(!error.keyword.empty() && !error.schema_path.empty() && !error.message.empty(), "errors are whole");
    require(nlohmann::json::accept(error.params), "params are JSON");
  }
  for (const std::uint32_t node : first.integers) {
    require(node < event.nodes.nodes.size(), "an integer is a node");
    require((event.nodes.nodes[node].flags & JsonNode::kFraction) != 0, "an integer to be rewritten has a fraction");
  }
  require(schema.validate(event.nodes.root(), second) == valid, "an event is valid or not");
  require(errors_text(first.errors) == errors_text(second.errors), "errors are the same again");
  require(first.integers == second.integers, "integers are the same again");
  return valid;
}

/// Completes and validates as the gate does.
inline void check_round(const CompiledSchema& schema, std::string_view text) {
  Event event(text);
  if (!event.is_json) return;
  check_validation(schema, event);
  if (!event.nodes.interop_issues.empty()) return;
  constexpr int kRounds = 64;
  constexpr std::size_t kLargest = 1 << 20;
  EventPatch splice;
  for (int round = 0; round < kRounds && event.size < kLargest; ++round) {
    splice.clear();
    const bool incomplete = schema.add_defaults(event.nodes.root(), splice);
    require(incomplete == !splice.empty(), "what is incomplete is added to");
    if (!incomplete) break;
    std::string completed;
    splice.apply(event.nodes.root(), completed);
    require(completed.size() > event.nodes.root().source().size(), "completing adds");
    Event next(completed);
    require(next.is_json, "a completed event is JSON");
    event = std::move(next);
  }
  check_validation(schema, event);
}

}  // namespace eventgate::fuzz

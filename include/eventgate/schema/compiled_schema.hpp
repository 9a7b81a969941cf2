#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/json/event_patch.hpp"
#include "eventgate/json/field_path.hpp"
#include "eventgate/json/json_nodes.hpp"
#include "eventgate/schema/validation_error.hpp"

// A compiled JSON Schema (drafts 04, 06, 07), which validates parsed events as AJV 6 does. `compile_schema` makes one
// from a document; the gate then uses it for every event of this schema:
//
//     while (schema->add_defaults(event, patch)) ...  // apply the patch
//     if (!schema->validate(event, validation)) ...   // report validation.errors

namespace eventgate {

/// The result of validating one event. Keeps its memory when cleared.
struct Validation {
  /// At most kMaxErrors errors, whose texts have about kMaxErrorTexts bytes. If there are more, a last one says so.
  std::vector<ValidationError> errors;
  /// The nodes of numbers that are valid as `integer` but written with a fraction or an exponent, such as 1.0.
  std::vector<std::uint32_t> integers;
  /// How many more errors may name the property that was meant, because that compares names. Not cleared.
  std::size_t name_searches = kMaxNameSearches;

  /// Such errors of one request.
  static constexpr std::size_t kMaxNameSearches = 100;

  bool valid() const { return errors.empty(); }
  void clear() {
    errors.clear();
    integers.clear();
  }
};

/// Limit of the errors of one event.
inline constexpr std::size_t kMaxErrors = 100;
/// Limit of the texts of these errors, bytes, or 4 times the event if that is more. A client that sends long keys gets
/// each of them in the path of every error.
inline constexpr std::size_t kMaxErrorTexts = std::size_t{16} << 20;

/// A schema document compiled into a flat program. It runs over parsed events with AJV 6's order of rules and yields
/// AJV's errors.
///
/// Immutable, so any thread may use it.
class CompiledSchema {
 public:
  struct Program;
  explicit CompiledSchema(std::unique_ptr<const Program> program);
  ~CompiledSchema();

  /// Returns the path in the repositories from which it was loaded, with its leading slash, or an absolute URI.
  const std::string& uri() const;
  /// Returns the document's `title` if it is a string.
  const std::optional<std::string>& title() const;

  /// Returns true if the schema declares a property at `field`: through `properties`, also behind `allOf` and `$ref`.
  bool declares(const FieldPath& field) const;
  /// Returns true if the schema declares the parent of `field` as `type: object`. The parent of a top-level field is
  /// the event.
  bool declares_parent_object(const FieldPath& field) const;

  /// Adds to `patch` the `default`s of properties and array items that `event` lacks, as AJV's useDefaults does.
  /// Returns false if it lacks none. A default may bring in others (by `then`, or inside a new object): apply the patch
  /// and call again until the result is false.
  bool add_defaults(JsonValue event, EventPatch& patch) const;

  /// Validates `event` and writes every error into `validation`. Returns true if it is valid. O(size of `event`); a
  /// valid event costs no allocation once the thread's memory has grown. Does not look at interop issues of the text.
  bool validate(JsonValue event, Validation& validation) const;

 private:
  std::unique_ptr<const Program> program_;
};

}  // namespace eventgate

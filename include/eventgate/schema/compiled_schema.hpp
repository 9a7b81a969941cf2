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

namespace eventgate {

/// What validation found. Keeps its memory when cleared.
struct Validation {
  /// At most kMaxErrors, and none after kMaxErrorTexts bytes of texts. Then one that says there are more.
  std::vector<ValidationError> errors;
  /// Node indexes of numbers accepted as `integer` but written with a fraction or an exponent.
  std::vector<std::uint32_t> integers;

  bool valid() const { return errors.empty(); }
  void clear() {
    errors.clear();
    integers.clear();
  }
};

/// Errors listed for one event (spec limits).
inline constexpr std::size_t kMaxErrors = 100;
/// Bytes of the texts of an event's errors, or 4 times the event if that is more. No further error is listed beyond
/// them: a client that sends long keys gets each of them in the path of every error.
inline constexpr std::size_t kMaxErrorTexts = std::size_t{16} << 20;

/// A schema document compiled into a flat program that runs over parsed events in AJV 6's rule order and yields AJV's
/// errors.
///
/// Immutable.
class CompiledSchema {
 public:
  struct Program;
  explicit CompiledSchema(std::unique_ptr<const Program> program);
  ~CompiledSchema();

  /// The path in the repositories it was loaded from, with its leading slash.
  const std::string& uri() const;
  /// The document's `title`, if it is a string.
  const std::optional<std::string>& title() const;

  /// Whether the schema declares a property at `field`: through `properties`, also behind `allOf` and `$ref`.
  bool declares(const FieldPath& field) const;
  /// Whether the schema declares the parent of `field` as `type: object` (the empty parent is the event itself).
  bool declares_parent_object(const FieldPath& field) const;

  /// Notes in `splice` the `default`s of properties (and array items) that `event` lacks, as AJV's useDefaults fills
  /// them. Returns whether there are any. A default may bring others (in `then`, in made objects): call again on the
  /// event so completed until there are none.
  bool add_defaults(JsonValue event, EventPatch& patch) const;

  /// Validates `event` with every error, into `validation`. No allocation for a valid event once warm. Linear time.
  /// Returns whether it is valid. Flaws of the text are not its business.
  bool validate(JsonValue event, Validation& validation) const;

 private:
  std::unique_ptr<const Program> program_;
};

}  // namespace eventgate

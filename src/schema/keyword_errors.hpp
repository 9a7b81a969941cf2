#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/schema/validation_error.hpp"
#include "program.hpp"

namespace eventgate {

/// Collects the errors of one validation in the words of AJV 6, each with its data path and schema path.
///
/// The caller says where in the event it is (`enter_…`, `leave`) and which reference it follows (`set_schema_prefix`).
/// Beyond `kMaxErrors`, or beyond the limit of text, one last error says that there are more. Use on one thread.
/// `program`, the event's text and `errors` must outlive this.
class KeywordErrors {
 public:
  /// `name_searches` is how many more errors may name the nearest property.
  KeywordErrors(const CompiledSchema::Program& program, JsonValue event, std::vector<ValidationError>& errors,
                std::size_t& name_searches)
      : program_(program), text_(event.base()), nodes_(event.nodes()), errors_(errors), name_searches_(name_searches) {}

  /// Raises the limit of the errors' texts to `bytes`, if that is more than kMaxErrorTexts.
  void raise_text_limit(std::size_t bytes);
  /// Returns true if no further error is added, so that the search for more can stop.
  bool is_full() const { return full_ || errors_.size() > kMaxErrors; }
  std::size_t count() const { return errors_.size(); }

  /// Steps into a declared property, whose part of the data path is `path`; it must outlive the step.
  void enter_property(std::string_view path) { steps_.push_back({Step::Kind::property, 0, path}); }
  /// Steps into the item number `index` of an array.
  void enter_index(Index index) { steps_.push_back({Step::Kind::index, index, {}}); }
  /// Steps into the member whose key is the node `key`.
  void enter_key(Index key) { steps_.push_back({Step::Kind::key, key, {}}); }
  void leave() { steps_.pop_back(); }

  /// Sets what the schema paths begin with. Returns the previous prefix, which the caller restores.
  std::string_view set_schema_prefix(std::string_view prefix);

  // One function for each form of message. Not inlined, because the validator recurses and needs small stack frames.

  /// Adds an error without parameters.
  [[gnu::noinline]] void add_plain(const Schema& schema, std::string_view keyword, std::string_view message);
  [[gnu::noinline]] void add_type(const Schema& schema, bool is_empty_list);
  [[gnu::noinline]] void add_limit(const Schema& schema, bool maximum, const Limit& limit);
  [[gnu::noinline]] void add_multiple_of(const Schema& schema, const NumberRules& rules);
  /// Adds the error of a keyword such as `maxLength`: `should NOT be longer than 9 characters`. `more` is the verb of a
  /// maximum, `fewer` that of a minimum.
  [[gnu::noinline]] void add_count(const Schema& schema, std::string_view keyword, const Count& count,
                                   std::string_view more, std::string_view fewer, std::string_view unit);
  [[gnu::noinline]] void add_pattern(const Schema& schema, const std::string& pattern);
  [[gnu::noinline]] void add_format(const Schema& schema, const std::string& format);
  [[gnu::noinline]] void add_additional_items(const Schema& schema, std::size_t limit);
  [[gnu::noinline]] void add_equal_items(const Schema& schema, Index first, Index second);
  [[gnu::noinline]] void add_required(const Schema& schema, const Property& property);
  [[gnu::noinline]] void add_dependency(const Schema& schema, const ObjectRules& rules, const Dependency& dependency,
                                        Index missing);
  /// Adds the error of `propertyNames` for `name`. The errors from `first_error` on are its causes.
  [[gnu::noinline]] void add_property_name(const Schema& schema, std::string_view name, std::size_t first_error);
  [[gnu::noinline]] void add_additional_property(const Schema& schema, std::string_view name);
  [[gnu::noinline]] void add_const(const Schema& schema, const AnyTypeRules& rules);
  [[gnu::noinline]] void add_enum(const Schema& schema, const AnyTypeRules& rules);
  /// Adds the error of `oneOf`: no schema passes (`count` is 0), or the two of `passing` do.
  [[gnu::noinline]] void add_one_of(const Schema& schema, std::array<std::size_t, 2> passing, std::size_t count);
  /// Adds the error of `if`. `clause` is `then` or `else`.
  [[gnu::noinline]] void add_condition(const Schema& schema, std::string_view clause);
  /// Adds an error that AJV does not know, because JavaScript sees the last value only.
  [[gnu::noinline]] void add_duplicate_key(const Schema& schema, const std::string& name);

 private:
  struct Step {
    enum class Kind : std::uint8_t { property, index, key };
    Kind kind;
    Index number;           ///< The index, or the node of the key.
    std::string_view path;  ///< Property only: its part of the data path.
  };

  /// Adds an error. `path_end` follows the schema's own path in `schemaPath`.
  void add(const Schema& schema, std::string_view keyword, std::string_view path_end, std::string params,
           std::string message, std::string hint = {});
  std::string additional_property_hint(const Schema& schema, std::string_view name);
  std::string data_path() const;

  const CompiledSchema::Program& program_;
  const char* text_;
  const JsonNode* nodes_;
  std::vector<ValidationError>& errors_;
  std::size_t& name_searches_;
  bool full_ = false;
  std::size_t text_size_ = 0;  ///< Bytes of the errors' texts.
  std::size_t max_text_size_ = kMaxErrorTexts;
  std::vector<Step> steps_;
  std::string_view prefix_ = "#";
};

}  // namespace eventgate

#include "eventgate/schema/compiled_schema.hpp"

#include <algorithm>
#include <utility>

#include "declared_fields.hpp"
#include "defaults.hpp"
#include "duplicate_keys.hpp"
#include "keyword_errors.hpp"
#include "program.hpp"
#include "validation_scratch.hpp"
#include "validator.hpp"

namespace eventgate {

CompiledSchema::CompiledSchema(std::unique_ptr<const Program> program) : program_(std::move(program)) {}
CompiledSchema::~CompiledSchema() = default;

const std::string& CompiledSchema::uri() const { return program_->uri; }
const std::optional<std::string>& CompiledSchema::title() const { return program_->title; }

bool CompiledSchema::declares(const FieldPath& field) const { return declares_field(*program_, field); }

bool CompiledSchema::declares_parent_object(const FieldPath& field) const {
  return eventgate::declares_parent_object(*program_, field);
}

bool CompiledSchema::add_defaults(JsonValue event, EventPatch& patch) const {
  if (program_->root == kNone || !program_->schemas[program_->root].has_defaults) return false;
  return fill_defaults(*program_, program_->root, event, patch);
}

bool CompiledSchema::validate(JsonValue event, Validation& validation) const {
  validation.clear();
  ValidationScratch& scratch = thread_scratch();
  scratch.verdicts.clear();
  std::vector<std::uint32_t>& integers = validation.integers;
  if (validate_fast(*program_, event, integers, scratch)) {
    std::sort(integers.begin(), integers.end());
    integers.erase(std::unique(integers.begin(), integers.end()), integers.end());
    return true;
  }
  integers.clear();
  scratch.members.clear();
  scratch.values.clear();
  scratch.verdicts.clear();
  KeywordErrors errors(*program_, event, validation.errors, validation.name_searches);
  errors.raise_text_limit(4 * event.source().size());
  collect_errors(*program_, event, errors, scratch);
  if (has_duplicate_keys(event, scratch)) add_duplicate_key_errors(*program_, event, errors, scratch);
  return validation.valid();
}

}  // namespace eventgate

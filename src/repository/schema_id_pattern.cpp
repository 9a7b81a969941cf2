#include "schema_id_pattern.hpp"

#include <re2/re2.h>

#include <stdexcept>

#include "eventgate/schema/ecma_pattern.hpp"

namespace eventgate {

SchemaIdPattern::SchemaIdPattern(const std::string& option, const std::string& text) {
  const auto translated = re2_pattern(text);
  if (translated) re2_ = std::make_unique<RE2>(*translated, RE2::Quiet);
  if (!re2_ || !re2_->ok())
    throw std::runtime_error(".jsonschema-tools.yaml: " + option + ": '" + text + "': expected a regular expression" +
                             (translated ? "" : ", but it " + translated.error()));
}
SchemaIdPattern::~SchemaIdPattern() = default;
SchemaIdPattern::SchemaIdPattern(SchemaIdPattern&&) noexcept = default;
SchemaIdPattern& SchemaIdPattern::operator=(SchemaIdPattern&&) noexcept = default;

bool SchemaIdPattern::found_in(const std::string& id) const { return RE2::PartialMatch(id, *re2_); }

}  // namespace eventgate

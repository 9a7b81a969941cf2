#pragma once

#include <optional>
#include <string>
#include <vector>

namespace eventgate {

/// One validation error of an event, in the form of AJV 6.
struct ValidationError {
  std::string keyword;
  /// Place in the event as a JavaScript property path: `.meta.id`, `['a-b']`, `[0]`. Empty for the event itself.
  std::string data_path;
  /// Place in the schema: `#/properties/meta/properties/id/type`. Behind a `$ref` that AJV inlines it begins with the
  /// reference: `/fragment/x/1.0.0#/...`.
  std::string schema_path;
  std::string params;  ///< The text of a JSON object.
  std::string message;
  /// The name that an error inside `propertyNames` is about. AJV writes it as the last member.
  std::optional<std::string> property_name = std::nullopt;
  /// The property or the values that `message` leaves out and `params` has, as a phrase about the value at `data_path`:
  /// `has 'strem'; did you mean 'stream'?`. Empty: `message` names everything. No part of AJV's object.
  std::string hint = {};
};

/// Appends `error` as the JSON object that AJV makes.
void append_error(std::string& out, const ValidationError& error);

/// Returns AJV's errorsText with an empty data variable:
/// `'.test' should be string, '.meta.id' should match format "uuid"`.
std::string errors_text(const std::vector<ValidationError>& errors);

/// Returns the same with each hint in parentheses behind its error.
std::string named_errors_text(const std::vector<ValidationError>& errors);

/// Returns the first error with its hint, and how many there are besides. Returns an empty text without errors.
std::string first_error_text(const std::vector<ValidationError>& errors);

/// Returns the hints with the places that they are about: `'.meta' has 'strem'; did you mean 'stream'?`. Returns an
/// empty text if no error has one.
std::string errors_hint(const std::vector<ValidationError>& errors);

}  // namespace eventgate

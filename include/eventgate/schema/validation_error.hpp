#pragma once

#include <optional>
#include <string>
#include <vector>

namespace eventgate {

/// One thing wrong with an event, in AJV 6's form.
struct ValidationError {
  std::string keyword;
  std::string data_path;  ///< JavaScript property form: `.meta.id`, `['a-b']`, `[0]`; empty for the event itself.
  std::string
      schema_path;     ///< `#/properties/meta/properties/id/type`, or `/fragment/x/1.0.0#/...` behind a called `$ref`.
  std::string params;  ///< A JSON object's text.
  std::string message;
  /// Of an error inside `propertyNames`: the name it is about. AJV writes it last.
  std::optional<std::string> property_name = std::nullopt;
};

/// Appends `error` as AJV writes it, a JSON object.
void append_error(std::string& out, const ValidationError& error);

/// AJV's errorsText with an empty data variable: `'.test' should be string, '.meta.id' should match format "uuid"`.
std::string errors_text(const std::vector<ValidationError>& errors);

}  // namespace eventgate

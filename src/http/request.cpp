#include "eventgate/http/request.hpp"

#include <utility>

#include "eventgate/base/ascii.hpp"

namespace eventgate {

void Request::clear() {
  std::string text = std::move(text_);
  std::vector<Field> fields = std::move(fields_);
  text.clear();
  fields.clear();
  *this = Request();
  text_ = std::move(text);
  fields_ = std::move(fields);
}

std::optional<std::string_view> Request::field(std::string_view name) const {
  for (const Field& field : fields_)
    if (equals_ignoring_case(view(field.name), name)) return view(field.value);
  return std::nullopt;
}

std::optional<std::string> Request::combined_field(std::string_view name) const {
  std::optional<std::string> values;
  for (const Field& field : fields_) {
    if (!equals_ignoring_case(view(field.name), name)) continue;
    if (values) *values += ", ";
    values = values.value_or("").append(view(field.value));
  }
  return values;
}

}  // namespace eventgate

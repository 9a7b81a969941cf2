#include "request.hpp"

namespace eventgate {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

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

}  // namespace eventgate

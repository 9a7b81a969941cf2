#include "error_text_budget.hpp"

#include <algorithm>
#include <string_view>

#include "eventgate/base/utf8.hpp"

namespace eventgate {

namespace {

/// Bytes of an escaped character, at most: `\u0000`.
constexpr std::size_t kMaxEscape = 6;
/// Bytes of an error in a reply besides its texts: keys, quotes, and the separator in errorsText.
constexpr std::size_t kErrorFrame = 110;

/// Returns the bytes of `text` as the content of a JSON string.
std::size_t escaped_size(std::string_view text) {
  std::size_t size = text.size();
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '"' || byte == '\\' || (byte >= 0x08 && byte <= 0x0d && byte != 0x0b)) {
      ++size;
    } else if (byte < 0x20) {
      size += kMaxEscape - 1;
    }
  }
  return size;
}

std::size_t max_escaped_size(std::string_view text) { return kMaxEscape * text.size(); }

/// Returns the bytes of `error` in a reply. `size_of` returns the bytes of a string's content.
template <typename Size>
std::size_t error_size(const ValidationError& error, Size size_of) {
  std::size_t size = kErrorFrame + size_of(error.keyword) + 2 * size_of(error.data_path) + size_of(error.schema_path) +
                     error.params.size() + 2 * size_of(error.message);
  if (error.property_name) size += size_of(*error.property_name);
  if (!error.hint.empty()) size += size_of(error.hint) + size_of(error.data_path) + kErrorFrame;
  return size;
}

}  // namespace

ErrorTextBudget::ErrorTextBudget(std::size_t body_size, const ProcessResult& result)
    : result_(result), limit_(std::max(kPerBodyByte * body_size, kMinimum)) {}

void ErrorTextBudget::begin_exact_count() {
  is_exact_ = true;
  spent_ = spent_other_;
  for (const EventStatus& status : result_.invalid)
    for (const ValidationError& error : status.errors) spent_ += error_size(error, escaped_size);
  for (const EventStatus& status : result_.error) spent_ += escaped_size(status.message);
}

void ErrorTextBudget::limit_errors(std::vector<ValidationError>& errors) {
  if (!is_exact_) {
    std::size_t estimate = 0;
    for (const ValidationError& error : errors) estimate += error_size(error, max_escaped_size);
    if (spent_ + estimate <= limit_) {
      spent_ += estimate;
      return;
    }
    begin_exact_count();
  }
  for (std::size_t i = 0; i < errors.size(); ++i) {
    const std::size_t size = error_size(errors[i], escaped_size);
    if (spent_ + size <= limit_) {
      spent_ += size;
      continue;
    }
    if (errors[i].keyword == "maxErrors") return;  // it is short, and the list needs it
    errors.resize(i);
    errors.push_back({"maxErrors", "", "#", "{\"limit\":" + std::to_string(i) + "}", "has more errors"});
    return;
  }
}

void ErrorTextBudget::limit_message(std::string& message) {
  if (!is_exact_) {
    if (spent_ + max_escaped_size(message) <= limit_) {
      spent_ += max_escaped_size(message);
      return;
    }
    begin_exact_count();
  }
  const std::size_t size = escaped_size(message);
  if (spent_ + size <= limit_) {
    spent_ += size;
    return;
  }
  if (message.size() <= kShortMessage) return;
  message.resize(utf8_prefix(message, kShortMessage).size());
  message += " ... (cut)";
  message.shrink_to_fit();
}

bool ErrorTextBudget::spend(std::size_t bytes) {
  if (!is_exact_ && spent_ + bytes > limit_) begin_exact_count();
  if (spent_ + bytes > limit_) return false;
  spent_ += bytes;
  spent_other_ += bytes;
  return true;
}

}  // namespace eventgate

#include "error_texts.hpp"

#include <algorithm>

#include "eventgate/gate/event_gate.hpp"

namespace eventgate {

namespace {

/// Bytes of an escaped character, at most.
constexpr std::size_t kEscape = 6;
/// Bytes of an error in a reply besides its texts: keys, quotes, and what errorsText puts between two errors.
constexpr std::size_t kErrorFrame = 110;

/// Bytes of `text` as the content of a JSON string.
std::size_t escaped_size(std::string_view text) {
  std::size_t size = text.size();
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '"' || byte == '\\' || (byte >= 0x08 && byte <= 0x0d && byte != 0x0b)) {
      ++size;
    } else if (byte < 0x20) {
      size += kEscape - 1;
    }
  }
  return size;
}

/// Bytes of `error` in a reply, `size_of` giving those of a string's content.
template <typename Size>
std::size_t error_size(const ValidationError& error, Size size_of) {
  std::size_t size = kErrorFrame + size_of(error.keyword) + 2 * size_of(error.data_path) + size_of(error.schema_path) +
                     error.params.size() + 2 * size_of(error.message);
  if (error.property_name) size += size_of(*error.property_name);
  return size;
}

std::size_t most_size(std::string_view text) { return kEscape * text.size(); }

}  // namespace

ErrorTexts::ErrorTexts(std::size_t body, const ProcessResult& result)
    : result_(result), limit_(std::max(kPerBodyByte * body, kLeast)) {}

void ErrorTexts::begin_counting() {
  counting_ = true;
  used_ = others_;
  for (const EventStatus& status : result_.invalid)
    for (const ValidationError& error : status.errors) used_ += error_size(error, escaped_size);
  for (const EventStatus& status : result_.error) used_ += escaped_size(status.message);
}

void ErrorTexts::bound(std::vector<ValidationError>& errors) {
  if (!counting_) {
    std::size_t most = 0;
    for (const ValidationError& error : errors) most += error_size(error, most_size);
    if (used_ + most <= limit_) {
      used_ += most;
      return;
    }
    begin_counting();
  }
  for (std::size_t i = 0; i < errors.size(); ++i) {
    const std::size_t size = error_size(errors[i], escaped_size);
    if (used_ + size <= limit_) {
      used_ += size;
      continue;
    }
    if (errors[i].keyword == "maxErrors") return;  // it is short, and has to be there
    errors.resize(i);
    errors.push_back({"maxErrors", "", "#", "{\"limit\":" + std::to_string(i) + "}", "has more errors"});
    return;
  }
}

void ErrorTexts::bound(std::string& message) {
  if (!counting_) {
    if (used_ + most_size(message) <= limit_) {
      used_ += most_size(message);
      return;
    }
    begin_counting();
  }
  const std::size_t size = escaped_size(message);
  if (used_ + size <= limit_) {
    used_ += size;
    return;
  }
  if (message.size() <= kShortMessage) return;
  std::size_t kept = kShortMessage;
  while (kept > 0 && (static_cast<unsigned char>(message[kept]) & 0xc0) == 0x80) --kept;
  message.resize(kept);
  message += " ... (cut)";
  message.shrink_to_fit();
}

bool ErrorTexts::admit(std::size_t bytes) {
  if (!counting_ && used_ + bytes > limit_) begin_counting();
  if (used_ + bytes > limit_) return false;
  used_ += bytes;
  others_ += bytes;
  return true;
}

}  // namespace eventgate

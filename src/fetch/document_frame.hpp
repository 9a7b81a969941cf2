#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// Parts that the JSON reader and the YAML reader share: the stack of open objects and arrays, and parts of messages.

namespace eventgate {

/// An object or array whose end has not been read yet. A stack of frames, the outermost first, is the place in a
/// document.
struct DocumentFrame {
  nlohmann::ordered_json value;
  std::string key;  ///< Name of the member whose value comes next.
  bool has_key = false;
  std::unordered_map<std::string, std::size_t> members;  ///< From a name to its place in the object.
};

/// Returns `text` as valid UTF-8 and shortened, for a message.
std::string message_text(std::string_view text);

/// Returns the place of the offset `at` in `text`: `line 3, column 1`.
std::string line_and_column(std::string_view text, std::size_t at);

/// Appends the last token of the JSON pointer that `frame` adds.
void append_pointer_token(std::string& pointer, const DocumentFrame& frame);

/// Returns the JSON pointer of the value that is read next.
template <typename Frame>
std::string pointer_of(const std::vector<Frame>& frames) {
  std::string pointer;
  for (const DocumentFrame& frame : frames) append_pointer_token(pointer, frame);
  return pointer;
}

/// Returns the message for a document that is nested too deeply.
template <typename Frame>
std::string depth_message(std::size_t max_depth, const std::vector<Frame>& frames) {
  return "expected at most " + std::to_string(max_depth) + " levels of objects and arrays, found more at '" +
         message_text(pointer_of(frames)) + "'";
}

}  // namespace eventgate

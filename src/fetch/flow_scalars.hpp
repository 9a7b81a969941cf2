#pragma once

#include <string>
#include <string_view>

namespace eventgate {

/// `text`, with what yaml-cpp refuses inside `{}` and `[]`, though YAML allows it, written in another way: a plain key
/// whose `:` is followed by `{` or `[` (`{a:{b: 1}}`) gets a space there, plain text that holds a `?` gets quotes.
/// Lines stay what they are. For a text that yaml-cpp has refused: what it takes might be changed.
std::string mended_flow_scalars(std::string_view text);

/// `text`, with one more line end behind each folded scalar that keeps its line ends (`>+`) where yaml-cpp loses one:
/// after a line that is no further in than the scalar.
std::string mended_kept_scalars(std::string_view text);

}  // namespace eventgate

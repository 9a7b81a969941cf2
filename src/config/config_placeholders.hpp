#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config_section.hpp"

namespace eventgate {

/// The placeholders `{env(NAME)}` and `{env(NAME,default)}` of a config file. Blanks may stand inside the braces.
///
/// The text is parsed with a number in the place of each placeholder, so that a value cannot change the document around
/// it. Afterwards each value that has such a number gets the variable's value: as YAML reads it, as service-runner
/// does, where the placeholder is not in quotes. The value's own text is kept for options that want a text.
///
/// Immutable once built.
class Placeholders {
 public:
  /// Reads the variables of the environment.
  explicit Placeholders(const std::string& text);

  /// The text to parse.
  const std::string& text() const { return text_; }

  /// Puts the values into `parsed`, which is `text` of `file`, and their texts into `document.texts`. Warns of each
  /// variable that is used, not set (or empty) and has no default.
  void resolve(nlohmann::ordered_json& parsed, const std::string& file, ConfigDocument& document) const;

 private:
  struct Placeholder {
    std::string name;
    std::optional<std::string> value;  ///< The variable's, else the default.
  };
  struct Run;

  std::string text_;
  std::string mark_;  ///< Starts each number. The text does not have it.
  std::vector<Placeholder> placeholders_;
};

}  // namespace eventgate

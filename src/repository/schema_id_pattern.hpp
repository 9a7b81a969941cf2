#pragma once

#include <memory>
#include <string>

namespace re2 {
class RE2;
}

namespace eventgate {

/// A regular expression of `.jsonschema-tools.yaml`, in the syntax of JavaScript. Immutable.
class SchemaIdPattern {
 public:
  /// Throws std::runtime_error, which names `option`, if RE2 does not accept `text`.
  SchemaIdPattern(const std::string& option, const std::string& text);
  ~SchemaIdPattern();
  SchemaIdPattern(SchemaIdPattern&&) noexcept;
  SchemaIdPattern& operator=(SchemaIdPattern&&) noexcept;

  /// Returns true if it matches somewhere in `id`.
  bool found_in(const std::string& id) const;

 private:
  std::unique_ptr<re2::RE2> re2_;
};

}  // namespace eventgate

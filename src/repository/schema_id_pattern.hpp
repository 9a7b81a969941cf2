#pragma once

#include <memory>
#include <string>

namespace re2 {
class RE2;
}

namespace eventgate {

/// A regular expression of `.jsonschema-tools.yaml`, of JavaScript's kind, that is searched for in an `$id`.
class SchemaIdPattern {
 public:
  /// Throws std::runtime_error naming `option` if `text` is none that RE2 takes.
  SchemaIdPattern(const std::string& option, const std::string& text);
  ~SchemaIdPattern();
  SchemaIdPattern(SchemaIdPattern&&) noexcept;
  SchemaIdPattern& operator=(SchemaIdPattern&&) noexcept;

  bool found_in(const std::string& id) const;

 private:
  std::unique_ptr<re2::RE2> re2_;
};

}  // namespace eventgate

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/json/field_path.hpp"

namespace eventgate {

// Bounds of options: bytes, and the longest duration that makes sense.
inline constexpr std::size_t kKilobyte = 1024;
inline constexpr std::size_t kMegabyte = 1024 * kKilobyte;
inline constexpr std::size_t kGigabyte = 1024 * kMegabyte;
inline constexpr std::chrono::milliseconds kYear = std::chrono::hours(24 * 366);

/// Path of an option in the document, for example {"kafka", "conf", "acks"}.
using ConfigPath = std::vector<std::string>;

/// All config files merged into one document. It remembers in which file each value was written.
struct ConfigDocument {
  struct Origin {
    std::string file;
    std::string path;  ///< As written there, such as `services[0].conf.port`.
  };

  nlohmann::ordered_json values = nlohmann::ordered_json::object();
  std::map<ConfigPath, Origin> origins;
  /// The text of each value that a variable of the environment gave, by file and path in that file. `values` has it as
  /// YAML reads it.
  std::map<std::pair<std::string, std::string>, std::string> texts;
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
  std::vector<std::string> unset_variables;  ///< Those of `warnings` about variables of the environment.
  std::vector<std::pair<std::string, std::string>> options;

  /// Merges the document of `file` over the values read before. It may have the flat layout or service-runner's.
  void merge(const std::string& file, const nlohmann::ordered_json& document);

  /// Returns where the value at `path` was written. If it was not, returns the origin of the nearest object around it.
  Origin origin(const ConfigPath& path) const;

 private:
  void merge_value(nlohmann::ordered_json& into, const nlohmann::ordered_json& from, const ConfigPath& path,
                   const Origin& at);
  void merge_services(const std::string& file, const nlohmann::ordered_json& services);
};

/// Reads the options of one object of the document. Each function reads option `name` if it is present and marks it as
/// known. A bad value adds a problem to the document and leaves `out` unchanged.
class ConfigSection {
 public:
  using Json = nlohmann::ordered_json;
  using Milliseconds = std::chrono::milliseconds;

  /// The whole document.
  explicit ConfigSection(ConfigDocument& document) : document_(document), object_(&document.values) {}

  /// Returns the object at `name`, or an empty one.
  ConfigSection section(const std::string& name);
  /// Returns the object at `index` of the list `name`.
  ConfigSection element(const std::string& name, std::size_t index, const Json& object);

  bool empty() const { return object_ == nullptr || object_->empty(); }

  /// Returns the value and marks it as known. Returns null if it is missing, null or a blank string; `finish` warns of
  /// the last two.
  const Json* take(const std::string& name);
  /// As `take`, but a blank string is a value.
  const Json* take_text(const std::string& name);

  /// Adds a problem and returns true if `name` is present as null or a blank string, because the default would be
  /// dangerous there.
  bool refuse_nothing(const std::string& name, const std::string& expected);
  /// Returns the text of the environment variable that gave `value`, which is at `name`, or `value` itself. Text
  /// options want `00123` and `ab #cd` as they are.
  Json as_text(const std::string& name, const Json& value) const;
  /// Permits null without a warning, because a section whose members are all commented out is null.
  void allow_null(const std::string& name) { allowed_null_.insert(name); }
  /// Permits a blank string without a warning.
  void allow_blank(const std::string& name) { allowed_blank_.insert(name); }

  void flag(const std::string& name, bool& out);
  /// Refuses control characters.
  void text(const std::string& name, std::string& out);
  void texts(const std::string& name, std::vector<std::string>& out);
  void field(const std::string& name, FieldPath& out);
  void fields(const std::string& name, std::vector<FieldPath>& out);
  /// Reads a number of bytes, or `100kb`, `4mb`, `1gb`.
  void size(const std::string& name, std::size_t& out, std::size_t least, std::size_t most);
  /// Reads `250ms`, `10s`, `5m`, `1h` or `7d`. If `unit` is given, a bare number counts in it.
  void duration(const std::string& name, Milliseconds& out, Milliseconds least, Milliseconds most,
                std::optional<Milliseconds> unit = std::nullopt);
  template <typename Number>
  void number(const std::string& name, Number& out, std::uint64_t least, std::uint64_t most) {
    std::uint64_t value = static_cast<std::uint64_t>(out);
    whole_number(name, value, least, most);
    out = static_cast<Number>(value);
  }

  /// Marks options of the original that have no effect here.
  void ignore(std::initializer_list<const char*> names);

  void problem(const std::string& name, const Json& value, const std::string& expected);
  void warn(const std::string& name, const std::string& what);
  /// Records the value in effect for `eventgate check` and docs/config.md.
  void note(const std::string& name, const Json& value);

  /// Warns of each unknown key, and of each option that is null or a blank string and so counts as not set.
  void finish();

 private:
  ConfigSection(ConfigDocument& document, ConfigPath path, const Json* object)
      : document_(document), path_(std::move(path)), object_(object) {}

  void whole_number(const std::string& name, std::uint64_t& out, std::uint64_t least, std::uint64_t most);
  ConfigPath path_of(const std::string& name) const;

  ConfigDocument& document_;
  ConfigPath path_;
  const Json* object_;
  std::set<std::string> known_;          ///< Options.
  std::set<std::string> allowed_null_;   ///< Null without a warning.
  std::set<std::string> allowed_blank_;  ///< A blank string without a warning.
  std::set<std::string> refused_;        ///< With a problem.
  std::set<std::string> ignored_;        ///< Never proposed for a misspelt key.
};

/// Returns `duration` in the largest unit that holds it whole, such as `90s`.
std::string duration_text(std::chrono::milliseconds duration);

}  // namespace eventgate

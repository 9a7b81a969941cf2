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

/// The keys of a value, outermost first.
using ConfigPath = std::vector<std::string>;

/// The merged files: flat keys, and where each value was written.
struct ConfigDocument {
  struct Origin {
    std::string file;
    std::string path;  ///< As written there, such as `services[0].conf.port`.
  };

  nlohmann::ordered_json values = nlohmann::ordered_json::object();
  std::map<ConfigPath, Origin> origins;
  /// The texts of values that came from variables of the environment, by file and by path as written there. `values`
  /// has them as YAML reads them.
  std::map<std::pair<std::string, std::string>, std::string> texts;
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
  std::vector<std::pair<std::string, std::string>> options;

  /// Merges `file`'s document, in either layout, over what is there.
  void merge(const std::string& file, const nlohmann::ordered_json& document);

  /// Where the value at `path` was written, or else the nearest that holds it.
  Origin origin(const ConfigPath& path) const;

 private:
  void merge_value(nlohmann::ordered_json& into, const nlohmann::ordered_json& from, const ConfigPath& path,
                   const Origin& at);
  void merge_services(const std::string& file, const nlohmann::ordered_json& services);
};

/// Reads the options of one object of the document. Each function reads `name` if it is there and adds it to the known
/// keys; a value that is no good adds a problem and leaves `out` as it is.
class ConfigSection {
 public:
  using Json = nlohmann::ordered_json;
  using Milliseconds = std::chrono::milliseconds;

  /// The whole document.
  explicit ConfigSection(ConfigDocument& document) : document_(document), object_(&document.values) {}

  /// The object at `name`, perhaps empty.
  ConfigSection section(const std::string& name);
  /// An object that is an element of a list.
  ConfigSection element(const std::string& name, std::size_t index, const Json& object);

  bool empty() const { return object_ == nullptr || object_->empty(); }

  /// The value, noted as known; null if there is none, or only null or a blank string: `finish` warns of these.
  const Json* take(const std::string& name);
  /// The same, but a blank string is a value.
  const Json* take_text(const std::string& name);

  /// A problem if `name` is there as null or as a blank string: nothing sensible is meant by that, and to go on with
  /// the default would be dangerous. Returns whether it is one.
  bool refuse_nothing(const std::string& name, const std::string& expected);
  /// `value`, which is at `name`, as the text that an option of text wants: that of the variable of the environment
  /// that it came from, else itself.
  Json as_text(const std::string& name, const Json& value) const;
  /// `name` may be null without a warning, as a section is whose members are all commented out.
  void allow_null(const std::string& name) { allowed_null_.insert(name); }
  /// `name` may be a blank string without a warning.
  void allow_blank(const std::string& name) { allowed_blank_.insert(name); }

  void flag(const std::string& name, bool& out);
  /// Without control characters.
  void text(const std::string& name, std::string& out);
  void texts(const std::string& name, std::vector<std::string>& out);
  void field(const std::string& name, FieldPath& out);
  void fields(const std::string& name, std::vector<FieldPath>& out);
  /// Bytes, or `100kb`, `4mb`, `1gb`.
  void size(const std::string& name, std::size_t& out, std::size_t least, std::size_t most);
  /// `250ms`, `10s`, `5m`, `1h`, `7d`, or a number of `unit`s if there is one.
  void duration(const std::string& name, Milliseconds& out, Milliseconds least, Milliseconds most,
                std::optional<Milliseconds> unit = std::nullopt);
  template <typename Number>
  void number(const std::string& name, Number& out, std::uint64_t least, std::uint64_t most) {
    std::uint64_t value = static_cast<std::uint64_t>(out);
    whole_number(name, value, least, most);
    out = static_cast<Number>(value);
  }

  /// Known to the original only: read and ignored.
  void ignore(std::initializer_list<const char*> names);

  void problem(const std::string& name, const Json& value, const std::string& expected);
  void warn(const std::string& name, const std::string& what);
  /// Adds the option to those of the whole configuration.
  void note(const std::string& name, const Json& value);

  /// Warns of each key that nothing has asked for, and of each option that is null or a blank string: it counts as not
  /// set.
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

/// The text of a duration, in the largest unit that holds it whole.
std::string duration_text(std::chrono::milliseconds duration);

}  // namespace eventgate

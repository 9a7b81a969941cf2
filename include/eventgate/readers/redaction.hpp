#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/json/field_path.hpp"
#include "eventgate/json/json_nodes.hpp"

namespace eventgate {

/// Option `mediawiki_redacted_pages`: a domain, and the titles of its pages whose editors are not shown.
using RedactedPages = std::vector<std::pair<std::string, std::vector<std::string>>>;

/// Returns `title` as it is compared: without blanks and underscores at its ends, each run of them inside as one `_`,
/// in lower case (Unicode, one character to one). Thread-safe.
std::string redaction_title(std::string_view title);

/// What has to change in an event.
struct RedactionEdits {
  std::vector<std::uint32_t> removed;  ///< Nodes of keys whose members go, each once, ascending.
  /// Nodes of values, ascending, with the JSON text in their place. The texts are those of the rules.
  std::vector<std::pair<std::uint32_t, std::string_view>> replaced;

  void clear() {
    removed.clear();
    replaced.clear();
  }
};

/// What is removed from the events of a topic before they are sent: `redact` of its streams, and
/// `mediawiki_redacted_pages`.
///
///     redact:
///       - fields: [performer, user]
///         when: {meta.domain: [ru.wikipedia.org], page.page_title: [Secret page]}
///
/// A rule holds for an event if each path of `when` has one of its values; without `when` it always holds. Values are
/// compared as titles are. A field that occurs twice is redacted twice, and a condition holds if one of two does.
///
/// Immutable.
class RedactionRules {
 public:
  struct Rule {
    std::vector<FieldPath> fields;
    std::optional<std::string> replacement;  ///< JSON text in place of each value. Nullopt: the members are removed.
    std::vector<std::pair<FieldPath, std::vector<std::string>>> when;  ///< Values as `redaction_title` writes them.
  };

  /// `withholds`: a rule of the stream cannot be used, so none of its events is sent.
  RedactionRules(std::vector<Rule> rules, const RedactedPages& pages, bool withholds = false);

  /// Finds what has to change in `event`. Returns false if the event must not be sent, because a rule cannot be
  /// applied: the value at a path of `when` is an array or an object.
  bool apply(JsonValue event, RedactionEdits& edits) const;

  /// Rules that redact alike have the same key.
  const std::string& key() const { return key_; }

 private:
  bool apply_pages(JsonValue event, RedactionEdits& edits) const;

  std::vector<Rule> rules_;
  RedactedPages pages_;
  bool withholds_;
  std::string key_;
};

/// The rules of a stream config's `redact`.
struct ParsedRedaction {
  std::vector<RedactionRules::Rule> rules;
  std::string problem;  ///< Says what was expected. Empty: every rule can be used.
};

/// Reads `redact` of a stream config: a list of objects with `fields` (paths), and as wanted `when` (path to a value or
/// a list of values), `remove: true`, or `replace` (any JSON value). Thread-safe.
ParsedRedaction parse_redaction(const nlohmann::ordered_json& redact);

}  // namespace eventgate

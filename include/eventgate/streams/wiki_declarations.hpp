#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/streams/stream_configs.hpp"

// Stream declarations per wiki, as MediaWiki's `wgEventStreams` holds them:
//
//     default:   {test.event: {schema_title: test, sample: {unit: session, rate: 1}}}
//     +enwiki:   {test.event: {sample: {rate: 0.1}}}        laid over `default` for enwiki
//     +large:    {...}                                      laid over `default` for the wikis of the group `large`
//     frwiki:    {...}                                      all that frwiki gets
//
// A document without `default` and without a key that begins with `+` declares streams by name, for every wiki alike.

namespace eventgate {

/// The groups of each wiki, in the order in which they are looked for: option `stream_config_groups`.
using WikiGroups = std::map<std::string, std::vector<std::string>, std::less<>>;

/// Returns true for 1 to 64 of `a-z`, `0-9`, `_` and `-`.
bool is_wiki_name(std::string_view name);

/// Returns true if `document` holds settings per wiki: it has the key `default`, or one that begins with `+`.
bool is_per_wiki(const nlohmann::ordered_json& document);

/// Returns `over` laid over `under`, object by object: other values of `over`, null and false among them, replace those
/// of `under`. Members of `over` come first. PHP writes an object without members as `[]`, so `[]` over an object
/// changes nothing.
nlohmann::ordered_json laid_over(const nlohmann::ordered_json& over, const nlohmann::ordered_json& under);

/// Returns the keys of the per-wiki `setting` that count for `wiki`, those that win first: `wiki` alone; else `+wiki`,
/// then the groups, of which the first without `+` ends the search, then `default`. Keys whose values are no objects
/// are left out.
std::vector<std::string> wiki_layers(const nlohmann::ordered_json& setting, const std::string& wiki,
                                     const std::vector<std::string>& groups);

/// Returns the values at `wiki_layers`, earlier ones laid over later ones, or null if there are none.
nlohmann::ordered_json setting_of_wiki(const nlohmann::ordered_json& setting, const std::string& wiki,
                                       const std::vector<std::string>& groups);

/// The documents of `stream_config_uri` as one: what each wiki gets.
///
/// Immutable, so every thread may read it.
class WikiDeclarations {
 public:
  /// Keys of a per-wiki document. It bounds the sets of declarations that are kept.
  static constexpr std::size_t kMaxKeys = 1000;

  /// Merges `documents`, later ones over earlier ones, key by key and stream by stream. A document by name counts as
  /// `default` if another is per wiki. `default_settings`, an object or one per wiki, is laid under every stream.
  /// Throws std::invalid_argument if a document is neither an object nor a list of objects with `stream`, or has more
  /// than kMaxKeys keys of wikis and groups.
  explicit WikiDeclarations(const std::vector<nlohmann::ordered_json>& documents);
  WikiDeclarations(const std::vector<nlohmann::ordered_json>& documents, const nlohmann::ordered_json& default_settings,
                   WikiGroups groups);
  ~WikiDeclarations();
  WikiDeclarations(WikiDeclarations&&) noexcept;

  /// Returns the declarations of `wiki` by name. A wiki that no key names gets `default` and what its groups have.
  nlohmann::ordered_json of(const std::string& wiki) const;

  /// Returns a text that is the same for wikis that get the same declarations.
  std::string layers_text(const std::string& wiki) const;

  /// Returns the wikis that a key or `stream_config_groups` names, sorted: each may get other declarations.
  std::vector<std::string> wikis() const;

  /// Returns the keys that are neither `default` nor a known wiki or group: the groups that no wiki has. `known` are
  /// further wikis. A key that ends with `wiki` counts as a wiki.
  std::vector<std::string> orphan_keys(const std::vector<std::string>& known) const;

  /// Returns the keys and list entries that cannot be used. They declare nothing.
  const std::vector<UnusableEntry>& problems() const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace eventgate

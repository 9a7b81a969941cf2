#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/streams/stream_configs.hpp"
#include "eventgate/streams/wiki_declarations.hpp"

// The stream configs as clients ask for them, in the form of MediaWiki's extension EventStreamConfig:
//
//     {"test.event": {"schema_title": "test", ..., "stream": "test.event", "topics": ["eqiad.test.event"]}}

namespace eventgate {

/// A condition on a setting: `canary_events_enabled=1`, or `producers[eventgate][use_edge_uniques]=1`.
struct StreamConstraint {
  std::vector<std::string> path;  ///< The setting, then the keys inside it.
  std::string value;
};

/// Which streams a client asks for.
struct StreamSelection {
  std::optional<std::vector<std::string>> streams;  ///< Nullopt: all.
  std::vector<StreamConstraint> constraints;        ///< Each must be met.
};

/// The streams of one wiki, written in advance.
///
/// Immutable, so every thread may read it.
class WikiStreams {
 public:
  /// Bytes of a stream's name. No stream has a longer one, because Kafka's topics have no longer names.
  static constexpr std::size_t kMaxName = 249;

  ~WikiStreams();

  /// Returns the selected streams as JSON text. Each is keyed by the asked name, or by the declared one if no name is
  /// asked for. A name is that of an entry, else it is looked for by the regexes. Each asked name that is not declared
  /// is added to `unknown`.
  std::string json(const StreamSelection& selection, std::vector<std::string>& unknown) const;

 private:
  friend class StreamCatalog;
  WikiStreams();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The streams of every wiki. Wikis that get the same declarations share them.
///
/// Immutable, so every thread may read it. A refresh makes a new one.
class StreamCatalog {
 public:
  explicit StreamCatalog(const WikiDeclarations& declarations);
  ~StreamCatalog();

  /// Returns the streams of `wiki`. They live as long as this. A wiki that no key names gets those of `default`.
  const WikiStreams& of(std::string_view wiki) const;

  /// Returns the entries of any wiki that are not served, because their regex is bad or they are no objects.
  const std::vector<UnusableEntry>& unusable_entries() const { return unusable_; }

 private:
  std::map<std::string, std::shared_ptr<const WikiStreams>, std::less<>> by_wiki_;
  std::shared_ptr<const WikiStreams> default_;
  std::vector<UnusableEntry> unusable_;
};

}  // namespace eventgate

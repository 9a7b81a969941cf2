#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/json/json_nodes.hpp"
#include "eventgate/legacy/legacy_options.hpp"
#include "eventgate/telemetry/ledger.hpp"

// From the query of a beacon to its capsule: the object around the event, which names its schema.
//
//     ?%7B%22event%22%3A%7B...%7D%2C%22schema%22%3A%22Test%22%2C%22revision%22%3A15047841%7D;
//     {"event": {...}, "schema": "Test", "revision": 15047841, "webHost": "en.wikipedia.org", "wiki": "enwiki"}

namespace eventgate {

/// Why a beacon is no event.
struct BeaconRefusal {
  FailureCause cause;
  std::string message;  ///< What was expected and where.
  std::string text;     ///< The decoded text, or the query as sent if that is no UTF-8.
};

/// The capsule of a beacon.
struct Capsule {
  std::string text;  ///< Decoded UTF-8, with kJsonPadding readable bytes behind it.
  JsonNodes nodes;   ///< The nodes of `text`. The root is an object.

  JsonValue root() const { return nodes.root(); }
};

/// Reads the capsule of a beacon from its query into `capsule`, which keeps its memory. Returns nullopt, or why the
/// query holds none: `legacy_empty`, `legacy_truncated`, `legacy_malformed` or `legacy_not_object`. Not recursive,
/// O(size of `query`).
std::optional<BeaconRefusal> read_capsule(std::string_view query, const JsonLimits& limits, Capsule& capsule);

/// The schema that stands in the place of the one that a capsule names.
struct LegacyTarget {
  std::string name;  ///< Of the wiki's schema.
  std::string schema_uri;
  bool is_listed = false;  ///< `legacy.schemas` has the name itself.
};

/// Returns the schema that `schemas` have for a capsule, or why there is none: `legacy_no_schema`,
/// `legacy_unknown_schema` or `legacy_unknown_revision`. The text of the refusal is empty.
boost::system::result<LegacyTarget, BeaconRefusal> find_target(JsonValue capsule, const LegacyOptions& options);

/// Returns the schema that a text names by `"schema":"Name"`, wherever that stands, if `schemas` have it. The text need
/// not be JSON: it may be cut. `schema_uri` is empty if the revision decides it.
std::optional<LegacyTarget> find_named_schema(std::string_view text, const LegacyOptions& options);

/// Returns `/analytics/legacy/NAME/VERSION`, the name in lower case.
std::string legacy_schema_uri(std::string_view name, std::string_view version);

/// Returns `eventlogging_NAME`.
std::string legacy_stream(std::string_view name);

/// Returns true if `host` equals one of `own_hosts` or lies below it. Case and a port do not count. Pure.
bool is_own_host(std::string_view host, const std::vector<std::string>& own_hosts);

}  // namespace eventgate

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "eventgate/legacy/capsule.hpp"
#include "eventgate/schema/compiled_schema.hpp"

namespace eventgate {

/// What the gate adds to the event of a beacon.
struct BeaconFacts {
  std::chrono::system_clock::time_point received_at;
  std::uint64_t number;                  ///< Of the beacon, since the start.
  std::string_view host_json;            ///< The gate's host name, as JSON text.
  std::string_view address = {};         ///< Of the client. Empty: it is not stored.
  std::string_view useragent_json = {};  ///< Empty: there is none.
  /// The schema that `target` names. A field that it does not declare is not added. Null: it is not known, and every
  /// field is added.
  const CompiledSchema* schema = nullptr;
};

/// Returns the event of a capsule as JSON text: the members of the capsule that stay, and what the gate adds. O(size of
/// the capsule). Thread-safe.
std::string make_event(const Capsule& capsule, const LegacyTarget& target, const BeaconFacts& facts);

/// Returns the user agent that a server passes on in a capsule, or an empty text. It refers to the capsule or to
/// `buffer`.
std::string_view capsule_user_agent(JsonValue capsule, std::string& buffer);

/// Returns the host that a capsule comes from, or an empty text. It refers to the capsule or to `buffer`.
std::string_view capsule_host(JsonValue capsule, std::string& buffer);

}  // namespace eventgate

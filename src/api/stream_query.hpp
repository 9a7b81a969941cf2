#pragma once

#include <boost/system/result.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "eventgate/http/query.hpp"
#include "eventgate/streams/stream_catalog.hpp"

// The query of MediaWiki's `action=streamconfigs`: https://www.mediawiki.org/wiki/Extension:EventStreamConfig

namespace eventgate {

/// Streams and constraints of a request, each.
inline constexpr std::size_t kMaxStreamQueryValues = 250;

struct StreamQuery {
  StreamSelection selection;
  std::optional<std::string> wiki;  ///< Nullopt: that of the request's Host.
};

/// An error in the form of MediaWiki's Action API, which sends it with status 200.
struct StreamQueryError {
  std::string_view code;  ///< Such as `toomanyvalues`.
  std::string info;
};

/// Reads `streams`, `constraints` and `wiki`. Other parameters are ignored. Of a parameter that is repeated, the last
/// one counts, as in PHP.
boost::system::result<StreamQuery, StreamQueryError> parse_stream_query(const Query& query);

/// Returns what is wrong with the parameters of the Action API itself: `action`, `format` and `formatversion`.
std::optional<StreamQueryError> action_error(const Query& query);

/// Returns `{"error": {...}}`.
std::string error_json(const StreamQueryError& error);

}  // namespace eventgate

#pragma once

#include <boost/system/result.hpp>
#include <string>

#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {

/// The answer to a POST.
struct HttpAnswer {
  unsigned status = 0;
  std::string body;
};

/// Posts `body` as `application/json` to the http(s) URI `uri`. Returns the answer, whatever its status, or why there
/// is none. Follows no redirects. Throws std::invalid_argument if `options` cannot be used. Blocks for at most
/// `fetch_timeout`.
boost::system::result<HttpAnswer, ReadError> post_json(const std::string& uri, const std::string& body,
                                                       const UriReaderOptions& options);

}  // namespace eventgate

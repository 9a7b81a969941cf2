#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {

/// The body of an HTTP answer without its content coding (RFC 9110, 8.4.1). `coding` is the value of
/// `Content-Encoding`: empty, `identity`, `gzip`, `x-gzip` or `deflate`, in any case.
///
/// Returns `invalid` if the coding is another, the body is not what the coding says, or more than `max_size` bytes come
/// out. It never holds more than twice that. Thread-safe.
boost::system::result<std::string, ReadError> inflated(std::string_view coding, std::string body, std::size_t max_size);

}  // namespace eventgate

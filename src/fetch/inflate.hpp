#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {

/// Returns the body of an HTTP response without its content coding (RFC 9110, section 8.4.1). `coding` is the value of
/// `Content-Encoding`: empty, `identity`, `gzip`, `x-gzip` or `deflate`, in any case of letters.
///
/// Returns `invalid` if the coding is another, if the body is not in this coding, or if the result has more than
/// `max_size` bytes. Takes at most twice `max_size` bytes of memory. Thread-safe.
boost::system::result<std::string, ReadError> inflated(std::string_view coding, std::string body, std::size_t max_size);

}  // namespace eventgate

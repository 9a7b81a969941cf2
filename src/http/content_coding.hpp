#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace eventgate {

/// A Content-Encoding that we read.
enum class ContentCoding : std::uint8_t { identity, gzip, deflate, zstd };

/// The coding named `name` (RFC 9110, section 8.4; any case; empty is `identity`). Nothing for others, and for lists.
std::optional<ContentCoding> content_coding(std::string_view name);

/// Why a body could not be decoded.
enum class DecodeError : std::uint8_t {
  malformed,  ///< Not in this coding, cut off, or with bytes behind its end that are no padding.
  too_large,  ///< More than `max_size` bytes when decoded.
};

/// Decodes `body`, several members or frames one behind the other included, into `out`, which gets room for
/// `kJsonPadding` bytes more. `deflate` may lack its zlib wrapper, as some clients send it. NUL
/// bytes behind the end of gzip and deflate are padding. Stops as soon as there are
/// more than `max_size` bytes. Its memory is bounded by that and by 8 MB for zstd's window. Thread-safe.
std::optional<DecodeError> decode_body(ContentCoding coding, std::string_view body, std::size_t max_size,
                                       std::string& out);

}  // namespace eventgate

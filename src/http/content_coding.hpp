#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Content codings (RFC 9110, section 8.4): decoding of request bodies, compression of response bodies. Every function
// is pure, so any thread may call it.

namespace eventgate {

/// A Content-Encoding that requests may have.
enum class ContentCoding : std::uint8_t { identity, gzip, deflate, zstd };

/// Returns the coding named `name`, in any case. Empty is `identity`. Returns nullopt for other names, and for lists.
std::optional<ContentCoding> content_coding(std::string_view name);

/// The reason why a body cannot be decoded.
enum class DecodeError : std::uint8_t {
  malformed,  ///< Not in this coding, truncated, or followed by bytes that are no padding.
  too_large,  ///< More than `max_size` bytes after decoding.
};

/// Decodes `body` into `out`, which gets room for `kJsonPadding` more bytes. Returns nullopt on success.
///
/// Several gzip members or zstd frames in a row are one body. A deflate body may lack its zlib wrapper, as some clients
/// send it. NUL bytes at the end of gzip and deflate are padding. Decoding stops at more than `max_size` bytes, which
/// bounds its memory, with 8 MB for the window of zstd.
std::optional<DecodeError> decode_body(ContentCoding coding, std::string_view body, std::size_t max_size,
                                       std::string& out);

/// Returns the coding for a response to `Accept-Encoding: accept`: `gzip`, `deflate`, or empty for neither.
std::string_view accepted_coding(std::string_view accept);

/// How much work a compressed response is worth.
enum class Compression : std::uint8_t { fast, small };

/// Returns `text` in the coding `gzip` or `deflate`, or nullopt if zlib fails.
std::optional<std::string> compress_body(std::string_view text, std::string_view coding,
                                         Compression compression = Compression::fast);

}  // namespace eventgate

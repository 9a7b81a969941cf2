#include "content_coding.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "eventgate/base/ascii.hpp"
#include "eventgate/json/json_nodes.hpp"

namespace eventgate {

namespace {

/// Base-2 logarithm of the largest zstd window: 8 MB, which RFC 8878 recommends every decoder to support.
constexpr int kZstdWindowLog = 23;

/// Grows `out`, which has `used` bytes of data. It gets at most one byte more than `max_size`, which shows that the
/// body is too large. Returns false if it has that byte already.
bool grow(std::string& out, std::size_t used, std::size_t max_size) {
  if (used > max_size) return false;
  const std::size_t size = std::min(std::max<std::size_t>(used * 2, 4096), max_size + 1);
  out.reserve(size + kJsonPadding);
  out.resize(size);
  return true;
}

/// Returns the window bits for zlib's inflateInit2. A deflate body may lack its zlib wrapper.
int window_bits(ContentCoding coding, std::string_view body) {
  if (coding == ContentCoding::gzip) return 15 + 16;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(body[i]); };
  const bool wrapped = body.size() >= 2 && (byte(0) & 0x0f) == Z_DEFLATED && (byte(0) * 256 + byte(1)) % 31 == 0;
  return wrapped ? 15 : -15;
}

/// Returns true if the bytes behind a member are all NUL. gzip(1) and others take them for padding.
bool is_padding(std::string_view rest) { return rest.find_first_not_of('\0') == std::string_view::npos; }

std::optional<DecodeError> inflate_body(ContentCoding coding, std::string_view body, std::size_t max_size,
                                        std::string& out) {
  z_stream stream{};
  if (inflateInit2(&stream, window_bits(coding, body)) != Z_OK) return DecodeError::malformed;
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  std::size_t used = 0;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  // zlib counts bytes in 32 bits. The config allows at most 1 GB for `max_body_size`.
  if (body.size() > std::numeric_limits<uInt>::max() || max_size >= std::numeric_limits<uInt>::max())
    return DecodeError::too_large;
  stream.avail_in = static_cast<uInt>(body.size());
  for (;;) {
    if (used == out.size() && !grow(out, used, max_size)) return DecodeError::too_large;
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.avail_out = static_cast<uInt>(out.size() - used);
    const int result = inflate(&stream, Z_NO_FLUSH);
    used = out.size() - stream.avail_out;
    if (used > max_size) return DecodeError::too_large;
    if (result == Z_STREAM_END) {
      if (is_padding(body.substr(body.size() - stream.avail_in))) break;
      if (coding != ContentCoding::gzip || inflateReset(&stream) != Z_OK) return DecodeError::malformed;
      continue;
    }
    if (result != Z_OK) return DecodeError::malformed;
    if (stream.avail_in == 0 && stream.avail_out != 0) return DecodeError::malformed;  // cut off
  }
  out.resize(used);
  return std::nullopt;
}

std::optional<DecodeError> decompress_zstd(std::string_view body, std::size_t max_size, std::string& out) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  if (!context || ZSTD_isError(ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kZstdWindowLog)))
    return DecodeError::malformed;
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  std::size_t used = 0;
  for (;;) {
    if (used == out.size() && !grow(out, used, max_size)) return DecodeError::too_large;
    ZSTD_outBuffer to{out.data(), out.size(), used};
    const std::size_t result = ZSTD_decompressStream(context.get(), &to, &in);
    if (ZSTD_isError(result)) return DecodeError::malformed;
    used = to.pos;
    if (used > max_size) return DecodeError::too_large;
    if (in.pos < in.size) continue;
    if (result == 0) break;
    if (to.pos < to.size) return DecodeError::malformed;  // cut off
  }
  out.resize(used);
  return std::nullopt;
}

/// Returns true if the parameters of an element of Accept-Encoding have `q=0` (RFC 9110, section 12.4.2).
bool is_refused(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::size_t end = parameters.find(';');
    const std::string_view parameter = trim(parameters.substr(0, end));
    parameters.remove_prefix(end == std::string_view::npos ? parameters.size() : end + 1);
    if (parameter.size() > 2 && (parameter[0] == 'q' || parameter[0] == 'Q') && parameter[1] == '=')
      return parameter.find_first_not_of("0.", 2) == std::string_view::npos;
  }
  return false;
}

}  // namespace

std::optional<ContentCoding> content_coding(std::string_view name) {
  if (name.empty() || equals_ignoring_case(name, "identity")) return ContentCoding::identity;
  if (equals_ignoring_case(name, "gzip") || equals_ignoring_case(name, "x-gzip")) return ContentCoding::gzip;
  if (equals_ignoring_case(name, "deflate")) return ContentCoding::deflate;
  if (equals_ignoring_case(name, "zstd")) return ContentCoding::zstd;
  return std::nullopt;
}

std::optional<DecodeError> decode_body(ContentCoding coding, std::string_view body, std::size_t max_size,
                                       std::string& out) {
  out.clear();
  switch (coding) {
    case ContentCoding::identity:
      if (body.size() > max_size) return DecodeError::too_large;
      out.reserve(body.size() + kJsonPadding);
      out = body;
      return std::nullopt;
    case ContentCoding::gzip:
    case ContentCoding::deflate:
      return inflate_body(coding, body, max_size, out);
    case ContentCoding::zstd:
      return decompress_zstd(body, max_size, out);
  }
  return DecodeError::malformed;
}

std::string_view accepted_coding(std::string_view accept) {
  bool gzip = false;
  bool deflate = false;
  bool any = false;
  bool no_gzip = false;
  while (!accept.empty()) {
    const std::size_t end = accept.find(',');
    const std::string_view element = accept.substr(0, end);
    accept.remove_prefix(end == std::string_view::npos ? accept.size() : end + 1);
    const std::size_t semicolon = element.find(';');
    const std::string_view coding = trim(element.substr(0, semicolon));
    const bool accepted = semicolon == std::string_view::npos || !is_refused(element.substr(semicolon + 1));
    if (equals_ignoring_case(coding, "gzip") || equals_ignoring_case(coding, "x-gzip")) {
      gzip = accepted;
      no_gzip = !accepted;
    } else if (equals_ignoring_case(coding, "deflate")) {
      deflate = accepted;
    } else if (coding == "*") {
      any = accepted;
    }
  }
  if (gzip || (any && !no_gzip)) return "gzip";
  return deflate ? "deflate" : std::string_view();
}

std::optional<std::string> compress_body(std::string_view text, std::string_view coding, Compression compression) {
  z_stream stream{};
  const int level = compression == Compression::small ? Z_BEST_COMPRESSION : Z_BEST_SPEED;
  if (deflateInit2(&stream, level, Z_DEFLATED, coding == "gzip" ? 15 + 16 : 15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return std::nullopt;
  std::string out(deflateBound(&stream, text.size()), '\0');
  // zlib counts bytes in 32 bits. A longer body is sent uncompressed.
  if (out.size() > std::numeric_limits<uInt>::max() || text.size() > std::numeric_limits<uInt>::max()) {
    deflateEnd(&stream);
    return std::nullopt;
  }
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) return std::nullopt;
  return out;
}

}  // namespace eventgate

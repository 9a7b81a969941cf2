#include "inflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <utility>

namespace eventgate {
namespace {

constexpr int kGzip = 15 + 16;  // window bits of zlib's inflateInit2, and what says gzip
constexpr int kZlib = 15;
constexpr int kRaw = -15;

ReadError invalid(std::string message) { return {ReadError::Kind::invalid, std::move(message)}; }

bool equals(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a | 0x20) : a) == b; });
}

/// `deflate` is the format of zlib (RFC 9110, section 8.4.1.2), but some hosts send the data without its header.
int deflate_bits(std::string_view body) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(body[i]); };
  const bool wrapped = body.size() >= 2 && (byte(0) & 0x0FU) == Z_DEFLATED && (byte(0) * 256U + byte(1)) % 31 == 0;
  return wrapped ? kZlib : kRaw;
}

}  // namespace

boost::system::result<std::string, ReadError> inflated(std::string_view coding, std::string body,
                                                       std::size_t max_size) {
  if (coding.empty() || equals(coding, "identity")) return body;
  const bool gzip = equals(coding, "gzip") || equals(coding, "x-gzip");
  if (!gzip && !equals(coding, "deflate")) {
    return invalid("expected an answer with the Content-Encoding gzip or deflate, or without one");
  }
  if (body.size() > std::numeric_limits<uInt>::max()) return invalid("expected a shorter answer");
  z_stream stream{};
  if (inflateInit2(&stream, gzip ? kGzip : deflate_bits(body)) != Z_OK) return invalid("zlib has no memory");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(body.data());
  stream.avail_in = static_cast<uInt>(body.size());
  std::string text;
  std::array<char, 16384> piece;
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    const int result = inflate(&stream, Z_NO_FLUSH);
    const std::size_t made = piece.size() - stream.avail_out;
    if (made > max_size - text.size()) {
      return invalid("expected at most " + std::to_string(max_size) + " bytes once inflated");
    }
    text.append(piece.data(), made);
    if (result == Z_STREAM_END) {
      // gzip may have further members (RFC 1952, section 2.2). NUL bytes behind a member are padding.
      const std::string_view rest = std::string_view(body).substr(body.size() - stream.avail_in);
      if (rest.find_first_not_of('\0') == std::string_view::npos) return text;
      if (gzip && inflateReset(&stream) == Z_OK) continue;
    }
    const bool cut_off = result == Z_BUF_ERROR || (stream.avail_in == 0 && stream.avail_out != 0);
    if (result != Z_OK || cut_off) {
      return invalid("expected an answer that is whole and of the Content-Encoding that it names");
    }
  }
}

}  // namespace eventgate

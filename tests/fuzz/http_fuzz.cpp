// Any bytes as what a client sends: a head and the chunks of a body are read the same whether they come in one piece or
// byte by byte, and what is found in them goes through all that looks at it.

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "../../src/http/body_decoder.hpp"
#include "../../src/http/events_handler.hpp"
#include "../../src/http/request.hpp"
#include "../../src/http/request_parser.hpp"
#include "../../src/http/response.hpp"
#include "../../src/http/router.hpp"

namespace {

using namespace eventgate;

constexpr std::size_t kMaxHeaderSize = 2048;
constexpr std::size_t kMaxBodySize = 4096;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// A request as far as it could be read.
struct ReadRequest {
  Request request;
  std::string body;
  bool head = false;
  bool whole = false;
  bool refused = false;
};

/// Reads `bytes` given in pieces of `piece`.
void read(std::string_view bytes, std::size_t piece, ReadRequest& result) {
  RequestParser parser(result.request, kMaxHeaderSize, 20);
  std::string unread;
  bool body_begun = false;
  while (!bytes.empty() || !unread.empty()) {
    unread += bytes.substr(0, piece);
    const bool last = bytes.size() <= piece;
    bytes.remove_prefix(last ? bytes.size() : piece);
    for (;;) {
      if (unread.empty()) break;
      boost::system::error_code error;
      const std::size_t used = body_begun ? parser.put_chunks(unread, error)
                                          : parser.put(boost::asio::buffer(unread.data(), unread.size()), error);
      require(used <= unread.size(), "no more is used than there is");
      unread.erase(0, used);
      result.head = parser.is_header_done();
      result.whole = parser.is_done();
      if (result.whole) return;
      if (error && error != boost::beast::http::error::need_more) {
        result.refused = true;
        return;
      }
      if (result.head && !body_begun) {
        if (!parser.chunked()) return;
        body_begun = true;
        parser.start_body(&result.body, kMaxBodySize);
        continue;
      }
      if (error || used == 0) break;
    }
    require(result.body.size() <= kMaxBodySize, "the body's limit holds");
    if (last) return;
  }
}

void look_at(const Request& request, const std::string& body) {
  const Target target = Router(true, true).find(request.target());
  parse_query(target.query);
  media_type(request.content_type());
  accepted_coding(request.accept_encoding());
  for (const ContentCoding coding : {ContentCoding::gzip, ContentCoding::deflate, ContentCoding::zstd}) {
    std::string decoded;
    if (!decode_body(coding, body, kMaxBodySize, decoded))
      require(decoded.size() <= kMaxBodySize, "the limit of what is decoded holds");
  }
  const Response response = problem(400, request.target(), request);
  std::string out;
  static const ResponseFormat format{HttpOptions()};
  format.append(out, response, {false, false, request.accept_encoding(), {}});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ReadRequest at_once;
  read(bytes, size + 1, at_once);
  ReadRequest by_bytes;
  read(bytes, 1, by_bytes);
  if (at_once.whole && by_bytes.whole) {
    require(at_once.request.target() == by_bytes.request.target(), "the same target");
    require(at_once.request.field_count() == by_bytes.request.field_count(), "the same fields");
    require(at_once.request.transfer_encoding() == by_bytes.request.transfer_encoding(), "the same Transfer-Encoding");
    require(at_once.body == by_bytes.body, "the same body");
  }
  require(!(at_once.whole && by_bytes.refused) && !(by_bytes.whole && at_once.refused), "the same verdict");
  if (at_once.head) look_at(at_once.request, at_once.body);
  look_at(Request(), std::string(bytes));
  return 0;
}

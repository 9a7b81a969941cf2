// Any bytes as what a client sends: a head and the chunks of a body are read the same whether they come in one piece or
// byte by byte, and what is found in them goes through all that looks at it.

#include <algorithm>
#include <boost/beast/http/error.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/media_type.hpp"
#include "eventgate/http/query.hpp"
#include "eventgate/http/request.hpp"
#include "eventgate/http/response.hpp"
#include "eventgate/http/router.hpp"
#include "http/chunked_body.hpp"
#include "http/content_coding.hpp"
#include "http/head_check.hpp"
#include "http/request_parser.hpp"
#include "http/response_format.hpp"
#include "require.hpp"

namespace {

using namespace eventgate;

constexpr std::size_t kMaxHeaderSize = 2048;
constexpr std::size_t kMaxBodySize = 4096;

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
  std::optional<ChunkedBody> chunks;
  std::size_t used_of_head = 0;
  std::string unread;
  while (!bytes.empty()) {
    unread += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(bytes.size(), piece));
    if (!result.head) {
      boost::system::error_code error;
      const std::size_t used = parser.parse(unread, error);
      require(used <= unread.size(), "no more is used than there is");
      unread.erase(0, used);
      result.head = !error && parser.is_header_done();
      result.refused = error && error != boost::beast::http::error::need_more;
      used_of_head += used;
      if (!result.head && !result.refused)
        result.refused = used_of_head == 0 ? is_malformed_start(unread) : has_malformed_field(unread);
      if (result.refused) return;
      if (!result.head) continue;
      if (!parser.chunked()) return;
      chunks.emplace(&result.body, kMaxBodySize, kMaxHeaderSize);
    }
    const std::size_t used = chunks->decode(unread);
    require(used <= unread.size(), "no more is used than there is");
    unread.erase(0, used);
    require(result.body.size() <= kMaxBodySize, "the body's limit holds");
    result.whole = chunks->state() == ChunkedBody::State::complete;
    result.refused = !result.whole && chunks->state() != ChunkedBody::State::incomplete;
    if (result.whole || result.refused) return;
    require(unread.empty(), "all is used until the body ends");
  }
}

/// A table without endpoints: nothing is handled.
Router make_router() {
  std::vector<Route> routes;
  for (const char* const path : {"/v1/events", "/v1/stream-configs", "/v1/stream-configs/{streams}", "/"})
    routes.push_back({Method::get, path, "", nullptr});
  return Router(std::move(routes), "");
}

void look_at(const Request& request, const std::string& body) {
  static const Router router = make_router();
  const Router::Match match = router.find(request.target());
  parse_query(match.query);
  router.default_response(match, request);
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
  require(!(at_once.head && !by_bytes.head && by_bytes.refused), "the start of a head is not refused");
  if (at_once.head) look_at(at_once.request, at_once.body);
  look_at(Request(), std::string(bytes));
  return 0;
}

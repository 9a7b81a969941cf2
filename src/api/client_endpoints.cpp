#include "client_endpoints.hpp"

#include <utility>

#include "entity_tag.hpp"

namespace eventgate {

Response ClientFileEndpoint::respond(const Exchange& exchange) const {
  Response response;
  response.content_type = "text/javascript; charset=utf-8";
  response.any_origin = true;
  response.extra_headers = file_.immutable ? "cache-control: public, max-age=31536000, immutable\r\n"
                                           : "cache-control: public, max-age=3600\r\n";
  response.extra_headers.append("etag: ").append(file_.tag).append("\r\n");
  response.body = file_.text;
  return unless_known(std::move(response), file_.tag, exchange.request());
}

}  // namespace eventgate

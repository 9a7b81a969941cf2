#include "entity_tag.hpp"

#include "eventgate/base/ascii.hpp"

namespace eventgate {

Response unless_known(Response response, std::string_view tag, const Request& request) {
  const std::string_view known = request.field("if-none-match").value_or("");
  const std::string_view opaque = tag.substr(2);
  if (trim(known) != "*" && known.find(opaque) == std::string_view::npos) return response;
  response.status = 304;
  response.content_type = {};
  response.body.clear();
  return response;
}

}  // namespace eventgate

#pragma once

#include <string>
#include <utility>

#include "eventgate/http/response.hpp"

namespace eventgate {

/// Returns a 200 response with the JSON text `body`.
inline Response json_response(std::string body) {
  Response response;
  response.content_type = kJsonType;
  response.body = std::move(body);
  return response;
}

/// Returns a 200 response with the plain text `body`.
inline Response text_response(std::string body) {
  Response response;
  response.content_type = kTextType;
  response.body = std::move(body);
  return response;
}

}  // namespace eventgate

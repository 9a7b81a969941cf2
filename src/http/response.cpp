#include "eventgate/http/response.hpp"

#include "eventgate/base/ascii.hpp"
#include "eventgate/json/json_text.hpp"

namespace eventgate {

std::string_view reason_phrase(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Payload Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    default:
      return "Unknown";
  }
}

Response problem(unsigned status, std::string_view detail, const Request& request) {
  const std::string_view title = reason_phrase(status);
  Response response;
  response.status = status;
  response.content_type = kJsonType;
  std::string& body = response.body;
  body = "{\"status\":";
  body += std::to_string(status);
  body += ",\"type\":\"";
  for (const char c : title) body += c == ' ' ? '_' : to_ascii_lower(c);
  body += "\",\"title\":\"";
  body += title;
  body += "\",\"detail\":";
  append_json_string(body, detail);
  body += ",\"method\":";
  append_json_string(body, request.method_name());
  body += ",\"uri\":";
  append_json_string(body, request.target());
  body += '}';
  response.note = detail;
  return response;
}

Response rejection(unsigned status, std::string_view detail, std::string_view cause, const Request& request) {
  Response response = problem(status, detail, request);
  response.rejection_cause = cause;
  response.rejection_detail = detail;
  return response;
}

Response retry_later(std::string_view detail, std::string_view cause, const Request& request) {
  Response response = rejection(503, detail, cause, request);
  response.extra_headers = "retry-after: 1\r\n";
  return response;
}

Response minimal_response(unsigned status, std::string_view cause) {
  Response response;
  response.status = status;
  response.minimal_headers = true;
  response.rejection_cause = cause;
  response.rejection_detail = reason_phrase(status);
  return response;
}

std::string body_too_large_text(std::size_t max_body_size) {
  return "The body is too large: expected at most " + std::to_string(max_body_size) +
         " bytes, decoded (max_body_size).";
}

}  // namespace eventgate

#include "request_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>

#include "eventgate/base/ascii.hpp"
#include "head_check.hpp"

namespace eventgate {

namespace http = boost::beast::http;

RequestParser::RequestParser(Request& request, std::size_t max_header_size, std::size_t max_header_count)
    : request_(request), max_header_count_(max_header_count) {
  request_.clear();
  // HeadReader counts the bytes of the head, because Beast's own limit starts anew behind the request line.
  header_limit(static_cast<std::uint32_t>(max_header_size) + 4);
  body_limit(boost::none);
  eager(false);
}

RequestParser::~RequestParser() = default;

std::size_t RequestParser::parse(std::string_view bytes, error_code& error) {
  bytes_ = bytes;
  return put(boost::asio::buffer(bytes.data(), bytes.size()), error);
}

void RequestParser::on_request_impl(http::verb verb, string_view method, string_view target, int version, error_code&) {
  switch (verb) {
    case http::verb::get:
      request_.method = Method::get;
      break;
    case http::verb::head:
      request_.method = Method::head;
      break;
    case http::verb::post:
      request_.method = Method::post;
      break;
    case http::verb::options:
      request_.method = Method::options;
      break;
    case http::verb::unknown:
      request_.unknown_method = true;
      break;
    default:
      request_.method = Method::other;
      break;
  }
  request_.http_1_0 = version < 11;
  request_.method_name_ = request_.add({method.data(), method.size()});
  request_.target_ = request_.add({target.data(), target.size()});
}

void RequestParser::on_field_impl(http::field name, string_view text, string_view value, error_code& error) {
  // A folded field is malformed. Beast copies its lines to another place, or skips the first of them if they are blank.
  // Any other value stays in the line of its name.
  const char* const name_end = text.data() + text.size();
  if (value.data() < name_end || value.data() > bytes_.data() + bytes_.size() ||
      std::memchr(name_end, '\n', static_cast<std::size_t>(value.data() - name_end)) != nullptr) {
    error = http::error::bad_value;
    return;
  }
  if (request_.fields_.size() == max_header_count_) {
    error = http::error::header_limit;
    return;
  }
  const Request::Span name_span = request_.add({text.data(), text.size()});
  const Request::Span span = request_.add({value.data(), value.size()});
  request_.fields_.push_back({name_span, span});
  const auto first = [&](Request::Span& known) {
    if (known.begin == 0) known = span;  // The method is at 0.
  };
  switch (name) {
    case http::field::host:
      ++request_.hosts;
      request_.bad_host |= !is_host({value.data(), value.size()});
      break;
    case http::field::content_type:
      first(request_.content_type_);
      break;
    case http::field::content_length:
      ++request_.content_lengths;
      first(request_.content_length_);
      break;
    case http::field::content_encoding:
      ++request_.content_encodings;
      first(request_.content_encoding_);
      break;
    case http::field::transfer_encoding:
      ++request_.transfer_encodings;
      first(request_.transfer_encoding_);
      note_transfer_codings({value.data(), value.size()});
      break;
    case http::field::accept_encoding:
      first(request_.accept_encoding_);
      break;
    case http::field::expect:
      first(request_.expect_);
      break;
    case http::field::origin:
      first(request_.origin_);
      break;
    default:
      break;
  }
}

/// Looks for a transfer coding behind `chunked`, which must be the last coding of all fields.
void RequestParser::note_transfer_codings(std::string_view list) {
  while (!list.empty()) {
    const std::size_t end = list.find(',');
    std::string_view coding = list.substr(0, end);
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
    coding = trim(coding.substr(0, coding.find(';')));
    if (coding.empty()) continue;
    request_.coding_after_chunked |= chunked_seen_;
    chunked_seen_ |= equals_ignoring_case(coding, "chunked");
  }
}

void RequestParser::on_header_impl(error_code&) { request_.keep_alive = keep_alive(); }

}  // namespace eventgate

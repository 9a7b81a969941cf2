#include "request_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

namespace eventgate {

namespace http = boost::beast::http;

RequestParser::RequestParser(Request& request, std::size_t max_header_size, std::size_t max_header_count)
    : request_(request), max_header_count_(max_header_count) {
  request_.clear();
  // The session counts the bytes of the head; Beast's own limit starts anew behind the request line.
  header_limit(static_cast<std::uint32_t>(max_header_size) + 4);
  body_limit(boost::none);
  eager(false);
}

RequestParser::~RequestParser() = default;

void RequestParser::start_body(std::string* body, std::size_t limit) {
  body_ = body;
  body_limit_ = limit;
  eager(true);
}

std::size_t RequestParser::put_chunks(std::string_view bytes, error_code& error) {
  // The shortest end of a body is `0`, CRLF, CRLF. Given less, Beast asserts if it has seen the `0` before.
  if (bytes.size() < 5) {
    error = http::error::need_more;
    return 0;
  }
  return put(boost::asio::buffer(bytes.data(), bytes.size()), error);
}

void RequestParser::on_request_impl(http::verb verb, string_view method, string_view target, int version,
                                    error_code& error) {
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
      error = http::error::bad_method;
      return;
    default:
      request_.method = Method::other;
      break;
  }
  request_.http_1_0 = version < 11;
  request_.method_name_ = request_.add({method.data(), method.size()});
  request_.target_ = request_.add({target.data(), target.size()});
}

void RequestParser::on_field_impl(http::field name, string_view text, string_view value, error_code& error) {
  if (head_done_) return;  // Trailers of a chunked body say nothing to us.
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
      break;
    case http::field::accept_encoding:
      first(request_.accept_encoding_);
      break;
    case http::field::expect:
      first(request_.expect_);
      break;
    default:
      break;
  }
}

void RequestParser::on_header_impl(error_code&) {
  head_done_ = true;
  request_.keep_alive = keep_alive();
}

std::size_t RequestParser::on_body_impl(string_view data, error_code&) { return data.size(); }

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, string_view data, error_code& error) {
  if (data.size() > body_limit_ - body_size_) {
    error = http::error::body_limit;
    return 0;
  }
  body_size_ += data.size();
  if (body_) body_->append(data.data(), data.size());
  return data.size();
}

}  // namespace eventgate

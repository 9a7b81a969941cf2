#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "request.hpp"

namespace eventgate {

/// Beast's HTTP/1 grammar (RFC 9112), storing what it finds in a Request and the data of a chunked body in a string. A
/// body with a Content-Length is not its business.
///
/// After the head it stops. Its errors are Beast's; `header_limit` is given for too many fields too.
///
/// One strand.
class RequestParser final : public boost::beast::http::basic_parser<true> {
 public:
  /// `request` must outlive it.
  RequestParser(Request& request, std::size_t max_header_size, std::size_t max_header_count);
  ~RequestParser() override;

  /// Goes on behind the head, with the chunks of a body: their data are appended to `body`, or only counted if that is
  /// null. More than `limit` bytes of them are the error `body_limit`.
  void start_body(std::string* body, std::size_t limit);

  /// Reads on in `bytes`, which begin where the last call stopped, and returns how many are used. `need_more`: the rest
  /// is wanted again with more behind it.
  std::size_t put_chunks(std::string_view bytes, boost::system::error_code& error);

  /// Bytes of chunks that came.
  std::size_t body_size() const { return body_size_; }

 private:
  using error_code = boost::system::error_code;
  using string_view = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb verb, string_view method, string_view target, int version,
                       error_code& error) override;
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(boost::beast::http::field name, string_view text, string_view value, error_code& error) override;
  void on_header_impl(error_code& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view data, error_code& error) override;
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t remain, string_view data, error_code& error) override;
  void on_finish_impl(error_code&) override {}

  Request& request_;
  const std::size_t max_header_count_;
  bool head_done_ = false;
  std::string* body_ = nullptr;
  std::size_t body_limit_ = 0;
  std::size_t body_size_ = 0;
};

}  // namespace eventgate

#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "eventgate/http/request.hpp"

namespace eventgate {

/// Parses the head of a request with Beast's HTTP/1 grammar (RFC 9112) into a Request, and stops behind the head. The
/// errors are Beast's. `header_limit` also means too many fields; `bad_value` also means a folded line.
///
/// Use on one I/O thread.
class RequestParser final : public boost::beast::http::basic_parser<true> {
 public:
  /// Clears `request`, which must outlive this.
  RequestParser(Request& request, std::size_t max_header_size, std::size_t max_header_count);
  ~RequestParser() override;

  /// Parses the start of `bytes`, which begin where the last call stopped. Returns how many bytes are used. After the
  /// error `need_more`, pass the unused bytes again with more behind them.
  std::size_t parse(std::string_view bytes, boost::system::error_code& error);

 private:
  using error_code = boost::system::error_code;
  using string_view = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb verb, string_view method, string_view target, int version,
                       error_code& error) override;
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(boost::beast::http::field name, string_view text, string_view value, error_code& error) override;
  void on_header_impl(error_code& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view data, error_code&) override { return data.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view data, error_code&) override { return data.size(); }
  void on_finish_impl(error_code&) override {}

  void note_transfer_codings(std::string_view list);

  Request& request_;
  const std::size_t max_header_count_;
  std::string_view bytes_;     // the argument of `parse`
  bool chunked_seen_ = false;  // `chunked` is among the transfer codings so far
};

}  // namespace eventgate

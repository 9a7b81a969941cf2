#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventgate {

/// Whether two ASCII texts are equal but for the case of their letters.
bool equals_ignoring_case(std::string_view a, std::string_view b);

/// The methods that routes know. `other` is a known one of HTTP that no route takes.
enum class Method : std::uint8_t { get, head, post, options, other };

/// The head of a request: the request line and the fields, in one text that is copied when the request is kept. The
/// fields that every request needs are found while it is parsed, and so is what makes it ambiguous.
///
/// One strand. Keeps its memory when cleared.
class Request {
 public:
  void clear();

  Method method = Method::other;
  bool http_1_0 = false;
  bool unknown_method = false;        ///< The method is no known one of HTTP.
  bool bad_host = false;              ///< A Host field is no host and port.
  bool coding_after_chunked = false;  ///< A transfer coding follows `chunked`.
  /// Neither `Connection: close` nor an HTTP/1.0 client that did not ask for it.
  bool keep_alive = false;

  // How often these fields occur: more than once is a contradiction, which the session refuses.
  std::size_t hosts = 0;
  std::size_t content_lengths = 0;
  std::size_t transfer_encodings = 0;
  std::size_t content_encodings = 0;

  std::string_view method_name() const { return view(method_name_); }
  /// As sent.
  std::string_view target() const { return view(target_); }
  // The first field of the name, empty if there is none.
  std::string_view content_type() const { return view(content_type_); }
  std::string_view content_length() const { return view(content_length_); }
  std::string_view content_encoding() const { return view(content_encoding_); }
  std::string_view transfer_encoding() const { return view(transfer_encoding_); }
  std::string_view accept_encoding() const { return view(accept_encoding_); }
  std::string_view expect() const { return view(expect_); }

  std::size_t field_count() const { return fields_.size(); }

  /// The value of the first field named `name`, in any case.
  std::optional<std::string_view> field(std::string_view name) const;

  /// As RequestContext::find_header wants it: `request` is a Request.
  static std::optional<std::string_view> find_field(const void* request, std::string_view name) {
    return static_cast<const Request*>(request)->field(name);
  }

 private:
  friend class RequestParser;

  struct Span {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };
  struct Field {
    Span name;
    Span value;
  };

  std::string_view view(Span span) const { return {text_.data() + span.begin, span.size}; }
  Span add(std::string_view text) {
    const Span span{static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(text.size())};
    text_ += text;
    return span;
  }

  std::string text_;
  std::vector<Field> fields_;
  Span method_name_;
  Span target_;
  Span content_type_;
  Span content_length_;
  Span content_encoding_;
  Span transfer_encoding_;
  Span accept_encoding_;
  Span expect_;
};

}  // namespace eventgate

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventgate {

/// The methods that routes know. `other` is any other method, such as PUT.
enum class Method : std::uint8_t { get, head, post, options, other };

/// The head of a request: the request line and the header fields, in one text. A copy is one allocation for the text
/// and one for the fields. The parser notes the fields that every request needs, and what makes the head ambiguous.
///
/// Use from one thread at a time.
class Request {
 public:
  /// Empties it, and keeps its memory.
  void clear();

  Method method = Method::other;
  bool http_1_0 = false;
  bool unknown_method = false;        ///< HTTP has no such method.
  bool bad_host = false;              ///< A Host field is not `host` or `host:port`.
  bool coding_after_chunked = false;  ///< A transfer coding follows `chunked`.
  /// False after `Connection: close`, and for an HTTP/1.0 client that does not ask for `keep-alive`.
  bool keep_alive = false;

  // Occurrences of a field. The connection rejects a request in which one of them occurs twice.
  std::size_t hosts = 0;
  std::size_t content_lengths = 0;
  std::size_t transfer_encodings = 0;
  std::size_t content_encodings = 0;

  std::string_view method_name() const { return view(method_name_); }
  /// The target as sent.
  std::string_view target() const { return view(target_); }
  // The value of the first field of the name, or empty.
  std::string_view content_type() const { return view(content_type_); }
  std::string_view content_length() const { return view(content_length_); }
  std::string_view content_encoding() const { return view(content_encoding_); }
  std::string_view transfer_encoding() const { return view(transfer_encoding_); }
  std::string_view accept_encoding() const { return view(accept_encoding_); }
  std::string_view expect() const { return view(expect_); }
  std::string_view origin() const { return view(origin_); }

  std::size_t field_count() const { return fields_.size(); }

  /// Returns true if `predicate` is true of the name, as sent, of any field.
  template <typename Predicate>
  bool any_field_name(Predicate predicate) const {
    for (const Field& field : fields_)
      if (predicate(view(field.name))) return true;
    return false;
  }

  /// Returns the value of the first field named `name`, in any case, or nullopt.
  std::optional<std::string_view> field(std::string_view name) const;

  /// Returns the values of all fields named `name`, in any case, with `, ` between them (RFC 9110, section 5.3), or
  /// nullopt.
  std::optional<std::string> combined_field(std::string_view name) const;

  /// Calls `field` of `request`, which is a Request. It fits `RequestContext::find_header`.
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
  Span origin_;
};

}  // namespace eventgate

#include "eventgate/schema/uri_reference.hpp"

#include <algorithm>
#include <optional>

#include "eventgate/base/ascii.hpp"

namespace eventgate {
namespace {

/// The components of a URI reference (RFC 3986, appendix B).
struct UriParts {
  std::optional<std::string> scheme, authority, query, fragment;
  std::string path;

  explicit UriParts(std::string_view uri) {
    if (const std::size_t at = uri.find('#'); at != std::string_view::npos) {
      fragment = uri.substr(at + 1);
      uri = uri.substr(0, at);
    }
    if (const std::size_t at = uri.find('?'); at != std::string_view::npos) {
      query = uri.substr(at + 1);
      uri = uri.substr(0, at);
    }
    const std::size_t colon = uri.find(':');
    if (colon != std::string_view::npos && colon > 0 && is_ascii_letter(uri[0]) &&
        std::all_of(uri.begin(), uri.begin() + static_cast<std::ptrdiff_t>(colon),
                    [](char c) { return is_ascii_alphanumeric(c) || c == '+' || c == '-' || c == '.'; })) {
      scheme = to_ascii_lower(uri.substr(0, colon));
      uri = uri.substr(colon + 1);
    }
    if (uri.starts_with("//")) {
      const std::size_t end = std::min(uri.find('/', 2), uri.size());
      authority = to_ascii_lower(uri.substr(2, end - 2));
      uri = uri.substr(end);
    }
    path = uri;
  }

  std::string text() const {
    std::string out;
    if (scheme) out += *scheme + ":";
    if (authority) out += "//" + *authority;
    out += path;
    if (query) out += "?" + *query;
    if (fragment) out += "#" + *fragment;
    return out;
  }
};

std::string without_dots(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    if (path.starts_with("../")) {
      path.remove_prefix(3);
    } else if (path.starts_with("./") || path.starts_with("/./")) {
      path.remove_prefix(2);
    } else if (path == "/." || path == "/..") {
      if (path == "/..") out.resize(out.rfind('/') == std::string::npos ? 0 : out.rfind('/'));
      out += '/';
      break;
    } else if (path.starts_with("/../")) {
      path.remove_prefix(3);
      out.resize(out.rfind('/') == std::string::npos ? 0 : out.rfind('/'));
    } else if (path == "." || path == "..") {
      break;
    } else {
      const std::size_t end = std::min(path.find('/', 1), path.size());
      out += path.substr(0, end);
      path.remove_prefix(end);
    }
  }
  return out;
}

}  // namespace

std::string resolve_uri(std::string_view base_text, std::string_view reference_text) {
  UriParts target(reference_text);
  if (!target.scheme) {
    UriParts base(base_text);
    target.scheme = base.scheme;
    if (!target.authority) {
      target.authority = base.authority;
      if (target.path.empty()) {
        target.path = base.path;
        if (!target.query) target.query = base.query;
      } else if (!target.path.starts_with('/')) {
        if (base.authority && base.path.empty()) {
          target.path = "/" + target.path;
        } else {
          const std::size_t folder = base.path.rfind('/');
          if (folder != std::string::npos) target.path = base.path.substr(0, folder + 1) + target.path;
        }
      }
    }
  }
  target.path = without_dots(target.path);
  return target.text();
}

std::string_view without_fragment(std::string_view uri) { return uri.substr(0, uri.find('#')); }

std::string_view fragment_of(std::string_view uri) {
  const std::size_t at = uri.find('#');
  return at == std::string_view::npos ? std::string_view{} : uri.substr(at + 1);
}

}  // namespace eventgate

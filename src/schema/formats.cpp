#include "formats.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "eventgate/base/ascii.hpp"
#include "eventgate/schema/ecma_pattern.hpp"

namespace eventgate {
namespace {

constexpr std::array<std::string_view, 16> kNames = {"date",
                                                     "time",
                                                     "date-time",
                                                     "uri",
                                                     "uri-reference",
                                                     "uri-template",
                                                     "url",
                                                     "email",
                                                     "hostname",
                                                     "ipv4",
                                                     "ipv6",
                                                     "regex",
                                                     "uuid",
                                                     "json-pointer",
                                                     "json-pointer-uri-fragment",
                                                     "relative-json-pointer"};

bool is_one_of(char c, std::string_view set) {
  for (const char x : set)
    if (x == c) return true;
  return false;
}

/// Returns the bytes of the white space character (\s of ECMA-262) at the start of `text`, or 0.
std::size_t space_size(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(0);
  if (first < 0x80) return first == ' ' || (first >= 0x09 && first <= 0x0D);
  if (first == 0xC2) return byte(1) == 0xA0 ? 2 : 0;
  if (first < 0xE1 || first > 0xEF) return 0;
  const unsigned c = (first & 15) << 12 | (byte(1) & 63) << 6 | (byte(2) & 63);
  const bool space = c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
                     c == 0x205F || c == 0x3000 || c == 0xFEFF;
  return space ? 3 : 0;
}

bool has_space(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c > ' ' && c < 0xC2) continue;
    if (space_size(text.substr(i))) return true;
  }
  return false;
}

/// A position in a text. Each `take_…` moves it over what matches, or leaves it and returns false.
struct Cursor {
  const char* at;
  const char* end;

  explicit Cursor(std::string_view text) : at(text.data()), end(text.data() + text.size()) {}

  bool done() const { return at == end; }
  char peek() const { return at == end ? '\0' : *at; }
  std::string_view rest() const { return {at, static_cast<std::size_t>(end - at)}; }
  bool take(char c) {
    if (at == end || *at != c) return false;
    ++at;
    return true;
  }
  bool take_range(char low, char high) {
    if (at == end || *at < low || *at > high) return false;
    ++at;
    return true;
  }
  bool take_digit() { return take_range('0', '9'); }
  bool take_any(std::string_view set) {
    if (at == end || !is_one_of(*at, set)) return false;
    ++at;
    return true;
  }
  bool take_hex(int count) {
    for (int i = 0; i < count; ++i, ++at)
      if (at == end || !is_hex_digit(*at)) return false;
    return true;
  }
  bool take_text(std::string_view text) {
    if (!rest().starts_with(text)) return false;
    at += text.size();
    return true;
  }
  /// %hh
  bool take_percent() {
    if (end - at < 3 || *at != '%' || !is_hex_digit(at[1]) || !is_hex_digit(at[2])) return false;
    at += 3;
    return true;
  }
  template <typename Predicate>
  std::size_t take_while(Predicate predicate) {
    const char* begin = at;
    while (at != end && predicate(*at)) ++at;
    return static_cast<std::size_t>(at - begin);
  }
};

/// \d\d\d\d-[0-1]\d-[0-3]\d
bool take_date(Cursor& c) {
  return c.take_digit() && c.take_digit() && c.take_digit() && c.take_digit() && c.take('-') &&
         c.take_range('0', '1') && c.take_digit() && c.take('-') && c.take_range('0', '3') && c.take_digit();
}

/// (?:[0-2]\d:[0-5]\d:[0-5]\d|23:59:60)(?:\.\d+)?
bool take_clock(Cursor& c) {
  if (!c.take_text("23:59:60") && !(c.take_range('0', '2') && c.take_digit() && c.take(':') && c.take_range('0', '5') &&
                                    c.take_digit() && c.take(':') && c.take_range('0', '5') && c.take_digit()))
    return false;
  if (c.peek() == '.' && c.end - c.at > 1 && is_ascii_digit(c.at[1])) {
    ++c.at;
    c.take_while(is_ascii_digit);
  }
  return true;
}

/// z|[+-]\d\d(?::?\d\d)?, up to the end
bool is_zone(Cursor c) {
  if (c.take_any("zZ")) return c.done();
  if (!c.take_any("+-") || !c.take_digit() || !c.take_digit()) return false;
  if (c.done()) return true;
  c.take(':');
  return c.take_digit() && c.take_digit() && c.done();
}

bool is_date(std::string_view text) {
  Cursor c(text);
  return take_date(c) && c.done();
}

bool is_time(std::string_view text) {
  Cursor c(text);
  return take_clock(c) && (c.done() || is_zone(c));
}

bool is_date_time(std::string_view text) {
  Cursor c(text);
  if (!take_date(c)) return false;
  if (!c.take_any("tT")) {
    const std::size_t space = space_size(c.rest());
    if (!space) return false;
    c.at += space;
  }
  return take_clock(c) && is_zone(c);
}

/// [a-z][a-z0-9+\-.]*:
bool take_scheme(Cursor& c) {
  if (!is_ascii_letter(c.peek())) return false;
  c.take_while([](char x) { return is_ascii_alphanumeric(x) || x == '+' || x == '-' || x == '.'; });
  return c.take(':');
}

bool is_uri(std::string_view text) {
  Cursor c(text);
  return take_scheme(c) && !has_space(c.rest());
}

/// AJV accepts an optional prefix that ends in `/`, a path that does not start with `\`, and a fragment without `\`; no
/// spaces. The prefix cannot have a backslash either, so only the first character and the fragment matter.
bool is_uri_reference(std::string_view text) {
  if (has_space(text) || text.starts_with('\\')) return false;
  const std::size_t fragment = text.find('#');
  return fragment == std::string_view::npos || text.find('\\', fragment) == std::string_view::npos;
}

/// RFC 6570 in the form of AJV.
bool is_uri_template(std::string_view text) {
  Cursor c(text);
  const auto take_name = [&c] {
    bool any = false;
    while (c.take_while([](char x) { return is_ascii_alphanumeric(x) || x == '_'; }) || c.take_percent()) any = true;
    if (!any) return false;
    if (c.take('*')) return true;
    if (c.take(':')) {
      if (!c.take_range('1', '9')) return false;
      for (int i = 0; i < 3 && c.take_digit();) ++i;
    }
    return true;
  };
  while (!c.done()) {
    if (c.take('{')) {
      c.take_any("+#./;?&=,!@|");
      if (!take_name()) return false;
      while (c.take(','))
        if (!take_name()) return false;
      if (!c.take('}')) return false;
    } else if (!c.take_percent()) {
      const char x = *c.at;
      if (static_cast<unsigned char>(x) <= 0x20 || is_one_of(x, "\"'<>%\\^`{|}")) return false;
      ++c.at;
    }
  }
  return true;
}

/// Returns the bytes of a character that AJV's `url` allows in a host name, or 0: a letter, a digit, U+00A1 to U+FFFF.
std::size_t host_character_size(std::string_view text, bool digits) {
  if (text.empty()) return 0;
  const unsigned char first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return is_ascii_letter(text[0]) || (digits && is_ascii_digit(text[0]));
  if (first == 0xC2) return text.size() > 1 && static_cast<unsigned char>(text[1]) >= 0xA1 ? 2 : 0;
  return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 0;
}

/// Takes one to three digits. Returns their value, or -1.
int take_octet(Cursor& c) {
  int value = 0;
  int size = 0;
  for (; size < 3 && is_ascii_digit(c.peek()); ++size) value = value * 10 + (*c.at++ - '0');
  return size == 0 || is_ascii_digit(c.peek()) ? -1 : value;
}

/// Takes the IPv4 address of a public host.
bool take_public_ipv4(Cursor& c) {
  std::array<int, 4> octets{};
  for (std::size_t i = 0; i < 4; ++i) {
    if (i && !c.take('.')) return false;
    const char* begin = c.at;
    octets[i] = take_octet(c);
    if (octets[i] < 0) return false;
    const bool padded = c.at - begin > 1 && *begin == '0';
    if (i == 0 || i == 3) {
      if (padded || octets[i] == 0 || octets[i] > (i ? 254 : 223)) return false;
    } else if (octets[i] > 255 || (c.at - begin == 3 && *begin == '0')) {
      return false;
    }
  }
  if (octets[0] == 10 || octets[0] == 127) return false;
  if (octets[0] == 169 && octets[1] == 254) return false;
  if (octets[0] == 192 && octets[1] == 168) return false;
  return !(octets[0] == 172 && octets[1] >= 16 && octets[1] <= 31);
}

/// Takes labels with single hyphens inside and dots between them. The last has at least two letters.
bool take_host_name(Cursor& c) {
  bool dotted = false;
  while (true) {
    int characters = 0;
    bool plain = true;  // nothing but letters
    bool hyphen = true;
    while (true) {
      if (const std::size_t size = host_character_size(c.rest(), true)) {
        plain = plain && !is_ascii_digit(*c.at);
        c.at += std::min<std::size_t>(size, static_cast<std::size_t>(c.end - c.at));
        ++characters;
        hyphen = false;
      } else if (c.peek() == '-' && !hyphen) {
        ++c.at;
        hyphen = true;
        plain = false;
      } else {
        break;
      }
    }
    if (characters == 0 || hyphen) return false;
    if (!c.take('.')) return dotted && plain && characters >= 2;
    dotted = true;
  }
}

bool is_url(std::string_view text) {
  const std::size_t mark = text.find("://");
  if (mark > 6) return false;  // npos, too
  std::string scheme;
  for (const char x : text.substr(0, mark)) scheme += is_ascii_letter(x) ? static_cast<char>(x | 0x20) : x;
  if (scheme != "http" && scheme != "https" && scheme != "http\xC5\xBF" && scheme != "ftp") return false;
  const std::string_view rest = text.substr(mark + 3);
  // Only the host may have white space, and only beyond ASCII.
  std::size_t first_space = rest.size(), spaces_end = 0;
  for (std::size_t i = 0; i < rest.size(); ++i)
    if (space_size(rest.substr(i))) {
      first_space = std::min(first_space, i);
      spaces_end = i + 1;
    }
  // Anything may precede an @, so the host may follow any of them.
  for (std::size_t begin = 0; begin <= first_space;) {
    Cursor address(rest.substr(begin)), name(rest.substr(begin));
    for (Cursor* host : {take_public_ipv4(address) ? &address : nullptr, take_host_name(name) ? &name : nullptr}) {
      if (!host || static_cast<std::size_t>(host->at - rest.data()) < spaces_end) continue;
      if (host->take(':')) {
        const std::size_t digits = host->take_while(is_ascii_digit);
        if (digits < 2 || digits > 5) continue;
      }
      if (host->done() || *host->at == '/') return true;
    }
    const std::size_t at = rest.find('@', std::max<std::size_t>(begin, 1));
    if (at == std::string_view::npos) return false;
    begin = at + 1;
  }
  return false;
}

/// Takes a letter or digit, then up to 62 of these and hyphens. The last is not a hyphen.
bool take_label(Cursor& c) {
  const char* begin = c.at;
  const std::size_t size = c.take_while([](char x) { return is_ascii_alphanumeric(x) || x == '-'; });
  return size >= 1 && size <= 63 && *begin != '-' && c.at[-1] != '-';
}

bool is_email(std::string_view text) {
  Cursor c(text);
  if (!c.take_while([](char x) { return is_ascii_alphanumeric(x) || is_one_of(x, ".!#$%&'*+/=?^_`{|}~-"); }) ||
      !c.take('@'))
    return false;
  do {
    if (!take_label(c)) return false;
  } while (c.take('.'));
  return c.done();
}

bool is_hostname(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > 253) return false;
  Cursor c(text);
  do {
    if (!take_label(c)) return false;
  } while (c.take('.'));
  return c.done();
}

/// Four octets up to the end. `padded` allows leading zeros.
bool is_ipv4(Cursor c, bool padded) {
  for (int i = 0; i < 4; ++i) {
    if (i && !c.take('.')) return false;
    const char* begin = c.at;
    const int octet = take_octet(c);
    if (octet < 0 || octet > 255) return false;
    if (!padded && c.at - begin > 1 && *begin == '0') return false;
  }
  return c.done();
}

bool is_ipv6(std::string_view text) {
  while (const std::size_t space = space_size(text)) text.remove_prefix(space);
  const std::size_t zone = text.find('%');
  std::string_view address = text.substr(0, zone);
  if (zone != std::string_view::npos) {
    // (?:%.+)?\s*$: at least one character that is not a line end, then white space.
    std::string_view rest = text.substr(zone + 1);
    const auto line_end_size = [](std::string_view s) -> std::size_t {
      if (s[0] == '\n' || s[0] == '\r') return 1;
      return s.starts_with("\xE2\x80\xA8") || s.starts_with("\xE2\x80\xA9") ? 3 : 0;
    };
    std::size_t size = 0;
    while (size < rest.size() && !line_end_size(rest.substr(size))) ++size;
    if (size == 0) return false;
    rest.remove_prefix(size);
    while (const std::size_t space = space_size(rest)) rest.remove_prefix(space);
    if (!rest.empty()) return false;
  } else {
    std::size_t end = 0;
    while (end < address.size() && !space_size(address.substr(end))) ++end;
    std::string_view rest = address.substr(end);
    while (const std::size_t space = space_size(rest)) rest.remove_prefix(space);
    if (!rest.empty()) return false;
    address = address.substr(0, end);
  }
  Cursor c(address);
  int groups = 0;
  int before = -1;  // groups before the ::
  if (c.take_text("::")) {
    before = 0;
    if (c.done()) return true;
  }
  while (true) {
    const char* begin = c.at;
    const std::size_t size = c.take_while(is_hex_digit);
    if (c.peek() == '.') {
      c.at = begin;
      // It stands for two groups. AJV allows :: to stand for no group before it.
      if (!is_ipv4(c, false)) return false;
      return before < 0 ? groups == 6 : groups <= 5;
    }
    if (size < 1 || size > 4) return false;
    ++groups;
    if (c.done()) return before < 0 ? groups == 8 : groups <= 7;
    if (!c.take(':')) return false;
    if (c.take(':')) {
      if (before >= 0 || groups > 7) return false;
      before = groups;
      if (c.done()) return true;
    }
    if (c.done() || groups > 8) return false;
  }
}

bool is_regex(std::string_view text) {
  // AJV rejects \Z unless a backslash precedes it.
  for (std::size_t at = text.find("\\Z", 1); at != std::string_view::npos; at = text.find("\\Z", at + 1))
    if (text[at - 1] != '\\') return false;
  return is_ecma_pattern(text);
}

bool is_uuid(std::string_view text) {
  Cursor c(text);
  constexpr std::string_view kPrefix = "urn:uuid:";
  if (text.size() > kPrefix.size() && std::equal(kPrefix.begin(), kPrefix.end(), text.begin(), [](char a, char b) {
        return a == (is_ascii_letter(b) ? static_cast<char>(b | 0x20) : b);
      }))
    c.at += kPrefix.size();
  return c.take_hex(8) && c.take('-') && c.take_hex(4) && c.take('-') && c.take_hex(4) && c.take('-') &&
         c.take_hex(4) && c.take('-') && c.take_hex(12) && c.done();
}

/// (?:\/(?:[^~/]|~0|~1)*)*, up to the end
bool is_pointer(std::string_view text) {
  if (text.empty()) return true;
  if (text[0] != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) return false;
  return true;
}

bool is_pointer_fragment(std::string_view text) {
  Cursor c(text);
  if (!c.take('#')) return false;
  if (c.done()) return true;
  if (c.peek() != '/') return false;
  while (!c.done()) {
    if (c.take_while([](char x) { return is_ascii_alphanumeric(x) || is_one_of(x, "/_-.!$&'()*+,;:=@"); })) continue;
    if (c.take_percent() || c.take_text("~0") || c.take_text("~1")) continue;
    return false;
  }
  return true;
}

bool is_relative_pointer(std::string_view text) {
  Cursor c(text);
  if (!c.take('0')) {
    if (!c.take_range('1', '9')) return false;
    c.take_while(is_ascii_digit);
  }
  if (c.rest() == "#") return true;
  return is_pointer(c.rest());
}

}  // namespace

std::optional<Format> format_named(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Format>(found - kNames.begin());
}

std::string_view format_names() {
  static const std::string names = [] {
    std::string all;
    for (const std::string_view name : kNames) (all += all.empty() ? "" : ", ") += name;
    return all;
  }();
  return names;
}

bool matches_format(Format format, std::string_view text) {
  switch (format) {
    case Format::date:
      return is_date(text);
    case Format::time:
      return is_time(text);
    case Format::date_time:
      return is_date_time(text);
    case Format::uri:
      return is_uri(text);
    case Format::uri_reference:
      return is_uri_reference(text);
    case Format::uri_template:
      return is_uri_template(text);
    case Format::url:
      return is_url(text);
    case Format::email:
      return is_email(text);
    case Format::hostname:
      return is_hostname(text);
    case Format::ipv4:
      return is_ipv4(Cursor(text), true);
    case Format::ipv6:
      return is_ipv6(text);
    case Format::regex:
      return is_regex(text);
    case Format::uuid:
      return is_uuid(text);
    case Format::json_pointer:
      return is_pointer(text);
    case Format::json_pointer_uri_fragment:
      return is_pointer_fragment(text);
    case Format::relative_json_pointer:
      return is_relative_pointer(text);
  }
  return false;
}

}  // namespace eventgate

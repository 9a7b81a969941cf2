#include "page_policy.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cstddef>

#include "eventgate/base/ascii.hpp"

namespace eventgate {

namespace {

/// Returns the policy source of the text between `<name>` and `</name>` of the page.
std::string hash_source(std::string_view page, const std::string& name) {
  const std::string open = "<" + name + ">";
  const std::size_t begin = page.find(open) + open.size();
  const std::string_view text = page.substr(begin, page.find("</" + name + ">") - begin);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  unsigned char base64[2 * EVP_MAX_MD_SIZE];
  const int length = EVP_EncodeBlock(base64, digest, static_cast<int>(size));
  return "'sha256-" + std::string(reinterpret_cast<const char*>(base64), static_cast<std::size_t>(length)) + "'";
}

/// Returns true if the parameters of a media range, such as `;q=0.0`, give it no weight.
bool has_no_weight(std::string_view parameters) {
  const std::size_t begin = parameters.find("q=");
  if (begin == std::string_view::npos) return false;
  const std::string_view weight = trim(parameters.substr(begin + 2));
  return !weight.empty() && weight.find_first_not_of("0.") == std::string_view::npos;
}

}  // namespace

std::string page_policy(std::string_view page) {
  return "default-src 'none'; script-src " + hash_source(page, "script") + "; style-src " + hash_source(page, "style") +
         "; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
         "require-trusted-types-for 'script'; trusted-types 'none'";
}

bool accepts_html(const Request& request) {
  std::string_view rest = request.field("accept").value_or("");
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view range = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const std::size_t semicolon = std::min(range.find(';'), range.size());
    if (equals_ignoring_case(trim(range.substr(0, semicolon)), "text/html"))
      return !has_no_weight(range.substr(semicolon));
  }
  return false;
}

}  // namespace eventgate

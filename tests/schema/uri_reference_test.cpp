#include <gtest/gtest.h>

#include "support/validated_event.hpp"

// References resolved (RFC 3986, 5.4), through `$ref`s whose target says which document it is.

namespace eventgate {
namespace {

/// The path of the document that `reference` leads to from a schema whose id is `base`.
std::string resolved(const std::string& base, const std::string& reference) {
  std::string asked;
  const nlohmann::ordered_json document = {{"$id", base}, {"items", {{"$ref", reference}}}};
  const auto result =
      compile_schema("/test/schema/1.0.0", document,
                     [&](const std::string& path) -> boost::system::result<const nlohmann::ordered_json*, std::string> {
                       asked = path;
                       return std::string("not needed");
                     });
  return asked;
}

TEST(UriReference, ResolvesTheExamplesOfRfc3986) {
  const std::pair<const char*, const char*> examples[] = {
      {"g:h", "g:h"},
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y#s", "http://a/b/c/g?y"},
      {";x", "http://a/b/c/;x"},
      {".", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {"..g", "http://a/b/c/..g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
      {"HTTP://X.Y/Z", "http://x.y/Z"},
  };
  for (const auto& [reference, target] : examples)
    EXPECT_EQ(resolved("http://a/b/c/d;p?q", reference), target) << reference;
}

TEST(UriReference, ResolvesWithinTheRepositories) {
  EXPECT_EQ(resolved("/a/b/1.0.0", "../c/2.0.0"), "/a/c/2.0.0");
  EXPECT_EQ(resolved("/a/b/1.0.0", "/fragment/x/1.0.0#/definitions/y"), "/fragment/x/1.0.0");
  EXPECT_EQ(resolved("/a/b/1.0.0", "../../../../c"), "/c");
}

}  // namespace
}  // namespace eventgate

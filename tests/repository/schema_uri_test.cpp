#include "repository/schema_uri.hpp"

#include <gtest/gtest.h>

#include <string>

#include "eventgate/repository/schema_repository.hpp"

namespace eventgate {
namespace {

TEST(SchemaUri, PathsHavePlainSegments) {
  for (const char* uri : {"/a", "a", "/test/event/1.0.0", "test/event/1.0.0", "/a/1.0.0#", "/a_B~c+d-e/.x/...",
                          "constructor", "__proto__", "~", "/a/1.0.0.yaml"}) {
    EXPECT_EQ(schema_uri_form(uri), SchemaUriForm::path) << uri;
  }
}

TEST(SchemaUri, AnythingElseIsIllegal) {
  for (const std::string uri :
       {"",      "#",       "/",      "/#",   "//a",  "/a//b", "/a/",  "/a/.",  "/./a",         "..",
        "/../a", "/a/../b", "/a?x=1", "/a##", "/a#b", "/a b",  "/a\n", "/a%2e", "/t\xC3\xA9st", "/a\\b",
        "\\\\a", "/a:b",    ":a",     "1:a",  "/a;b", "a/b:c"}) {
    EXPECT_EQ(schema_uri_form(uri), SchemaUriForm::illegal) << uri;
  }
  EXPECT_EQ(schema_uri_form(std::string_view("/a\0", 3)), SchemaUriForm::illegal);
  EXPECT_EQ(schema_uri_form("/" + std::string(1023, 'a')), SchemaUriForm::path);
  EXPECT_EQ(schema_uri_form("/" + std::string(1024, 'a')), SchemaUriForm::illegal);
}

TEST(SchemaUri, ASchemeMakesItAbsolute) {
  for (const char* uri : {"file:///etc/passwd", "ftp://127.0.0.1/x", "http://json-schema.org/draft-07/schema#", "a:b",
                          "urn:x", "C:\\x", "x+y-1.0:", "HTTPS://a"}) {
    EXPECT_EQ(schema_uri_form(uri), SchemaUriForm::absolute) << uri;
  }
}

TEST(SchemaUri, FormsOfOnePathHaveOneKey) {
  for (const char* uri : {"a/1.0.0", "/a/1.0.0", "/a/1.0.0#"}) EXPECT_EQ(schema_key(uri), "a/1.0.0") << uri;
  EXPECT_EQ(schema_key("http://host/a#"), "http://host/a");
}

TEST(SchemaUri, LatestIsTheLastSegmentWithOrWithoutExtension) {
  EXPECT_TRUE(is_latest("a/latest"));
  EXPECT_TRUE(is_latest("a/latest.yaml"));
  EXPECT_FALSE(is_latest("latest/1.0.0"));
  EXPECT_FALSE(is_latest("a/latest-1"));
}

TEST(SchemaUri, NumberBehindADotIsNoExtension) {
  EXPECT_TRUE(has_extension("a/1.0.0.yaml"));
  EXPECT_FALSE(has_extension("a/1.0.0"));
  EXPECT_FALSE(has_extension("a.b/current"));
  EXPECT_FALSE(has_extension("a/1."));
}

}  // namespace
}  // namespace eventgate

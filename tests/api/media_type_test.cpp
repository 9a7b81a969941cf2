#include "api/media_type.hpp"

#include <gtest/gtest.h>

namespace eventgate {
namespace {

TEST(MediaTypes, TypesOfEventsAreJson) {
  EXPECT_EQ(media_type("application/json"), MediaType::json);
  EXPECT_EQ(media_type("APPLICATION/JSON ; Charset=\"UTF-8\"; x=y"), MediaType::json);
  EXPECT_EQ(media_type("text/plain;charset=utf8"), MediaType::json);
  EXPECT_EQ(media_type("application/reports+json"), MediaType::json);
  EXPECT_EQ(media_type("application/json; charset=US-ASCII"), MediaType::json);
  EXPECT_EQ(media_type("text/plain;charset=\"us-ascii\""), MediaType::json);
  EXPECT_EQ(media_type("application/json; charset=iso-8859-1"), MediaType::not_utf8);
  EXPECT_EQ(media_type("application/json; charset=us-ascii-1"), MediaType::not_utf8);
  EXPECT_EQ(media_type("application/json; charset="), MediaType::not_utf8);
  EXPECT_EQ(media_type("application/vnd.api+json"), MediaType::other);
  EXPECT_EQ(media_type(";;;"), MediaType::other);
  EXPECT_EQ(media_type(""), MediaType::other);
}

TEST(MediaTypes, SemicolonInQuotesEndsNoParameter) {
  EXPECT_EQ(media_type(R"(application/json; x="a;charset=latin1")"), MediaType::json);
  EXPECT_EQ(media_type(R"(application/json; x="a\";charset=latin1"; charset="utf-8")"), MediaType::json);
  EXPECT_EQ(media_type(R"(application/json; x="a;b"; charset=latin1)"), MediaType::not_utf8);
  EXPECT_EQ(media_type(R"(application/json; x=";charset=latin1)"), MediaType::json);
  EXPECT_EQ(media_type(R"(application/json; x="a\)"), MediaType::json);
}

TEST(MediaTypes, BodyBeginsAsJsonWithABraceOrABracket) {
  EXPECT_TRUE(begins_as_json("{}"));
  EXPECT_TRUE(begins_as_json("\xef\xbb\xbf \r\n\t["));
  EXPECT_FALSE(begins_as_json(""));
  EXPECT_FALSE(begins_as_json(" \xef\xbb\xbf{"));
  EXPECT_FALSE(begins_as_json("\"{\""));
}

}  // namespace
}  // namespace eventgate

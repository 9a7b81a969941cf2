#include "eventgate/json/field_path.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace eventgate {
namespace {

/// The source of the value at `path` in `text`, or "absent".
std::string found(std::string text, std::string_view path) {
  text.reserve(text.size() + kJsonPadding);
  JsonNodes nodes;
  EXPECT_FALSE(parse_json(text, nodes));
  const std::optional<JsonValue> value = FieldPath(path).find(nodes.root());
  return value ? std::string(value->source()) : "absent";
}

TEST(FieldPath, DotsSeparateTheKeys) {
  EXPECT_EQ(FieldPath("meta.stream").keys(), (std::vector<std::string>{"meta", "stream"}));
  EXPECT_EQ(FieldPath("$schema").keys(), (std::vector<std::string>{"$schema"}));
  EXPECT_EQ(FieldPath("a..b.").keys(), (std::vector<std::string>{"a", "", "b", ""}));
  EXPECT_EQ(FieldPath("a..b.").dotted(), "a..b.");
}

TEST(FieldPath, EmptyTextIsTheEmptyPath) {
  EXPECT_TRUE(FieldPath("").empty());
  EXPECT_TRUE(FieldPath().empty());
  EXPECT_FALSE(FieldPath(".").empty());
  EXPECT_EQ(found(R"({"":1})", ""), R"({"":1})");
}

TEST(FieldPath, FindsNestedFields) {
  EXPECT_EQ(found(R"({"a":1,"meta":{"x":0,"stream":"s"}})", "meta.stream"), "\"s\"");
  EXPECT_EQ(found(R"({"http":{"request_headers":{"user-agent":"ua"}}})", "http.request_headers.user-agent"), "\"ua\"");
  EXPECT_EQ(found(R"({"a":null})", "a"), "null");
  EXPECT_EQ(found(R"({"a":{"":{"b":2}}})", "a..b"), "2");
  EXPECT_EQ(found(R"({"m\u0065ta":{"s":1}})", "meta.s"), "1");
}

TEST(FieldPath, FindsNothingWhereAKeyIsAbsentOrAParentIsNoObject) {
  EXPECT_EQ(found(R"({"meta":{}})", "meta.stream"), "absent");
  EXPECT_EQ(found(R"({"meta.stream":1})", "meta.stream"), "absent");
  EXPECT_EQ(found(R"({"meta":null})", "meta.stream"), "absent");
  EXPECT_EQ(found(R"({"meta":["stream"]})", "meta.0"), "absent");
  EXPECT_EQ(found(R"({"a":{"meta":{"stream":1}}})", "meta.stream"), "absent");
  EXPECT_EQ(found("[1]", "0"), "absent");
  EXPECT_EQ(found("\"meta\"", "meta"), "absent");
}

TEST(FieldPath, MemberOccursTwice_LastIsFound) {
  EXPECT_EQ(found(R"({"$schema":"/a","$schema":"/b"})", "$schema"), "\"/b\"");
  EXPECT_EQ(found(R"({"meta":{"id":1},"meta":{}})", "meta.id"), "absent");
}

}  // namespace
}  // namespace eventgate

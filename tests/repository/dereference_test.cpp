#include "repository/dereference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {
namespace {

using nlohmann::ordered_json;
using testing::HasSubstr;

/// The document at /a/1.0.0 written out, with `others` by their paths; or what keeps it from that.
std::string written_out(const std::string& document, const std::map<std::string, std::string>& others = {}) {
  std::map<std::string, ordered_json> documents;
  for (const auto& [path, text] : others) documents[path] = ordered_json::parse(text);
  const RefReader refs = [&](const std::string& path) -> boost::system::result<const ordered_json*, std::string> {
    const auto found = documents.find(path);
    if (found == documents.end()) return std::string("it is not there");
    return &found->second;
  };
  const auto result = dereferenced("/a/1.0.0", ordered_json::parse(document), refs);
  return result ? result->dump() : result.error().message;
}

TEST(Dereference, ReplacesReferencesWithinADocument) {
  EXPECT_EQ(written_out(
                R"({"definitions": {"d/e": {"type": "string"}}, "properties": {"x": {"$ref": "#/definitions/d~1e"}}})"),
            R"({"definitions":{"d/e":{"type":"string"}},"properties":{"x":{"type":"string"}}})");
}

TEST(Dereference, ReplacesReferencesToOtherDocumentsAndTheirs) {
  EXPECT_EQ(
      written_out(R"({"allOf": [{"$ref": "/b/1.0.0#"}]})",
                  {{"/b/1.0.0", R"({"items": {"$ref": "#/definitions/x"}, "definitions": {"x": {"$ref": "/c#/y"}}})"},
                   {"/c", R"({"y": {"type": "null"}})"}}),
      R"({"allOf":[{"items":{"type":"null"},"definitions":{"x":{"type":"null"}}}]})");
}

TEST(Dereference, FollowsIds) {
  EXPECT_THAT(written_out(R"({"$id": "/a/1.0.0",
      "definitions": {"x": {"$id": "#here", "type": "null"},
                      "y": {"$id": "/sub/doc", "items": {"$ref": "#/definitions/z"},
                            "definitions": {"z": {"type": "string"}}}},
      "properties": {"p": {"$ref": "#here"}, "q": {"$ref": "/sub/doc#/items"}}})"),
              testing::EndsWith(R"("properties":{"p":{"$id":"#here","type":"null"},"q":{"type":"string"}}})"));
}

/// Seconds of this thread's processor time.
double processor_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double seconds_to_write_out(const std::string& text, const std::string& other = "{}") {
  const ordered_json document = *parse_object_text(text);
  const ordered_json referred_to = *parse_object_text(other);
  const RefReader refs = [&](const std::string&) -> boost::system::result<const ordered_json*, std::string> {
    return &referred_to;
  };
  const double start = processor_time();
  EXPECT_TRUE(dereferenced("/a/1.0.0", document, refs));
  return processor_time() - start;
}

TEST(Dereference, TimeGrowsWithTheSizeNotItsSquare) {
  // Ten times the members take ten times as long, and a hundred times if each looks for the others.
  const auto object = [](int members) {
    std::string text = R"({"x-data": {)";
    for (int i = 0; i < members; ++i) text += "\"key-" + std::to_string(i) + "\": 1,";
    return text + R"("end": 1}})";
  };
  EXPECT_LT(seconds_to_write_out(object(40'000)), 40 * seconds_to_write_out(object(4'000)));
  const auto references = [](int members) {
    std::string text = R"({"definitions": {"last": {}},"properties": {)";
    for (int i = 0; i < members; ++i) text += "\"k" + std::to_string(i) + R"(": {"$ref": "/b#/definitions/last"},)";
    return text + R"("end": {}}})";
  };
  const auto other = [](int members) {
    std::string text = R"({"definitions": {)";
    for (int i = 0; i < members; ++i)
      text += "\"k" + std::to_string(i) + R"(": {"$id": "#k)" + std::to_string(i) + "\"},";
    return text + R"("last": {}}})";
  };
  EXPECT_LT(seconds_to_write_out(references(10'000), other(10'000)),
            40 * seconds_to_write_out(references(1'000), other(1'000)));
}

TEST(Dereference, TakesExamplesToo) {
  EXPECT_EQ(written_out(R"({"$id": "/a/1.0.0", "examples": [{"id": "x", "$schema": {"$ref": "#/$id"}}]})"),
            R"({"$id":"/a/1.0.0","examples":[{"id":"x","$schema":"/a/1.0.0"}]})");
}

TEST(Dereference, LeavesDataAndNamesAlone) {
  const std::string same =
      R"({"enum":[{"$ref":"#/nowhere"}],"properties":{"$ref":{"type":"string"},"enum":{"const":{"$ref":"x"}}}})";
  EXPECT_EQ(written_out(same), same);
}

TEST(Dereference, WhatIsBesideAReferenceGoes) {
  const std::string document = R"({"properties": {"x": {"description": "own", "$ref": "/b"}}})";
  const std::map<std::string, std::string> others{{"/b", R"({"description": "theirs", "type": "string"})"}};
  EXPECT_EQ(written_out(document, others), R"({"properties":{"x":{"description":"theirs","type":"string"}}})");
}

TEST(Dereference, LeavesRecursionAsAnAbsoluteReference) {
  EXPECT_EQ(written_out(R"({"$ref": "/b"})", {{"/b", R"({"properties": {"child": {"$ref": "#"}}})"}}),
            R"({"properties":{"child":{"$ref":"/b#"}}})");
}

TEST(Dereference, SaysWhatLeadsNowhere) {
  EXPECT_EQ(written_out(R"({"$ref": "#/definitions/x"})"), "$ref '#/definitions/x' leads nowhere");
  EXPECT_EQ(written_out(R"({"$ref": "/none"})"), "$ref to '/none', which cannot be read: it is not there");
  EXPECT_THAT(written_out(R"({"$ref": "#/a~3"})"), HasSubstr("expected a JSON pointer"));
}

TEST(Dereference, BoundsWhatReferencesMultiply) {
  ordered_json document;
  document["definitions"]["0"] = {{"type", "null"}};
  for (int i = 1; i < 40; ++i) {
    const ordered_json below{{"$ref", "#/definitions/" + std::to_string(i - 1)}};
    document["definitions"][std::to_string(i)] = {{"items", ordered_json::array({below, below})}};
  }
  document["$ref"] = "#/definitions/39";
  EXPECT_THAT(written_out(document.dump()), HasSubstr("expected at most 4000000 bytes"));
}

TEST(Dereference, BoundsDataThatReferencesMultiply) {
  ordered_json document;
  document["definitions"]["x"] = {{"enum", ordered_json::array({std::string(10'000, 'x')})}};
  for (int i = 0; i < 500; ++i) document["allOf"].push_back({{"$ref", "#/definitions/x"}});
  EXPECT_THAT(written_out(document.dump()), HasSubstr("expected at most 4000000 bytes"));
}

TEST(Dereference, BoundsHowDeepReferencesLead) {
  ordered_json document;
  document["definitions"]["0"] = {{"type", "null"}};
  for (int i = 1; i < 400; ++i)
    document["definitions"][std::to_string(i)] = {{"items", {{"$ref", "#/definitions/" + std::to_string(i - 1)}}}};
  document["$ref"] = "#/definitions/399";
  EXPECT_THAT(written_out(document.dump()), HasSubstr("expected at most 500 levels"));
}

}  // namespace
}  // namespace eventgate

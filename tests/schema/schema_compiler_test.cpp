#include "eventgate/schema/schema_compiler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "eventgate/fetch/object_reader.hpp"
#include "support/validated_event.hpp"

namespace eventgate {
namespace {

using nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(const std::string& schema, const SchemaDocuments& documents = {}) {
  try {
    compiled(schema, documents);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "none";
}

bool accepts(const std::string& schema, const std::string& event, const SchemaDocuments& documents = {}) {
  return validated(*compiled(schema, documents), event).valid();
}

/// The schemaPaths of the errors.
std::vector<std::string> paths(const std::string& schema, const std::string& event,
                               const SchemaDocuments& documents = {}) {
  std::vector<std::string> found;
  for (const ValidationError& error : validated(*compiled(schema, documents), event).errors)
    found.push_back(error.schema_path);
  return found;
}

SchemaDocuments documents(std::initializer_list<std::pair<const char*, const char*>> texts) {
  SchemaDocuments read;
  for (const auto& [path, text] : texts) read[path] = ordered_json::parse(text);
  return read;
}

// Documents.

TEST(SchemaCompiler, SchemaKeyword_NamesAKnownDraft) {
  for (const char* draft : {"draft-04", "draft-06", "draft-07"})
    for (const char* scheme : {"http", "https"})
      for (const char* end : {"", "#"})
        EXPECT_EQ(error_of("{\"$schema\": \"" + std::string(scheme) + "://json-schema.org/" + draft + "/schema" + end +
                           "\"}"),
                  "none");
  EXPECT_THAT(
      error_of(R"({"$schema": "http://json-schema.org/draft-03/schema#"})"),
      AllOf(HasSubstr("#/$schema is 'http://json-schema.org/draft-03/schema#'"), HasSubstr("unknown metaschema")));
  EXPECT_THAT(error_of(R"({"$schema": 5})"), HasSubstr("#/$schema is no string"));
  EXPECT_THAT(error_of(R"({"$ref": "/d"})", documents({{"/d", R"({"$schema": "http://x/"})"}})),
              HasSubstr("/d#/$schema is 'http://x/'"));
}

TEST(SchemaCompiler, SubschemaIsNotASchema_IsAnError) {
  EXPECT_THAT(error_of("[]"), HasSubstr("# is no schema: expected an object or a boolean"));
  EXPECT_THAT(error_of(R"({"properties": {"a/b": 5}})"), HasSubstr("#/properties/a~1b is no schema"));
  EXPECT_THAT(error_of(R"({"not": null})"), HasSubstr("#/not is no schema"));
  EXPECT_THAT(error_of(R"({"allOf": {"a": {}}})"), HasSubstr("#/allOf is no array"));
}

/// `"k0": schema, "k1": schema, ...`
std::string members(int count, const std::string& schema) {
  std::string text;
  for (int i = 0; i < count; ++i) text += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":" + schema;
  return text;
}

TEST(SchemaCompiler, LongKeysAroundManySchemasAreRefused) {
  const std::string key(12'000, 'k');
  const auto schema = [&](const std::string& inner) {
    return R"({"properties": {")" + key + R"(": {"properties": {)" + members(5'000, inner) + "}}}}";
  };
  EXPECT_THAT(error_of(schema(R"({"type": "string"})")), HasSubstr("bytes in the JSON pointers and ids"));
  EXPECT_THAT(error_of(schema("false")), HasSubstr("bytes in the JSON pointers and ids"));
  EXPECT_THAT(error_of(R"({"properties": {")" + std::string(20'000, 'k') + R"(": {"type": "string"}}})"),
              AllOf(HasSubstr("a JSON pointer of more than 16384 bytes"), testing::SizeIs(testing::Lt(3'000U))));
}

TEST(SchemaCompiler, LongIdsAreRefused) {
  const std::string id = "http://h/" + std::string(5'000, 'i') + "/";
  EXPECT_THAT(error_of(R"({"$id": ")" + id + R"("})"), HasSubstr("an id of more than 4096 bytes"));
  EXPECT_THAT(error_of(R"({"properties": {"a": {"$id": ")" + id + R"("}}})"),
              HasSubstr("an id of more than 4096 bytes"));
  std::string ids = R"({"$id": "http://h/)" + std::string(4'000, 'i') + R"(/", "properties": {)";
  for (int i = 0; i < 10'000; ++i) ids += "\"k" + std::to_string(i) + R"(": {"$id": ")" + std::to_string(i) + "\"},";
  EXPECT_THAT(error_of(ids + R"("end": {}}})"), HasSubstr("bytes in the JSON pointers and ids"));
}

TEST(SchemaCompiler, ManyLargePatternsAreRefused) {
  std::string schema = R"({"properties": {)";
  for (int i = 0; i < 2'000; ++i)
    schema += "\"k" + std::to_string(i) + R"(": {"pattern": ".{900}k)" + std::to_string(i) + "\"},";
  EXPECT_THAT(error_of(schema + R"("end": {}}})"), HasSubstr("the patterns come to more than 500000 instructions"));
}

double seconds_to_compile(const std::string& schema) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  };
  const ordered_json document = *parse_object_text(schema);
  const RefReader none = [](const std::string&) { return std::string("there is none"); };
  const double start = now();
  EXPECT_TRUE(compile_schema("/a/1.0.0", document, none));
  return now() - start;
}

TEST(SchemaCompiler, TimeGrowsWithTheReferencesNotTheirSquare) {
  const auto definitions = [](int count) {
    std::string text = R"({"definitions": {)" + members(count, "{}") + R"(}, "properties": {)";
    for (int i = 0; i < count; ++i)
      text += (i ? ",\"k" : "\"k") + std::to_string(i) + R"(": {"$ref": "#/definitions/k)" + std::to_string(i) + "\"}";
    return text + "}}";
  };
  EXPECT_LT(seconds_to_compile(definitions(10'000)), 40 * seconds_to_compile(definitions(1'000)));
  const auto target = [](int count) {
    return R"({"x": {)" + members(count, "1") + R"(}, "properties": {)" + members(count, R"({"$ref": "#/x"})") + "}}";
  };
  EXPECT_LT(seconds_to_compile(target(10'000)), 40 * seconds_to_compile(target(1'000)));
}

TEST(SchemaCompiler, KeywordHasAWrongValue_IsAnError) {
  EXPECT_THAT(error_of(R"({"type": "int"})"), HasSubstr("#/type is no type: expected null, boolean"));
  EXPECT_THAT(error_of(R"({"type": 5})"), HasSubstr("#/type is no type"));
  EXPECT_THAT(error_of(R"({"maximum": "5"})"), HasSubstr("#/maximum is no number"));
  EXPECT_THAT(error_of(R"({"minimum": 1, "exclusiveMinimum": "5"})"), HasSubstr("#/exclusiveMinimum is no number"));
  EXPECT_THAT(error_of(R"({"multipleOf": 0})"), HasSubstr("#/multipleOf is no number above 0"));
  EXPECT_THAT(error_of(R"({"multipleOf": -1})"), HasSubstr("#/multipleOf is no number above 0"));
  for (const char* keyword : {"maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"})
    for (const char* value : {"-1", "1.5", "\"1\""})
      EXPECT_THAT(error_of("{\"" + std::string(keyword) + "\": " + value + "}"),
                  HasSubstr(std::string(keyword) + " is no count"));
  EXPECT_THAT(error_of(R"({"pattern": 5})"), HasSubstr("#/pattern is no string"));
  EXPECT_THAT(error_of(R"({"format": 5})"), HasSubstr("#/format is no string"));
  EXPECT_THAT(error_of(R"({"uniqueItems": 5})"), HasSubstr("#/uniqueItems is no boolean"));
  EXPECT_THAT(error_of(R"({"properties": []})"), HasSubstr("#/properties is no object"));
  EXPECT_THAT(error_of(R"({"required": "a"})"), HasSubstr("#/required is no array"));
  EXPECT_THAT(error_of(R"({"required": [5]})"), HasSubstr("#/required has a key that is no string"));
  EXPECT_THAT(error_of(R"({"dependencies": {"a": [5]}})"), HasSubstr("#/dependencies has a key that is no string"));
  EXPECT_THAT(error_of(R"({"enum": 5})"), HasSubstr("#/enum is no array"));
  EXPECT_THAT(error_of(R"({"$ref": 5})"), HasSubstr("#/$ref is no string"));
}

TEST(SchemaCompiler, CountIsWrittenAsAFloat_IsAccepted) {
  EXPECT_FALSE(accepts(R"({"maxLength": 2.0})", R"("abc")"));
  EXPECT_TRUE(accepts(R"({"maxLength": 1e300})", R"("abc")"));
  EXPECT_FALSE(accepts(R"({"minLength": 1e300})", R"("abc")"));
}

TEST(SchemaCompiler, FormatIsUnknown_ErrorNamesIt) {
  EXPECT_THAT(error_of(R"({"properties": {"a": {"type": "string", "format": "datetime"}}})"),
              AllOf(HasSubstr(
                  "#/properties/a/format is 'datetime', an unknown format: expected one of date, time, date-time")));
  EXPECT_EQ(error_of(R"({"definitions": {"unused": {"format": "datetime", "pattern": "(", "type": "x"}}})"), "none");
}

TEST(SchemaCompiler, RefusesDocumentsThatAreTooDeep) {
  const auto nested = [](int depth) {
    std::string text = "{}";
    for (int i = 1; i < depth; ++i) text = R"({"items":)" + text + "}";
    return text;
  };
  EXPECT_EQ(error_of(nested(64)), "none");
  EXPECT_THAT(error_of(nested(65)), HasSubstr("nested deeper than 64 levels"));
}

// References.

TEST(SchemaCompiler, LocalPointerHasEscapes_IsResolved) {
  const std::string schema =
      R"({"items": [{"$ref": "#/definitions/a~1b"}, {"$ref": "#/definitions/c~0d"}, {"$ref": "#/definitions/e%25f%20g"},
      {"$ref": "#/definitions/list/oneOf/1"}],
      "definitions": {"a/b": {"type": "null"}, "c~d": {"type": "null"}, "e%f g": {"type": "null"}, "list": {"oneOf": [{}, {"type": "null"}]}}})";
  EXPECT_TRUE(accepts(schema, "[null, null, null, null]"));
  EXPECT_THAT(paths(schema, "[1, 1, 1, 1]"),
              ElementsAre("#/definitions/a~1b/type", "#/definitions/c~0d/type", "#/definitions/e%25f%20g/type",
                          "#/definitions/list/oneOf/1/type"));
}

TEST(SchemaCompiler, ReferenceToAnotherDocument_IsResolved) {
  const auto others =
      documents({{"/fragment/x/1.0.0", R"({"$id": "/fragment/x/1.0.0", "type": "object", "required": ["a"],
                                      "definitions": {"s": {"type": "string"}, "t": {"$ref": "#/definitions/s"}}})"}});
  EXPECT_THAT(paths(R"({"$ref": "/fragment/x/1.0.0"})", "{}", others), ElementsAre("#/required"));
  EXPECT_THAT(paths(R"({"$ref": "/fragment/x/1.0.0#"})", "{}", others), ElementsAre("#/required"));
  EXPECT_THAT(paths(R"({"$ref": "/fragment/x/1.0.0#/definitions/s"})", "1", others),
              ElementsAre("/fragment/x/1.0.0#/definitions/s/type"));
  EXPECT_THAT(paths(R"({"$ref": "../../fragment/x/1.0.0#/definitions/t"})", "1", others),
              ElementsAre("../../fragment/x/1.0.0#/definitions/t/type"));
}

TEST(SchemaCompiler, PointerHasAnEmptyToken_IsAnError) {
  const auto others = documents({{"/x", R"({"definitions": {"": {"type": "string"}},
                                            "properties": {"s": {"$ref": "#/definitions//"}}})"}});
  const char* const kDefinitions = R"(, "definitions": {"": {"s": {}, "": {}}, "s": {"": {"": {}}}}})";
  for (const std::string pointer :
       {"/definitions//s", "/definitions/", "//definitions/s", "/definitions//", "//", "/definitions/s//"})
    EXPECT_EQ(error_of(R"({"items": {"$ref": "#)" + pointer + "\"}" + kDefinitions),
              "#/items/$ref leads to the JSON pointer '" + pointer +
                  "', which has an empty token: expected a key behind each slash");
  EXPECT_THAT(error_of(R"({"$ref": "/x#/definitions//a"})", others),
              HasSubstr("#/$ref leads to the JSON pointer '/definitions//a', which has an empty token"));
  EXPECT_THAT(error_of(R"({"$ref": "/x#/properties/s"})", others), HasSubstr("which has an empty token"));
  // The whole document, as in AJV.
  EXPECT_TRUE(accepts(R"({"items": {"$ref": "#/"}, "type": "array"})", "[[]]"));
}

TEST(SchemaCompiler, ReferenceToAMetaschema_AddsNoDefaults) {
  const std::string schema = R"({"type": "object", "properties": {"own": {"default": 1},
      "s": {"$ref": "http://json-schema.org/draft-07/schema#"}, "d": {"$ref": "http://json-schema.org/draft-07/schema#/definitions/schemaArray"},
      "t": {"$ref": "http://json-schema.org/draft-04/schema"}}})";
  EXPECT_EQ(validated(*compiled(schema), R"({"s": {"items": {}}, "d": [{}], "t": {}})").event,
            R"({"s": {"items": {}}, "d": [{}], "t": {},"own":1})");
  EXPECT_FALSE(accepts(schema, R"({"s": {"minLength": -1}})"));
  EXPECT_FALSE(accepts(schema, R"({"d": [{"type": "x"}]})"));
}

TEST(SchemaCompiler, ReferenceToADocumentWithoutReferences_IsInlined) {
  const auto others = documents({{"/x", R"({"$id": "/x", "type": "object", "required": ["a"]})"}});
  EXPECT_THAT(paths(R"({"$ref": "/x"})", "{}", others), ElementsAre("/x/required"));
  EXPECT_THAT(paths(R"({"$ref": "/x#"})", "{}", others), ElementsAre("/x#/required"));
}

TEST(SchemaCompiler, DocumentsReferToEachOther_AreResolved) {
  const auto others =
      documents({{"/a", R"({"$id": "/a", "properties": {"b": {"$ref": "/b"}, "v": {"type": "string"}}})"},
                 {"/b", R"({"$id": "/b", "properties": {"a": {"$ref": "/a#"}, "self": {"$ref": "#"}}})"}});
  EXPECT_TRUE(accepts(R"({"$ref": "/a"})", R"({"b": {"a": {"v": "x"}, "self": {"self": {}}}})", others));
  EXPECT_FALSE(accepts(R"({"$ref": "/a"})", R"({"b": {"self": {"a": {"v": 1}}}})", others));
}

TEST(SchemaCompiler, ReferenceToTheDocumentByIdOrPath_IsResolved) {
  const std::string schema =
      R"({"$id": "/other/id/1.0.0", "properties": {"a": {"$ref": "/other/id/1.0.0"}, "v": {"type": "string"},
      "b": {"$ref": "/other/id/1.0.0#/properties/v"}, "c": {"$ref": "/test/schema/1.0.0#/properties/v"}}})";
  EXPECT_TRUE(accepts(schema, R"({"a": {"v": "x"}, "b": "x", "c": "x"})"));
  for (const char* event : {R"({"a": {"v": 1}})", R"({"b": 1})"}) EXPECT_FALSE(accepts(schema, event)) << event;
}

TEST(SchemaCompiler, IdOfASubschema_IsTheBaseOfItsReferences) {
  const auto others = documents({{"/folder/string", R"({"type": "string"})"}});
  EXPECT_FALSE(
      accepts(R"({"$id": "/base/x", "items": {"$id": "/folder/", "items": {"$ref": "string"}}})", "[[1]]", others));
  EXPECT_FALSE(accepts(
      R"({"$schema": "http://json-schema.org/draft-04/schema#", "id": "/base/x", "items": {"id": "/folder/", "items": {"$ref": "string"}}})",
      "[[1]]", others));
  EXPECT_FALSE(accepts(R"({"$id": "/base/x", "properties": {"a": {"$ref": "#/definitions/d"}},
                           "definitions": {"d": {"$id": "/folder/", "items": {"$ref": "string"}}}})",
                       R"({"a": [1]})", others));
}

TEST(SchemaCompiler, ReferenceToALocationIndependentId_IsResolved) {
  EXPECT_FALSE(
      accepts(R"({"items": {"$ref": "#name"}, "definitions": {"x": {"$id": "#name", "type": "string"}}})", "[1]"));
  EXPECT_FALSE(accepts(
      R"({"$id": "/a/b", "items": {"$ref": "/a/b#name"}, "definitions": {"x": {"$id": "#name", "type": "string"}}})",
      "[1]"));
  EXPECT_FALSE(accepts(R"({"items": {"$ref": "/x#name"}})", "[1]",
                       documents({{"/x", R"({"definitions": {"x": {"$id": "#name", "type": "string"}}})"}})));
}

TEST(SchemaCompiler, IdIsAlsoTheUriOfADocument_InnerSchemaIsUsed) {
  const std::string schema =
      R"({"items": {"$ref": "/inner/1.0.0"}, "additionalItems": {"$ref": "/inner/1.0.0#/definitions/d"},
      "definitions": {"x": {"$id": "/inner/1.0.0", "type": "string", "definitions": {"d": {"type": "null"}}}}})";
  EXPECT_FALSE(accepts(schema, "[1]", documents({{"/inner/1.0.0", R"({"type": "integer"})"}})));
}

TEST(SchemaCompiler, SameIdInTwoDocuments_EachUsesItsOwn) {
  const auto others = documents(
      {{"/x",
        R"({"$id": "/x", "definitions": {"p": {"$id": "/page", "type": "string"}}, "items": {"$ref": "/page"}})"}});
  EXPECT_TRUE(accepts(
      R"({"definitions": {"p": {"$id": "/page", "type": "integer"}}, "items": [{"$ref": "/page"}, {"$ref": "/x"}]})",
      R"([1, ["s"]])", others));
}

TEST(SchemaCompiler, ReferenceToAMetaschema_IsResolved) {
  EXPECT_TRUE(accepts(R"({"$ref": "http://json-schema.org/draft-07/schema#"})", R"({"type": "string"})"));
  EXPECT_FALSE(accepts(R"({"$ref": "http://json-schema.org/draft-07/schema#"})", R"({"type": "strong"})"));
  EXPECT_FALSE(accepts(R"({"$ref": "http://json-schema.org/draft-04/schema#/definitions/positiveInteger"})", "-1"));
}

TEST(SchemaCompiler, ReferenceLeadsNowhere_ErrorNamesIt) {
  EXPECT_THAT(error_of(R"({"properties": {"a": {"$ref": "#/definitions/none"}}})"),
              HasSubstr("#/properties/a/$ref is '#/definitions/none', which leads nowhere: expected a schema at "
                        "'/test/schema/1.0.0#/definitions/none'"));
  EXPECT_THAT(error_of(R"({"$ref": "#name"})"), HasSubstr("#/$ref is '#name', which leads nowhere"));
  EXPECT_THAT(error_of(R"({"$ref": "/none/1.0.0"})"),
              HasSubstr("#/$ref leads to '/none/1.0.0', which cannot be read: /none/1.0.0 is not there"));
  EXPECT_THAT(error_of(R"({"$ref": "/x#/a"})", documents({{"/x", "{}"}})), HasSubstr("'/x#/a', which leads nowhere"));
  EXPECT_THAT(error_of(R"({"items": {"$ref": "/x"}})", documents({{"/x", R"({"items": {"$ref": "#/none"}})"}})),
              HasSubstr("/x#/items/$ref is '#/none'"));
}

TEST(SchemaCompiler, ReferenceCycleOnOneValue_IsAnError) {
  EXPECT_THAT(error_of(R"({"$ref": "#"})"), HasSubstr("leads back to itself on the same value"));
  EXPECT_THAT(
      error_of(
          R"({"allOf": [{"$ref": "#/definitions/a"}], "definitions": {"a": {"anyOf": [{"$ref": "#/definitions/b"}]}, "b": {"not": {"$ref": "#/definitions/a"}}}})"),
      HasSubstr("leads back to itself on the same value"));
  EXPECT_EQ(error_of(R"({"items": {"$ref": "#"}, "additionalProperties": {"$ref": "#"}})"), "none");
}

TEST(SchemaCompiler, AChainOfReferencesIsBounded) {
  const auto chain = [](int length) {
    ordered_json document = {{"$ref", "#/definitions/d0"}};
    for (int i = 0; i < length; ++i)
      document["definitions"]["d" + std::to_string(i)] = {{"$ref", "#/definitions/d" + std::to_string(i + 1)}};
    document["definitions"]["d" + std::to_string(length)] = {{"type", "string"}};
    return document.dump();
  };
  EXPECT_EQ(error_of(chain(60)), "none");
  EXPECT_THAT(error_of(chain(70)), HasSubstr("more than 64 references"));
  ordered_json loop = ordered_json::parse(
      R"({"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}}})");
  EXPECT_THAT(error_of(loop.dump()), HasSubstr("more than 64 references"));
}

TEST(SchemaCompiler, NestedSchemasForOneValue_AreBounded) {
  ordered_json document = {{"allOf", {{{"$ref", "#/definitions/d0"}}}}};
  for (int i = 0; i < 200; ++i)
    document["definitions"]["d" + std::to_string(i)] = {
        {"allOf", {{{"$ref", "#/definitions/d" + std::to_string(i + 1)}}}}};
  document["definitions"]["d200"] = {{"type", "string"}};
  EXPECT_THAT(error_of(document.dump()), HasSubstr("one inside the other, for the same value"));
}

TEST(SchemaCompiler, ManyReferencesToALargeDefinition_AreCompiledInTime) {
  ordered_json document = ordered_json::object();
  for (int i = 0; i < 2000; ++i) {
    document["definitions"]["large"]["properties"]["key" + std::to_string(i)] = {{"type", "string"}};
    document["properties"]["p" + std::to_string(i)] = {{"$ref", "#/definitions/large"}};
  }
  EXPECT_FALSE(accepts(document.dump(), R"({"p7": {"key3": 5}})"));
}

TEST(SchemaCompiler, SchemaHasTwoDifferentIds_IsAnError) {
  EXPECT_THAT(error_of(R"({"$id": "/a", "id": "/b"})"), HasSubstr("has $id '/a' and another id"));
}

// Defaults.

TEST(SchemaCompiler, DefaultCreatesItselfWithoutEnd_IsAnError) {
  EXPECT_THAT(error_of(R"({"properties": {"a": {"default": {}, "allOf": [{"$ref": "#"}]}}})"),
              HasSubstr("#/properties/a has a default that makes itself again, without end"));
}

TEST(SchemaCompiler, AnyOfHasABranchWithoutConditions_IsNotCompiled) {
  EXPECT_EQ(error_of(R"({"anyOf": [{"pattern": "("}, {}]})"), "none");
}

}  // namespace
}  // namespace eventgate

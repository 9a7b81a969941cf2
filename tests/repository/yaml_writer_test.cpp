#include "repository/yaml_writer.hpp"

#include <gtest/gtest.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "repository/root_collation.hpp"
#include "repository/written_yaml_reader.hpp"

// What is expected is what js-yaml 3.14.1 made of the same values, with jsonschema-tools' order of keys.

namespace eventgate {
namespace {

std::string yaml(const std::string& json) { return written_yaml(js_value(nlohmann::ordered_json::parse(json))); }

/// A text as the value of a key.
std::string scalar(const std::string& text) {
  auto object = js_object();
  object->set("a", text);
  return written_yaml(object).substr(3);
}

TEST(YamlWriter, IndentsListsUnderTheirKey) {
  EXPECT_EQ(yaml(R"({"b": [[1, []], {"x": {}, "y": [null]}], "a": true})"),
            "a: true\nb:\n  - - 1\n    - []\n  - x: {}\n    'y':\n      - null\n");
}

TEST(YamlWriter, PutsTheKeysOfASchemaFirst) {
  EXPECT_EQ(yaml(R"({"z": 1, "examples": 2, "allOf": 3, "A": 4, "a": 5, "properties": 6, "type": 7, "title": 8,
                     "_x": 9, "1": 0})"),
            "title: 8\ntype: 7\nproperties: 6\nallOf: 3\nexamples: 2\n_x: 9\n'1': 0\na: 5\nA: 4\nz: 1\n");
}

TEST(YamlWriter, QuotesWhatWouldBeReadAsSomethingElse) {
  EXPECT_EQ(scalar("plain text"), "plain text\n");
  for (const char* const text : {"yes", "null", "~",  "1",    "0x1f", "1e3",  "012", "12:30:45", "2020-04-02", "=",
                                 "<<",  " a",   "a ", "a: b", "mw:x", "a #b", "- a", "[a",       "a, b",       "@a"})
    EXPECT_EQ(scalar(text), "'" + std::string(text) + "'\n");
  EXPECT_EQ(scalar("0o7"), "0o7\n");
  EXPECT_EQ(scalar("it's"), "it's\n");
  EXPECT_EQ(scalar("'a'"), "'''a'''\n");
  EXPECT_EQ(scalar(""), "''\n");
}

TEST(YamlWriter, EscapesWhatIsNotPrintable) {
  EXPECT_EQ(scalar("a\tb"), "\"a\\tb\"\n");
  EXPECT_EQ(scalar("\x01\x7F\xC2\x85\xE2\x80\xA8\xEF\xBB\xBF"), "\"\\x01\\x7F\\N\\L\\uFEFF\"\n");
  EXPECT_EQ(scalar("\xC3\xA9 \xF0\x9F\x8E\x89"), "\"\xC3\xA9 \\U0001F389\"\n");
}

TEST(YamlWriter, FoldsLongLinesAndKeepsOthers) {
  EXPECT_EQ(scalar("a\nb\n"), "|\n  a\n  b\n");
  EXPECT_EQ(scalar("\n a\n\n"), "|2+\n\n   a\n\n");
  const std::string word(30, 'x');
  EXPECT_EQ(scalar(word + ' ' + word + ' ' + word), ">-\n  " + word + ' ' + word + "\n  " + word + '\n');
  EXPECT_EQ(scalar(std::string(90, 'x')), ">-\n  " + std::string(90, 'x') + '\n');
  EXPECT_EQ(scalar(word + ' ' + word + ' ' + word + "\nb\n  c\n"),
            ">\n  " + word + ' ' + word + "\n  " + word + "\n\n  b\n    c\n");
}

TEST(YamlWriter, WritesNumbersAsJavaScriptDoes) {
  EXPECT_EQ(yaml("[1, 1.0, 1.5, 1e21, 1e-7, 1.5e-7, -0.0, 9007199254740993, 18446744073709551615]"),
            "- 1\n- 1\n- 1.5\n- 1e+21\n- 1.e-7\n- 1.5e-7\n- -0.0\n- 9007199254740993\n- 18446744073709551615\n");
  EXPECT_EQ(written_yaml(JsInteger{"123456789012345678901234567890"}), "123456789012345678901234567890\n");
  EXPECT_EQ(written_yaml(JsDate{"2020-04-02T00:00:00.000Z"}), "2020-04-02T00:00:00.000Z\n");
}

TEST(YamlWriter, MakesAnAnchorOfWhatStandsInSeveralPlaces) {
  const JsValue shared = js_value(nlohmann::ordered_json::parse(R"({"x": 1})"));
  const JsValue empty = JsList{};
  EXPECT_EQ(written_yaml(JsList{shared, empty, shared, empty, shared}),
            "- &ref_0\n  x: 1\n- &ref_1 []\n- *ref_0\n- *ref_1\n- *ref_0\n");
}

TEST(YamlWriter, WritesAKeyBeforeItsValueUnlessItIsLong) {
  auto object = js_object();
  object->set(std::string(1025, 'k'), js_value(nlohmann::ordered_json::parse(R"({"x": 1})")));
  EXPECT_EQ(written_yaml(object), "? " + std::string(1025, 'k') + "\n: x: 1\n");
}

TEST(WrittenYamlReader, ReadsWhatWasWritten) {
  const std::string word(45, 'x');
  auto object = js_object();
  for (const std::string& text :
       {std::string("it's"), std::string("'q'"), std::string(), std::string("a: b"), std::string("12"),
        std::string("l\n\n m\n"), std::string("\n a\n\n"), word + ' ' + word, word + ' ' + word + '\n',
        word + ' ' + word + "\n\n" + word + "\n  more\nless\n\n", std::string("-"), std::string("- a")})
    object->set("k" + std::to_string(object->size()), JsList{text, JsList{text, JsList{}}, js_object()});
  object->set("a b: c",
              js_value(nlohmann::ordered_json::parse(R"({"x": {"y": [{"z": 1, "w": null}, [true]]}, "1": 1.5})")));
  const std::string text = written_yaml(object);
  const auto read = read_written_yaml(text);
  ASSERT_TRUE(read) << text;
  EXPECT_TRUE(is_equal(*read, object)) << text;
}

TEST(WrittenYamlReader, LeavesWhatWasWrittenOtherwise) {
  for (const char* const text :
       {"b: 1\na: 1\n", "a:  1\n", "a: 1", "a: {b: 1}\n", "a: \"b\"\n", "- 1\n", "a: 1 # c\n", "a: 0x1\n",
        "a: 1\na: 1\n", "a:\n- 1\n", "a: >\n  b\n", "a: &x []\n", "a: b\n  c\n", "a\n", ""})
    EXPECT_FALSE(read_written_yaml(text)) << text;
}

TEST(JsonWriter, WritesAsStableStringifyDoes) {
  EXPECT_EQ(written_json(js_value(nlohmann::ordered_json::parse(R"({"b": [], "a": {}, "title": [1, "\u0001"]})"))),
            "{\n  \"title\": [\n    1,\n    \"\\u0001\"\n  ],\n  \"a\": {\n  },\n  \"b\": [\n  ]\n}");
}

TEST(RootCollation, OrdersAsLocaleCompare) {
  const char* const ordered[] = {"_", "-", ",", ";", ":", "!",  "?", ".", "'",        "\"", "(",  ")", "[", "]",
                                 "{", "}", "@", "*", "/", "\\", "&", "#", "%",        "`",  "^",  "+", "<", "=",
                                 ">", "|", "~", "$", "0", "9",  "a", "A", "\xC3\xA1", "ab", "aB", "b", "z", "\xD0\xB6"};
  for (std::size_t i = 0; i + 1 < std::size(ordered); ++i) {
    EXPECT_LT(locale_compare(ordered[i], ordered[i + 1]), 0) << ordered[i] << ' ' << ordered[i + 1];
    EXPECT_GT(locale_compare(ordered[i + 1], ordered[i]), 0) << ordered[i] << ' ' << ordered[i + 1];
  }
  EXPECT_EQ(locale_compare("a\x01", "a"), 0);
}

}  // namespace
}  // namespace eventgate

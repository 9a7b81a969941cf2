#include "eventgate/json/event_patch.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace eventgate {
namespace {

/// An event with its nodes.
class Event {
 public:
  explicit Event(std::string text) : text_(std::move(text)) {
    text_.reserve(text_.size() + kJsonPadding);
    EXPECT_FALSE(parse_json(text_, nodes_));
  }
  JsonValue root() const { return nodes_.root(); }

 private:
  std::string text_;
  JsonNodes nodes_;
};

/// The nodes of `text`, one a line.
std::string written(const JsonNodes& nodes) {
  std::string lines;
  for (const JsonNode& node : nodes.nodes)
    lines += std::to_string(node.begin) + '-' + std::to_string(node.end) + " next " + std::to_string(node.next) + ' ' +
             std::string(json_type_name(node.type)) + " flags " + std::to_string(node.flags) + '\n';
  return lines;
}

/// Applies it in both ways: the nodes, if they are made, must be those that a parse makes.
std::string applied(EventPatch& splice, JsonValue event) {
  std::string out;
  splice.apply(event, out);
  std::string text;
  JsonNodes nodes;
  if (splice.apply_with_nodes(event, text, nodes)) {
    JsonNodes parsed;
    text.reserve(text.size() + kJsonPadding);
    EXPECT_FALSE(parse_json(text, parsed, {1000}));
    EXPECT_EQ(written(nodes), written(parsed)) << text;
  }
  EXPECT_EQ(text, out);
  return out;
}

/// Whether the nodes are made with the text.
bool has_nodes(EventPatch& splice, JsonValue event) {
  std::string text;
  JsonNodes nodes;
  return splice.apply_with_nodes(event, text, nodes);
}

/// `text` with `additions` (path to value) made.
std::string with_added(std::string text, const std::vector<std::pair<std::string, std::string>>& additions) {
  const Event event(std::move(text));
  EventPatch splice;
  for (const auto& [path, value] : additions) splice.add(event.root(), FieldPath(path), value);
  return applied(splice, event.root());
}

/// Whether `path` can be added to `text`.
bool is_added(std::string text, std::string_view path) {
  const Event event(std::move(text));
  EventPatch splice;
  const bool added = splice.add(event.root(), FieldPath(path), "1");
  EXPECT_EQ(added, !splice.empty());
  return added;
}

TEST(EventPatch, AddedFieldComesLastInItsObject) {
  EXPECT_EQ(with_added(R"({"a":1,"meta":{"id":"x"},"z":2})", {{"meta.dt", "\"now\""}}),
            R"({"a":1,"meta":{"id":"x","dt":"now"},"z":2})");
}

TEST(EventPatch, ObjectIsEmpty_FirstFieldHasNoComma) {
  EXPECT_EQ(with_added("{}", {{"a", "1"}}), R"({"a":1})");
  EXPECT_EQ(with_added("{}", {{"a", "1"}, {"b", "2"}, {"c", "3"}}), R"({"a":1,"b":2,"c":3})");
  EXPECT_EQ(with_added("{ }", {{"a", "1"}, {"b", "2"}}), R"({ "a":1,"b":2})");
}

TEST(EventPatch, BytesOfTheClientAreUnchanged) {
  EXPECT_EQ(with_added("{ \"n\" : 1.50E+2 ,\n \"s\":\"\\u00e9\\/\" , \"meta\" : { \"id\":0 } }\n",
                       {{"meta.dt", "null"}, {"dt", "[]"}}),
            "{ \"n\" : 1.50E+2 ,\n \"s\":\"\\u00e9\\/\" , \"meta\" : { \"id\":0 ,\"dt\":null} ,\"dt\":[]}");
}

TEST(EventPatch, ParentIsMissing_ItIsCreatedOnceForAllItsFields) {
  EXPECT_EQ(
      with_added(R"({"a":1})", {{"http.request_headers.user-agent", "\"ua\""},
                                {"meta.id", "\"i\""},
                                {"http.client_ip", "\"ip\""},
                                {"http.request_headers.x", "\"h\""},
                                {"meta.dt", "\"d\""}}),
      R"({"a":1,"http":{"request_headers":{"user-agent":"ua","x":"h"},"client_ip":"ip"},"meta":{"id":"i","dt":"d"}})");
}

TEST(EventPatch, InnerParentIsMissing_ItIsCreatedInTheExistingOne) {
  EXPECT_EQ(
      with_added(R"({"http":{},"b":{"c":{}}})",
                 {{"http.request_headers.x", "1"}, {"b.c.d.e", "2"}, {"http.request_headers.y", "3"}, {"b.f", "4"}}),
      R"({"http":{"request_headers":{"x":1,"y":3}},"b":{"c":{"d":{"e":2}},"f":4}})");
}

TEST(EventPatch, FieldExists_AddDoesNothing) {
  EXPECT_FALSE(is_added(R"({"a":1})", "a"));
  EXPECT_FALSE(is_added(R"({"a":null})", "a"));
  EXPECT_FALSE(is_added(R"({"\u0061":1})", "a"));
  EXPECT_FALSE(is_added(R"({"meta":{"id":""}})", "meta.id"));
  EXPECT_TRUE(is_added(R"({"meta":{"id":""}})", "meta.dt"));
  EXPECT_TRUE(is_added(R"({"meta":{"dt":1}})", "dt"));
}

TEST(EventPatch, ParentIsNotAnObject_AddDoesNothing) {
  EXPECT_FALSE(is_added(R"({"meta":null})", "meta.id"));
  EXPECT_FALSE(is_added(R"({"meta":"x"})", "meta.id"));
  EXPECT_FALSE(is_added(R"({"meta":[]})", "meta.id"));
  EXPECT_FALSE(is_added(R"({"a":{"b":1}})", "a.b.c"));
  EXPECT_FALSE(is_added("[]", "a"));
  EXPECT_FALSE(is_added("1", "a"));
}

TEST(EventPatch, PathIsEmpty_AddDoesNothing) { EXPECT_FALSE(is_added("{}", "")); }

TEST(EventPatch, ParentOccursTwice_FieldIsAddedToTheLast) {
  EXPECT_EQ(with_added(R"({"meta":{"id":1},"meta":{}})", {{"meta.id", "2"}}), R"({"meta":{"id":1},"meta":{"id":2}})");
}

TEST(EventPatch, FieldIsAddedTwice_FirstValueStays) {
  const Event event("{}");
  EventPatch splice;
  EXPECT_TRUE(splice.add(event.root(), FieldPath("meta.id"), "1"));
  EXPECT_FALSE(splice.add(event.root(), FieldPath("meta.id"), "2"));
  EXPECT_FALSE(splice.add(event.root(), FieldPath("meta"), "3"));
  EXPECT_FALSE(splice.add(event.root(), FieldPath("meta.id.x"), "4"));
  EXPECT_EQ(applied(splice, event.root()), R"({"meta":{"id":1}})");
}

TEST(EventPatch, KeysAreEscaped) { EXPECT_EQ(with_added("{}", {{"a\"b\n.\\", "1"}}), R"({"a\"b\n":{"\\":1}})"); }

TEST(EventPatch, MembersAreAddedToAnyObjectOfTheEvent) {
  const Event event(R"({"list":[{},{"a":1},{}],"o":{"p":{}}})");
  EventPatch splice;
  const JsonValue list = *event.root().find("list");
  for (const JsonValue item : list) splice.add_member(item, "x", "0");
  splice.add_member(event.root(), "last", "{}");
  splice.add_member(*event.root().find("o"), "q", "1");
  splice.add_member(*event.root().find("o")->find("p"), "r", "2");
  splice.add_member(*event.root().find("o")->find("p"), "s", "3");
  EXPECT_EQ(applied(splice, event.root()),
            R"({"list":[{"x":0},{"a":1,"x":0},{"x":0}],"o":{"p":{"r":2,"s":3},"q":1},"last":{}})");
}

TEST(EventPatch, Replace_ValueChangesInItsPlace) {
  const Event event(R"({"a": 1.0, "b": [2e2,{"c":3.0}]})");
  EventPatch splice;
  const JsonValue b = *event.root().find("b");
  splice.replace(*(*++b.begin()).find("c"), "3");
  splice.replace(*event.root().find("a"), "1");
  splice.replace(*b.begin(), "200");
  splice.add_member(*++b.begin(), "d", "4");
  EXPECT_EQ(applied(splice, event.root()), R"({"a": 1, "b": [200,{"c":3,"d":4}]})");
}

TEST(EventPatch, ValueIsReplacedTwice_FirstReplacementStays) {
  const Event event(R"({"a":[1.0],"b":2})");
  EventPatch splice;
  splice.replace(*event.root().find("a"), "null");
  splice.replace(*event.root().find("a"), "true");
  splice.replace(*event.root().find("a")->begin(), "1");
  splice.replace(*event.root().find("b"), "3");
  EXPECT_EQ(applied(splice, event.root()), R"({"a":null,"b":3})");
}

TEST(EventPatch, EventIsAnElementOfAnArray_OnlyItsTextIsWritten) {
  const Event array(R"([{"a":1}, {"b":{"c":2.0}}, {"d":3}])");
  const JsonValue event = *++array.root().begin();
  EventPatch splice;
  splice.add(event, FieldPath("b.x"), "0");
  splice.add(event, FieldPath("y"), "0");
  std::string out = "before ";
  splice.apply(event, out);
  EXPECT_EQ(out, R"(before {"b":{"c":2.0,"x":0},"y":0})");
}

TEST(EventPatch, NothingIsAdded_TextIsUnchanged) {
  const Event event(R"({ "a" : 1 })");
  EventPatch splice;
  EXPECT_TRUE(splice.empty());
  EXPECT_EQ(applied(splice, event.root()), R"({ "a" : 1 })");
}

TEST(EventPatch, Clear_EarlierChangesAreGone) {
  const Event event("{}");
  EventPatch splice;
  splice.add(event.root(), FieldPath("a.b"), "1");
  splice.replace(event.root(), "2");
  splice.clear();
  EXPECT_TRUE(splice.empty());
  splice.add(event.root(), FieldPath("a.c"), "3");
  EXPECT_EQ(applied(splice, event.root()), R"({"a":{"c":3}})");
}

TEST(EventPatch, HundredThousandAdditions_AreAllApplied) {
  std::string text = "[";
  std::string expected = "[";
  for (int i = 0; i < 100000; ++i) {
    text += i == 0 ? "{}" : ",{}";
    expected += i == 0 ? "{\"x\":\"\"}" : ",{\"x\":\"\"}";
  }
  const Event event(text + "]");
  EventPatch splice;
  for (const JsonValue item : event.root()) splice.add_member(item, "x", "\"\"");
  EXPECT_TRUE(applied(splice, event.root()) == expected + "]");
}

TEST(EventPatch, StringsAreAdded_NodesEqualThoseOfAParse) {
  const Event array(
      R"([0,{"a":{"b":[1,{"c":{}},[2.5]],"d":true}, "e" : [{"f":{"g":null}}], "h":{"i":{"j":"\"k"}}},{"l":3}])");
  const JsonValue event = *++array.root().begin();
  for (const std::vector<std::string>& paths : std::vector<std::vector<std::string>>{
           {"a.x"},
           {"h.i.x", "h.x", "x", "a.x", "a.y", "h.i.y"},
           {"a.made.x", "a.made.y", "made.again.x", "x", "made.again.y", "h.i.made.x"},
           {"h.\"x\n", "\xC3\xA9.x", "h.i.\\.x"}}) {
    EventPatch splice;
    for (const std::string& path : paths) splice.add(event, FieldPath(path), path == "x" ? "\"\\u0000\"" : "\"\"");
    EXPECT_TRUE(has_nodes(splice, event));
    applied(splice, event);
  }
}

TEST(EventPatch, MembersAreAddedToInnerObjects_NodesEqualThoseOfAParse) {
  const Event event(R"({"list":[{},{"a":[1]},{"b":{"c":{}}},4],"o":{"p":{}},"last":5})");
  const JsonValue list = *event.root().find("list");
  EventPatch splice;
  for (const JsonValue item : list)
    if (item.is_object()) splice.add_member(item, "x", "\"1\"");
  splice.add_member(*(*++ ++list.begin()).find("b")->find("c"), "y", "\"2\"");
  splice.add_member(*event.root().find("o")->find("p"), "z", "\"3\"");
  EXPECT_TRUE(has_nodes(splice, event.root()));
  EXPECT_EQ(applied(splice, event.root()),
            R"({"list":[{"x":"1"},{"a":[1],"x":"1"},{"b":{"c":{"y":"2"}},"x":"1"},4],"o":{"p":{"z":"3"}},"last":5})");
}

TEST(EventPatch, OtherValuesAreAdded_NoNodesAreMade) {
  const Event event(R"({"a":1.0})");
  EventPatch splice;
  splice.add_member(event.root(), "s", "\"\"");
  EXPECT_TRUE(has_nodes(splice, event.root()));
  splice.add_member(event.root(), "n", "1");
  EXPECT_FALSE(has_nodes(splice, event.root()));
  splice.clear();
  splice.replace(*event.root().find("a"), "\"\"");
  EXPECT_FALSE(has_nodes(splice, event.root()));
}

/// The parts of `text` in `ranges`.
std::vector<std::string> parts(const std::string& text, const std::vector<TextRange>& ranges) {
  std::vector<std::string> all;
  for (const TextRange& range : ranges) all.push_back(text.substr(range.begin, range.end - range.begin));
  return all;
}

using Parts = std::vector<std::string>;

TEST(EventPatch, Apply_ReturnsTheRangesOfAddedText) {
  const Event array(R"([0, {"meta":{"id":1},"n":1.0,"empty":{}}])");
  EventPatch splice;
  const JsonValue event = *++array.root().begin();
  splice.add(event, FieldPath("made.x"), "1");
  splice.add(event, FieldPath("empty.y"), "2");
  splice.add(event, FieldPath("meta.dt"), "3");
  splice.add(event, FieldPath("meta.z"), "4");
  splice.replace(*event.find("n"), "100");
  std::string out = "before it ";
  std::vector<TextRange> added;
  splice.apply(event, out, &added);
  out.erase(0, 10);
  EXPECT_EQ(out, R"({"meta":{"id":1,"dt":3,"z":4},"n":100,"empty":{"y":2},"made":{"x":1}})");
  EXPECT_EQ(parts(out, added), (Parts{R"(,"dt":3,"z":4)", R"("y":2)", R"(,"made":{"x":1})"}));
}

TEST(EventPatch, SecondPatch_RangesOfBothPatchesAreReturned) {
  const Event event(R"({"a":{},"n":2.0,"o":{"p":1}})");
  EventPatch first;
  first.add(event.root(), FieldPath("a.b"), "1.0");
  first.add(event.root(), FieldPath("made.x"), "{}");
  std::string text;
  std::vector<TextRange> added;
  first.apply(event.root(), text, &added);

  // Before, inside, behind and between what was added.
  const Event again(text);
  EventPatch second;
  const JsonValue root = again.root();
  second.replace(*root.find("a")->find("b"), "100");
  second.replace(*root.find("n"), "2");
  second.add(root, FieldPath("o.q"), "3");
  second.add(root, FieldPath("made.x.y"), "4");
  second.add(root, FieldPath("last"), "5");
  std::string out;
  second.apply(root, out, &added);
  EXPECT_EQ(out, R"({"a":{"b":100},"n":2,"o":{"p":1,"q":3},"made":{"x":{"y":4}},"last":5})");
  EXPECT_EQ(parts(out, added), (Parts{R"("b":100)", R"(,"q":3)", R"(,"made":{"x":{"y":4}},"last":5)"}));
}

}  // namespace
}  // namespace eventgate

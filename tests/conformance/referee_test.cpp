#define VALIJSON_USE_EXCEPTIONS 1

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>
#include <vector>

#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/repository/metaschema_check.hpp"
#include "eventgate/schema/compiled_schema.hpp"
#include "eventgate/schema/schema_compiler.hpp"
#include "support/gzip_lines.hpp"
#include "support/paths.hpp"

// The compiled validator and valijson's validator judge the same events. Where they differ, the defect of valijson that
// is behind it is found by taking the defect's cause out of the case: what then still differs is explained by nothing,
// and fails the test.

namespace eventgate {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using Adapter = valijson::adapters::NlohmannJsonAdapter;

enum class Verdict { valid, invalid, refused };

std::string_view name_of(Verdict verdict) {
  return verdict == Verdict::valid ? "valid" : verdict == Verdict::invalid ? "invalid" : "refused";
}

/// Documents by their absolute path; the one at kMain is the event's schema.
using Documents = std::map<std::string, ordered_json>;
const std::string kMain = "/main/1.0.0";

struct Case {
  Documents documents;
  ordered_json event;
};

/// Null if a `$ref` leads back to itself on the same value, which valijson would follow without end.
std::shared_ptr<const CompiledSchema> compiled(const Documents& documents) {
  const RefReader refs = [&](const std::string& path) -> boost::system::result<const ordered_json*, std::string> {
    const auto found = documents.find(path);
    if (found == documents.end()) return std::string("there is no " + path);
    return &found->second;
  };
  auto schema = compile_schema(kMain, documents.at(kMain), refs);
  if (!schema) {
    if (schema.error().find(" leads nowhere") == std::string::npos &&
        schema.error().find(" leads ") != std::string::npos)
      return nullptr;
    throw std::runtime_error(schema.error() + " in " + documents.at(kMain).dump());
  }
  return *schema;
}

/// Keeps an event's text and nodes.
struct ParsedEvent {
  explicit ParsedEvent(std::string_view event) : text(event) {
    text.append(kJsonPadding, ' ');
    if (parse_json(std::string_view(text).substr(0, event.size()), nodes)) throw std::runtime_error("no JSON");
  }
  std::string text;
  JsonNodes nodes;
};

Verdict our_verdict(const CompiledSchema& schema, const ordered_json& event) {
  const ParsedEvent parsed(event.dump());
  Validation validation;
  return schema.validate(parsed.nodes.root(), validation) ? Verdict::valid : Verdict::invalid;
}

/// valijson's validator of a document and what it refers to.
class Referee {
 public:
  explicit Referee(const Documents& documents) {
    for (const auto& [path, document] : documents) documents_[path] = json::parse(document.dump());
    // It would fetch what `$schema` and `$id` name.
    for (auto& [path, document] : documents_)
      for (const char* name : {"$schema", "$id"})
        if (document.is_object()) document.erase(name);
    const auto fetch = [this](const std::string& uri) -> const json* {
      const auto found = documents_.find(uri);
      return found == documents_.end() ? nullptr : &found->second;
    };
    try {
      valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
      parser.populateSchema<Adapter>(Adapter(documents_.at(kMain)), schema_, fetch, [](const json*) {});
    } catch (const std::exception&) {
      refused_ = true;
    }
  }

  /// With `results` it looks for every error, as a gate that answers with all of them must; without, for one.
  Verdict verdict(const ordered_json& event, valijson::ValidationResults* results = nullptr) {
    if (refused_) return Verdict::refused;
    try {
      const json target = json::parse(event.dump());
      return validator_.validate(schema_, Adapter(target), results) ? Verdict::valid : Verdict::invalid;
    } catch (const std::exception&) {
      return Verdict::refused;
    }
  }

 private:
  std::map<std::string, json> documents_;
  valijson::Schema schema_;
  valijson::Validator validator_;
  bool refused_ = false;
};

// --- What is behind a disagreement ----------------------------------------------------------------------------------

/// Changes a value and all in it, innermost first.
void each(ordered_json& value, const std::function<void(ordered_json&)>& change) {
  if (value.is_structured())
    for (ordered_json& child : value) each(child, change);
  change(value);
}

void each_of_all(Case& one, const std::function<void(ordered_json&)>& change) {
  for (auto& [path, document] : one.documents) each(document, change);
  each(one.event, change);
}

void without_keyword(Case& one, const std::string& keyword) {
  for (auto& [path, document] : one.documents)
    each(document, [&](ordered_json& value) {
      if (value.is_object() && value.contains(keyword) && !value[keyword].is_structured()) value.erase(keyword);
    });
}

/// Rewrites every string of a document or event, names of members too.
void each_text(ordered_json& value, const std::function<std::string(std::string)>& change) {
  if (value.is_string()) {
    value = change(value.get<std::string>());
  } else if (value.is_array()) {
    for (ordered_json& child : value) each_text(child, change);
  } else if (value.is_object()) {
    ordered_json changed = ordered_json::object();
    for (auto& [key, child] : value.items()) {
      each_text(child, change);
      changed[change(key)] = std::move(child);
    }
    value = std::move(changed);
  }
}

void each_text_of_all(Case& one, const std::function<std::string(std::string)>& change) {
  for (auto& [path, document] : one.documents) each_text(document, change);
  each_text(one.event, change);
}

/// Puts copies of schemas in the place of references to them, deeper than an event goes; nothing if that is too much.
class Inliner {
 public:
  explicit Inliner(const Documents& documents) : documents_(documents) {}

  ordered_json schema(const ordered_json& from, const std::string& document, std::size_t references) {
    if (++nodes_ > kMaxNodes || references > kMaxReferences) return true;
    if (from.is_array()) {
      ordered_json made = ordered_json::array();
      for (const ordered_json& child : from) made.push_back(schema(child, document, references));
      return made;
    }
    if (!from.is_object()) return from;
    if (from.contains("$ref") && from["$ref"].is_string()) {
      const std::string reference = from["$ref"];
      const std::size_t hash = std::min(reference.find('#'), reference.size());
      const std::string target = hash == 0 ? document : reference.substr(0, hash);
      const std::string pointer = reference.substr(std::min(hash + 1, reference.size()));
      return schema(documents_.at(target).at(ordered_json::json_pointer(pointer)), target, references + 1);
    }
    ordered_json made = ordered_json::object();
    for (const auto& [key, child] : from.items()) {
      if (key == "enum" || key == "const")
        made[key] = child;
      else if (key != "definitions")
        made[key] = schema(child, document, references);
    }
    return made;
  }

  bool too_much() const { return nodes_ > kMaxNodes; }

 private:
  static constexpr std::size_t kMaxNodes = 20'000;
  static constexpr std::size_t kMaxReferences = 10;
  const Documents& documents_;
  std::size_t nodes_ = 0;
};

/// A defect of valijson 1.0, and the case without what brings it out. One that `keeps_meaning` must leave our verdict.
struct Defect {
  std::string name;
  bool keeps_meaning;
  void (*avoid)(Case&);
};

const std::vector<Defect>& defects() {
  static const std::vector<Defect> all = {
      {"an integer written 1.0 is no `integer` to it", true,
       [](Case& one) {
         each_of_all(one, [](ordered_json& value) {
           if (!value.is_number_float()) return;
           const double number = value.get<double>();
           if (number == std::floor(number) && std::abs(number) < 9e15) value = static_cast<std::int64_t>(number);
         });
       }},
      {"it finds schemas again by paths that are not theirs alone: of the same pointer in another document, of the "
       "parent "
       "for `propertyNames` and `dependencies`",
       true,
       [](Case& one) {
         Inliner inliner(one.documents);
         ordered_json inlined = inliner.schema(one.documents.at(kMain), kMain, 0);
         if (!inliner.too_much()) one.documents = {{kMain, std::move(inlined)}};
       }},
      {"`multipleOf` divides doubles, and cuts a fraction off before it divides integers", false,
       [](Case& one) { without_keyword(one, "multipleOf"); }},
      {"`format` wants its value to be a string", true,
       [](Case& one) {
         for (auto& [path, document] : one.documents)
           each(document, [](ordered_json& value) {
             if (!value.is_object() || !value.contains("format") || !value["format"].is_string()) return;
             const ordered_json no_string = {{"not", {{"type", "string"}}}};
             const ordered_json guarded = {{"anyOf", {no_string, {{"format", value["format"]}}}}};
             value.erase("format");
             if (!value.contains("allOf")) value["allOf"] = ordered_json::array();
             value["allOf"].push_back(guarded);
           });
       }},
      {"`format`: dates and times have rules of its own, and no other format is known", false,
       [](Case& one) { without_keyword(one, "format"); }},
      {"strings and names end at U+0000", false,
       [](Case& one) {
         each_text_of_all(one, [](std::string text) {
           std::replace(text.begin(), text.end(), '\0', '0');
           return text;
         });
       }},
      {"patterns match bytes, not code points", false,
       [](Case& one) {
         each_text_of_all(one, [](std::string text) {
           std::string ascii;
           for (const char c : text) {
             const auto byte = static_cast<unsigned char>(c);
             if ((byte & 0xC0U) != 0x80U) ascii += byte < 0x80 ? c : 'u';
           }
           return ascii;
         });
       }},
      {"numbers beyond 2^53 are compared as doubles, those beyond 2^63 wrap", false,
       [](Case& one) {
         each_of_all(one, [](ordered_json& value) {
           if (value.is_number() && std::abs(value.get<double>()) > 9e15)
             value = value.get<double>() > 0 ? 1000 : -1000;
         });
       }},
  };
  return all;
}

std::string text_of(const Case& one) {
  std::string text = one.event.dump();
  for (const auto& [path, document] : one.documents) text += '\n' + path + ' ' + document.dump();
  return text;
}

/// The first defect whose cause, taken out of the case, ends the disagreement; if it takes several, the last of them.
/// -1: none.
int explanation(const Case& one, Verdict ours) {
  for (const bool together : {false, true}) {
    Case now = one;
    for (std::size_t i = 0; i < defects().size(); ++i) {
      if (!together) now = one;
      const std::string before = text_of(now);
      defects()[i].avoid(now);
      if (text_of(now) == before) continue;
      const Verdict ours_now = our_verdict(*compiled(now.documents), now.event);
      if (defects()[i].keeps_meaning && !together) {
        EXPECT_EQ(ours_now, ours) << text_of(one);
      }
      if (ours_now == Referee(now.documents).verdict(now.event)) return static_cast<int>(i);
    }
  }
  return -1;
}

class Tally {
 public:
  void add(const Case& one, Verdict ours, Verdict theirs) {
    ++cases_;
    if (ours == Verdict::valid) ++valid_;
    if (ours == theirs) {
      ++agreed_;
      return;
    }
    const int found = explanation(one, ours);
    ++explained_[found];
    if (found >= 0) return;
    ADD_FAILURE() << "we: " << name_of(ours) << ", valijson: " << name_of(theirs) << ": " << text_of(one);
  }

  void print(std::string_view what) const {
    std::cout << what << ": valijson agrees on " << agreed_ << " of " << cases_ << " events (" << std::fixed
              << std::setprecision(2) << 100.0 * static_cast<double>(agreed_) / static_cast<double>(cases_) << " %; "
              << valid_ << " are valid)\n";
    for (const auto& [defect, count] : explained_)
      std::cout << std::setw(8) << count << "  "
                << (defect < 0 ? "unexplained" : defects()[static_cast<std::size_t>(defect)].name) << '\n';
  }

  std::size_t cases() const { return cases_; }
  std::size_t valid() const { return valid_; }
  std::size_t agreed() const { return agreed_; }

 private:
  std::size_t cases_ = 0, valid_ = 0, agreed_ = 0;
  std::map<int, std::size_t> explained_;
};

// --- Random schemas and events --------------------------------------------------------------------------------------

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  /// A document, sometimes with a second one that it refers to.
  Documents documents() {
    Documents made;
    has_other_ = one_in(3);
    made[kMain] = document();
    if (has_other_) {
      has_other_ = false;
      made["/other/1.0.0"] = document();
      has_other_ = true;
    }
    return made;
  }

  /// A value that tries to be valid, but not always.
  ordered_json event(const Documents& documents) {
    documents_ = &documents;
    return sample(documents.at(kMain), documents.at(kMain), 0);
  }

 private:
  // mt19937_64 gives the same numbers everywhere; the standard's distributions do not.
  std::size_t below(std::size_t bound) { return random_() % bound; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <typename T>
  const T& pick(const std::vector<T>& list) {
    return list[below(list.size())];
  }

  std::string name() {
    static const std::vector<std::string> names = {"a", "b", "c", "d", "a-b", "é", "a1", ""};
    return pick(names);
  }

  std::string text() {
    static const std::vector<std::string> texts = {"",
                                                   "a",
                                                   "b",
                                                   "ab",
                                                   "abc",
                                                   "A",
                                                   "12",
                                                   "a1",
                                                   "é",
                                                   "日本",
                                                   "😀",
                                                   "a b",
                                                   "2020-02-28",
                                                   "2020-02-28T10:20:30Z",
                                                   "10:20:30Z",
                                                   "a@b.c",
                                                   "http://a.b/c",
                                                   "1.2.3.4"};
    if (one_in(40)) return {"a\0b", 3};
    if (one_in(100))
      return pick(std::vector<std::string>{"2019-02-29", "2020-02-31", "1-02-03", "2020-02-28t10:20:30z", "10:20:60Z"});
    return pick(texts);
  }

  ordered_json number() {
    static const std::vector<ordered_json> integers = {0, 1, 2, 3, -1, -2, 5, 7, 10, 100};
    static const std::vector<ordered_json> others = {0.5, 1.5, -0.5, 2.25, 0.25};
    static const std::vector<ordered_json> hard = {1.0,
                                                   2.0,
                                                   -0.0,
                                                   0.1,
                                                   0.3,
                                                   1e300,
                                                   9007199254740993,
                                                   18446744073709551615U,
                                                   std::numeric_limits<std::int64_t>::min()};
    if (one_in(8)) return pick(hard);
    return pick(one_in(4) ? others : integers);
  }

  ordered_json value(std::size_t depth) {
    switch (below(depth > 2 ? 5 : 8)) {
      case 0:
        return nullptr;
      case 1:
        return one_in(2);
      case 2:
      case 3:
        return number();
      case 4:
        return text();
      case 5: {
        ordered_json array = ordered_json::array();
        for (std::size_t n = below(4); n > 0; --n) array.push_back(value(depth + 1));
        return array;
      }
      default: {
        ordered_json object = ordered_json::object();
        for (std::size_t n = below(4); n > 0; --n) object[name()] = value(depth + 1);
        return object;
      }
    }
  }

  ordered_json document() {
    ordered_json made = schema(0);
    if (!made.is_object()) made = ordered_json::object();
    made.erase("$ref");
    if (!one_in(8)) {
      for (std::size_t n = 2 + below(4); n > 0; --n) made["properties"][name()] = schema(1);
    }
    // A definition that is but a reference can lead to itself, which ends the process in valijson.
    ordered_json definition;
    do definition = schema(2);
    while (definition.is_object() && definition.contains("$ref"));
    made["definitions"] = {{"x", definition}, {"y", schema(3)}};
    return made;
  }

  ordered_json schemas(std::size_t depth) {
    ordered_json list = ordered_json::array();
    for (std::size_t n = 1 + below(3); n > 0; --n) list.push_back(schema(depth));
    return list;
  }

  ordered_json names() {
    ordered_json list = ordered_json::array();
    for (std::size_t n = 1 + below(2); n > 0; --n)
      if (const std::string one = name(); std::find(list.begin(), list.end(), ordered_json(one)) == list.end())
        list.push_back(one);
    return list;
  }

  std::string pattern() {
    static const std::vector<std::string> patterns = {"^a",  "b$",  "^[a-c]+$",  "\\d", "^\\w*$",
                                                      "a|b", "^.$", "^(ab)?c*$", "\\S"};
    return pick(patterns);
  }

  ordered_json type() {
    static const std::vector<std::string> types = {"object", "object",  "array",   "string",
                                                   "number", "integer", "boolean", "null"};
    if (!one_in(4)) return pick(types);
    ordered_json list = ordered_json::array({pick(types)});
    if (const std::string& other = pick(types); other != list[0]) list.push_back(other);
    return list;
  }

  ordered_json schema(std::size_t depth) {
    if (depth > 0 && one_in(12)) return one_in(3) ? false : true;
    if (depth > 0 && depth < 3 && one_in(8)) {
      if (has_other_ && one_in(2)) return {{"$ref", one_in(2) ? "/other/1.0.0#/definitions/x" : "/other/1.0.0"}};
      return {{"$ref", one_in(2) ? "#/definitions/x" : "#/definitions/y"}};
    }
    ordered_json made = ordered_json::object();
    if (depth == 0 || !one_in(3)) made["type"] = depth == 0 && !one_in(5) ? ordered_json("object") : type();
    for (std::size_t n = below(3) + (depth == 0 ? 1 : 0); n > 0; --n) keyword(made, depth);
    return made;
  }

  void keyword(ordered_json& made, std::size_t depth) {
    static const std::vector<std::string> simple = {
        "enum",       "const",       "maximum",       "minimum",       "exclusiveMaximum", "exclusiveMinimum",
        "multipleOf", "maxLength",   "minLength",     "pattern",       "format",           "maxItems",
        "minItems",   "uniqueItems", "maxProperties", "minProperties", "required"};
    static const std::vector<std::string> nested = {"properties",
                                                    "properties",
                                                    "properties",
                                                    "patternProperties",
                                                    "additionalProperties",
                                                    "propertyNames",
                                                    "items",
                                                    "tuple",
                                                    "contains",
                                                    "dependencies",
                                                    "allOf",
                                                    "anyOf",
                                                    "oneOf",
                                                    "not",
                                                    "if"};
    const std::string& word = depth > 2 || (depth > 0 && one_in(2)) ? pick(simple) : pick(nested);
    if (word == "enum") {
      ordered_json list = ordered_json::array();
      for (std::size_t n = 1 + below(3); n > 0; --n)
        if (ordered_json one = value(2); std::find(list.begin(), list.end(), one) == list.end()) list.push_back(one);
      made[word] = list;
    } else if (word == "const") {
      made[word] = value(1);
    } else if (word.ends_with("imum")) {
      made[word] = number();
    } else if (word == "multipleOf") {
      made[word] = pick(std::vector<ordered_json>{1, 2, 5, 0.5, 0.1});
    } else if (word == "pattern") {
      made[word] = pattern();
    } else if (word == "format") {
      if (one_in(2)) return;  // valijson is wrong about most.
      made[word] = pick(std::vector<std::string>{"date-time", "date", "time", "uri", "email", "ipv4"});
    } else if (word == "uniqueItems") {
      made[word] = true;
    } else if (word == "required") {
      made[word] = names();
    } else if (word.starts_with("max") || word.starts_with("min")) {
      made[word] = below(4);
    } else if (word == "properties") {
      for (std::size_t n = 1 + below(3); n > 0; --n) made[word][name()] = schema(depth + 1);
    } else if (word == "patternProperties") {
      made[word][pattern()] = schema(depth + 1);
    } else if (word == "tuple") {
      made["items"] = schemas(depth + 1);
      if (one_in(2)) made["additionalItems"] = schema(depth + 1);
    } else if (word == "dependencies") {
      made[word][name()] = one_in(2) ? names() : schema(depth + 1);
    } else if (word == "propertyNames") {
      made[word] = pick(std::vector<ordered_json>{
          {{"maxLength", 1}}, {{"pattern", "^[a-c]"}}, {{"enum", {"a", "b", "c"}}}, true, {{"not", {{"const", "d"}}}}});
    } else if (word.ends_with("Of")) {
      made[word] = schemas(depth + 1);
    } else if (word == "if") {
      if (one_in(4)) {
        made[word] = schema(3);
        return;
      }
      made[word] = schema(depth + 1);
      made[one_in(2) ? "then" : "else"] = schema(depth + 1);
      if (one_in(2)) made["then"] = schema(depth + 1);
    } else {
      made[word] = schema(depth + 1);
    }
  }

  ordered_json sample(const ordered_json& schema, const ordered_json& root, std::size_t depth) {
    if (!schema.is_object() || depth > 6 || one_in(12)) return value(depth);
    if (schema.contains("$ref")) {
      const std::string reference = schema["$ref"];
      const std::size_t hash = reference.find('#');
      const ordered_json& document = hash == 0 ? root : documents_->at(reference.substr(0, hash));
      const std::string pointer = hash == std::string::npos ? "" : reference.substr(hash + 1);
      return sample(document.at(ordered_json::json_pointer(pointer)), document, depth + 1);
    }
    if (schema.contains("const") && !one_in(3)) return schema["const"];
    if (schema.contains("enum") && !one_in(3)) return schema["enum"][below(schema["enum"].size())];
    for (const char* word : {"allOf", "anyOf", "oneOf"})
      if (schema.contains(word) && one_in(3)) return sample(schema[word][below(schema[word].size())], root, depth + 1);
    std::string kind = "object";
    if (schema.contains("type"))
      kind = schema["type"].is_string() ? schema["type"] : schema["type"][below(schema["type"].size())];
    else if (schema.contains("items") || schema.contains("contains"))
      kind = "array";
    else if (!schema.contains("properties"))
      return value(depth);
    if (kind == "null") return nullptr;
    if (kind == "boolean") return one_in(2);
    if (kind == "string") return text();
    if (kind == "number") return number();
    if (kind == "integer") return one_in(4) ? number() : ordered_json(below(12));
    if (kind == "array") {
      ordered_json array = ordered_json::array();
      for (std::size_t n = below(4); n > 0; --n) {
        const ordered_json any = true;
        const ordered_json& items = schema.contains("items")      ? schema["items"]
                                    : schema.contains("contains") ? schema["contains"]
                                                                  : any;
        array.push_back(
            sample(items.is_array() ? items[std::min(array.size(), items.size() - 1)] : items, root, depth + 1));
      }
      return array;
    }
    ordered_json object = ordered_json::object();
    if (schema.contains("properties"))
      for (const auto& [key, child] : schema["properties"].items())
        if (!one_in(6)) object[key] = sample(child, root, depth + 1);
    if (schema.contains("required"))
      for (const auto& key : schema["required"])
        if (!object.contains(key.get<std::string>()) && !one_in(6)) object[key.get<std::string>()] = value(depth + 1);
    if (one_in(3)) object[name()] = value(depth + 1);
    return object;
  }

  std::mt19937_64 random_;
  bool has_other_ = false;
  const Documents* documents_ = nullptr;
};

TEST(Referee, RandomSchemasAndEvents) {
  constexpr std::size_t kSchemas = 2500;
  constexpr std::size_t kEvents = 8;
  Tally tally;
  std::size_t circular = 0;
  for (std::size_t i = 0; i < kSchemas; ++i) {
    Maker maker(i);
    Case one{maker.documents(), nullptr};
    for (const auto& [path, document] : one.documents)
      ASSERT_EQ(check_schema(document, true).value_or("valid"), "valid") << document;
    const auto ours = compiled(one.documents);
    if (!ours) {
      ++circular;
      continue;
    }
    Referee theirs(one.documents);
    for (std::size_t j = 0; j < kEvents; ++j) {
      one.event = maker.event(one.documents);
      tally.add(one, our_verdict(*ours, one.event), theirs.verdict(one.event));
    }
  }
  tally.print("random schemas and events");
  EXPECT_EQ(tally.cases(), (kSchemas - circular) * kEvents);
  EXPECT_LT(circular, kSchemas / 10);
  EXPECT_GT(tally.valid(), tally.cases() / 5);
  EXPECT_GT(tally.agreed(), tally.cases() * 9 / 10);
}

// --- Wikimedia's events ---------------------------------------------------------------------------------------------

const std::string kShared = shared_dir();

/// The document at `path` in the repositories, and all it refers to, into `documents` under `name`.
void read_documents(const std::string& path, const std::string& name, Documents& documents) {
  if (documents.contains(name)) return;
  const auto reader = make_uri_reader({});
  for (const char* root : {"/golden/test-schemas", "/golden/schemas", "/data/schema-repos/secondary/jsonschema",
                           "/data/schema-repos/primary/jsonschema"})
    for (const char* extension : {".yaml", ""}) {
      auto document = reader->read(kShared + root + path + extension);
      if (!document || documents.contains(name)) continue;
      documents[name] = *std::move(document);
    }
  if (!documents.contains(name)) throw std::runtime_error("there is no " + path);
  std::vector<std::string> references;
  each(documents[name], [&](ordered_json& value) {
    if (value.is_object() && value.contains("$ref") && value["$ref"].is_string()) references.push_back(value["$ref"]);
  });
  for (const std::string& reference : references) {
    const std::string target = reference.substr(0, reference.find('#'));
    if (!target.empty()) read_documents(target, target, documents);
  }
}

ordered_json completed(const CompiledSchema& schema, std::string event) {
  EventPatch splice;
  for (int round = 0; round < 20; ++round) {
    const ParsedEvent parsed(event);
    splice.clear();
    if (!schema.add_defaults(parsed.nodes.root(), splice)) break;
    event.clear();
    splice.apply(parsed.nodes.root(), event);
  }
  return ordered_json::parse(event);
}

bool has_long_string(const ordered_json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().size() > 1000;
  return value.is_structured() && std::any_of(value.begin(), value.end(), has_long_string);
}

TEST(Referee, EventsOfWikimedia) {
  if (!std::filesystem::exists(kShared + "/golden/corpus.jsonl.gz"))
    GTEST_SKIP() << "the recordings of the original are not here";
  Tally tally;
  std::size_t as_ajv = 0, long_ones = 0;
  std::map<std::string, std::pair<std::shared_ptr<const CompiledSchema>, std::unique_ptr<Referee>>> schemas;
  std::map<std::string, Documents> documents;
  for (const std::string& line : gzip_lines(kShared + "/golden/corpus.jsonl.gz")) {
    const auto recorded = ordered_json::parse(line);
    const std::string uri = recorded["schema"];
    if (!schemas.contains(uri)) {
      read_documents(uri, kMain, documents[uri]);
      schemas[uri] = {compiled(documents[uri]), std::make_unique<Referee>(documents[uri])};
    }
    const auto& [ours, theirs] = schemas[uri];
    const Case one{documents[uri], completed(*ours, recorded["request"])};
    const Verdict verdict = our_verdict(*ours, one.event);
    if (verdict == (recorded["status"] == 201 ? Verdict::valid : Verdict::invalid)) ++as_ajv;
    if (has_long_string(one.event)) {
      ++long_ones;  // They could end the process.
      continue;
    }
    tally.add(one, verdict, theirs->verdict(one.event));
  }
  tally.print("events of Wikimedia (" + std::to_string(long_ones) + " more have long strings)");
  EXPECT_EQ(as_ajv, tally.cases() + long_ones);
  EXPECT_GT(tally.cases(), 1900u);
}

// --- Why no event meets valijson ------------------------------------------------------------------------------------

/// A schema and an event that end the process in valijson: std::regex calls itself for every character. (By how its
/// code is optimised, 26 to 35 KB and 12 to 17 KB will do.)
struct Deadly {
  Documents documents;
  ordered_json event;
};

const Deadly& deadly_time() {
  static const Deadly one = {
      {{kMain, ordered_json::parse(R"({"properties": {"dt": {"format": "date-time", "maxLength": 128}}})")}},
      {{"dt", "2020-02-28T10:20:30." + std::string(40'000, '0') + "Z"}}};
  return one;
}

const Deadly& deadly_pattern() {
  static const Deadly one = {
      {{kMain, ordered_json::parse(R"({"properties": {"a": {"pattern": "^(a|b)*$", "maxLength": 128}}})")}},
      {{"a", std::string(20'000, 'a')}}};
  return one;
}

/// How the process ends that has valijson judge the event on a stack of 8 MB, Linux's default: its wait status.
int end_of_valijson(const Deadly& one) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit stack{8 << 20, 8 << 20}, core{0, 0};
    ::setrlimit(RLIMIT_STACK, &stack);
    ::setrlimit(RLIMIT_CORE, &core);
    valijson::ValidationResults results;
    Referee(one.documents).verdict(one.event, &results);
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(Referee, ALongStringEndsTheProcessInValijsonAndNotHere) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer has its own end for a stack that overflows";
#endif
  for (const Deadly* one : {&deadly_time(), &deadly_pattern()}) {
    const int status = end_of_valijson(*one);
    EXPECT_TRUE(WIFSIGNALED(status)) << one->documents.at(kMain);
    if (WIFSIGNALED(status)) {
      EXPECT_EQ(WTERMSIG(status), SIGSEGV);
    }
    EXPECT_EQ(our_verdict(*compiled(one->documents), one->event), Verdict::invalid);
  }
}

TEST(Referee, AShortStringOfThatKindDoesNot) {
  Deadly one = deadly_time();
  one.event["dt"] = "2020-02-28T10:20:30.000Z";
  const int status = end_of_valijson(one);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(our_verdict(*compiled(one.documents), one.event), Verdict::valid);
}

}  // namespace
}  // namespace eventgate

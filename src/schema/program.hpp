#pragma once

#include <re2/re2.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/json/decimal.hpp"
#include "eventgate/json/json_nodes.hpp"
#include "eventgate/schema/compiled_schema.hpp"
#include "formats.hpp"
#include "key_table.hpp"

// The flat form of a schema that the validator runs. SchemaCompiler builds a Program; afterwards it is immutable.
//
// Every schema that constrains something is one `Schema` in `Program::schemas`, and refers by index to the rules for
// each type of value: {"type": "string", "maxLength": 9} is a Schema with `types` = string and `string` = the index of
// a StringRules. A schema without rules is `kNone`: every value is valid under it.

namespace eventgate {

/// A position in one of the arrays of a Program, or of a JSON text's nodes.
using Index = std::uint32_t;

/// No element. As a schema: one under which every value is valid.
inline constexpr Index kNone = std::numeric_limits<Index>::max();

/// A set of JSON types: a bit for each, and one for integers.
using TypeSet = std::uint8_t;
inline constexpr TypeSet type_bit(JsonType type) { return static_cast<TypeSet>(1u << static_cast<unsigned>(type)); }
inline constexpr TypeSet kIntegerBit = 1u << 6;
inline constexpr TypeSet kAnyType = 0x7F;

/// AJV runs the rules of a schema in groups by the type they constrain, in this order.
enum class Group : std::uint8_t { none, number, string, array, object };

/// The value of `maximum`, `minimum`, or their exclusive forms.
struct Limit {
  bool present = false;
  bool exclusive = false;
  bool small = false;  ///< The limit is an integer and equals `integer`.
  std::int64_t integer = 0;
  double value = 0;   ///< The double nearest to the limit.
  ExactNumber exact;  ///< The limit with all its digits.
  std::string text;   ///< As messages write it.
};

struct NumberRules {
  /// An integer of at most 18 digits is valid exactly if it lies between `smallest` and `largest`.
  bool small = false;
  std::int64_t smallest = std::numeric_limits<std::int64_t>::min();
  std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  Limit maximum, minimum;
  bool has_divisor = false;
  Divisor divisor;
  std::string divisor_text;
};

/// The value of a keyword such as `maxLength`.
struct Count {
  std::uint64_t value;
  std::string text;  ///< As messages write it. Empty if the schema lacks the keyword.
};

struct StringRules {
  Index pattern = kNone;
  std::optional<Format> format;
  Count maximum{std::numeric_limits<std::uint64_t>::max(), {}};
  Count minimum{0, {}};
  std::string format_name;
};

struct ArrayRules {
  Count maximum{std::numeric_limits<std::uint64_t>::max(), {}};
  Count minimum{0, {}};
  bool is_tuple = false;       ///< `items` is an array of schemas.
  bool no_more_items = false;  ///< `additionalItems` is false.
  Index items = kNone;         ///< Schema of all items, or of those behind the tuple.
  std::vector<Index> tuple;
  std::vector<Index> tuple_defaults;  ///< A constant or kNone for each item of the tuple. Empty if it has no default.
  bool has_contains = false;
  Index contains = kNone;
  bool unique = false;
  /// The type of the items if it allows neither objects nor arrays, else 0. AJV then compares only items of this type,
  /// and looks for duplicates in another order.
  TypeSet unique_types = 0;
};

/// A property name that the rules of an object mention.
struct Property {
  std::string key;
  std::string path;    ///< The property in AJV's data path: `.key` or `['a-b']`.
  Index name = kNone;  ///< Number of `key` among all keys of the program.
  Index schema = kNone;
  Index default_value = kNone;  ///< A constant.
  /// The property is required and has a schema. AJV reports it missing where it validates the property, not with the
  /// other required ones.
  bool required = false;
};

struct Dependency {
  Index property;               ///< In `ObjectRules::properties`.
  std::vector<Index> required;  ///< In `ObjectRules::properties`.
  std::string required_text;    ///< Their keys, separated by commas.
  Index schema = kNone;
};

struct PatternProperty {
  Index pattern;
  Index schema;
};

struct ObjectRules {
  Count maximum{std::numeric_limits<std::uint64_t>::max(), {}};
  Count minimum{0, {}};
  /// The names of the keyword `properties` in their order, then the names that only `required` and `dependencies`
  /// mention.
  std::vector<Property> properties;
  std::vector<Index> required;  ///< The properties that AJV looks for before it validates any.
  std::vector<Dependency> dependencies;
  Index property_names = kNone;
  bool no_additional = false;  ///< `additionalProperties` is false.
  Index additional = kNone;
  std::vector<PatternProperty> patterns;

  KeyTable keys;                   ///< From a name to its index in `properties`.
  std::uint32_t declared = 0;      ///< Number of properties in the keyword `properties`; they come first.
  std::vector<Index> schemas;      ///< Their schemas.
  std::uint64_t all_required = 0;  ///< A bit for each required property, if there are at most 64 properties.
  std::vector<Index> defaults;     ///< The properties that have a default.
  /// The validator checks a simple object in one pass. Simple rules have at most 64 properties and no keywords besides
  /// `properties`, `required` and `additionalProperties`, which is false or constrains the type only.
  bool simple = false;
  TypeSet additional_types = kAnyType;  ///< Simple rules only: the types that additional properties may have.

  /// Returns the index of the property named `key`, or kNone. Reads up to 8 bytes behind `key`.
  Index find(std::string_view key) const { return keys.find(key); }
};

/// A `$ref`.
struct Reference {
  Index target = kNone;  ///< In `Program::ref_targets`.
  /// The start of `schemaPath` in errors below the reference: `#`, or the text of the `$ref` if AJV inlines its schema.
  std::string prefix;
};

/// The rules for values of any type: `$ref`, or `const`, `enum`, `not`, `anyOf`, `oneOf`, `allOf`, `if`.
struct AnyTypeRules {
  Index reference = kNone;
  Index constant = kNone;
  std::string constant_text;
  bool has_enumeration = false;
  std::vector<Index> enumeration;  ///< Constants: the values of `enum` that are not strings.
  KeyTable strings;                ///< The strings of `enum`.
  std::string enumeration_text;
  bool has_negation = false;
  Index negation = kNone;
  std::vector<Index> any_of, one_of, all_of;
  bool has_any_of = false, has_one_of = false;
  bool has_condition = false;
  Index condition = kNone, then_schema = kNone, else_schema = kNone;
};

/// One schema that constrains something.
struct Schema {
  TypeSet types = kAnyType;
  /// The group after which AJV reports a wrong type. `none`: it reports that first.
  Group type_group = Group::none;
  bool never = false;         ///< The schema is `false`.
  bool only_types = false;    ///< The schema constrains the type only.
  bool has_defaults = false;  ///< AJV fills in a default inside it, or behind one of its references.
  /// A string, or an integer without fraction and exponent, is valid if its type is right and its text has fewer bytes
  /// than this. Most bounds of real schemas are never reached, so this decides most values. 0 decides nothing.
  std::uint32_t short_string = 0, short_integer = 0;
  /// Indexes of the rules, or kNone.
  Index number = kNone, string = kNone, array = kNone, object = kNone, any_type = kNone;
  Index path = kNone;       ///< In `Program::texts`: `schemaPath` from the RefTarget on.
  Index type_name = kNone;  ///< In `Program::texts`: the value of `type` in messages.
};

/// A schema that a `$ref` leads to, or the document itself. AJV compiles each into a function.
struct RefTarget {
  Index schema = kNone;
  /// Several references lead here and it has references itself. The validator remembers its verdicts, because without
  /// that nested references could take exponential time.
  bool memoized = false;
};

/// A value of `const`, `enum` or `default`.
struct Constant {
  std::string text;  ///< The JSON text, then kJsonPadding bytes.
  std::size_t size = 0;
  JsonNodes nodes;

  std::string_view json() const { return {text.data(), size}; }
  JsonValue value() const { return nodes.root(); }
};

/// Returns the constant with the JSON text `json`. Throws CompileError, which names `where`, if it is not JSON.
std::unique_ptr<Constant> make_constant(std::string json, const std::string& where);

struct Pattern {
  std::string text;  ///< As the schema has it.
  std::unique_ptr<const RE2> re2;

  /// Returns true if `subject` contains a match.
  bool is_found_in(std::string_view subject) const {
    // RE2's own type: that of Debian 13 is no std::string_view.
    const re2::StringPiece piece(subject.data(), subject.size());
    return re2->Match(piece, 0, piece.size(), RE2::UNANCHORED, nullptr, 0);
  }
};

struct CompiledSchema::Program {
  std::string uri;
  std::optional<std::string> title;
  Index root = kNone;

  std::vector<Schema> schemas;
  std::vector<NumberRules> numbers;
  std::vector<StringRules> strings;
  std::vector<ArrayRules> arrays;
  std::vector<ObjectRules> objects;
  std::vector<AnyTypeRules> any_types;
  std::vector<Reference> references;
  std::vector<RefTarget> ref_targets;
  std::vector<std::unique_ptr<const Constant>> constants;
  std::vector<Pattern> patterns;
  std::vector<std::string> texts;  ///< Schema paths and names of types.
};

}  // namespace eventgate
